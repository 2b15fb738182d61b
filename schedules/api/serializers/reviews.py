"""Reviews, comments, links and the rules of approval, as the API shows and takes them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from schedules.api.serializers.shapes import Answer, Input, Text, WorkspaceName, both, workspace_words
from schedules.api.serializers.shown import Instant, Shown, Url
from schedules.domain.approval import ReviewState
from schedules.models import Review, ReviewComment, ReviewLink, ReviewPolicy


class Remark(Input):
    comment = Text(max_length=5000)


class NewReviewLink(Input):
    label = serializers.CharField(max_length=120)  # type: ignore[assignment]
    days = serializers.IntegerField(required=False, default=7, min_value=1, max_value=60)
    may_decide = serializers.BooleanField(required=False, default=True)


class PolicyInput(Input):
    """One rule; `account` left out or null is the workspace's. Reviewers are usernames."""

    workspace = serializers.CharField(required=False)
    account = serializers.UUIDField(required=False, allow_null=True, default=None)
    required = serializers.BooleanField()  # type: ignore[assignment]
    allow_own = serializers.BooleanField(required=False, default=False)
    reviewers = serializers.ListField(
        child=serializers.CharField(max_length=150), required=False, default=list, max_length=100
    )
    remind_after_hours = serializers.IntegerField(
        required=False, allow_null=True, default=24, min_value=1, max_value=720
    )


class ReviewShown(Shown):
    """One request for approval."""

    id: UUID
    workspace: WorkspaceName
    schedule: UUID
    title: str
    state: ReviewState
    state_label: str
    requested_by: str
    decided_by: str
    reminders: int
    requested_at: Instant


class Comment(Shown):
    id: UUID
    by: str
    text: str
    at: Instant


class CommentList(Shown):
    results: list[Comment]


class ReviewLinkShown(Shown):
    """A way in for somebody without an account. `url` is a key: whoever has it may look, and decide if `may_decide`."""

    id: UUID
    label: str
    may_decide: bool
    url: Url
    expires_at: Instant
    opened_at: Instant | None


class ReviewLinkList(Shown):
    results: list[ReviewLinkShown]


class ReviewPolicyShown(Shown):
    """Who must approve what; `account` null is the workspace's own rule."""

    account: UUID | None
    required: bool
    allow_own: bool
    reviewers: list[str]
    remind_after_hours: int | None


class ReviewPolicyList(Shown):
    results: list[ReviewPolicyShown]


class ReviewAnswer(Answer):
    """One request for approval. Wants schedule, content and workspace joined."""

    shown = ReviewShown
    times: ClassVar[tuple[str, ...]] = ("requested_at", "decided_at")

    def zone(self, row: Review) -> str:
        return row.schedule.timezone

    def body(self, row: Review) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "schedule": str(row.schedule.public_id),
            "title": str(row.schedule.content),
            "state": row.state,
            "state_label": ReviewState(row.state).label,
            "requested_by": row.requested_label,
            "decided_by": row.decided_label,
            "reminders": max(row.notices - 1, 0),
        }


def comment_words(row: ReviewComment, zone: str) -> dict[str, Any]:
    return {"id": str(row.public_id), "by": row.label, "text": row.text, **both("at", row.at, zone)}


def link_words(row: ReviewLink, url: str, zone: str) -> dict[str, Any]:
    """`url` is a key: whoever has it may look, and decide if `may_decide`."""
    return {
        "id": str(row.public_id),
        "label": row.label,
        "may_decide": row.may_decide,
        "url": url,
        **both("expires_at", row.expires_at, zone),
        **both("opened_at", row.opened_at, zone),
    }


def policy_words(row: ReviewPolicy) -> dict[str, Any]:
    return {
        "account": str(row.account.public_id) if row.account else None,
        "required": row.required,
        "allow_own": row.allow_own,
        "reviewers": [person.get_username() for person in row.reviewers.all()],
        "remind_after_hours": row.remind_after_hours,
    }
