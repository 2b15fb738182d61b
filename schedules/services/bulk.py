"""One verb for many schedules: planned with its schedules fixed, then done in small steps that any tab may take, and taken back.

Called by the list of schedules and by the API. Each schedule is a transaction of its own, by the service that does the verb
for one; what is refused stops none of the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from alwrity_scheduler.core import clock, retention
from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from schedules.domain.states import ScheduleState
from schedules.models import BulkItem, BulkRun, Schedule
from schedules.models.bulk import BulkState, BulkVerb, ItemState
from schedules.services import lifecycle, shifting
from schedules.services import schedules as schedule_service
from schedules.services.content import draft_of

log = logging.getLogger(__name__)

MOST = 10_000  # schedules of one run
STEP = 50  # schedules of one step
STEP_SECONDS = 1.0
TOGETHER = 1000  # items written at once
MOST_AT_ONCE = 200  # schedules of one call without a run
LONGEST_LABEL = 120
PLANNED_FOR = timedelta(days=1)

_LIVING = frozenset({"draft", "in_review", "active", "paused", "finished"})
_ALL = _LIVING | {"archived"}
# the states from which each verb can be done
FROM: dict[BulkVerb, frozenset[str]] = {
    BulkVerb.PAUSE: frozenset({"active"}),
    BulkVerb.RESUME: frozenset({"paused"}),
    BulkVerb.ACTIVATE: frozenset({"draft", "paused", "finished"}),
    BulkVerb.SHIFT: _LIVING,
    BulkVerb.CLONE: _ALL,
    BulkVerb.LABEL: _ALL,
    BulkVerb.UNLABEL: _ALL,
    BulkVerb.ARCHIVE: _LIVING,
    BulkVerb.RESTORE: frozenset({"archived"}),
}
BACK: dict[BulkVerb, BulkVerb] = {
    BulkVerb.PAUSE: BulkVerb.RESUME,
    BulkVerb.RESUME: BulkVerb.PAUSE,
    BulkVerb.ACTIVATE: BulkVerb.PAUSE,
    BulkVerb.ARCHIVE: BulkVerb.RESTORE,
    BulkVerb.RESTORE: BulkVerb.ARCHIVE,
    BulkVerb.LABEL: BulkVerb.UNLABEL,
    BulkVerb.UNLABEL: BulkVerb.LABEL,
    BulkVerb.SHIFT: BulkVerb.SHIFT,
}


# ---- what is to be done


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A verb and what it needs: `by` for a shift, `label` for labels."""

    verb: BulkVerb
    by: timedelta = timedelta(0)
    label: str = ""

    def check(self) -> None:
        if self.verb == BulkVerb.SHIFT:
            shifting.check_distance(self.by)
        if self.verb in (BulkVerb.LABEL, BulkVerb.UNLABEL) and not 0 < len(self.label) <= LONGEST_LABEL:
            raise Refused(Problem(field="label", message=_("Give a label of up to 120 characters."), code="required"))

    def as_json(self) -> dict[str, Any]:
        values = {"by_seconds": int(self.by.total_seconds()), "label": self.label}
        return {name: value for name, value in values.items() if value}


def order_of(run: BulkRun) -> Order:
    return Order(
        verb=BulkVerb(run.verb),
        by=timedelta(seconds=run.options.get("by_seconds", 0)),
        label=run.options.get("label", ""),
    )


def act(*, schedule: Schedule, order: Order, actor: Actor, now: datetime, person: User | None = None) -> Schedule:
    """The verb on one schedule; returns the schedule, or the copy. Refused as by the service that does it."""
    if schedule.state not in FROM[order.verb]:
        words = _("It is “%(state)s”, and this cannot be done to it.") % {"state": ScheduleState(schedule.state).label}
        raise IllegalTransition(Problem(field="state", message=words))
    result: Schedule
    match order.verb:
        case BulkVerb.CLONE:
            result = lifecycle.clone(schedule=schedule, actor=actor, now=now, person=person)
        case BulkVerb.SHIFT:
            result = shifting.shift(schedule=schedule, by=order.by, actor=actor, now=now)
        case BulkVerb.LABEL | BulkVerb.UNLABEL:
            result = _label(schedule, order, actor, now)
        case verb:
            result = _SIMPLE[verb](schedule=schedule, actor=actor, now=now)
    return result


