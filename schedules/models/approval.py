"""Who has to look at posts before they go out, and what they said. Written by `services.approval` and `.reviewing` only."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.models import PlatformAccount
from schedules.domain.approval import ReviewState
from schedules.models.schedules import Schedule
from schedules.querysets.approval import OfLinkQuerySet, OfReviewQuerySet, PolicyQuerySet, ReviewQuerySet


class ReviewPolicy(models.Model):
    """The rule of a workspace (`account` null) or of one account: must posts be approved, and by whom.

    No reviewers means everybody whose role may approve. No row means that nothing is required.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="review_policies")
    account = models.OneToOneField(PlatformAccount, models.CASCADE, null=True, blank=True, related_name="review_policy")
    required = models.BooleanField(default=False)
    allow_own = models.BooleanField(default=False)
    reviewers: models.ManyToManyField[User, models.Model] = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+"
    )
    remind_after_hours = models.PositiveSmallIntegerField(
        null=True, blank=True, default=24, validators=[MinValueValidator(1), MaxValueValidator(720)]
    )

    objects = PolicyQuerySet.as_manager()

    class Meta:
        ordering = ["workspace_id", "account_id", "id"]
        verbose_name_plural = "review policies"
        constraints = [
            models.UniqueConstraint(fields=["workspace"], condition=Q(account=None), name="review_policy_of_workspace")
        ]

    def __str__(self) -> str:
        return f"{self.account or self.workspace}: {'approval required' if self.required else 'no approval needed'}"


class Review(models.Model):
    """One request to approve a schedule's post, and its answer. `covers`: what exactly was looked at (`domain.approval.Covered`).

    then: the schedule's state once it is approved. notify_at: when the reviewers hear of it next; tell_at: when the one who
    asked hears of the answer. decided_by is null for somebody from outside, who is in `decided_label`.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="reviews")
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="reviews")
    state = models.CharField(
        max_length=12, choices=[(item.value, item.label) for item in ReviewState], default=ReviewState.WAITING
    )
    covers = models.JSONField(default=dict)
    then = models.CharField(max_length=12, default="active")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    requested_label = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    decided_label = models.CharField(max_length=200, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    notices = models.PositiveSmallIntegerField(default=0)
    notify_at = models.DateTimeField(null=True)
    tell_at = models.DateTimeField(null=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["schedule"], condition=Q(state="waiting"), name="review_waiting_once"),
            models.CheckConstraint(
                condition=Q(state__in=[item.value for item in ReviewState]), name="review_state_known"
            ),
        ]
        indexes = [
            # waiting_in(workspace): the badge and the page
            models.Index(fields=["workspace", "state", "-requested_at"], name="review_of_workspace"),
            # whom to write to
            models.Index(fields=["notify_at"], name="review_notify", condition=Q(notify_at__isnull=False)),
            models.Index(fields=["tell_at"], name="review_tell", condition=Q(tell_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.schedule}: {ReviewState(self.state).label.lower()}"


class ReviewComment(models.Model):
    """What somebody said about a post under review. Author null: somebody from outside, named by `label`."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="review_comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    label = models.CharField(max_length=200)
    text = models.TextField()
    at = models.DateTimeField()

    objects = OfReviewQuerySet.as_manager()

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.label}: {self.text[:60]}"


class ReviewLink(models.Model):
    """A way in for one outside reviewer: an address that works without signing in, until it expires or is taken back.

    The address is signed; nothing of it is kept but what is here.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    review = models.ForeignKey(Review, models.CASCADE, related_name="links")
    label = models.CharField(max_length=120)
    may_decide = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)

    objects = OfLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.label} for {self.review}"
