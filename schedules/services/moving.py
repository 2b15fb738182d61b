"""Another time for something on the calendar: one post, one time of a rule, the rule from there on, or all of it.

What is moved is named by the key of its event (`reads.calendar.Event`); the time is a wall clock in the person's zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, emit, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from schedules.domain import localtime, recurrence
from schedules.domain.recurrence import EditAction, RuleKind
from schedules.domain.refusals import RuleRefused
from schedules.domain.shifting import shifted
from schedules.domain.states import JobState, ScheduleState
from schedules.engine import wakeup
from schedules.models import Job, Occurrence, Schedule, ScheduleException
from schedules.reads import calendar
from schedules.reads.calendar import Event, JobKey, Wanted
from schedules.services import jobs, lifecycle, materialise, recovery
from schedules.services.content import stale
from schedules.services.facts import job_fact
from schedules.services.materialise import RESLOTTED
from schedules.services.plans import SchedulePlan
from schedules.services.schedules import plan_of, update_schedule

SCOPES = ("one", "following", "all")
_DAY = timedelta(days=1)
_DESK = (JobState.FAILED, JobState.MISSED, JobState.BLOCKED)
NEEDS_SCOPE = "needs_scope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """How to move it back: another call of `move` with these. to_local: wall clock in the zone that was used."""

    key: str
    to_local: datetime
    version: int
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of it. event: at its new time. old, at: instants of this account. accounts: how many moved with it. note: what
    the clocks made of the time, in words. left_out: times of the rule that would have come a second time and are left out.
    back: None where it cannot be undone by a move."""

    event: Event
    old: datetime
    at: datetime
    accounts: int
    scope: str
    note: str
    left_out: int
    back: Back | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """The event, its schedule (with targets and edits) and its job, and the instant it is wanted at."""

    event: Event
    schedule: Schedule
    job: Job | None
    nominal_local: datetime
    offset: timedelta
    at: datetime
    zone: str

    @property
    def fires_at(self) -> datetime:
        """When the occurrence would fire, whose post on this account goes out at `at`."""
        return self.at - self.offset

    @property
    def local(self) -> datetime:
        """That on the schedule's own wall clock."""
        return localtime.wall_clock(self.fires_at, localtime.zone(self.schedule.timezone))


@unit()
def move(
    *,
    workspace: Workspace,
    key: str,
    to_local: datetime,
    zone: str,
    version: int,
    scope: str = "",
    actor: Actor,
    now: datetime,
    person: User | None = None,
) -> Moved:
    """Move the event to that wall-clock time of the zone.

    A post that stands on the recovery desk, or has a time of its own, moves alone. Anything else moves with the other accounts of
    its occurrence, each keeping its offset. Refused: `at` (past, too far), `version` (stale, 409), `scope` (code needs_scope: a
    rule's time was meant, say which of them), `state` (published, being published, gone).
    """
    at = recovery.slot(to_local=to_local, timezone=zone, now=now)
    wish = _wish(workspace, key, at, zone, now)
    event, schedule = wish.event, wish.schedule
    if schedule.version != version:
        raise stale("schedule")
    if event.fixed:
        raise _fixed(event)
    old = event.at.astimezone(UTC)
    left_out = 0
    if wish.job is not None and _moves_alone(wish):
        scope, accounts = "one", 1
        _move_job(wish, actor, now)
    elif schedule.rule_kind == RuleKind.ONCE:
        scope, accounts = "one", len(schedule.targets.all())
        _move_single(wish, actor, now)
    else:
        if scope not in SCOPES:
            words = _("Move this time only, this and the following ones, or all of them?")
            raise Refused(Problem(field="scope", message=words, code=NEEDS_SCOPE))
        accounts = len(schedule.targets.all())
        if scope == "one":
            _move_one(wish, actor, now)
        else:
            schedule, left_out = _move_rule(wish, scope, actor, now, person)
    return _told(wish, schedule, old=old, scope=scope, accounts=accounts, left_out=left_out, now=now)


