"""Who is told of a workspace's events outside, what is on its way there, and each try with its answer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.core.secrets import EncryptedJSONField
from alwrity_scheduler.workspaces.models import Workspace
from schedules.engine.work import WorkRow, work_constraints
from schedules.webhooks.querysets import AttemptQuerySet, DeliveryQuerySet, EndpointQuerySet
from schedules.webhooks.rules import DeliveryState, EndpointState, Origin

STATE_WORDS = {
    EndpointState.ACTIVE: _("Active"),
    EndpointState.PAUSED: _("Paused"),
    EndpointState.DISABLED: _("Disabled"),
}
DELIVERY_WORDS = {
    DeliveryState.PENDING: _("Waiting"),
    DeliveryState.RUNNING: _("Under way"),
    DeliveryState.DELIVERED: _("Delivered"),
    DeliveryState.FAILED: _("Failed"),
    DeliveryState.CANCELLED: _("Cancelled"),
    DeliveryState.HELD: _("Held"),
}


class WebhookEndpoint(models.Model):
    """An address that is told of events. Written by `webhooks.services` and, after each try, by `webhooks.sending`.

    event_types: `job.completed`, `job.*` or `*`. filters: {accounts: [ids], platforms: [...], labels: [...], campaigns: [names]};
    each that is given must fit. secrets: `secret`, and `previous`, which also signs until `previous_until`. headers: sent with
    each delivery, for a gateway in front of the receiver. since_at: what happened before is not sent. failures: in a row,
    whatever was sent; open_until: nothing is sent before. The row of a deleted one stays, without its secrets, until its
    deliveries are removed.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    event_types = models.JSONField(default=list)
    filters = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJSONField()
    headers = EncryptedJSONField()
    previous_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(
        max_length=12, default=EndpointState.ACTIVE, choices=[(state.value, STATE_WORDS[state]) for state in EndpointState]
    )  # fmt: skip
    state_reason = models.CharField(max_length=24, blank=True)
    state_at = models.DateTimeField()
    since_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "webhook"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in EndpointState]), name="webhook_endpoint_state"
            ),
        ]
        indexes = [
            # whom events are kept for: listening(), asked each second
            models.Index(
                fields=["workspace"],
                name="webhook_listening",
                condition=Q(deleted_at=None, state__in=["active", "paused"]),
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url


DELIVERY_INDEXES, DELIVERY_CONSTRAINTS = work_constraints("hook_delivery")


class Delivery(WorkRow):
    """One event for one endpoint. Made with the cursor's step, by a test or by a replay; kept for 30 days.

    event_id: the same over all tries and replays, so that a receiver knows what it has had. body: the exact text that is sent
    and signed. serial_key: the endpoint and one of its AT_ONCE places, so that no receiver gets more at once.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries", db_index=False)
    event_id = models.CharField(max_length=64)
    event_type = models.CharField(max_length=64)
    event_at = models.DateTimeField()
    body = models.TextField()
    origin = models.CharField(max_length=8, default=Origin.EVENT)
    reason = models.CharField(max_length=24, blank=True)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_message = models.CharField(max_length=300, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in DeliveryState]), name="hook_delivery_state"
            ),
            models.CheckConstraint(
                condition=Q(origin__in=[origin.value for origin in Origin]), name="hook_delivery_origin"
            ),
            # a fact is sent to an endpoint once, whoever reads the history twice
            models.UniqueConstraint(
                fields=["endpoint", "event_id"], condition=Q(origin="event"), name="hook_delivery_once"
            ),
            *DELIVERY_CONSTRAINTS,
        ]
        indexes = [
            *DELIVERY_INDEXES,
            # the log of an endpoint, newest first, and its figures of a day
            models.Index(fields=["endpoint", "-id"], name="hook_delivery_log"),
            models.Index(fields=["endpoint", "created_at"], name="hook_delivery_of_a_day"),
            # whether an event was delivered already, by a replay or without one
            models.Index(fields=["endpoint", "event_id"], name="hook_delivery_of_event"),
            # what is on its way or held, to be held, cancelled or let go together
            models.Index(
                fields=["endpoint", "state"],
                name="hook_delivery_open",
                condition=Q(state__in=["pending", "running", "held"]),
            ),
            # what is old
            models.Index(fields=["created_at", "id"], name="hook_delivery_old"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"


class DeliveryAttempt(models.Model):
    """One try. Committed before the request leaves, without an ending; a row that stays so was interrupted.

    request_headers: without secrets. answer_body: at most MOST_ANSWER_BYTES of it, as text.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    no = models.PositiveIntegerField()
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    ending = models.CharField(max_length=24, blank=True)
    message = models.CharField(max_length=300, blank=True)
    request_headers = models.JSONField(default=dict, blank=True)
    answer_headers = models.JSONField(default=dict, blank=True)
    answer_body = models.TextField(blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["delivery_id", "no", "id"]

    def __str__(self) -> str:
        return f"try {self.no} of {self.delivery_id}: {self.ending or 'under way'}"
