"""Approval through the API: what waits, the verbs on a schedule, links for outsiders, and the rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.access import can
from alwrity_scheduler.workspaces.models import User, Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.api.serializers.reviews import (
    Comment,
    CommentList,
    NewReviewLink,
    PolicyInput,
    Remark,
    ReviewAnswer,
    ReviewLinkList,
    ReviewLinkShown,
    ReviewPolicyList,
    ReviewPolicyShown,
    comment_words,
    link_words,
    policy_words,
)
from schedules.api.serializers.shapes import Input
from schedules.api.views.door import Door, Row, Rows, VerbDoor
from schedules.filters import ReviewFilter
from schedules.models import Review, ReviewComment, ReviewLink, ReviewPolicy, Schedule
from schedules.services import approval as service

VERBS: dict[str, Callable[..., Review]] = {
    "submit-for-approval": service.submit,
    "approve": service.approve,
    "request-changes": service.request_changes,
}


class _Reviews(Door):
    serializer_class = ReviewAnswer

    def get_queryset(self) -> QuerySet[Any]:
        return Review.objects.visible_to(self.request.user).select_related("workspace", "schedule__content")


class ReviewList(_Reviews, Rows):
    filterset_class: ClassVar[Any] = ReviewFilter


class ReviewRow(_Reviews, Row):
    pass


class _OfSchedule(Door):
    serializer_class = ReviewAnswer

    def get_queryset(self) -> QuerySet[Any]:
        return Schedule.objects.visible_to(self.request.user).select_related("workspace", "content")

    def require(self, action: Action, workspace: Workspace) -> None:
        """Whoever sees the workspace may say what they think; whether they decide is the policy's to say."""
        if action is Action.REVIEW and can(self.request.user, Action.VIEW, workspace):
            return
        super().require(action, workspace)

    def review_answer(self, review: Review, status: int = 200) -> Response:
        row = Review.objects.select_related("workspace", "schedule__content").get(pk=review.pk)
        return self.answer(row, status=status)


class ReviewVerb(_OfSchedule, VerbDoor):
    """Whoever may see the schedule may ask; who may decide is the policy's to say."""

    words: ClassVar[dict[str, str]] = {
        "submit-for-approval": "Ask the reviewers for approval.",
        "approve": "Approve it: what was held for approval goes out at its time.",
        "request-changes": "Send it back with a comment that says what to change.",
        "withdraw": "Take the request for approval back.",
    }
    answers: ClassVar[dict[str, Any]] = {"submit-for-approval": {201: ReviewAnswer}}
    fields: ClassVar[dict[str, type[Input]]] = dict.fromkeys(VERBS, Remark)

    def action_of(self, verb: str) -> Action:
        return Action.WRITE if verb in ("submit-for-approval", "withdraw") else Action.REVIEW

    def act(self, row: Schedule, given: dict[str, Any]) -> Response:
        if self.verb == "withdraw":
            return self.review_answer(service.withdraw(schedule=row, actor=self.actor, now=self.now))
        made = VERBS[self.verb](schedule=row, comment=given.get("comment", ""), actor=self.actor, now=self.now)
        return self.review_answer(made, status=201 if self.verb == "submit-for-approval" else 200)


class ReviewComments(_OfSchedule):
    """The comments on a schedule, the first 500."""

    answers: ClassVar[dict[str, Any]] = {"get": CommentList, "post": {201: Comment}}

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        found = ReviewComment.objects.filter(schedule=row)[:500]
        return Response({"results": [comment_words(item, row.timezone) for item in found]})

    def post(self, request: Request, public_id: UUID) -> Response:
        """Say something about it."""
        row = self.find(public_id)
        self.require(Action.REVIEW, row.workspace)
        text = self.read(Remark).get("comment", "")
        made = service.comment(schedule=row, text=text, actor=self.actor, now=self.now)
        return Response(comment_words(made, row.timezone), status=201)


class ReviewLinks(_OfSchedule):
    """The links that work now. They are keys, so they are shown to those only who may make them."""

    answers: ClassVar[dict[str, Any]] = {"get": ReviewLinkList, "post": {201: ReviewLinkShown}}

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        alive = ReviewLink.objects.filter(review__schedule=row, review__state="waiting", revoked_at=None)
        found = alive.filter(expires_at__gt=self.now)
        return Response({"results": [self._words(item, row.timezone) for item in found]})

    def post(self, request: Request, public_id: UUID) -> Response:
        """Make a link by which somebody without an account looks at it, and decides if `may_decide`."""
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        given = self.read(NewReviewLink)
        made = service.make_link(
            schedule=row, label=given["label"], may_decide=given["may_decide"], life=timedelta(days=given["days"]),
            actor=self.actor, now=self.now,
        )  # fmt: skip
        return Response(self._words(made, row.timezone), status=201)

    def _words(self, link: ReviewLink, zone: str) -> dict[str, Any]:
        url = settings.PUBLIC_URL + reverse("outside_review", args=[service.token_of(link)])
        return link_words(link, url, zone)


class ReviewLinkRow(Door):
    """A link for somebody without an account."""

    def get_queryset(self) -> QuerySet[Any]:
        rows = ReviewLink.objects.visible_to(self.request.user)
        return rows.select_related("review__schedule__workspace", "review__schedule__content")

    def delete(self, request: Request, public_id: UUID) -> Response:
        """It no longer works."""
        link: ReviewLink = self.find(public_id)
        self.require(Action.WRITE, link.review.schedule.workspace)
        service.revoke_link(link=link, actor=self.actor, now=self.now)
        return Response(status=204)


class ReviewPolicies(Door):
    """The rules of approval: who must approve what."""

    answers: ClassVar[dict[str, Any]] = {"get": ReviewPolicyList, "put": ReviewPolicyShown}
    query_names: ClassVar[frozenset[str]] = frozenset({"workspace"})

    def get(self, request: Request) -> Response:
        workspace = self.workspace_of(request.query_params.get("workspace"))
        rows = ReviewPolicy.objects.visible_to(request.user).filter(workspace=workspace)
        found = rows.select_related("account").prefetch_related("reviewers")
        return Response({"results": [policy_words(row) for row in found]})

    def put(self, request: Request) -> Response:
        """Set the rule of an account, or of the workspace where none is named."""
        given = self.read(PolicyInput)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.ACCOUNTS, workspace)
        row = service.set_policy(
            workspace=workspace, account=self._account(given["account"], workspace), required=given["required"],
            allow_own=given["allow_own"], reviewers=_people(given["reviewers"], workspace),
            remind_after_hours=given["remind_after_hours"], actor=self.actor, now=self.now,
        )  # fmt: skip
        return Response(policy_words(row))

    def _account(self, wanted: UUID | None, workspace: Workspace) -> PlatformAccount | None:
        if wanted is None:
            return None
        rows = PlatformAccount.objects.visible_to(self.request.user).filter(workspace=workspace)
        found: PlatformAccount | None = rows.filter(public_id=wanted).first()
        if found is None:
            words = "There is no account of this id in this workspace."
            raise Refused(Problem(field="account", message=words, code="not_found"))
        return found


def _people(names: list[str], workspace: Workspace) -> list[User]:
    rows = User.objects.filter(memberships__workspace=workspace, username__in=names)
    found = {person.get_username(): person for person in rows}
    if missing := [name for name in names if name not in found]:
        words = f"Nobody in this workspace is called {', '.join(missing)}."
        raise Refused(Problem(field="reviewers", message=words, code="not_found"))
    return list(found.values())