def near(workspace: Workspace, key: str, at: datetime, *, zone: str, now: datetime) -> list[Event]:
    """The events of the same account that would stand too close at `at` (aware), nearest first."""
    event = calendar.one(workspace, key, zone=zone, now=now)
    return [] if event is None else _near(_neighbours(workspace, event, at, zone, now), event, at)


def free(workspace: Workspace, key: str, at: datetime, *, zone: str, now: datetime) -> list[datetime]:
    """The nearest times before and after `at` at which nothing of the account is too close: at most two, to come, on
    whole five minutes."""
    event = calendar.one(workspace, key, zone=zone, now=now)
    if event is None:
        return []
    others = _neighbours(workspace, event, at, zone, now)
    found = []
    for step in (timedelta(minutes=-5), timedelta(minutes=5)):
        spot = _on_five(at, step)
        for _each in range(int(_DAY / abs(step))):
            if spot > now and not _near(others, event, spot):
                found.append(spot)
                break
            spot += step
    return sorted(found)


def note(local: datetime, zone: str) -> str:
    """What the zone's clocks make of a wall-clock time, in words; empty where it is an ordinary one."""
    moment = localtime.local_time(local, zone, local.fold)
    words = {"wanted": f"{local:%H:%M}", "at": f"{moment.effective_local:%H:%M}"}
    if moment.shift == "gap":
        return _("%(wanted)s does not exist on this day: the clocks go forward. %(at)s is meant.") % words
    if moment.shift == "fold":
        if local.fold:
            return _("%(wanted)s comes twice on this day: the clocks go back. The second one is meant.") % words
        return _("%(wanted)s comes twice on this day: the clocks go back. The first one is meant.") % words
    return ""


# ---- what is meant


def _wish(workspace: Workspace, key: str, at: datetime, zone: str, now: datetime) -> _Wish:
    event = calendar.one(workspace, key, zone=zone, now=now)
    named = calendar.read_key(key)
    if event is None or named is None:
        raise _gone()
    schedule = (
        Schedule.objects.select_related("workspace", "content")
        .prefetch_related("targets__account", "exceptions")
        .get(pk=event.schedule_id)
    )
    offsets = {item.account_id: timedelta(seconds=item.offset_seconds) for item in schedule.targets.all()}
    job = None
    if isinstance(named, JobKey):
        job = Job.objects.select_related("schedule__content", "account", "workspace", "occurrence").get(pk=named.job_id)
        nominal = job.occurrence.nominal_local
    else:
        nominal = named.nominal_local
    return _Wish(
        event=event,
        schedule=schedule,
        job=job,
        nominal_local=nominal,
        offset=offsets.get(event.account_id, timedelta(0)),
        at=at,
        zone=zone,
    )


def _gone() -> IllegalTransition:
    return IllegalTransition(
        Problem(
            field="state",
            message=_("This post is no longer where the calendar shows it. Load the calendar again."),
            code="gone",
        )
    )


def _fixed(event: Event) -> IllegalTransition:
    words = {
        "published": _("“%(title)s” is published and stays where it is."),
        "running": _("“%(title)s” is being published right now and cannot be moved."),
        "unsure": _("Nobody knows yet whether “%(title)s” was published. Settle that first."),
    }.get(event.look, _("“%(title)s” cannot be moved."))
    return IllegalTransition(Problem(field="state", message=words % {"title": event.title}, code="fixed"))


def _moves_alone(wish: _Wish) -> bool:
    """A post of the desk, one with a time of its own or a run beside the rule, and one whose siblings are on their way."""
    job = wish.job
    if job is None:
        return False
    if job.state in _DESK or job.attempt_count or job.reason == RESLOTTED or job.occurrence.cause != "rule":
        return True
    siblings = Job.objects.filter(occurrence=job.occurrence_id).exclude(pk=job.pk)
    return siblings.exclude(state__in=["pending", "blocked"], attempt_count=0).exists()


# ---- the four ways


def _move_job(wish: _Wish, actor: Actor, now: datetime) -> None:
    job = wish.job
    assert job is not None
    if job.state in _DESK:
        recovery.reslot(job=job, at=wish.at, actor=actor, now=now)
        return
    retime(job=job, at=wish.at, actor=actor, now=now)


