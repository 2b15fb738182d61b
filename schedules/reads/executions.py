"""The job monitor: how many jobs stand where, a page of them, the runs of each schedule, and single attempts as bars.

Made for a workspace with a million jobs: counts stop at MOST_COUNTED, a page is read from an index in its own order, and
a span of time is read from the index of due times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import reduce
from heapq import merge
from operator import or_
from typing import Any

from django.db.models import IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from alwrity_scheduler.workspaces.models import Workspace
from schedules.domain.recurrence import RuleKind
from schedules.domain.states import JobState
from schedules.models import Attempt, Job, Schedule
from schedules.querysets.jobs import JobQuerySet
from schedules.reads.alarms import LATE_AFTER

MOST_COUNTED = 10_000
MOST_BARS = 500
MOST_STRIPS = 30
STRIP = 20
ON_TIME = timedelta(seconds=1)
# states in which jobs gather over the years: in a span of time they are read by due time. The others are few, and are read from
# the index of their state whatever the span
GATHERING = frozenset({JobState.COMPLETED, JobState.CANCELLED, JobState.SUPERSEDED})


class _Counted(Subquery):
    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


@dataclass(frozen=True, slots=True)
class Count:
    """How many; `more` says that counting stopped at `number`."""

    number: int
    more: bool = False

    def __bool__(self) -> bool:
        return self.number > 0


class Source:
    """The jobs that are looked at, due in the half-open span from `since` to `until` (aware; None is open)."""

    def __init__(self, jobs: JobQuerySet[Job], since: datetime | None = None, until: datetime | None = None) -> None:
        self._jobs = jobs
        self._span = {name: value for name, value in (("gte", since), ("lt", until)) if value}

    @property
    def jobs(self) -> JobQuerySet[Job]:
        """All of them, by the index of due times."""
        return self._jobs.filter(**{f"scheduled_for__{name}": value for name, value in self._span.items()})

    def is_by_due(self, states: Sequence[str]) -> bool:
        """Are these states read from the index of due times, and so in its order?"""
        return bool(self._span) and bool(GATHERING.intersection(states))

    def parts(self, states: Sequence[str]) -> list[JobQuerySet[Job]]:
        """Those in the states, as querysets that are each read from one index: of due times, or of their state."""
        if self.is_by_due(states):
            return [self.jobs.filter(state__in=states)]
        # an expression is in no index, so that SQLite does not take that of due times for a few rows in years
        hidden = self._jobs.alias(due=Coalesce("scheduled_for", "scheduled_for"))
        found = (
            hidden.filter(**{f"due__{name}": value for name, value in self._span.items()}) if self._span else self._jobs
        )
        return [found.filter(state=state) for state in states]


def counts(source: Source, groups: Mapping[str, Sequence[str]], *, workspace: Workspace) -> dict[str, Count]:
    """How many jobs are in the states of each group, in one query."""
    asked = [(name, rows) for name, states in groups.items() for rows in source.parts(states)]
    room = Workspace.objects.filter(pk=workspace.pk)
    numbers = room.values_list(*(_Counted(rows.order_by().values("pk")[: MOST_COUNTED + 1]) for _name, rows in asked))[
        0
    ]
    sums = dict.fromkeys(groups, 0)
    for (name, _rows), number in zip(asked, numbers, strict=True):
        sums[name] += number
    return {name: Count(min(number, MOST_COUNTED), number > MOST_COUNTED) for name, number in sums.items()}


class Listing:
    """The jobs of some states as a paginator wants them: a length that is known, and slices.

    Newest first by `run_at` (soonest first with `soonest`), or by due time where they are read from its index.
    """

    def __init__(self, source: Source, states: Sequence[str], number: int, *, soonest: bool = False) -> None:
        self._source, self._states, self._number, self._soonest = source, tuple(states), number, soonest

    def count(self) -> int:
        return self._number

    def __len__(self) -> int:
        return self._number

    def __getitem__(self, part: slice) -> list[Job]:
        keys = list(self.keys(part.stop))[part.start or 0 : part.stop]
        rows = Job.objects.with_names().in_bulk(keys)
        return [rows[key] for key in keys if key in rows]

    def keys(self, most: int) -> Iterator[int]:
        """The primary keys of the first `most`, in order."""
        sign = "" if self._soonest else "-"
        field = "scheduled_for" if self._source.is_by_due(self._states) else "run_at"
        found = [
            rows.order_by(f"{sign}{field}", f"{sign}id").values_list(field, "pk")[:most]
            for rows in self._source.parts(self._states)
        ]
        ordered = merge(*found, reverse=not self._soonest)
        return (key for _place, (_at, key) in zip(range(most), ordered, strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A job as the monitor shows it.

    wait: from the time it was due to its start. late: due for a while and not out, or started late, and still within grace.
    took: from the start to the end. next_at: the next attempt of one that was tried already.
    """

    job: Job
    wait: timedelta | None
    late: bool
    took: timedelta | None
    next_at: datetime | None

    @property
    def on_time(self) -> bool:
        return self.wait is not None and self.wait < ON_TIME

    @property
    def verbs(self) -> tuple[str, ...]:
        return VERBS.get(JobState(self.job.state), ())


# what a person can do with a job of that state from the list
VERBS: dict[JobState, tuple[str, ...]] = {
    JobState.FAILED: ("retry",),
    JobState.MISSED: ("retry",),
    JobState.UNCONFIRMED: ("settle",),
    JobState.PENDING: ("run-now", "cancel"),
    JobState.BLOCKED: ("cancel",),
    JobState.CANCELLED: ("revive",),
}


def lines(jobs: Iterable[Job], now: datetime) -> list[Line]:
    return [_line(job, now) for job in jobs]