_SIMPLE: dict[BulkVerb, Callable[..., Schedule]] = {
    BulkVerb.PAUSE: lifecycle.pause,
    BulkVerb.RESUME: lifecycle.resume,
    BulkVerb.ACTIVATE: lifecycle.activate,
    BulkVerb.ARCHIVE: lifecycle.archive,
    BulkVerb.RESTORE: lifecycle.restore,
}


def _label(schedule: Schedule, order: Order, actor: Actor, now: datetime) -> Schedule:
    content = schedule.content
    labels = tuple(content.labels)
    adds = order.verb == BulkVerb.LABEL
    if adds == (order.label in labels):
        words = _("Its post has this label already.") if adds else _("Its post does not have this label.")
        raise IllegalTransition(Problem(field="label", message=words))
    new = (*labels, order.label) if adds else tuple(label for label in labels if label != order.label)
    draft = replace(draft_of(content), labels=new)
    schedule_service.edit_content(content=content, draft=draft, version=content.version, actor=actor, now=now)
    return schedule


# ---- a run


@unit()
def plan(
    *, person: User, workspace: Workspace, chosen: QuerySet[Schedule], order: Order, now: datetime
) -> BulkRun:  # fmt: skip
    """Fix which schedules the verb is for, the newest first and MOST at the most; nothing is done before `begin`."""
    order.check()
    _tidy(person, workspace, now)
    found = list(chosen.order_by("-created_at", "-id").values_list("pk", "state")[: MOST + 1])
    if not found:
        raise Refused(Problem(field="ids", message=_("Select at least one schedule."), code="required"))
    options = {**order.as_json(), **({"cut": True} if len(found) > MOST else {})}
    run = BulkRun.objects.create(
        workspace=workspace, person=person, verb=order.verb, options=options, created_at=now
    )  # fmt: skip
    allowed = FROM[order.verb]
    items = (
        BulkItem(
            run=run, schedule_id=pk, was=state, state=ItemState.WAITING if state in allowed else ItemState.LEFT_OUT
        )
        for pk, state in found[:MOST]
    )
    _write(items)
    run.total = sum(1 for _pk, state in found[:MOST] if state in allowed)
    run.save(update_fields=["total"])
    return run


def _write(items: Any) -> None:
    while part := list(islice(items, TOGETHER)):
        BulkItem.objects.bulk_create(part)


def _tidy(person: User, workspace: Workspace, now: datetime) -> None:
    """What this person planned and never confirmed, and what has long been over, is forgotten."""
    own = BulkRun.objects.filter(person=person, workspace=workspace)
    own.filter(
        Q(state=BulkState.PLANNED, created_at__lt=now - PLANNED_FOR)
        | Q(state=BulkState.FINISHED, finished_at__lt=now - retention.kept("bulk runs"))
    ).delete()


@unit()
def begin(*, run: BulkRun, actor: Actor, now: datetime) -> BulkRun:
    """Confirm the plan. The steps are then taken one by one. Asking twice changes nothing."""
    if _move(run, (BulkState.PLANNED,), BulkState.RUNNING):
        emit(_fact("bulk.started", run, actor, now))
    return run


@unit()
def stop(*, run: BulkRun, actor: Actor, now: datetime) -> BulkRun:
    """Do no more; what is done stays. `go_on` continues."""
    if _move(run, (BulkState.RUNNING,), BulkState.STOPPED):
        emit(_fact("bulk.stopped", run, actor, now))
    return run


@unit()
def go_on(*, run: BulkRun, actor: Actor, now: datetime) -> BulkRun:
    if _move(run, (BulkState.STOPPED,), BulkState.RUNNING):
        emit(_fact("bulk.continued", run, actor, now))
    return run


