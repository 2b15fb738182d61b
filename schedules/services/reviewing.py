"""Is a post approved, and must it be? Asked by the services that put posts to work; the verbs stand in `services.approval`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, emit
from alwrity_scheduler.workspaces.models import User
from schedules.domain import approval as rules
from schedules.domain.approval import Covered, Policy, ReviewState
from schedules.domain.states import ScheduleState
from schedules.models import Review, ReviewPolicy, Schedule, Target
from schedules.services.content import snapshot
from schedules.services.facts import schedule_fact

# what of a content is not published, so that a change of it needs no new look
_UNPUBLISHED = frozenset({"notes", "labels", "campaign"})


def needs_approval() -> Problem:
    words = _("Posts on these accounts are looked at by a second person first. Send it for approval.")
    return Problem(field="state", code="approval_required", message=words)


def policies_for(workspace_id: int, account_ids: Iterable[int]) -> list[ReviewPolicy]:
    """The policies that speak of these accounts: each account's own, and the workspace's for those without one. One query
    (and one for the reviewers); empty where the workspace has none."""
    wanted = set(account_ids)
    rows = ReviewPolicy.objects.filter(Q(account=None) | Q(account__in=wanted), workspace_id=workspace_id)
    found = {row.account_id: row for row in rows.order_by("id")}
    general = found.pop(None, None)
    others = wanted - found.keys()
    return [*found.values(), *([general] if general is not None and (others or not wanted) else [])]


def value_of(row: ReviewPolicy) -> Policy:
    return Policy(
        required=row.required,
        allow_own=row.allow_own,
        reviewers=frozenset(row.reviewers.values_list("pk", flat=True)),
    )


def asking(schedule: Schedule) -> list[ReviewPolicy]:
    """The policies that require an approval of this schedule's post."""
    accounts = Target.objects.filter(schedule=schedule).values_list("account_id", flat=True)
    return [row for row in policies_for(schedule.workspace_id, accounts) if row.required]


def covered(schedule: Schedule) -> Covered:
    """What the schedule would publish now, as an approval speaks of it."""
    words = {name: value for name, value in snapshot(schedule.content).items() if name not in _UNPUBLISHED}
    words["options"] = {item.platform: item.options for item in schedule.content.variants.all() if item.options}
    own = Target.objects.filter(schedule=schedule).values_list("account__public_id", "title", "text")
    return Covered(
        content=rules.digest(words),
        targets={str(account): rules.digest([title, text]) for account, title, text in own},
    )


def stored(review: Review) -> Covered:
    return Covered(content=review.covers.get("content", ""), targets=review.covers.get("targets", {}))


def as_json(what: Covered) -> dict[str, Any]:
    return {"content": what.content, "targets": dict(what.targets)}


def approval_of(schedule: Schedule) -> Review | None:
    """The approval that covers what the schedule would publish now; its own, or that of the schedule it goes on from."""
    roots = [pk for pk in (schedule.pk, schedule.split_from_id) if pk]
    approved = Review.objects.filter(schedule__in=roots, state=ReviewState.APPROVED).order_by("-decided_at", "-id")
    rows = list(approved[:10])
    if not rows:
        return None
    now_said = covered(schedule)
    return next((row for row in rows if stored(row).covers(now_said)), None)


def is_missing(schedule: Schedule) -> bool:
    """Does the schedule's post need an approval that it does not have? One query where nothing is required."""
    return bool(asking(schedule)) and approval_of(schedule) is None


def require(schedule: Schedule) -> None:
    """Refused unless the post may go out as far as approval is concerned."""
    if is_missing(schedule):
        raise Refused(needs_approval())


def person_of(actor: Actor) -> User | None:
    """The person who acts, where one does."""
    return User.objects.filter(pk=actor.id).first() if actor.kind == "user" and actor.id else None


def open_review(schedule: Schedule, *, then: str, actor: Actor, now: datetime) -> Review:
    """Ask for approval of what the schedule says now; a request that waits is replaced. The caller sets the schedule's state."""
    Review.objects.filter(schedule=schedule, state=ReviewState.WAITING).update(
        state=ReviewState.REPLACED, decided_at=now, notify_at=None
    )
    review = Review.objects.create(
        workspace_id=schedule.workspace_id,
        schedule=schedule,
        covers=as_json(covered(schedule)),
        then=then,
        requested_by=person_of(actor),
        requested_label=actor.label[:200],
        requested_at=now,
        notify_at=now,
    )
    emit(schedule_fact("review.requested", schedule, actor, now, after={"review": str(review.public_id)}))
    return review


def ask_again(schedule: Schedule, *, was: str, actor: Actor, now: datetime) -> bool:
    """After an edit: a post whose approval no longer covers it goes (back) into review. Says whether it did."""
    if was == ScheduleState.IN_REVIEW:
        waiting = Review.objects.filter(schedule=schedule, state=ReviewState.WAITING).first()
        if waiting is None or stored(waiting) == covered(schedule):
            return False
        open_review(schedule, then=waiting.then, actor=actor, now=now)
        return True
    if not is_missing(schedule):
        return False
    then = ScheduleState.PAUSED if was == ScheduleState.PAUSED else ScheduleState.ACTIVE
    open_review(schedule, then=then.value, actor=actor, now=now)
    Schedule.objects.filter(pk=schedule.pk).update(state=ScheduleState.IN_REVIEW)
    schedule.state = ScheduleState.IN_REVIEW
    return True


def back_to(schedule: Schedule) -> ScheduleState:
    """Where a schedule goes that is not approved: it is a draft, or paused when it was at work before."""
    return ScheduleState.DRAFT if schedule.planned_until is None else ScheduleState.PAUSED


def withdraw_waiting(schedule: Schedule, *, now: datetime) -> None:
    """Nobody need look at it any more: it was archived, or published without."""
    Review.objects.filter(schedule=schedule, state=ReviewState.WAITING).update(
        state=ReviewState.WITHDRAWN, decided_at=now, notify_at=None
    )
