"""Tables of people and workspaces. Written by `workspaces.services` only."""

from __future__ import annotations

import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.workspaces.querysets import ApiTokenQuerySet, UserQuerySet, VisibleQuerySet, WorkspaceQuerySet
from alwrity_scheduler.workspaces.roles import Role

ROLE_WORDS = {
    Role.OWNER: _("Owner"),
    Role.MANAGER: _("Manager"),
    Role.APPROVER: _("Approver"),
    Role.AUTHOR: _("Author"),
    Role.VIEWER: _("Viewer"),
    Role.REVIEWER: _("Outside reviewer"),
}
ROLE_CHOICES = [(role.value, ROLE_WORDS[role]) for role in Role]


def validate_timezone(value: str) -> None:
    if value not in zoneinfo.available_timezones():
        raise ValidationError(
            _("%(zone)s is not an IANA time zone; write one like Europe/Berlin."),
            code="timezone",
            params={"zone": value},
        )


class PersonManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Django's ways of making users, and `visible_to`."""


class User(AbstractUser):
    """A person who signs in. Lives until an administrator removes the person."""

    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    # empty: as the browser asks for
    language = models.CharField(max_length=16, blank=True, default="")
    theme = models.CharField(max_length=8, default="auto", choices=[(name, name) for name in ("auto", "light", "dark")])
    # 0 is Monday; none: as the language has it
    week_start = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(6)])
    # empty: as the language has it
    hour_cycle = models.CharField(max_length=4, blank=True, default="", choices=[("h12", "12"), ("h23", "24")])
    density = models.CharField(
        max_length=12, default="comfortable", choices=[(name, name) for name in ("comfortable", "compact")]
    )
    single_keys = models.BooleanField(default=True)
    # how this person arranged a page: {page: {...}}, see services.arrange
    layout = models.JSONField(default=dict, blank=True)
    # some membership of this person is limited to listed accounts, or is an outside reviewer's: kept here by `members.note_limits`
    # so that nobody else pays for the question
    is_limited = models.BooleanField(default=False, editable=False)
    objects: ClassVar[Any] = PersonManager()


class Workspace(models.Model):
    """A team's room: everything the team owns belongs to one. While `paused_at` is set nothing of it is published."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField()

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """What one person may do in one workspace."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=ROLE_CHOICES)
    # sees and uses only the accounts granted (`platforms.AccountGrant`)
    is_limited = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["workspace_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="membership_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}: {self.role}"


class ApiToken(models.Model):
    """A key for integrators. Only its SHA-256 is kept; the token itself was shown once.

    scopes: what it may ask for, of `scopes.SCOPES`; an empty list is everything that its role may. networks: from where
    (addresses or networks in CIDR form); an empty list is from anywhere. is_limited: only the accounts granted
    (`platforms.AccountGrant`). A token never may more than its role.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=16, choices=ROLE_CHOICES)
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    scopes = models.JSONField(default=list, blank=True)
    networks = models.JSONField(default=list, blank=True)
    is_limited = models.BooleanField(default=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_from = models.GenericIPAddressField(null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="api_token_role")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Invitation(models.Model):
    """Somebody asked by mail to join. Only the SHA-256 of the link's secret is kept. Ends by acceptance, by being taken back,
    or at `expires_at`."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=ROLE_CHOICES)
    # public ids of the accounts to be granted; null: all of the workspace
    accounts = models.JSONField(null=True, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="invitation_role"),
            # one open invitation for each address and workspace
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="invitation_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.workspace}"
