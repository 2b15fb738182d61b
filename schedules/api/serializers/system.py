"""The history and the engine's figures as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import inf
from typing import Any, ClassVar

from platforms.models import AccountState, PlatformAccount
from schedules.api.serializers.accounts import AccountName, account_words
from schedules.api.serializers.shapes import Answer, both
from schedules.api.serializers.shown import Instant, Shown, one_of
from schedules.engine.figures import Histogram
from schedules.models import AuditLog
from schedules.reads.alarms import Alarm
from schedules.reads.engine import EngineStatus, WorkerStatus, age_of
from schedules.reads.queue import Depth


class FactActor(Shown):
    kind: str
    id: str
    label: str


class FactObject(Shown):
    type: str
    id: str
    label: str


class FactShown(Shown):
    """One fact of the history: who did what to which thing, with what was before and after."""

    id: int
    action: str
    actor: FactActor
    object: FactObject
    before: Any
    after: Any
    request_id: str
    seq: int
    hash: str


class AuditAnswer(Answer):
    """One fact. Wants `zones` in the context (workspace number -> zone); a fact of no workspace is in UTC."""

    shown = FactShown
    times: ClassVar[tuple[str, ...]] = ("at",)

    def zone(self, row: AuditLog) -> str:
        zones: dict[int, str] = self.context["zones"]
        return zones.get(row.workspace_ref or 0, "UTC")

    def body(self, row: AuditLog) -> dict[str, Any]:
        return {
            "id": row.pk,
            "action": row.action,
            "actor": {"kind": row.actor_kind, "id": row.actor_id, "label": row.actor_label},
            "object": {"type": row.object_type, "id": row.object_id, "label": row.object_label},
            "before": row.before,
            "after": row.after,
            "request_id": row.request_id,
            "seq": row.seq,
            "hash": row.hash,
        }


class AlarmShown(Shown):
    name: str
    words: str
    remedy: str
    stops_publishing: bool


class DepthShown(Shown):
    """Work that waits, is due, and is being done; the age of the oldest due one in seconds."""

    pending: int
    due: int
    running: int
    oldest_due_age_seconds: float | None


class HistogramShown(Shown):
    """Cumulative counts by upper bound in seconds."""

    count: int
    sum_seconds: float
    p50_seconds: float | None
    p99_seconds: float | None
    buckets: dict[str, int]


class WorkerShown(Shown):
    name: str
    role: str
    alive: bool
    state: str
    beat_at: Instant | None
    beat_age_seconds: float | None
    started_at: Instant | None
    stopped_at: Instant | None
    in_flight: int
    completed_count: int
    claimed_count: int
    rescued_count: int
    database_error_count: int
    clock_skew_ms: int | None
    rss_bytes: int | None
    cpu_seconds: float | None
    worst_pass_seconds: float | None


class DutyShown(Shown):
    """A recurring duty of the scheduler."""

    name: str
    enabled: bool
    late: bool
    every_seconds: float
    next_at: Instant | None
    last_run_at: Instant | None
    last_duration_ms: int | None
    last_result: str


class EngineStatusShown(Shown):
    """Does anything publish, and keep up. Durations are in seconds."""

    now: Instant
    timezone: str
    running: bool
    paused: bool
    paused_at: Instant | None
    alarms: list[AlarmShown]
    queue: DepthShown
    held: dict[str, int]
    kinds: dict[str, DepthShown]
    lateness: HistogramShown
    passes: HistogramShown
    workers: list[WorkerShown]
    duties: list[DutyShown]


def status_words(status: EngineStatus, zone: str) -> dict[str, Any]:
    """The engine's figures. Durations in seconds, histograms with cumulative counts by upper bound."""
    return {
        **both("now", status.now, zone),
        "timezone": zone,
        "running": status.running,
        "paused": status.paused_at is not None,
        **both("paused_at", status.paused_at, zone),
        "alarms": [_alarm(alarm) for alarm in status.alarms],
        "queue": _depth(status.jobs, status.now),
        "held": status.held,
        "kinds": {row.kind: _depth(row, status.now) for row in status.kinds},
        "lateness": _histogram(status.lateness),
        "passes": _histogram(status.passes),
        "workers": [_worker(item, zone) for item in status.workers],
        "duties": [
            {
                "name": duty.name,
                "enabled": duty.enabled,
                "late": duty.late,
                "every_seconds": duty.every_seconds,
                **both("next_at", duty.next_at, zone),
                **both("last_run_at", duty.last_run_at, zone),
                "last_duration_ms": duty.last_duration_ms,
                "last_result": duty.last_result,
            }
            for duty in status.duties
        ],
    }


