"""How publishing went in a span of time: by hour or day, by account, and a report of what went out.

Counted by the database from the index of due times; how late posts were is read of the newest of them only, so that a season of a
busy workspace costs what it says and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import TruncDay, TruncHour

from alwrity_scheduler.workspaces.models import Workspace
from schedules.domain.states import JobState
from schedules.models import Engagement, Job
from schedules.reads.account_health import quantile

MOST_TIMED = 10_000
Bucket = Literal["hour", "day"]
_TRUNC: dict[Bucket, Any] = {"hour": TruncHour, "day": TruncDay}


@dataclass(slots=True, kw_only=True)
class Slice:
    """One hour or day: `at` is its beginning (aware, in the zone asked for). delays, durations: seconds, sorted; of a sample."""

    at: datetime
    states: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)

    def delay(self, share: float) -> float | None:
        return quantile(self.delays, share)

    def duration(self, share: float) -> float | None:
        return quantile(self.durations, share)


def _jobs(workspace: Workspace, account_ids: Sequence[int] | None, since: datetime, until: datetime) -> Any:
    jobs = Job.objects.filter(workspace=workspace, scheduled_for__gte=since, scheduled_for__lt=until)
    jobs = jobs.exclude(state=JobState.SUPERSEDED).order_by()
    return jobs if account_ids is None else jobs.filter(account_id__in=account_ids)


def series(
    workspace: Workspace,
    *,
    since: datetime,
    until: datetime,
    bucket: Bucket,
    zone: str,
    account_ids: Sequence[int] | None = None,
) -> list[Slice]:
    """The slices in which something was due, in order. account_ids None: all. Two queries."""
    jobs, where = _jobs(workspace, account_ids, since, until), ZoneInfo(zone)
    found: dict[datetime, Slice] = {}
    cut = jobs.annotate(at=_TRUNC[bucket]("scheduled_for", tzinfo=where))
    for at, state, number in cut.values_list("at", "state").annotate(n=Count("pk")):
        found.setdefault(at, Slice(at=at)).states[state] += number
    timed = cut.filter(started_at__isnull=False).order_by("-scheduled_for", "-id")
    for at, wanted, started, ended in timed.values_list("at", "scheduled_for", "started_at", "finished_at")[
        :MOST_TIMED
    ]:
        row = found.setdefault(at, Slice(at=at))
        row.delays.append(max(0.0, (started - wanted).total_seconds()))
        if ended is not None and ended >= started:
            row.durations.append((ended - started).total_seconds())
    for row in found.values():
        row.delays.sort()
        row.durations.sort()
    return sorted(found.values(), key=lambda row: row.at)


@dataclass(slots=True, kw_only=True)
class Day:
    """What became of one account's posts that were due on one day of the reader's zone."""

    day: date
    account_id: int
    states: Counter[str] = field(default_factory=Counter)


def activity(
    workspace: Workspace, *, since: datetime, until: datetime, zone: str, account_ids: Sequence[int] | None = None
) -> list[Day]:
    """By account and day, in that order; one query."""
    cut = _jobs(workspace, account_ids, since, until).annotate(at=TruncDay("scheduled_for", tzinfo=ZoneInfo(zone)))
    found: dict[tuple[int, date], Day] = {}
    for account, at, state, number in cut.values_list("account_id", "at", "state").annotate(n=Count("pk")):
        place = (account, at.date())
        found.setdefault(place, Day(day=at.date(), account_id=account)).states[state] += number
    return [found[place] for place in sorted(found)]


def latest_figures(jobs: Sequence[Job]) -> dict[int, Engagement]:
    """The last reading of each that told something; one query."""
    rows = Engagement.objects.filter(job__in=[job.pk for job in jobs]).exclude(values={}).order_by("measured_at", "id")
    return {row.job_id: row for row in rows}