@unit()
def try_again(*, run: BulkRun, actor: Actor, now: datetime) -> BulkRun:
    """What failed is to be done once more."""
    if not _move(run, (BulkState.FINISHED, BulkState.STOPPED), BulkState.RUNNING):
        raise IllegalTransition(Problem(field="state", message=_("It is still under way.")))
    run.items.filter(state=ItemState.FAILED).update(state=ItemState.WAITING, message="")
    BulkRun.objects.filter(pk=run.pk).update(failed=0, finished_at=None)
    run.refresh_from_db()
    emit(_fact("bulk.continued", run, actor, now))
    return run


@unit()
def drop(*, run: BulkRun) -> None:
    """Forget a plan that was not confirmed."""
    BulkRun.objects.filter(pk=run.pk, state=BulkState.PLANNED).delete()


@unit()
def undo(*, run: BulkRun, actor: Actor, now: datetime) -> BulkRun:
    """A new run, under way, that takes back what this one did. Refused when the verb cannot be taken back."""
    order = order_of(run)
    if order.verb not in BACK:
        raise Refused(Problem(field="verb", message=_("This cannot be taken back.")))
    if BulkRun.objects.filter(undoes=run).exists():
        raise IllegalTransition(Problem(field="state", message=_("It has been taken back already.")))
    back = Order(verb=BACK[order.verb], by=-order.by, label=order.label)
    ids = list(run.items.filter(state=ItemState.DONE).order_by("id").values_list("schedule_id", flat=True))
    if not ids:
        raise Refused(Problem(field="state", message=_("Nothing was done, so there is nothing to take back.")))
    new = BulkRun.objects.create(
        workspace=run.workspace, person=run.person, verb=back.verb, options=back.as_json(), undoes=run, total=len(ids),
        state=BulkState.RUNNING, created_at=now,
    )  # fmt: skip
    _write(BulkItem(run=new, schedule_id=pk) for pk in ids)
    emit(_fact("bulk.started", new, actor, now))
    return new


def _move(run: BulkRun, old: tuple[BulkState, ...], new: BulkState) -> bool:
    """Compare-and-set the state; the row in hand is as it is now, either way."""
    changed = BulkRun.objects.filter(pk=run.pk, state__in=old).update(state=new)
    run.refresh_from_db()
    return bool(changed)


# ---- a step


def step(*, run: BulkRun, actor: Actor, now: datetime, most: int = STEP, seconds: float = STEP_SECONDS) -> BulkRun:
    """Do the next schedules of a run that is under way: `most` of them, or as many as fit in the time.

    Two tabs may do this at once: an item belongs to whoever sets it first.
    """
    order, begun = order_of(run), clock.monotonic()
    waiting = run.items.filter(state=ItemState.WAITING).order_by("id").values_list("pk", "schedule_id")
    for pk, schedule_id in list(waiting[:most]) if run.state == BulkState.RUNNING else ():
        _do(run, pk, schedule_id, order, actor, now)
        if clock.monotonic() - begun >= seconds:
            break
    return _count(run, actor, now)


def _do(run: BulkRun, pk: int, schedule_id: int, order: Order, actor: Actor, now: datetime) -> None:
    try:
        with unit():
            if not BulkItem.objects.filter(pk=pk, state=ItemState.WAITING).update(state=ItemState.DONE):
                return
            schedule = Schedule.objects.select_related("workspace", "content__campaign").get(pk=schedule_id)
            BulkItem.objects.filter(pk=pk).update(was=schedule.state)
            act(schedule=schedule, order=order, actor=actor, now=now, person=run.person)
            if run.undoes_id and order.verb == BulkVerb.RESTORE:
                _back_to_work(run, schedule, pk, actor, now)
    except Refused as error:
        _fail(pk, " ".join(problem.message for problem in error.problems))
    except Exception:
        log.exception("bulk item %s of run %s", pk, run.public_id)
        _fail(pk, _("Something unexpected went wrong; the log of the server says what. Nothing of it was changed."))


