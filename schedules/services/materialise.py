"""From rules to rows: the only writer of pending jobs (ENGINE R1-R4, R10, R11).

Planning is idempotent: it goes on from `Schedule.planned_until`, inserts what is missing and lets the unique
constraints drop what is there. Ten planners at once make the same rows as one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F

from alwrity_scheduler.core.events import ENGINE, Actor, Fact, emit, unit
from alwrity_scheduler.core.ids import uuid7
from schedules.domain import misfire, recurrence
from schedules.domain.recurrence import EditAction, OccurrenceEdit, Recurrence, RuleKind, RuleRefused
from schedules.engine import rows
from schedules.models import Job, Occurrence, Schedule, ScheduleException, Target

MOST_AT_ONCE = 500  # occurrences a schedule, a pass (R3)
SCHEDULES_AT_ONCE = 100  # in one transaction
ROWS_AT_ONCE = 1000  # occurrences after which a transaction takes no further schedule: some tens of milliseconds
LOOK_BACK = timedelta(minutes=1)  # a time just gone by is meant as "now"
TZDATA = version("tzdata")
# `reason` of a job to which a person gave a time of its own: its rule no longer says when it goes out
RESLOTTED = "reslotted"
logger = logging.getLogger(__name__)


def rule_of(schedule: Schedule, edits: tuple[OccurrenceEdit, ...] | None = None) -> Recurrence:
    """The schedule's rule with its edited occurrences, as the domain knows it. `edits`: those, if they are at hand."""
    return Recurrence(
        kind=RuleKind(schedule.rule_kind),
        expression=schedule.expression,
        timezone=schedule.timezone,
        start_local=schedule.start_local,
        fold=schedule.start_fold,
        until_local=schedule.until_local,
        limit=schedule.occurrence_limit,
        edits=tuple(map(_edit, schedule.exceptions.all())) if edits is None else edits,
    )


def _edit(item: ScheduleException) -> OccurrenceEdit:
    return OccurrenceEdit(
        nominal_local=item.nominal_local, action=EditAction(item.action), moved_to_local=item.moved_to_local
    )


def horizon(now: datetime) -> datetime:
    return now + timedelta(hours=settings.ENGINE["horizon_hours"])


def extend_horizon(*, now: datetime, most_schedules: int = 500) -> int:
    """Make the jobs of active schedules up to the horizon; returns how many were made. Bounded: call again for more.

    Several schedules share a transaction, and it ends at ROWS_AT_ONCE: on SQLite a writer keeps everybody else waiting,
    on PostgreSQL an editor waits for the schedules in hand.
    """
    until = horizon(now)
    # a schedule is taken up when an eighth of the horizon is used up, and not at every pass for the seconds since the last
    before = until - (until - now) / 8
    due = list(Schedule.objects.to_plan(before).values_list("pk", flat=True)[:most_schedules])
    made = 0
    while due:
        jobs, taken = _extend(due[:SCHEDULES_AT_ONCE], now, until)
        made, due = made + jobs, due[taken:]
    return made


@unit()
def _extend(pks: Sequence[int], now: datetime, until: datetime) -> tuple[int, int]:
    """Plan the first of these schedules, until there are rows enough. Returns jobs made and schedules dealt with."""
    wanted = Schedule.objects.to_plan(until).filter(pk__in=pks).only(*_FOR_PLANNING)
    if connection.features.has_select_for_update_skip_locked:
        # another planner has it, or somebody is editing it: the next pass will do
        wanted = wanted.select_for_update(skip_locked=True)
    ours = {schedule.pk: schedule for schedule in wanted}
    targets, edits = _targets(ours), _edits(ours)
    steps: list[_Step] = []
    taken = size = 0
    for pk in pks:
        taken += 1
        if pk in ours and (step := _readable_step(ours[pk], targets.get(pk, []), tuple(edits.get(pk, ())), until)):
            steps.append(step)
            size += len(step.found)
        if size >= ROWS_AT_ONCE:
            break
    return _write(steps, now), taken


