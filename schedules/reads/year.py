"""How many posts stand on each day of a year, and on how many days something went wrong. Counted by the database.

Never by day there: SQLite has no zones, and Django's own would call Python once a row. Stored times are grouped by their hour of
UTC (by the quarter of an hour where the zone's offset is none of whole hours), and the groups are put on days here.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import CharField, Count, Exists, Func, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from alwrity_scheduler.workspaces.models import Workspace
from schedules.domain import localtime, recurrence
from schedules.domain.recurrence import RuleKind
from schedules.domain.refusals import RuleRefused
from schedules.domain.states import JobState, ScheduleState
from schedules.models import ContentItem, Job, Milestone, Schedule, Target
from schedules.reads import calendar
from schedules.reads.calendar import NEEDS_A_PERSON, Event, Wanted
from schedules.services.materialise import rule_of

MOST_OF_A_RULE = 20_000  # times of one schedule in a year
MOST_MILESTONES = 100
MOST_KEPT = 500  # schedules' years in this process
_RULED = (ScheduleState.ACTIVE, ScheduleState.PAUSED, ScheduleState.DRAFT, ScheduleState.IN_REVIEW)
_BAD = (JobState.FAILED, JobState.MISSED, JobState.UNCONFIRMED, JobState.BLOCKED)
_LOOK_OF_STATE = {
    ScheduleState.ACTIVE.value: "scheduled",
    ScheduleState.PAUSED.value: "paused",
    ScheduleState.DRAFT.value: "draft",
    ScheduleState.IN_REVIEW.value: "review",
}
_STATES_OF_LOOK: Mapping[str, tuple[JobState, ...]] = {
    "running": (JobState.RUNNING, JobState.PROCESSING),
    "published": (JobState.COMPLETED,),
    "failed": (JobState.FAILED,),
    "missed": (JobState.MISSED,),
    "unsure": (JobState.UNCONFIRMED,),
    "blocked": (JobState.BLOCKED,),
    "cancelled": (JobState.CANCELLED,),
}


@dataclass(frozen=True, slots=True)
class Day:
    """count: posts. bad: those of them that need a person."""

    count: int
    bad: int


def milestones(workspace: Workspace, number: int) -> list[Milestone]:
    """Those due in that year, by day, of all campaigns; one query."""
    rows = Milestone.objects.filter(workspace=workspace, due_on__range=(date(number, 1, 1), date(number, 12, 31)))
    return list(rows.standing().order_by("due_on", "id")[:MOST_MILESTONES])


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """What is left out: platforms and content types by name; accounts, campaigns and writers by their ids."""

    platforms: Collection[str] = ()
    accounts: Collection[int] = ()
    campaigns: Collection[int] = ()
    people: Collection[int] = ()
    types: Collection[str] = ()

    def leaves_out(self, event: Event) -> bool:
        return (
            event.platform in self.platforms
            or event.account_id in self.accounts
            or event.campaign_id in self.campaigns
            or event.author_id in self.people
            or event.content_type in self.types
        )


NOTHING = Without()


def days(
    workspace: Workspace, year: int, zone: str, now: datetime, wanted: Wanted | None = None, without: Without = NOTHING
) -> dict[date, Day]:
    """The days of the zone's year that have posts. At most four queries; replaced and cancelled posts do not count."""
    wanted = wanted or Wanted()
    where = localtime.zone(zone)
    start, end = _bounds(year, where)
    if wanted.conflicts:
        return _one_by_one(workspace, start, end, zone, now, wanted, without)
    counts, bad = _standing(workspace, start, end, where, wanted, without)
    for day, more in _to_come(workspace, year, start, end, where, now, wanted, without).items():
        counts[day] += more
    return {day: Day(count, bad[day]) for day, count in sorted(counts.items())}


def total(workspace: Workspace, year: int, zone: str, wanted: Wanted | None = None, without: Without = NOTHING) -> int:
    """How many posts a year that has gone by had; one query."""
    start, end = _bounds(year, localtime.zone(zone))
    return _jobs(workspace, start, end, wanted or Wanted(), without).count()


def _bounds(year: int, where: ZoneInfo) -> tuple[datetime, datetime]:
    return datetime(year, 1, 1, tzinfo=where), datetime(year + 1, 1, 1, tzinfo=where)


