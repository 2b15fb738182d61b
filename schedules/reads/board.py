"""What the dashboard shows: what needs a person, the figures, what is next, the load of the days to come, what went out.

Each function is one card's worth and asks a fixed number of queries, so that a card that is hidden costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, IntegerField, Min, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.models import MediaAsset, PlatformAccount
from schedules.models import Job, Review, Schedule
from schedules.models.content import ContentMedia
from schedules.reads import calendar, reviews
from schedules.reads.forecast import Forecast, forecasts

SHOWN = 10
MOST_NEEDS = 5  # of each kind: the figures below stay in sight, the desk has them all
RATE_OVER = timedelta(days=7)
DUE_WITHIN = timedelta(hours=24)
LOAD_DAYS = 14
# a post that was late by more than this is not looked for among what was published today
LATEST = timedelta(days=2)
_UNDER_WAY = ("pending", "running", "processing")
_UNDECIDED = frozenset({"draft", "review", "paused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts of one workspace. succeeded and failed: of the last seven days. due_now: pending and past its time."""

    active: int
    due: int
    done_today: int
    succeeded: int
    failed: int
    due_now: int
    oldest_due_at: datetime | None
    running: int

    @property
    def success_rate(self) -> float | None:
        """A share from 0 to 1; None where nothing has ended, which is not the same as no success."""
        return self.succeeded / self.ended_count if self.ended_count else None

    @property
    def ended_count(self) -> int:
        return self.succeeded + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a workspace has come on the way to its first post."""

    has_account: bool
    has_schedule: bool
    has_published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What needs a person: at most MOST_NEEDS rows of each kind; `jobs_count` and `reviews_count` are of all."""

    jobs: Sequence[Job]
    jobs_count: int
    broken: Sequence[PlatformAccount]
    foretold: Sequence[tuple[PlatformAccount, Forecast]]
    reviews: Sequence[Review]
    reviews_count: int

    @property
    def count(self) -> int:
        return self.jobs_count + len(self.broken) + len(self.foretold) + self.reviews_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A post on its way to one account; picture: its first file that has a small picture."""

    job: Job
    picture: MediaAsset | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLoad:
    """The posts of one day of the reader's zone, by what became of them. undecided: drafts, in review, or paused."""

    day: date
    planned: int
    published: int
    troubled: int
    undecided: int
    conflicts: int

    @property
    def total(self) -> int:
        return self.planned + self.published + self.troubled + self.undecided


def figures(workspace: Workspace, *, now: datetime, day_start: datetime) -> Figures:
    """One query of counts, each by an index. `day_start`: the beginning of the reader's own day (aware)."""
    jobs = Job.objects.within(workspace)
    pending = jobs.pending()
    values = _counted(
        workspace,
        active=Schedule.objects.within(workspace).active(),
        due=pending.filter(scheduled_for__gte=now, scheduled_for__lt=now + DUE_WITHIN),
        done_today=published_since(workspace, day_start),
        succeeded=ended(workspace, now).filter(state="completed"),
        failed=ended(workspace, now).filter(state="failed"),
        due_now=pending.filter(run_at__lte=now),
        running=jobs.filter(state__in=["running", "processing"]),
    )
    return Figures(**values)


def ended(workspace: Workspace, now: datetime) -> QuerySet[Job]:
    """What the success rate is made of: the jobs that were published or failed and ran last in the last seven days."""
    return Job.objects.within(workspace).filter(state__in=["completed", "failed"], run_at__gte=now - RATE_OVER)


def published_since(workspace: Workspace, since: datetime) -> QuerySet[Job]:
    return Job.objects.within(workspace).filter(state="completed", run_at__gte=since - LATEST, finished_at__gte=since)


def _counted(workspace: Workspace, **asked: QuerySet[Any]) -> dict[str, Any]:
    counts: dict[str, Any] = {f"n_{name}": _count(rows) for name, rows in asked.items()}
    oldest = asked["due_now"].order_by().values("workspace").annotate(at=Min("run_at")).values("at")
    row = (
        Workspace.objects.filter(pk=workspace.pk)
        .annotate(**counts, n_oldest=Subquery(oldest))
        .values(*counts, "n_oldest")[0]
    )
    return {**{name: row[f"n_{name}"] for name in asked}, "oldest_due_at": row["n_oldest"]}