_FOR_PLANNING = (
    "workspace_id", "public_id", "rule_kind", "expression", "timezone", "start_local", "start_fold", "until_local",
    "occurrence_limit", "priority", "grace_seconds", "deadline_seconds", "planned_until",
)  # fmt: skip
Place = tuple[int, int]  # an account's id, and its offset from the schedule's time in seconds


def _targets(schedules: Iterable[int]) -> dict[int, list[Place]]:
    found: dict[int, list[Place]] = {}
    places = Target.objects.filter(schedule_id__in=schedules).order_by("id")
    for schedule, account, offset in places.values_list("schedule_id", "account_id", "offset_seconds"):
        found.setdefault(schedule, []).append((account, offset))
    return found


def _edits(schedules: Iterable[int]) -> dict[int, list[OccurrenceEdit]]:
    found: dict[int, list[OccurrenceEdit]] = {}
    for item in ScheduleException.objects.filter(schedule_id__in=schedules).order_by("id"):
        found.setdefault(item.schedule_id, []).append(_edit(item))
    return found


def _places(schedule: Schedule) -> list[Place]:
    return [(item.account_id, item.offset_seconds) for item in schedule.targets.all()]


def plan_schedule(schedule: Schedule, *, now: datetime, until: datetime) -> int:
    """Insert occurrences and jobs in [planned_until, until), at most MOST_AT_ONCE of them, and move planned_until on.

    Returns how many jobs were new. Runs inside the caller's transaction, on an active schedule. A rule that has no
    further times and no open jobs ends by `finish_ended`.
    """
    step = _step(schedule, _places(schedule), None, until)
    jobs = _write([step], now)
    schedule.planned_until, schedule.tzdata_version = step.planned_until, TZDATA
    return jobs


@dataclass(frozen=True, slots=True)
class _Step:
    """What planning one schedule comes to: the times found, and up to where they are all of them."""

    schedule: Schedule
    places: Sequence[Place]
    found: list[recurrence.Occurrence]
    planned_until: datetime


def _step(
    schedule: Schedule, places: Sequence[Place], edits: tuple[OccurrenceEdit, ...] | None, until: datetime
) -> _Step:
    start = schedule.planned_until or beginning(schedule)
    found: list[recurrence.Occurrence] = []
    for item in recurrence.occurrences(rule_of(schedule, edits), start=start):
        if item.fires_at >= until:
            return _Step(schedule, places, found, max(until, start))
        if len(found) == MOST_AT_ONCE:
            return _Step(schedule, places, found, found[-1].fires_at + timedelta(microseconds=1))
        found.append(item)
    return _Step(schedule, places, found, FAR)


def _readable_step(
    schedule: Schedule, places: Sequence[Place], edits: tuple[OccurrenceEdit, ...], until: datetime
) -> _Step | None:
    """None for a rule that can no longer be read (its zone is gone): it must not keep the others from being planned."""
    try:
        return _step(schedule, places, edits, until)
    except RuleRefused:
        logger.exception(
            "The rule of schedule %s cannot be read; it is not planned.",
            schedule.public_id,
            extra={"action": "rule_unreadable", "schedule": str(schedule.public_id)},
        )
        return None


def _write(steps: Sequence[_Step], now: datetime) -> int:
    """The occurrences and jobs of the steps, and how far each schedule is planned. Returns how many jobs were new."""
    jobs = _insert(steps, now)
    ends: dict[datetime, list[int]] = {}
    for step in steps:
        ends.setdefault(step.planned_until, []).append(step.schedule.pk)
    for planned_until, pks in ends.items():
        Schedule.objects.filter(pk__in=pks).update(planned_until=planned_until, tzdata_version=TZDATA)
    return jobs


# planned_until of a rule without further times: it leaves the index of schedules to plan
FAR = datetime(9999, 1, 1, tzinfo=UTC)