def _one_by_one(
    workspace: Workspace, start: datetime, end: datetime, zone: str, now: datetime, wanted: Wanted, without: Without
) -> dict[date, Day]:
    """What stands in conflict can only be said with all events at hand."""
    counts: Counter[date] = Counter()
    bad: Counter[date] = Counter()
    for event in calendar.events(workspace, start=start, end=end, zone=zone, now=now, wanted=wanted):
        if without.leaves_out(event):
            continue
        counts[event.at.date()] += 1
        bad[event.at.date()] += event.look in NEEDS_A_PERSON
    return {day: Day(count, bad[day]) for day, count in counts.items()}


# ---- posts that stand as jobs


class _Bucket(Func):
    """The hour of UTC of a stored time as text, `2026-12-11 09`; by `quarters` with :0 to :3 after it."""

    output_field = CharField()
    arity = 1

    def __init__(self, expression: str, *, quarters: bool) -> None:
        super().__init__(expression)
        self.quarters = quarters

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        hour = "substr(%(expressions)s, 1, 13)"
        quarter = "|| ':' || (CAST(substr(%(expressions)s, 15, 2) AS INTEGER) / 15)"
        return self.as_sql(compiler, connection, template=f"({hour} {quarter})" if self.quarters else hour, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        at = "(%(expressions)s AT TIME ZONE 'UTC')"
        hour = f"to_char({at}, 'YYYY-MM-DD HH24')"
        quarter = f"|| ':' || (extract(minute FROM {at})::int / 15)"
        return self.as_sql(compiler, connection, template=f"({hour} {quarter})" if self.quarters else hour, **context)


def _standing(
    workspace: Workspace, start: datetime, end: datetime, where: ZoneInfo, wanted: Wanted, without: Without
) -> tuple[Counter[date], Counter[date]]:
    bucket = _Bucket("scheduled_for", quarters=not _has_whole_hours(start.year, where))
    rows = (
        _jobs(workspace, start, end, wanted, without)
        .order_by()
        .values(bucket=bucket)
        .annotate(n=Count("pk"), bad=Count("pk", filter=Q(state__in=_BAD)))
        .values_list("bucket", "n", "bad")
    )
    counts: Counter[date] = Counter()
    bad: Counter[date] = Counter()
    for text, count, wrong in rows:
        day = _instant(text).astimezone(where).date()
        counts[day] += count
        bad[day] += wrong
    return counts, bad


def _instant(bucket: str) -> datetime:
    quarter = int(bucket[14:]) if len(bucket) > 13 else 0
    return datetime(int(bucket[:4]), int(bucket[5:7]), int(bucket[8:10]), int(bucket[11:13]), 15 * quarter, tzinfo=UTC)


def _has_whole_hours(year: int, where: ZoneInfo) -> bool:
    offsets = (datetime(year, month, 1, tzinfo=where).utcoffset() for month in range(1, 13))
    return all(offset is not None and offset.total_seconds() % 3600 == 0 for offset in offsets)


def _jobs(workspace: Workspace, start: datetime, end: datetime, wanted: Wanted, without: Without) -> QuerySet[Job]:
    jobs = Job.objects.within(workspace).filter(
        _of_account(wanted, without), scheduled_for__gte=start, scheduled_for__lt=end
    )
    jobs = jobs.exclude(state=JobState.SUPERSEDED)
    if "cancelled" not in wanted.looks:
        jobs = jobs.exclude(state=JobState.CANCELLED)
    if wanted.looks:
        jobs = jobs.filter(_of_looks(wanted.looks))
    return _about(jobs, wanted, without)


def _of_account(wanted: Wanted, without: Without) -> Q:
    found = Q()
    if without.platforms:
        found &= ~Q(account__platform__in=without.platforms)
    if without.accounts:
        found &= ~Q(account__in=without.accounts)
    if wanted.platforms:
        found &= Q(account__platform__in=wanted.platforms)
    if wanted.accounts:
        found &= Q(account__public_id__in=wanted.accounts)
    if wanted.account_ids:
        found &= Q(account__in=wanted.account_ids)
    return found


def _of_looks(looks: Iterable[str]) -> Q:
    pending, paused = Q(state=JobState.PENDING), Q(schedule__state=ScheduleState.PAUSED)
    found = Q(pk=None)
    for look in looks:
        if look == "scheduled":
            found |= pending & ~paused
        elif look == "paused":
            found |= pending & paused
        elif look in _STATES_OF_LOOK:
            found |= Q(state__in=_STATES_OF_LOOK[look])
    return found


def _about(rows: QuerySet[Any], wanted: Wanted, without: Without) -> QuerySet[Any]:
    """Rows of schedules whose content is of these types, campaigns, labels and words, and whose writers are these."""
    content = Q()
    if without.types:
        content &= ~Q(content_type__in=without.types)
    if without.campaigns:
        content &= Q(campaign=None) | ~Q(campaign__in=without.campaigns)
    if without.people:
        rows = rows.filter(Q(schedule__created_by=None) | ~Q(schedule__created_by__in=without.people))
    if wanted.types:
        content &= Q(content_type__in=wanted.types)
    if wanted.campaigns:
        content &= Q(campaign__public_id__in=wanted.campaigns)
    if words := wanted.q.strip():
        content &= Q(title__icontains=words) | Q(text__icontains=words) | Q(campaign__name__icontains=words)
    if wanted.labels:
        content &= _labelled(wanted.labels)
    if wanted.people:
        rows = rows.filter(schedule__created_by__in=wanted.people)
    if not content:
        return rows
    items = ContentItem.objects.annotate(label_text=Cast("labels", TextField())).filter(content)
    return rows.filter(Exists(items.filter(pk=OuterRef("schedule__content"))))


def _labelled(labels: Iterable[str]) -> Q:
    """A label stands in the JSON text as a string of its own; one database keeps it escaped and the other does not."""
    found = Q(pk=None)
    for label in labels:
        for ascii_only in (True, False):
            found |= Q(label_text__contains=json.dumps(label, ensure_ascii=ascii_only))
    return found


# ---- times that do not stand as jobs yet


def _to_come(
    workspace: Workspace,
    year: int,
    start: datetime,
    end: datetime,
    where: ZoneInfo,
    now: datetime,
    wanted: Wanted,
    without: Without,
) -> Counter[date]:
    states = [state for state in _RULED if not wanted.looks or _LOOK_OF_STATE[state] in wanted.looks]
    counts: Counter[date] = Counter()
    if not states:
        return counts
    pad = timedelta(days=9)  # the largest offset of a target, and how far a wall clock lies from its instant
    planned = Q(schedule__planned_until=None) | Q(schedule__planned_until__lt=end + timedelta(days=7))
    mine = Target.objects.within(workspace).filter(_of_account(wanted, without), planned, schedule__state__in=states)
    targets = _about(mine.filter(schedule__start_local__lt=_naive(end + pad)), wanted, without).order_by()
    single = targets.filter(schedule__rule_kind=RuleKind.ONCE, schedule__start_local__gte=_naive(start - pad))
    ruled = targets.exclude(schedule__rule_kind=RuleKind.ONCE).filter(
        Q(schedule__until_local=None) | Q(schedule__until_local__gte=_naive(start - pad))
    )
    for row in single.select_related("schedule").only(*_OF_TARGET):
        at = localtime.local_time(row.schedule.start_local, row.schedule.timezone, row.schedule.start_fold).at
        _add(counts, row, [at], start, end, where, now)
    for row in ruled.select_related("schedule").prefetch_related("schedule__exceptions").only(*_OF_TARGET):
        _add(counts, row, _times(row.schedule, year), start, end, where, now)
    return counts


_OF_TARGET = (
    "offset_seconds", "schedule__state", "schedule__version", "schedule__rule_kind", "schedule__expression", "schedule__timezone",
    "schedule__start_local", "schedule__start_fold", "schedule__until_local", "schedule__occurrence_limit",
    "schedule__planned_until",
)  # fmt: skip


def _add(
    counts: Counter[date],
    row: Target,
    times: list[datetime],
    start: datetime,
    end: datetime,
    where: ZoneInfo,
    now: datetime,
) -> None:
    offset = timedelta(seconds=row.offset_seconds)
    since = max(start - offset, row.schedule.planned_until or start - offset)
    if row.schedule.state == ScheduleState.DRAFT:
        since = max(since, now - offset)
    for at in times[bisect_left(times, since) : bisect_left(times, end - offset)]:
        counts[(at + offset).astimezone(where).date()] += 1


_kept: OrderedDict[tuple[int, int, int], list[datetime]] = OrderedDict()
_lock = Lock()


def _times(schedule: Schedule, year: int) -> list[datetime]:
    """The rule's instants in a year and a little around it, in order; kept in the process as long as the version stands."""
    key = (schedule.pk, schedule.version, year)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    pad = timedelta(days=9)
    since, until = datetime(year, 1, 1, tzinfo=UTC) - pad, datetime(year + 1, 1, 1, tzinfo=UTC) + pad
    try:
        found = recurrence.occurrences(rule_of(schedule), start=since, end=until)
        times = [one.fires_at for one in islice(found, MOST_OF_A_RULE)]
    except RuleRefused:
        times = []  # a rule that can no longer be read must not keep the others from being counted
    with _lock:
        _kept[key] = times
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return times


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
