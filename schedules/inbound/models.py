"""Tables of the inbound hooks. Written by `inbound.services` and `inbound.receiving` only."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.core.secrets import EncryptedJSONField
from alwrity_scheduler.workspaces.models import User, Workspace
from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet
from alwrity_scheduler.workspaces.roles import GRANTS, Action


class Proof(models.TextChoices):
    """How a caller shows that it may."""

    SIGNATURE = "signature", _("Signed (Standard Webhooks)")
    HEADER = "header", _("A secret in a header")


class Makes(models.TextChoices):
    DRAFT = "draft", _("A draft post, without a time")
    SCHEDULE = "schedule", _("A scheduled post")


class When(models.TextChoices):
    """The time of a schedule that a hook makes."""

    AT = "at", _("At the time that the call says")
    QUEUE = "queue", _("At the next free posting time of each account")
    DELAY = "delay", _("Some minutes after the call")


class InboundHookQuerySet(VisibleQuerySet[Row]):
    def managed_by(self, user: Any) -> Self:
        """Those of the workspaces in which this person or token manages hooks."""
        roles = [role for role, actions in GRANTS.items() if Action.INTEGRATE in actions]
        rows, token = self.visible_to(user), getattr(user, "api_token", None)
        if token is not None:
            return rows if token.role in roles else rows.none()
        if user.is_superuser:
            return rows
        return rows.filter(workspace_id__in=user.memberships.filter(role__in=roles).values("workspace_id"))


class InboundHook(models.Model):
    """An address that takes posts from another program. token: its public name in the address. secrets: `key`, and `old` until
    `old_until` after a rotation. mapping: target field -> `{"path": "data.title"}` or `{"text": "New: {data.title}"}`."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="inbound_hooks")
    name = models.CharField(max_length=80)
    token = models.CharField(max_length=64, unique=True, editable=False)
    proof = models.CharField(max_length=12, choices=Proof.choices, default=Proof.SIGNATURE)
    header = models.CharField(max_length=60, default="X-Hook-Secret")
    secrets = EncryptedJSONField()
    old_until = models.DateTimeField(null=True, blank=True, editable=False)
    makes = models.CharField(max_length=12, choices=Makes.choices, default=Makes.DRAFT)
    # a schedule: does it wait as a draft, or is it active at once?
    is_active = models.BooleanField(default=False)
    when = models.CharField(max_length=8, choices=When.choices, default=When.AT)
    delay_minutes = models.PositiveIntegerField(default=60)
    # public ids
    accounts = models.JSONField(default=list, blank=True)
    groups = models.JSONField(default=list, blank=True)
    mapping = models.JSONField(default=dict)
    is_on = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    last_called_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = InboundHookQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="inbound_hook_name"),
            models.CheckConstraint(condition=Q(proof__in=Proof.values), name="inbound_hook_proof"),
            models.CheckConstraint(condition=Q(makes__in=Makes.values), name="inbound_hook_makes"),
            models.CheckConstraint(condition=Q(when__in=When.values), name="inbound_hook_when"),
        ]

    def __str__(self) -> str:
        return self.name


class HookCallQuerySet(VisibleQuerySet[Row]):
    workspace_path = "hook__workspace_id"


class HookCall(models.Model):
    """One call and what became of it. message_id: the caller's own name of what it sent; made once for each hook and kept for a
    day, so that the same message makes one post. answer: what was answered, and is answered again. body: the beginning, masked.
    """

    hook = models.ForeignKey(InboundHook, models.CASCADE, related_name="calls")
    at = models.DateTimeField()
    message_id = models.CharField(max_length=128, blank=True)
    status = models.PositiveSmallIntegerField(default=0)
    words = models.CharField(max_length=500, blank=True)
    body = models.TextField(blank=True)
    answer = models.JSONField(default=dict)

    objects: ClassVar[Any] = HookCallQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["hook", "message_id"], condition=~Q(message_id=""), name="hook_call_once")
        ]
        indexes = [
            # how many lately, the log of a hook, and what is old
            models.Index(fields=["hook", "-at"], name="hook_calls_lately"),
        ]

    def __str__(self) -> str:
        return f"{self.hook} {self.at:%Y-%m-%d %H:%M:%S}: {self.status}"