@unit()
def retime(*, job: Job, at: datetime, actor: Actor, now: datetime) -> Job:
    """Give a pending post a time of its own: `at` (aware). Its rule no longer says when it goes out."""
    recovery.check_future(at, now)
    jobs.check_schedule(job)
    before = jobs.step(
        job,
        (JobState.PENDING,),
        _("Only a post that waits for its time can be moved."),
        reason=RESLOTTED,
        run_at=at,
        scheduled_for=at,
        deadline_at=recovery.deadline_of(job, at),
    )
    emit(job_fact("job.rescheduled", job, actor, now, before=before, after=jobs.kept(job)))
    wakeup.announce()
    return job


def _move_single(wish: _Wish, actor: Actor, now: datetime) -> None:
    local = wish.local
    plan = replace(plan_of(wish.schedule), start_local=local.replace(fold=0), start_fold=local.fold)
    update_schedule(schedule=wish.schedule, plan=plan, version=wish.schedule.version, actor=actor, now=now)


def _move_one(wish: _Wish, actor: Actor, now: datetime) -> None:
    edited = {item.nominal_local for item in wish.schedule.exceptions.all()}
    if wish.local == wish.nominal_local and wish.nominal_local in edited:
        lifecycle.restore_occurrence(schedule=wish.schedule, nominal_local=wish.nominal_local, actor=actor, now=now)
        return
    lifecycle.move_occurrence(
        schedule=wish.schedule, nominal_local=wish.nominal_local, to_local=wish.local, actor=actor, now=now
    )


def _move_rule(wish: _Wish, scope: str, actor: Actor, now: datetime, person: User | None) -> tuple[Schedule, int]:
    """Shift the rule from this time on, or all of it. What it has already given does not come a second time."""
    schedule = wish.schedule
    by = wish.local.replace(fold=0) - wish.nominal_local.replace(fold=0)
    rule = materialise.rule_of(schedule)
    if scope == "following" and not _is_first(rule, wish.nominal_local):
        try:
            _first, second = recurrence.split_at(rule, wish.nominal_local)
            plan = plan_with(schedule, shifted(second, by))
        except RuleRefused as error:
            raise _cannot(error) from error
        twin = lifecycle.split(
            schedule=schedule, nominal_local=wish.nominal_local, plan=plan, version=schedule.version, actor=actor, now=now,
            person=person, shift=by,
        )  # fmt: skip
        return twin, 0
    try:
        return shift_rule(schedule, by, version=schedule.version, actor=actor, now=now)
    except RuleRefused as error:
        raise _cannot(error) from error


def shift_rule(schedule: Schedule, by: timedelta, *, version: int, actor: Actor, now: datetime) -> tuple[Schedule, int]:
    """Shift every time of the rule with its edited ones, in the caller's transaction. Returns the schedule and how many times
    are left out because they went out already. Raises RuleRefused where the rule cannot be shifted as a whole."""
    new = shifted(materialise.rule_of(schedule), by)
    lifecycle.hand_on(list(schedule.exceptions.all()), schedule, by)
    gone = doubled(schedule, new, by, now)
    ScheduleException.objects.bulk_create(
        [ScheduleException(schedule=schedule, nominal_local=local, action=EditAction.SKIP) for local in gone],
        ignore_conflicts=True,
    )
    plan = plan_with(schedule, new)
    return update_schedule(schedule=schedule, plan=plan, version=version, actor=actor, now=now), len(gone)


def doubled(schedule: Schedule, new: recurrence.Recurrence, by: timedelta, now: datetime) -> list[datetime]:
    """The new rule's coming times that stand for old ones which are over or have begun: they went out once already."""
    if schedule.state in (ScheduleState.DRAFT, ScheduleState.IN_REVIEW):
        return []
    stood = Occurrence.objects.filter(schedule=schedule, nominal_at__gte=now - abs(by) - 2 * _DAY, cause="rule")
    over = Q(nominal_at__lte=now) | (
        Q(jobs__isnull=False) & ~(Q(jobs__state__in=["pending", "blocked"]) & Q(jobs__attempt_count=0))
    )
    gone = {local.replace(fold=0) for local in stood.filter(over).values_list("nominal_local", flat=True)}
    if not gone:
        return []
    last = localtime.local_time(max(gone) + by, schedule.timezone).at + _DAY
    found = recurrence.occurrences(new, start=now, end=last, count=materialise.MOST_AT_ONCE)
    return [item.nominal_local for item in found if item.nominal_local.replace(fold=0) - by in gone]


