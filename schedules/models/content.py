"""What is published: the text and its media, with overrides for single platforms."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.querysets import VisibleQuerySet
from platforms.models import MediaAsset
from schedules.querysets.content import ContentQuerySet, PartOfContentQuerySet


class ContentType(models.TextChoices):
    POST = "post", _("Post")
    ARTICLE = "article", _("Article")
    IMAGE = "image", _("Image")
    VIDEO = "video", _("Video")
    CAROUSEL = "carousel", _("Carousel")
    STORY = "story", _("Story")
    REEL = "reel", _("Reel")
    THREAD = "thread", _("Thread")
    NEWSLETTER = "newsletter", _("Newsletter")


class Campaign(models.Model):
    """A name under which posts belong together. Written by `services.content` when a post names a new one."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="campaigns")
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="campaign_name")]

    def __str__(self) -> str:
        return self.name


class ContentItem(models.Model):
    """One piece of content. `version` grows with each edit and is part of a job's idempotency key."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="content")
    title = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    content_type = models.CharField(max_length=16, choices=ContentType, default=ContentType.POST)
    link = models.URLField(max_length=2000, blank=True)
    hashtags = models.JSONField(default=list, blank=True)
    labels = models.JSONField(default=list, blank=True)
    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, blank=True, related_name="content")
    language = models.CharField(max_length=16, blank=True)
    notes = models.TextField(blank=True)
    utm = models.JSONField(default=dict, blank=True)
    media: models.ManyToManyField[MediaAsset, ContentMedia] = models.ManyToManyField(
        MediaAsset, through="ContentMedia", related_name="content", blank=True
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = ContentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(content_type__in=ContentType.values), name="content_type_known")
        ]

    def __str__(self) -> str:
        return self.title or self.text[:60] or "Untitled"


class ContentVariant(models.Model):
    """What one platform gets instead. A null means: the same as the main content."""

    content = models.ForeignKey(ContentItem, models.CASCADE, related_name="variants")
    platform = models.CharField(max_length=32)
    title = models.CharField(max_length=300, null=True, blank=True)  # noqa: DJ001 - null is "as the main", "" is "none"
    text = models.TextField(null=True, blank=True)  # noqa: DJ001
    link = models.URLField(max_length=2000, null=True, blank=True)  # noqa: DJ001
    hashtags = models.JSONField(null=True, blank=True)
    options = models.JSONField(default=dict, blank=True)

    objects = PartOfContentQuerySet.as_manager()

    class Meta:
        ordering = ["content_id", "platform", "id"]
        constraints = [models.UniqueConstraint(fields=["content", "platform"], name="content_variant_once")]

    def __str__(self) -> str:
        return f"{self.content} on {self.platform}"


class ContentMedia(models.Model):
    """One medium in its place among the content's media."""

    content = models.ForeignKey(ContentItem, models.CASCADE, related_name="media_links")
    asset = models.ForeignKey(MediaAsset, models.PROTECT, related_name="uses")
    position = models.PositiveSmallIntegerField()

    objects = PartOfContentQuerySet.as_manager()

    class Meta:
        ordering = ["content_id", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["content", "position"], name="content_media_place")]

    def __str__(self) -> str:
        return f"{self.content} no. {self.position + 1}"