def beginning(schedule: Schedule) -> datetime:
    """Where planning starts: the first wall-clock moment, with a day for zone offsets."""
    start: datetime = schedule.start_local
    return start.replace(tzinfo=UTC) - timedelta(days=1)


def _insert(steps: Sequence[_Step], now: datetime) -> int:
    found = [
        (step.schedule.pk, item.nominal_at, item.nominal_local, item.fires_at) for step in steps for item in step.found
    ]
    if not found:
        return 0
    new, answers = rows.insert_new(
        Occurrence,
        ("schedule_id", "nominal_at", "nominal_local", "fires_at"),
        found,
        shared={"tzdata_version": TZDATA},
        answer=["schedule_id", "nominal_at"],
    )
    times = {(schedule, nominal_at): fires_at for schedule, nominal_at, _, fires_at in found}
    ids = {(schedule, at): (pk, times[schedule, at]) for pk, schedule, at in _moments(answers)}
    if new < len(found):
        ids |= _standing([place for place in times if place not in ids])
    jobs: list[JobRow] = []
    for step in steps:
        jobs += _job_rows(step.schedule, step.places, [ids[step.schedule.pk, item.nominal_at] for item in step.found])
    return rows.insert_new(Job, JobRow._fields, jobs, shared={"created_at": now})[0]


def _moments(answers: Iterable[tuple[int, int, Any]]) -> Iterator[tuple[int, int, datetime]]:
    for pk, schedule, at in answers:
        yield pk, schedule, rows.moment(at)


def _standing(places: Sequence[tuple[int, datetime]]) -> dict[tuple[int, datetime], tuple[int, datetime]]:
    """What stood already is published at the time that stands."""
    times = [at for _, at in places]
    found = Occurrence.objects.filter(
        schedule__in={schedule for schedule, _ in places}, nominal_at__gte=min(times), nominal_at__lte=max(times)
    ).order_by()
    return {
        (schedule, nominal_at): (pk, fires_at)
        for pk, schedule, nominal_at, fires_at in found.values_list("pk", "schedule_id", "nominal_at", "fires_at")
    }


def insert_jobs(schedule: Schedule, stored: Iterable[Occurrence], now: datetime) -> int:
    """One pending job for each stored occurrence and target that has none yet. Returns how many were new."""
    jobs = _job_rows(schedule, _places(schedule), [(occurrence.pk, occurrence.fires_at) for occurrence in stored])
    return rows.insert_new(Job, JobRow._fields, jobs, shared={"created_at": now})[0]


class JobRow(NamedTuple):
    """What differs among jobs that are planned; everything else is a new job's default."""

    public_id: UUID
    workspace_id: int
    schedule_id: int
    occurrence_id: int
    account_id: int
    serial_key: int
    priority: int
    scheduled_for: datetime
    run_at: datetime
    deadline_at: datetime


def _job_rows(schedule: Schedule, places: Sequence[Place], occurrences: Sequence[tuple[int, datetime]]) -> list[JobRow]:
    """A row for each (id, fires_at) and place."""
    recurring = schedule.rule_kind != RuleKind.ONCE
    grace, deadline = seconds(schedule.grace_seconds), seconds(schedule.deadline_seconds)
    jobs = []
    for account, offset_seconds in places:
        offset = timedelta(seconds=offset_seconds)
        for occurrence, fires_at in occurrences:
            at = fires_at + offset
            last = misfire.deadline_of(at, recurring=recurring, grace=grace, deadline=deadline)
            jobs.append(
                JobRow(
                    uuid7(),
                    schedule.workspace_id,
                    schedule.pk,
                    occurrence,
                    account,
                    account,
                    schedule.priority,
                    at,
                    at,
                    last,
                )
            )
    return jobs


