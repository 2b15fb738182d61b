"""From rules to rows: the only writer of pending jobs (ENGINE R1-R4, R10, R11).

Planning is idempotent: it goes on from `Schedule.planned_until`, inserts what is missing and lets the unique
constraints drop what is there. Ten planners at once make the same rows as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from django.conf import settings
from django.db import connection
from django.db.models import F

from alwrity_scheduler.core.events import ENGINE, Actor, Fact, emit, unit
from schedules.domain import misfire, recurrence
from schedules.domain.recurrence import EditAction, OccurrenceEdit, Recurrence, RuleKind
from schedules.models import Job, Occurrence, Schedule

MOST_AT_ONCE = 500  # occurrences a schedule, a pass (R3)
LOOK_BACK = timedelta(minutes=1)  # a time just gone by is meant as "now"
TZDATA = version("tzdata")
# `reason` of a job to which a person gave a time of its own: its rule no longer says when it goes out
RESLOTTED = "reslotted"


def rule_of(schedule: Schedule) -> Recurrence:
    """The schedule's rule with its edited occurrences, as the domain knows it."""
    return Recurrence(
        kind=RuleKind(schedule.rule_kind),
        expression=schedule.expression,
        timezone=schedule.timezone,
        start_local=schedule.start_local,
        fold=schedule.start_fold,
        until_local=schedule.until_local,
        limit=schedule.occurrence_limit,
        edits=tuple(
            OccurrenceEdit(
                nominal_local=item.nominal_local, action=EditAction(item.action), moved_to_local=item.moved_to_local
            )
            for item in schedule.exceptions.all()
        ),
    )


def horizon(now: datetime) -> datetime:
    return now + timedelta(hours=settings.ENGINE["horizon_hours"])


def extend_horizon(*, now: datetime, most_schedules: int = 200) -> int:
    """Make the jobs of all active schedules up to the horizon; returns how many were made. Bounded: call again for more.

    One short transaction a schedule: on SQLite a writer keeps everybody else waiting.
    """
    until = horizon(now)
    # a schedule is taken up when an eighth of the horizon is used up, and not at every pass for the seconds since the last
    before = until - (until - now) / 8
    due = list(Schedule.objects.to_plan(before).values_list("pk", flat=True)[:most_schedules])
    return sum(_extend(pk, now, until) for pk in due)


@unit()
def _extend(pk: int, now: datetime, until: datetime) -> int:
    rows = Schedule.objects.to_plan(until).filter(pk=pk).prefetch_related("targets", "exceptions")
    if connection.features.has_select_for_update_skip_locked:
        # another planner has it, or somebody is editing it: the next pass will do
        rows = rows.select_for_update(skip_locked=True)
    schedule = rows.first()
    return plan_schedule(schedule, now=now, until=until) if schedule else 0


def plan_schedule(schedule: Schedule, *, now: datetime, until: datetime) -> int:
    """Insert occurrences and jobs in [planned_until, until), at most MOST_AT_ONCE of them, and move planned_until on.

    Returns how many jobs were new. Runs inside the caller's transaction, on an active schedule. A rule that has no
    further times and no open jobs ends by `finish_ended`.
    """
    start = schedule.planned_until or beginning(schedule)
    rule = rule_of(schedule)
    found = list(recurrence.occurrences(rule, start=start, end=until, count=MOST_AT_ONCE + 1))
    batch, more = found[:MOST_AT_ONCE], len(found) > MOST_AT_ONCE
    jobs = _insert(schedule, batch, now)
    planned = batch[-1].fires_at + timedelta(microseconds=1) if more else max(until, start)
    ended = not more and next(iter(recurrence.occurrences(rule, start=until, count=1)), None) is None
    Schedule.objects.filter(pk=schedule.pk).update(planned_until=FAR if ended else planned, tzdata_version=TZDATA)
    schedule.planned_until, schedule.tzdata_version = FAR if ended else planned, TZDATA
    return jobs


# planned_until of a rule without further times: it leaves the index of schedules to plan
FAR = datetime(9999, 1, 1, tzinfo=UTC)


def beginning(schedule: Schedule) -> datetime:
    """Where planning starts: the first wall-clock moment, with a day for zone offsets."""
    start: datetime = schedule.start_local
    return start.replace(tzinfo=UTC) - timedelta(days=1)


def _insert(schedule: Schedule, found: Iterable[recurrence.Occurrence], now: datetime) -> int:
    rows = [
        Occurrence(
            schedule=schedule,
            nominal_at=item.nominal_at,
            nominal_local=item.nominal_local,
            fires_at=item.fires_at,
            tzdata_version=TZDATA,
        )
        for item in found
    ]
    if not rows:
        return 0
    Occurrence.objects.bulk_create(rows, ignore_conflicts=True)
    stored = Occurrence.objects.filter(schedule=schedule, nominal_at__in=[row.nominal_at for row in rows])
    return insert_jobs(schedule, stored, now)


def insert_jobs(schedule: Schedule, stored: Iterable[Occurrence], now: datetime) -> int:
    """One pending job for each stored occurrence and target that has none yet. Returns how many were new."""
    recurring = schedule.rule_kind != RuleKind.ONCE
    jobs = []
    for occurrence in stored:
        for target in schedule.targets.all():
            at = occurrence.fires_at + timedelta(seconds=target.offset_seconds)
            deadline = misfire.deadline_of(
                at,
                recurring=recurring,
                grace=seconds(schedule.grace_seconds),
                deadline=seconds(schedule.deadline_seconds),
            )
            jobs.append(
                Job(
                    workspace_id=schedule.workspace_id, schedule=schedule, occurrence=occurrence, account_id=target.account_id,
                    scheduled_for=at, run_at=at, priority=schedule.priority, serial_key=target.account_id, deadline_at=deadline,
                    created_at=now,
                )
            )  # fmt: skip
    standing = Job.objects.filter(occurrence__in={job.occurrence_id for job in jobs}).count()
    Job.objects.bulk_create(jobs, ignore_conflicts=True)
    return len(jobs) - standing


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
