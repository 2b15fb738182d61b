"""How the engine is doing, in figures: for the API's status and for screens. Reads only; asks no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q

from schedules.models import EngineControl, Job, Worker
from schedules.querysets.jobs import JobQuerySet

SILENT_AFTER = timedelta(seconds=90)  # a scheduler that has not been heard of for this long counts as gone
MOST_WORKERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """One scheduler process. `alive`: it has not stopped, and was heard of less than 90 seconds ago."""

    name: str
    role: str
    alive: bool
    started_at: datetime
    beat_at: datetime
    beat_age_seconds: float
    stopped_at: datetime | None
    in_flight: int
    completed_count: int
    clock_skew_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """Counts are of the jobs that were handed in. `oldest_due_age_seconds` is None when nothing is due."""

    now: datetime
    paused_at: datetime | None
    workers: tuple[WorkerStatus, ...]
    pending_count: int
    due_count: int
    running_count: int
    oldest_due_age_seconds: float | None

    @property
    def running(self) -> bool:
        """Is there a scheduler that would publish?"""
        return any(worker.alive for worker in self.workers)


def engine_status(jobs: JobQuerySet[Job], *, now: datetime) -> EngineStatus:
    """`jobs` are those the reader may see. Three queries. Workers: the latest beat first, at most fifty."""
    figures = (
        jobs.filter(state__in=["pending", "running"])
        .order_by()
        .aggregate(
            pending=Count("pk", filter=Q(state="pending")),
            due=Count("pk", filter=Q(state="pending", run_at__lte=now)),
            running=Count("pk", filter=Q(state="running")),
            oldest=Min("run_at", filter=Q(state="pending", run_at__lte=now)),
        )
    )
    oldest = figures["oldest"]
    return EngineStatus(
        now=now,
        paused_at=EngineControl.objects.filter(pk=1).values_list("paused_at", flat=True).first(),
        workers=tuple(_worker(row, now) for row in Worker.objects.order_by("-beat_at", "-id")[:MOST_WORKERS]),
        pending_count=figures["pending"],
        due_count=figures["due"],
        running_count=figures["running"],
        oldest_due_age_seconds=None if oldest is None else (now - oldest).total_seconds(),
    )


def _worker(row: Worker, now: datetime) -> WorkerStatus:
    age = now - row.beat_at
    return WorkerStatus(
        name=row.name,
        role=row.role,
        alive=row.stopped_at is None and age < SILENT_AFTER,
        started_at=row.started_at,
        beat_at=row.beat_at,
        beat_age_seconds=age.total_seconds(),
        stopped_at=row.stopped_at,
        in_flight=row.in_flight,
        completed_count=row.completed_count,
        clock_skew_ms=row.clock_skew_ms,
    )
