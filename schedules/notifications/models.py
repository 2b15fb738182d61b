"""What people were told, up to where the history was read for them, and what they want to hear."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.workspaces.models import Workspace
from schedules.notifications.querysets import OPEN, NoticeQuerySet
from schedules.notifications.rules import Kind


class Notice(models.Model):
    """One thing that one person is told, however often it happened. Written by `notifications.services` only.

    key: what is gathered in one row, like the failures of one account on one day. count: how often it happened since it was
    last put right; left: how many of it are still to be put right. `words` are parameters of the sentence, which is made in
    the reader's language when it is shown: name, platform, error, post, day. Goes when it is old, see `services.prune`.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16)
    key = models.CharField(max_length=160)
    object_type = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    words = models.JSONField(default=dict)
    count = models.PositiveIntegerField(default=1)
    left = models.PositiveIntegerField(default=1)
    needs_act = models.BooleanField(default=False)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-last_at", "-id"]
        verbose_name = "notice"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user", "key"], name="notice_once"),
            models.CheckConstraint(condition=Q(kind__in=[kind.value for kind in Kind]), name="notice_kind"),
        ]
        indexes = [
            # the page of one person: of(person, workspace)
            models.Index(fields=["user", "workspace", "-last_at", "-id"], name="notice_of_person"),
            # the bell: of(person, workspace).open()
            models.Index(fields=["user", "workspace"], name="notice_bell", condition=OPEN),
            # what may have been put right meanwhile, and what may have been undone
            models.Index(fields=["workspace", "settled_at"], name="notice_to_settle"),
            # what is old
            models.Index(fields=["last_at", "id"], name="notice_old"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class Cursor(models.Model):
    """Up to which place a workspace's chain of the history was read. A chain has no gaps, so none of its facts is passed over."""

    chain = models.PositiveBigIntegerField(primary_key=True)
    seq = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["chain"]

    def __str__(self) -> str:
        return f"chain {self.chain}: read up to {self.seq}"


class NoticeRules(models.Model):
    """Which kinds a person wants to hear of: {kind: on or off}; what is not named is as it is by default."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_rules")
    kinds = models.JSONField(default=dict)

    class Meta:
        ordering = ["user_id"]
        verbose_name_plural = "notice rules"

    def __str__(self) -> str:
        return f"rules of {self.user}"