def _line(job: Job, now: datetime) -> Line:
    started, ended = job.started_at, job.finished_at
    # one that was given a new time after its start has no wait
    wait = started - job.scheduled_for if started and started >= job.scheduled_for else None
    waiting = job.state == JobState.PENDING and now - job.scheduled_for > LATE_AFTER
    began_late = wait is not None and wait > LATE_AFTER and job.state not in (JobState.MISSED, JobState.FAILED)
    return Line(
        job=job,
        wait=wait,
        late=waiting or began_late,
        took=ended - started if started and ended and ended >= started else None,
        next_at=job.run_at if job.state == JobState.PENDING and job.attempt_count else None,
    )


# ---- the last runs of each recurring schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A recurring schedule and its last runs, the oldest first."""

    schedule: Schedule
    runs: tuple[Job, ...]

    @property
    def failed_count(self) -> int:
        return sum(1 for job in self.runs if job.state in (JobState.FAILED, JobState.MISSED, JobState.UNCONFIRMED))


def strips(workspace: Workspace) -> list[Strip]:
    """The last STRIP runs of the MOST_STRIPS recurring schedules changed last, those with trouble first. Two queries."""
    runs = Job.objects.filter(schedule=OuterRef("pk")).exclude(state=JobState.PENDING).order_by("-run_at", "-id")
    schedules = list(
        Schedule.objects.within(workspace)
        .filter(state__in=("active", "paused"))
        .exclude(rule_kind=RuleKind.ONCE)
        .select_related("content")
        .annotate(newest=Subquery(runs.values("run_at")[:1]), oldest=Subquery(runs.values("run_at")[STRIP - 1 : STRIP]))
        .order_by("-updated_at", "-id")[:MOST_STRIPS]
    )
    ran = {row.pk: row for row in schedules if row.newest}
    if not ran:
        return []
    wanted = [Q(schedule=pk, run_at__gte=row.oldest) if row.oldest else Q(schedule=pk) for pk, row in ran.items()]
    jobs = (
        Job.objects.within(workspace)
        .filter(reduce(or_, wanted))
        .exclude(state=JobState.PENDING)
        .select_related("account")
    )
    of_schedule: dict[int, list[Job]] = {}
    for job in jobs.order_by("schedule_id", "-run_at", "-id"):
        of_schedule.setdefault(job.schedule_id, []).append(job)
    found = [Strip(schedule=row, runs=tuple(of_schedule.get(pk, ())[:STRIP][::-1])) for pk, row in ran.items()]
    return sorted(found, key=lambda strip: -strip.failed_count)


# ---- single attempts, for the figure of executions and its table


class Ending(StrEnum):
    """How an attempt ended, as coarse as a colour can say it."""

    GOOD = "good"
    FAILED = "failed"
    AGAIN = "again"  # not posted, and tried again
    UNSURE = "unsure"
    UNDER_WAY = "under_way"


_ENDINGS = {
    "": Ending.UNDER_WAY,
    **dict.fromkeys(("published", "accepted", "completed", "found", "done"), Ending.GOOD),
    **dict.fromkeys(("unknown", "unconfirmed", "lost"), Ending.UNSURE),
    **dict.fromkeys(("rate_limited", "unavailable", "not_called", "absent"), Ending.AGAIN),
}


def ending_of(outcome: str) -> Ending:
    return _ENDINGS.get(outcome, Ending.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One attempt. Times are aware UTC; one that is under way ends now. `took` is of the call where there was one."""

    attempt: Attempt
    job: Job
    ending: Ending
    start: datetime
    end: datetime

    @property
    def took(self) -> timedelta:
        return self.end - self.start


def bars(jobs: JobQuerySet[Job], now: datetime) -> list[Bar]:
    """The attempts of the newest MOST_BARS tried jobs of a span of time, at most MOST_BARS, the newest first. Two queries."""
    tried = jobs.filter(attempt_count__gt=0).order_by("-scheduled_for", "-id").with_names()[:MOST_BARS]
    by_key = {job.pk: job for job in tried}
    attempts = Attempt.objects.filter(job_id__in=by_key).defer("request", "response").order_by("-started_at", "-id")
    return [_bar(attempt, by_key[attempt.job_id], now) for attempt in attempts[:MOST_BARS]]


def _bar(attempt: Attempt, job: Job, now: datetime) -> Bar:
    start = attempt.called_at or attempt.started_at
    end = attempt.finished_at or now
    return Bar(attempt=attempt, job=job, ending=ending_of(attempt.outcome), start=start, end=max(start, end))


# ---- one attempt in full

SECRET_WORDS = ("token", "secret", "password", "authorization", "cookie", "api_key", "apikey", "signature")
MASK = "••••••"
_REQUEST_IDS = ("request_id", "x-request-id", "x_request_id", "trace_id", "fbtrace_id", "x-fb-trace-id", "cf-ray")


def masked(value: Any) -> Any:
    """The same JSON value, with what stands under a secret's name hidden. The engine stores no secrets; this is the second lock."""
    if isinstance(value, dict):
        return {
            name: MASK if inner and any(word in str(name).lower() for word in SECRET_WORDS) else masked(inner)
            for name, inner in value.items()
        }
    return [masked(item) for item in value] if isinstance(value, list) else value


def request_id_of(response: Any) -> str:
    """The platform's own name for the request, where its answer has one: what its support asks for."""
    if not isinstance(response, dict):
        return ""
    for place in (response, response.get("headers"), response.get("error")):
        if isinstance(place, dict):
            names = {str(name).lower(): value for name, value in place.items()}
            found = next((names[name] for name in _REQUEST_IDS if names.get(name)), None)
            if isinstance(found, str | int):
                return str(found)[:200]
    return ""
