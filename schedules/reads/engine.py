"""How the engine is doing, in figures: for status, metrics and screens. Reads only; asks no clock (ENGINE R40, R44)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schedules.engine.figures import LATENESS, PASSES, Histogram
from schedules.engine.kinds import kinds as registered
from schedules.models import Duty, Job, Worker
from schedules.querysets.jobs import JobQuerySet
from schedules.reads import alarms as rules
from schedules.reads.alarms import SILENT_AFTER, Alarm
from schedules.reads.queue import Depth, all_workspaces, depth, depths, held_counts, oldest_due_at

MOST_WORKERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """One scheduler process, with its totals since it started; `state` is alive, silent or stopped."""

    name: str
    role: str
    host: str
    state: str
    started_at: datetime
    beat_at: datetime
    beat_age_seconds: float
    stopped_at: datetime | None
    in_flight: int
    completed_count: int
    claimed_count: int
    rescued_count: int
    database_error_count: int
    clock_skew_ms: int
    rss_bytes: int
    cpu_seconds: float
    lateness: Histogram
    passes: Histogram
    worst_pass_seconds: float

    @property
    def alive(self) -> bool:
        """It has not stopped, and was heard of less than 90 seconds ago."""
        return self.state == "alive"


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyStatus:
    """What the engine does now and then. `late`: switched on, and not run for three cadences."""

    name: str
    enabled: bool
    every_seconds: int
    next_at: datetime
    last_run_at: datetime | None
    last_duration_ms: int | None
    last_result: str
    late: bool

    @property
    def failed(self) -> bool:
        return self.last_result.startswith("failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """`jobs` and `held` count what the reader may see; `kinds` the whole installation (empty for who may not see it)."""

    now: datetime
    paused_at: datetime | None
    workers: tuple[WorkerStatus, ...]
    jobs: Depth
    held: dict[str, int]
    kinds: tuple[Depth, ...]
    duties: tuple[DutyStatus, ...]
    alarms: tuple[Alarm, ...]
    lateness: Histogram = field(default_factory=lambda: Histogram(LATENESS))
    passes: Histogram = field(default_factory=lambda: Histogram(PASSES))

    @property
    def running(self) -> bool:
        """Is there a scheduler that would publish?"""
        return any(worker.alive for worker in self.workers)

    @property
    def shown_workers(self) -> list[WorkerStatus]:
        """Those that have not been stopped; else the one that was there last."""
        return [worker for worker in self.workers if worker.state != "stopped"] or list(self.workers[:1])

    @property
    def oldest_due_age_seconds(self) -> float | None:
        """Of the jobs the reader may see."""
        return age_of(self.jobs, self.now)


def age_of(work: Depth, now: datetime) -> float | None:
    """How long the oldest due row has been waiting, in seconds; None when nothing is due."""
    return None if work.oldest_due_at is None else (now - work.oldest_due_at).total_seconds()


def of_posts(kinds: Iterable[Depth]) -> list[Depth]:
    """Without the kinds that have a share of the threads only: what waits for a slow receiver outside is no post that is late."""
    return [row for row in kinds if registered[row.kind].share >= 1]


def installation_status(*, now: datetime) -> EngineStatus:
    """Everything, for operators. The number of queries grows with the kinds of work alone."""
    kinds = depths(now)
    jobs = next((found for found in kinds if found.kind == "publish"), None) or depth("publish", Job.objects.all(), now)
    return _status(jobs, all_workspaces(), kinds, now)


def engine_status(jobs: JobQuerySet[Job], *, workspaces: Collection[int], now: datetime) -> EngineStatus:
    """`jobs`, and `workspaces` (ids), are those the reader may see. Workers, duties and alarms are the installation's."""
    return _status(depth("publish", jobs, now), workspaces, (), now)


def _status(jobs: Depth, workspaces: Collection[int], kinds: tuple[Depth, ...], now: datetime) -> EngineStatus:
    workers = tuple(_worker(row, now) for row in Worker.objects.order_by("-beat_at", "-id")[:MOST_WORKERS])
    duties = list(Duty.objects.order_by("name", "id"))
    paused_at = rules.paused_at()
    oldest = min((row.oldest_due_at for row in of_posts(kinds) if row.oldest_due_at), default=None)
    found = (
        rules.oldest_due(oldest if kinds else oldest_due_at(now), paused=paused_at is not None, now=now),
        rules.no_scheduler(alive=any(worker.alive for worker in workers)),
        rules.planner_behind(next((row for row in duties if row.name == rules.PLANNER), None), now),
        rules.clock_skew((worker.name, worker.clock_skew_ms) for worker in workers if worker.alive),
    )
    return EngineStatus(
        now=now,
        paused_at=paused_at,
        workers=workers,
        jobs=jobs,
        held=held_counts(workspaces),
        kinds=kinds,
        duties=tuple(_duty(row, now) for row in duties),
        alarms=tuple(alarm for alarm in found if alarm),
        lateness=Histogram.merged((worker.lateness for worker in workers), LATENESS),
        passes=Histogram.merged((worker.passes for worker in workers), PASSES),
    )


def _worker(row: Worker, now: datetime) -> WorkerStatus:
    age = now - row.beat_at
    return WorkerStatus(
        name=row.name,
        role=row.role,
        host=row.host,
        state="stopped" if row.stopped_at else "alive" if age < SILENT_AFTER else "silent",
        started_at=row.started_at,
        beat_at=row.beat_at,
        beat_age_seconds=age.total_seconds(),
        stopped_at=row.stopped_at,
        in_flight=row.in_flight,
        completed_count=row.completed_count,
        claimed_count=row.claimed_count,
        rescued_count=row.rescued_count,
        database_error_count=row.database_error_count,
        clock_skew_ms=row.clock_skew_ms,
        rss_bytes=row.rss_bytes,
        cpu_seconds=row.cpu_seconds,
        lateness=Histogram.from_json(row.lateness, LATENESS),
        passes=Histogram.from_json(row.passes, PASSES),
        worst_pass_seconds=float(row.passes.get("worst", 0.0)),
    )


def _duty(row: Duty, now: datetime) -> DutyStatus:
    last = row.last_run_at or row.next_at
    return DutyStatus(
        name=row.name,
        enabled=row.enabled,
        every_seconds=row.every_seconds,
        next_at=row.next_at,
        last_run_at=row.last_run_at,
        last_duration_ms=row.last_duration_ms,
        last_result=row.last_result,
        late=row.enabled and now - last > rules.CADENCES_MISSED * timedelta(seconds=row.every_seconds),
    )