def seconds(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def replan(schedule: Schedule, *, now: datetime) -> int:
    """After an edit: replace all jobs that have not begun by what the schedule now says (R5). Returns how many were replaced.

    Occurrences that are past, or of which any job has begun, stay as they are; so do runs that a person asked for
    beside the rule. Runs inside the caller's transaction.

    The rows go instead of staying as superseded ones: a time that has not come is derived from the rule (R6), its
    identity must be free for the new rule's same time (R1), and the fact of the edit tells both rules and the number.
    What must never disappear (R27) is a time that went by.
    """
    open_jobs = Job.objects.filter(
        schedule=schedule, state__in=["pending", "blocked"], attempt_count=0, scheduled_for__gt=now,
        occurrence__cause="rule",
    ).exclude(reason=RESLOTTED)  # fmt: skip
    # Locked before they go: Django's delete names the rows it has read, so that one which is being claimed at this
    # moment would go with them, or, once its attempt stands, make the edit fail.
    gone = list(open_jobs.select_for_update(of=("self",)).order_by("pk").values_list("pk", "occurrence_id"))
    Job.objects.filter(pk__in=[pk for pk, _ in gone]).delete()
    Occurrence.objects.filter(pk__in=[pk for _, pk in gone], jobs=None).delete()
    schedule.planned_until = max(now, beginning(schedule))
    Schedule.objects.filter(pk=schedule.pk).update(planned_until=schedule.planned_until)
    return len(gone)


@unit()
def adopt_tzdata(*, now: datetime, actor: Actor = ENGINE) -> int:
    """After an update of the zone rules: move the jobs whose instants changed, and say so (R10). Returns schedules touched.

    Identity is the wall clock: an occurrence that has been published for its local time is not repeated.
    """
    touched = list(Schedule.objects.planned_with_other_tzdata(TZDATA).prefetch_related("targets", "exceptions")[:200])
    facts = []
    for schedule in touched:
        moved = _retime(schedule, now)
        Schedule.objects.filter(pk=schedule.pk).update(tzdata_version=TZDATA)
        if moved:
            facts.append(
                Fact(
                    name="schedule.retimed", at=now, actor=actor, workspace_id=schedule.workspace_id, object_type="schedule",
                    object_id=str(schedule.public_id), object_label=str(schedule),
                    before={"tzdata": schedule.tzdata_version, "times": [item[0] for item in moved]},
                    after={"tzdata": TZDATA, "times": [item[1] for item in moved]},
                )
            )  # fmt: skip
    emit(*facts)
    return len(touched)


def _retime(schedule: Schedule, now: datetime) -> list[tuple[datetime, datetime]]:
    """Give the schedule's untouched future occurrences the instants that their wall clock has today."""
    standing = Occurrence.objects.filter(
        schedule=schedule, cause="rule", fires_at__gt=now - timedelta(days=1)
    ).prefetch_related("jobs")
    begun = {
        job.occurrence_id
        for item in standing
        for job in item.jobs.all()
        if not (job.state in ("pending", "blocked") and job.attempt_count == 0) or job.reason == RESLOTTED
    }
    fresh = {
        item.nominal_local: item
        for item in recurrence.occurrences(
            rule_of(schedule), start=now - timedelta(days=2), end=horizon(now) + timedelta(days=2), count=MOST_AT_ONCE
        )
    }
    moved = []
    for row in standing:
        new = fresh.get(row.nominal_local)
        if new is None or row.pk in begun or new.fires_at == row.fires_at:
            continue
        if Occurrence.objects.filter(schedule=schedule, nominal_at=new.nominal_at).exclude(pk=row.pk).exists():
            continue
        shift = new.fires_at - row.fires_at
        Occurrence.objects.filter(pk=row.pk).update(
            nominal_at=new.nominal_at, fires_at=new.fires_at, tzdata_version=TZDATA
        )
        Job.objects.filter(occurrence=row, state__in=["pending", "blocked"], attempt_count=0).update(
            run_at=F("run_at") + shift, scheduled_for=F("scheduled_for") + shift, deadline_at=F("deadline_at") + shift
        )
        moved.append((row.fires_at, new.fires_at))
    return moved