def _count(rows: QuerySet[Any]) -> Coalesce:
    number = rows.order_by().values("workspace").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(number, output_field=IntegerField()), Value(0))


def progress(workspace: Workspace) -> Progress:
    """One query of three looks."""
    row = (
        Workspace.objects.filter(pk=workspace.pk)
        .annotate(
            a=Exists(PlatformAccount.objects.within(workspace).exclude(state="disconnected")),
            s=Exists(Schedule.objects.within(workspace).exclude(state="archived")),
            p=Exists(Job.objects.within(workspace).filter(state="completed")),
        )
        .values_list("a", "s", "p")[0]
    )
    return Progress(has_account=row[0], has_schedule=row[1], has_published=row[2])


def accounts(workspace: Workspace) -> list[PlatformAccount]:
    """The connected accounts with their circuits and services; without their secrets."""
    rows = PlatformAccount.objects.within(workspace).exclude(state="disconnected")
    return list(rows.select_related("circuit", "service").defer("credentials", "options").order_by("id"))


def needs(
    workspace: Workspace, person: User, connected: Sequence[PlatformAccount], *, reviews_waiting: int, now: datetime
) -> Needs:
    """One query for the jobs, and more only where they have something to tell: a second count, forecasts, reviews."""
    needing = Job.objects.within(workspace).needing_a_person()
    jobs = list(needing.with_names().order_by("-run_at", "-id")[:MOST_NEEDS])
    told = forecasts(connected, now)
    return Needs(
        jobs=jobs,
        jobs_count=needing.count() if len(jobs) == MOST_NEEDS else len(jobs),
        broken=[row for row in connected if row.state == "needs_auth" and row.pk not in told][:MOST_NEEDS],
        foretold=[(row, item) for row in connected for item in told.get(row.pk, ())][:MOST_NEEDS],
        reviews=reviews.mine(person, workspace)[:MOST_NEEDS] if reviews_waiting else (),
        reviews_count=reviews_waiting,
    )


def coming(workspace: Workspace) -> list[Coming]:
    """The next ten jobs, and what is being published; two queries."""
    rows = Job.objects.within(workspace).filter(state__in=_UNDER_WAY).with_names().order_by("run_at", "id")[:SHOWN]
    jobs = list(rows)
    pictures = _pictures(job.schedule.content_id for job in jobs)
    return [Coming(job=job, picture=pictures.get(job.schedule.content_id)) for job in jobs]


def _pictures(content_ids: Iterable[int]) -> dict[int, MediaAsset]:
    links = ContentMedia.objects.filter(content__in=set(content_ids)).select_related("asset")
    found: dict[int, MediaAsset] = {}
    for link in links.order_by("content_id", "position"):
        if link.asset.has_thumbnail:
            found.setdefault(link.content_id, link.asset)
    return found


def published(workspace: Workspace) -> list[Job]:
    """The last posts that went out, the newest first."""
    rows = Job.objects.within(workspace).filter(state="completed").with_names().order_by("-run_at", "-id")
    return sorted(rows[:SHOWN], key=lambda job: job.finished_at or job.run_at, reverse=True)


def load(workspace: Workspace, *, zone: str, now: datetime) -> list[DayLoad]:
    """The next fourteen days of that zone, today first, from what stands as jobs and what rules will give."""
    where = ZoneInfo(zone)
    first = now.astimezone(where).date()
    days = [first + timedelta(days=number) for number in range(LOAD_DAYS)]
    start, end = (datetime.combine(day, time(), tzinfo=where) for day in (first, first + timedelta(days=LOAD_DAYS)))
    counts = {day: dict.fromkeys(("planned", "published", "troubled", "undecided", "conflicts"), 0) for day in days}
    for event in calendar.events(workspace, start=start, end=end, zone=zone, now=now):
        row = counts[event.at.date()]
        row[_kind(event.look)] += 1
        row["conflicts"] += event.conflict
    return [DayLoad(day=day, **counts[day]) for day in days]


def _kind(look: str) -> str:
    if look == "published":
        return "published"
    if look in calendar.NEEDS_A_PERSON:
        return "troubled"
    return "undecided" if look in _UNDECIDED else "planned"
