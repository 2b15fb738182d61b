"""What was tried, and what was odd about it. Written by `security.services` only."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.security.querysets import SecurityAlertQuerySet, SecurityEventQuerySet


class SecurityEvent(models.Model):
    """One sign-in, refusal, use of a token from a new place, or change of who may what. Goes when it is old.

    Persons, tokens and workspaces are numbers and not foreign keys: the log outlives what it tells of. who: the name that was
    given, which may be nobody's. details hold no secrets.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    at = models.DateTimeField()
    kind = models.CharField(max_length=64)
    who = models.CharField(max_length=150, blank=True)
    user_ref = models.PositiveBigIntegerField(null=True, blank=True)
    token_ref = models.PositiveBigIntegerField(null=True, blank=True)
    workspace_ref = models.PositiveBigIntegerField(null=True, blank=True)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict, blank=True)

    objects = SecurityEventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes = [
            # the log of a workspace, and of a person
            models.Index(fields=["workspace_ref", "-id"], name="security_of_workspace"),
            models.Index(fields=["user_ref", "-id"], name="security_of_person"),
            # what the watch counts: one kind in the last minutes
            models.Index(fields=["kind", "at"], name="security_of_kind"),
            # what is old
            models.Index(fields=["at", "id"], name="security_old"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind} {self.who}"


class SecurityAlert(models.Model):
    """Something odd, told once: `key` names what, about whom and when. seen_at: when somebody said that it is all right."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    who = models.CharField(max_length=150, blank=True)
    user_ref = models.PositiveBigIntegerField(null=True, blank=True)
    token_ref = models.PositiveBigIntegerField(null=True, blank=True)
    workspace_ref = models.PositiveBigIntegerField(null=True, blank=True)
    address = models.CharField(max_length=45, blank=True)
    count = models.PositiveIntegerField(default=1)
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.CharField(max_length=150, blank=True)

    objects = SecurityAlertQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["-id"]
        indexes = [
            models.Index(fields=["workspace_ref", "-id"], name="alert_of_workspace"),
            models.Index(fields=["user_ref", "-id"], name="alert_of_person"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind} {self.who}"