class EngineSwitched(Shown):
    """Is everything held, everywhere?"""

    paused: bool


class AccountInTrouble(AccountName):
    """An account that does not work: somebody must sign in, or it or its whole service is down."""

    cause: one_of("sign_in", "service_down", "down")  # type: ignore[valid-type]
    message: str


class HealthShown(Shown):
    """Stopped (nothing is published), degraded (something does not work) or ok, and why. `needs_you_more`: there are more posts
    that need a person than were counted."""

    now: Instant
    timezone: str
    status: one_of("stopped", "degraded", "ok")  # type: ignore[valid-type]
    running: bool
    paused: bool
    workers_alive_count: int
    duties_late: list[str]
    alarms: list[AlarmShown]
    queue: DepthShown
    held: dict[str, int]
    needs_you_count: int
    needs_you_more: bool
    accounts: list[AccountInTrouble]


MOST_COUNTED = 1_000


def health_words(status: EngineStatus, broken: Sequence[PlatformAccount], needing: int, zone: str) -> dict[str, Any]:
    """`status`: stopped (nothing is published), degraded (something does not work) or ok. At most MOST_COUNTED are counted."""
    stopped = not status.running or any(alarm.stops_publishing for alarm in status.alarms)
    ill = stopped or status.paused_at is not None or bool(status.alarms) or bool(broken)
    alive = sum(1 for worker in status.workers if worker.alive)
    return {
        **both("now", status.now, zone),
        "timezone": zone,
        "status": "stopped" if stopped else "degraded" if ill else "ok",
        "running": status.running,
        "paused": status.paused_at is not None,
        "workers_alive_count": alive,
        "duties_late": [duty.name for duty in status.duties if duty.late or duty.failed],
        "alarms": [_alarm(alarm) for alarm in status.alarms],
        "queue": _depth(status.jobs, status.now),
        "held": status.held,
        "needs_you_count": min(needing, MOST_COUNTED),
        "needs_you_more": needing > MOST_COUNTED,
        "accounts": [{**account_words(row), "cause": _cause(row), "message": _message(row)} for row in broken],
    }


def _cause(row: PlatformAccount) -> str:
    if row.state == AccountState.NEEDS_AUTH:
        return "sign_in"
    return "service_down" if row.service is not None and row.service.state != "closed" else "down"


def _message(row: PlatformAccount) -> str:
    if row.state == AccountState.NEEDS_AUTH:
        return str(row.state_reason)
    failing = row.service if _cause(row) == "service_down" else getattr(row, "circuit", None)
    return str(failing.last_error) if failing is not None else ""


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {
        "name": alarm.name,
        "words": alarm.words,
        "remedy": alarm.remedy,
        "stops_publishing": alarm.stops_publishing,
    }


def _depth(work: Depth, now: datetime) -> dict[str, Any]:
    return {
        "pending": work.pending,
        "due": work.due,
        "running": work.running,
        "oldest_due_age_seconds": age_of(work, now),
    }


def _histogram(figures: Histogram) -> dict[str, Any]:
    return {
        "count": figures.count,
        "sum_seconds": round(figures.sum, 6),
        "p50_seconds": figures.quantile(0.5),
        "p99_seconds": figures.quantile(0.99),
        "buckets": {"+Inf" if bound == inf else f"{bound:g}": count for bound, count in figures.cumulative()},
    }


def _worker(item: WorkerStatus, zone: str) -> dict[str, Any]:
    return {
        "name": item.name,
        "role": item.role,
        "alive": item.alive,
        "state": item.state,
        **both("beat_at", item.beat_at, zone),
        "beat_age_seconds": item.beat_age_seconds,
        **both("started_at", item.started_at, zone),
        **both("stopped_at", item.stopped_at, zone),
        "in_flight": item.in_flight,
        "completed_count": item.completed_count,
        "claimed_count": item.claimed_count,
        "rescued_count": item.rescued_count,
        "database_error_count": item.database_error_count,
        "clock_skew_ms": item.clock_skew_ms,
        "rss_bytes": item.rss_bytes,
        "cpu_seconds": item.cpu_seconds,
        "worst_pass_seconds": item.worst_pass_seconds,
    }