def _is_first(rule: recurrence.Recurrence, nominal_local: datetime) -> bool:
    start = rule.start_local.replace(tzinfo=UTC) - 2 * _DAY
    bare = recurrence.Recurrence(
        kind=rule.kind, expression=rule.expression, timezone=rule.timezone, start_local=rule.start_local,
        until_local=rule.until_local, limit=rule.limit,
    )  # fmt: skip
    first = next(iter(recurrence.occurrences(bare, start=start, count=1)), None)
    return first is not None and first.nominal_local == nominal_local


def _cannot(error: RuleRefused) -> Refused:
    return Refused(Problem(field="scope", message=problem.message) for problem in error.problems)


def plan_with(schedule: Schedule, rule: recurrence.Recurrence) -> SchedulePlan:
    return replace(
        plan_of(schedule),
        expression=rule.expression,
        start_local=rule.start_local,
        start_fold=0,
        until_local=rule.until_local,
        occurrence_limit=rule.limit,
    )


# ---- what is told


def _told(
    wish: _Wish, schedule: Schedule, *, old: datetime, scope: str, accounts: int, left_out: int, now: datetime
) -> Moved:
    schedule.refresh_from_db(fields=["version"])
    key = _new_key(wish, schedule, scope)
    event = calendar.one(schedule.workspace, key, zone=wish.zone, now=now) or wish.event
    back = None
    if scope != "following" or schedule.pk == wish.schedule.pk:
        local = localtime.wall_clock(old, localtime.zone(wish.zone))
        alone = wish.job is not None and event.key == wish.event.key
        back = None if alone or old <= now else Back(key=key, to_local=local, version=schedule.version, scope=scope)
    return Moved(
        event=event,
        old=old,
        at=wish.at,
        accounts=accounts,
        scope=scope,
        note=note(localtime.wall_clock(wish.at, localtime.zone(wish.zone)), wish.zone),
        left_out=left_out,
        back=back,
    )


def _new_key(wish: _Wish, schedule: Schedule, scope: str) -> str:
    """The event that stands there now: a job where one is planned already, else a time of the rule."""
    jobs_there = Job.objects.filter(schedule=schedule, account=wish.event.account_id, scheduled_for=wish.at)
    job = jobs_there.exclude(state=JobState.SUPERSEDED).order_by("-id").first()
    if job is not None:
        return f"j{job.pk}"
    moved_whole = schedule.rule_kind == RuleKind.ONCE or scope != "one"
    nominal = wish.local if moved_whole else wish.nominal_local
    return f"p{schedule.pk}.{nominal:%Y%m%dT%H%M%S}.{wish.event.account_id}"


# ---- neighbours


def _neighbours(workspace: Workspace, event: Event, at: datetime, zone: str, now: datetime) -> list[Event]:
    found = calendar.events(
        workspace, start=at - _DAY, end=at + _DAY, zone=zone, now=now, wanted=Wanted(account_ids=(event.account_id,))
    )
    return [other for other in found if other.key != event.key and other.look in calendar.LIVE]


def _near(others: Sequence[Event], event: Event, at: datetime) -> list[Event]:
    def distance(other: Event) -> float:
        return abs((other.at - at).total_seconds())

    return sorted((other for other in others if distance(other) < calendar.gap_of(event)), key=distance)


def _on_five(at: datetime, step: timedelta) -> datetime:
    """The next whole five minutes in the direction of `step`, `at` itself left out."""
    whole = at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)
    if step > timedelta(0):
        return whole + step
    return whole if whole < at else whole + step
