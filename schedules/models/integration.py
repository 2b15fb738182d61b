"""What programs outside lean on: where each consumer of the history stands, and which POSTs were answered already."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from alwrity_scheduler.core.secrets import EncryptedJSONField


class EventCursor(models.Model):
    """Up to which place a consumer has read a chain of the history. A chain has no gaps, so no fact is passed over.

    Written by `services.following` only. seq is the last place that was taken.
    """

    consumer = models.CharField(max_length=80)
    chain = models.PositiveBigIntegerField()
    seq = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["consumer", "chain"]
        constraints = [models.UniqueConstraint(fields=["consumer", "chain"], name="event_cursor_once")]

    def __str__(self) -> str:
        return f"{self.consumer} in chain {self.chain}: read up to {self.seq}"


class IdempotencyKey(models.Model):
    """One POST of one caller that carried an `Idempotency-Key`. Written by `api.idempotency`; goes a day after it was made.

    caller: `token:<id>`, `user:<id>` or `app:<id>`. fingerprint: SHA-256 of method, path, query and body, so that a key is not
    taken for another request. holder: who works on it now, until `held_until`; whoever finds it over may take it, because the
    answer is stored in the transaction of the work itself. status 0: no answer yet.
    """

    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    holder = models.CharField(max_length=32, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    # whether the work may have reached the outside world, so that nobody may simply do it again
    reaches_out = models.BooleanField(default=False)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    # the answer as it was sent; encrypted, because it may hold a secret that is shown once
    body = EncryptedJSONField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="idempotency_once"),
            models.CheckConstraint(condition=Q(status=0) | Q(status__range=(100, 599)), name="idempotency_status"),
        ]
        indexes = [
            # what is old
            models.Index(fields=["created_at", "id"], name="idempotency_old"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
