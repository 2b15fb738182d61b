"""What the review pages show: what waits, for whom, and one post's reviews with what was said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext as _

from alwrity_scheduler.workspaces.models import Membership, User, Workspace
from alwrity_scheduler.workspaces.querysets import is_limited
from alwrity_scheduler.workspaces.roles import Action, allows
from platforms.models import PlatformAccount
from schedules.domain.approval import Policy, why_not
from schedules.models import Review, ReviewComment, ReviewLink, ReviewPolicy, Schedule
from schedules.models.schedules import Target
from schedules.querysets.approval import ReviewQuerySet
from schedules.services import approval, reviewing

Tab = Literal["waiting", "answered"]
SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """A request; `why_not`: why the reader cannot decide about it, empty when they can."""

    review: Review
    schedule: Schedule
    why_not: str
    comments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewBoard:
    mine: Sequence[ReviewRow]
    others: Sequence[ReviewRow]
    answered: Sequence[ReviewRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One schedule's approval as its page shows it. `required`: its accounts ask for one. `missing`: it may not go out yet."""

    required: bool
    missing: bool
    waiting: Review | None
    last: Review | None
    approved: Review | None
    may_decide: bool
    why_not: str
    comments: Sequence[ReviewComment]
    links: Sequence[tuple[ReviewLink, str]]
    reviewers: Sequence[User]


def waiting_for(person: User, workspace: Workspace) -> int:
    """How many requests this person can answer: the number in the rail. One query where none waits."""
    return len(mine(person, workspace))


def mine(person: User, workspace: Workspace) -> list[Review]:
    """The requests that this person can answer, the longest waiting first. One query where none waits, else at most five,
    whatever their number."""
    rows = _of(person, workspace).waiting().select_related("schedule__content")
    waiting = list(rows.order_by("requested_at", "id")[:SHOWN])
    if not waiting:
        return []
    own = Membership.objects.filter(user=person, workspace=workspace).values_list("role", flat=True).first()
    approves = allows("owner" if person.is_superuser else own or "", Action.REVIEW)
    accounts: dict[int, set[int]] = {}
    targets = Target.objects.filter(schedule__in=[row.schedule_id for row in waiting])
    for schedule_id, account_id in targets.values_list("schedule_id", "account_id"):
        accounts.setdefault(schedule_id, set()).add(account_id)
    policies = {row.account_id: row for row in ReviewPolicy.objects.within(workspace).prefetch_related("reviewers")}
    values = {
        account: Policy(
            required=row.required,
            allow_own=row.allow_own,
            reviewers=frozenset(reviewer.pk for reviewer in row.reviewers.all()),
        )
        for account, row in policies.items()
    }

    def may(row: Review) -> bool:
        asked = {account if account in values else None for account in accounts.get(row.schedule_id, ())} or {None}
        authors = {pk for pk in (row.schedule.created_by_id, row.requested_by_id) if pk}
        asking = [values[account] for account in asked if account in values and values[account].required]
        return not why_not(asking, person_id=person.pk, authors=authors, role_approves=approves)

    return [row for row in waiting if may(row)]


def _of(person: User, workspace: Workspace) -> ReviewQuerySet[Review]:
    """The workspace's reviews that this person reads. Who sees all of it pays for no question."""
    rows = Review.objects.filter(workspace=workspace)
    return rows.visible_to(person) if is_limited(person) else rows


def board(person: User, workspace: Workspace) -> ReviewBoard:
    """What waits for this person, what waits for others, and the latest answers."""
    rows = _of(person, workspace).select_related("schedule__content", "requested_by")
    waiting = [_row(row, person) for row in rows.waiting().order_by("requested_at", "id")[:SHOWN]]
    answered = rows.filter(state__in=["approved", "changes"]).order_by("-decided_at", "-id")[:30]
    return ReviewBoard(
        mine=[row for row in waiting if not row.why_not],
        others=[row for row in waiting if row.why_not],
        answered=[_row(row, None) for row in answered],
    )


def _row(review: Review, person: User | None) -> ReviewRow:
    return ReviewRow(
        review=review,
        schedule=review.schedule,
        why_not=approval.why_not(review.schedule, person, review) if person else "",
        comments=ReviewComment.objects.filter(schedule=review.schedule_id).count(),
    )


def desk(schedule: Schedule, person: User, now: datetime) -> Desk:
    """Three queries for a post that nobody needs to approve. Wants the targets prefetched."""
    accounts = [target.account_id for target in schedule.targets.all()]
    asking = [row for row in reviewing.policies_for(schedule.workspace_id, accounts) if row.required]
    reviews = list(Review.objects.filter(schedule=schedule).order_by("-requested_at", "-id")[:10])
    comments = list(ReviewComment.objects.filter(schedule=schedule).select_related("author")[:200])
    waiting = next((row for row in reviews if row.state == "waiting"), None)
    approved = reviewing.approval_of(schedule) if reviews or schedule.split_from_id else None
    why = (
        approval.why_not(schedule, person, waiting, asking)
        if asking or waiting
        else _("Nothing of it waits for approval.")
    )
    alive = ReviewLink.objects.filter(review=waiting, expires_at__gt=now, revoked_at=None) if waiting else None
    return Desk(
        required=bool(asking),
        missing=bool(asking) and approved is None,
        waiting=waiting,
        last=next((row for row in reviews if row.state in ("approved", "changes")), None),
        approved=approved,
        may_decide=not why,
        why_not=why,
        comments=comments,
        links=[(link, approval.token_of(link)) for link in alive or ()],
        reviewers=approval.reviewers_of(schedule, waiting) if waiting else [],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    account: PlatformAccount | None
    policy: ReviewPolicy | None


def policies(workspace: Workspace) -> list[PolicyRow]:
    """The workspace's rule first, then each account with its own or none."""
    rows = ReviewPolicy.objects.within(workspace).prefetch_related("reviewers")
    found = {row.account_id: row for row in rows}
    accounts = PlatformAccount.objects.within(workspace).exclude(state="disconnected")
    return [
        PolicyRow(account=None, policy=found.get(None)),
        *(
            PolicyRow(account=row, policy=found.get(row.pk))
            for row in accounts.defer("credentials", "options").order_by("platform", "name", "id")
        ),
    ]
