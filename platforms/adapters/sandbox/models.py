"""The practice network's own tables. Written by `network` only; what a real platform would keep on its side."""

from __future__ import annotations

from typing import Self, TypeVar

from django.db import models

from platforms.models import PlatformAccount
from platforms.querysets import OfAccountQuerySet

Row = TypeVar("Row", bound=models.Model, covariant=True)


class SandboxPostQuerySet(OfAccountQuerySet[Row]):
    def shown(self) -> Self:
        """Posts that were not removed."""
        return self.filter(removed_at=None)


class SandboxPost(models.Model):
    """A post as the practice network has it. `key` is the idempotency key it came with: one post a key, for ever."""

    account = models.ForeignKey(PlatformAccount, models.CASCADE, related_name="sandbox_posts")
    key = models.CharField(max_length=200)
    remote_id = models.CharField(max_length=16, unique=True)
    title = models.CharField(max_length=300, blank=True, default="")
    text = models.TextField(blank=True, default="")
    link = models.CharField(max_length=2000, blank=True, default="")
    hashtags = models.JSONField(default=list)
    media = models.JSONField(default=list)
    content_type = models.CharField(max_length=20)
    visibility = models.CharField(max_length=10, default="public")
    posted_at = models.DateTimeField()
    likes = models.PositiveIntegerField(default=0)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = SandboxPostQuerySet.as_manager()

    class Meta:
        ordering = ["-posted_at", "-id"]
        verbose_name = "sandbox post"
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="sandbox_key_once")]
        # A feed: SandboxPost.objects.filter(account=…).order_by("-posted_at", "-id")
        indexes = [models.Index(fields=["account", "-posted_at", "-id"], name="sandbox_feed")]

    def __str__(self) -> str:
        return f"{self.remote_id}: {(self.title or self.text)[:60]}"


class SandboxComment(models.Model):
    """A comment somebody simulated."""

    post = models.ForeignKey(SandboxPost, models.CASCADE, related_name="comments")
    author = models.CharField(max_length=120)
    text = models.CharField(max_length=1000)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.author}: {self.text[:60]}"
