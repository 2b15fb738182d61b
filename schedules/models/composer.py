"""What helps people write: versions of a post, drafts that keep themselves, templates, hashtag groups, posting times."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.querysets import VisibleQuerySet
from platforms.models import PlatformAccount
from schedules.models.content import ContentItem
from schedules.models.schedules import Schedule
from schedules.querysets.composer import DraftQuerySet, PostingSlotQuerySet
from schedules.querysets.content import PartOfContentQuerySet


class ContentVersion(models.Model):
    """What a post said as of one version. Written by `services.content` with each change; goes with its content."""

    content = models.ForeignKey(ContentItem, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    author = models.CharField(max_length=150, blank=True, default="")
    at = models.DateTimeField()
    snapshot = models.JSONField()

    objects = PartOfContentQuerySet.as_manager()

    class Meta:
        ordering = ["content_id", "number", "id"]
        constraints = [models.UniqueConstraint(fields=["content", "number"], name="content_version_once")]

    def __str__(self) -> str:
        return f"{self.content_id} version {self.number}"


class ComposerDraft(models.Model):
    """What one person has typed into the composer and not saved yet, field by field as the form sends it ({name: [values]}).

    schedule: what is being edited; none for a new post. A draft is nobody's business but the writer's; it goes when the post is
    saved, and 30 days after it was put aside.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    schedule = models.ForeignKey(Schedule, models.CASCADE, null=True, related_name="+")
    data = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    discarded_at = models.DateTimeField(null=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        ordering = ["-updated_at", "-id"]
        # "Your drafts": of(person, workspace).order_by("-updated_at", "-id")
        indexes = [models.Index(fields=["person", "workspace", "-updated_at", "-id"], name="composer_drafts")]

    def __str__(self) -> str:
        return self.title or "Untitled"

    @property
    def title(self) -> str:
        """The first words that were typed."""
        for name in ("title", "text", "link"):
            words = " ".join(str((self.data.get(name) or [""])[0]).split())
            if words:
                return words[:80]
        return ""


class ContentTemplate(models.Model):
    """A post to start others from. `snapshot` is that of `services.content.snapshot`."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="templates")
    name = models.CharField(max_length=120)
    snapshot = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="content_template_name")]

    def __str__(self) -> str:
        return self.name


class HashtagGroup(models.Model):
    """Hashtags that go together, to be put into a post with one click. Without the leading #."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="hashtag_groups")
    name = models.CharField(max_length=120)
    hashtags = models.JSONField(default=list)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="hashtag_group_name")]

    def __str__(self) -> str:
        return self.name


class PostingSlot(models.Model):
    """A time of the week at which the queue publishes on an account, on its zone's wall clock. weekday: 0 is Monday."""

    account = models.ForeignKey(PlatformAccount, models.CASCADE, related_name="posting_slots", db_index=False)
    weekday = models.PositiveSmallIntegerField()
    time = models.TimeField()

    objects = PostingSlotQuerySet.as_manager()

    class Meta:
        ordering = ["account_id", "weekday", "time", "id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "weekday", "time"], name="posting_slot_once"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="posting_slot_weekday"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.weekday} {self.time:%H:%M}"