def _back_to_work(run: BulkRun, schedule: Schedule, pk: int, actor: Actor, now: datetime) -> None:
    """What may no longer publish comes out of the archive all the same, and says on its item why it does not go on."""
    try:
        with unit():
            _as_it_was(run, schedule, actor, now)
    except Refused as error:
        BulkItem.objects.filter(pk=pk).update(message=str(error.problems[0].message)[:500])


def _as_it_was(run: BulkRun, schedule: Schedule, actor: Actor, now: datetime) -> None:
    """Out of the archive a schedule comes paused, or as a draft where nothing was planned yet; before, it may have been at work."""
    schedule.refresh_from_db()
    was = BulkItem.objects.filter(run=run.undoes_id, schedule=schedule).values_list("was", flat=True).first()
    if was in ("active", "paused") and schedule.state == "draft":
        lifecycle.activate(schedule=schedule, actor=actor, now=now)
    if was == "active" and schedule.state == "paused":
        lifecycle.resume(schedule=schedule, actor=actor, now=now)
    if was == "paused" and schedule.state == "active":
        lifecycle.pause(schedule=schedule, actor=actor, now=now)


def _fail(pk: int, words: str) -> None:
    BulkItem.objects.filter(pk=pk, state=ItemState.WAITING).update(state=ItemState.FAILED, message=words[:500])


@unit()
def _count(run: BulkRun, actor: Actor, now: datetime) -> BulkRun:
    """Say on the run how far it is; the last one ends it."""
    counted = dict(run.items.order_by().values_list("state").annotate(n=Count("pk")))
    BulkRun.objects.filter(pk=run.pk).update(
        done=counted.get(ItemState.DONE, 0), failed=counted.get(ItemState.FAILED, 0)
    )
    over = not counted.get(ItemState.WAITING)
    going = BulkRun.objects.filter(pk=run.pk, state__in=[BulkState.RUNNING, BulkState.STOPPED])
    if over and going.update(state=BulkState.FINISHED, finished_at=now):
        run.refresh_from_db()
        emit(_fact("bulk.finished", run, actor, now))
    else:
        run.refresh_from_db()
    return run


def _fact(name: str, run: BulkRun, actor: Actor, now: datetime) -> Fact:
    after = {"verb": run.verb, **run.options, "total": run.total, "done": run.done, "failed": run.failed}
    return Fact(
        name=name, at=now, actor=actor, workspace_id=run.workspace_id, object_type="bulk_run",
        object_id=str(run.public_id), object_label=str(run), after=after,
    )  # fmt: skip


# ---- without a run: few, at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one schedule: done (`made` is the copy, where one was made), or why not."""

    schedule: Schedule
    made: Schedule | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`matched_count` is of all that were meant; what is beyond MOST_AT_ONCE was left for another call."""

    order: Order
    outcomes: tuple[Outcome, ...]
    matched_count: int

    @property
    def done_count(self) -> int:
        return sum(1 for item in self.outcomes if not item.problems)

    @property
    def left_count(self) -> int:
        return self.matched_count - len(self.outcomes)


def many(
    *, order: Order, chosen: QuerySet[Schedule], actor: Actor, now: datetime, person: User | None = None
) -> Result:
    """Do the verb to at most MOST_AT_ONCE of the chosen schedules, the newest first."""
    order.check()
    matched = chosen.count()
    taken = chosen.select_related("workspace", "content__campaign").order_by("-created_at", "-id")[:MOST_AT_ONCE]
    found = tuple(_outcome(row, order, actor, now, person) for row in list(taken))
    return Result(order=order, outcomes=found, matched_count=max(matched, len(found)))


def _outcome(row: Schedule, order: Order, actor: Actor, now: datetime, person: User | None) -> Outcome:
    try:
        result = act(schedule=row, order=order, actor=actor, now=now, person=person)
    except Refused as error:
        row.refresh_from_db(fields=["state"])
        return Outcome(schedule=row, problems=error.problems)
    row.refresh_from_db(fields=["state"])
    return Outcome(schedule=row, made=result if result.pk != row.pk else None)
