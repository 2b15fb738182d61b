"""The engine's figures as Prometheus reads them. The only module that imports prometheus_client.

Nothing is counted in this process: each scrape reads what all schedulers have written, so that one address tells of all
of them, however many web processes answer. Names begin with alwrity_, units are seconds and bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from math import inf

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schedules.engine.figures import Histogram
from schedules.reads.alarms import NAMES as ALARMS
from schedules.reads.engine import EngineStatus, WorkerStatus, age_of

# a process that ended is shown for this long, so that its last counts are scraped; then its series end
SHOWN_AFTER_END = timedelta(minutes=15)
WORKER_STATES = ("alive", "silent", "stopped")
WorkerFigure = Callable[[WorkerStatus], float]
COUNTERS: tuple[tuple[str, str, WorkerFigure], ...] = (
    ("claimed_rows", "Rows claimed", lambda worker: worker.claimed_count),
    ("finished_rows", "Results written", lambda worker: worker.completed_count),
    ("rescued_rows", "Rows taken back from dead workers", lambda worker: worker.rescued_count),
    ("database_errors", "Passes that the database did not answer", lambda worker: worker.database_error_count),
    ("worker_cpu_seconds", "Processor time used, in seconds", lambda worker: worker.cpu_seconds),
)
GAUGES: tuple[tuple[str, str, WorkerFigure], ...] = (
    ("worker_in_flight", "Calls under way", lambda worker: worker.in_flight),
    ("worker_resident_memory_bytes", "Memory held", lambda worker: worker.rss_bytes),
    ("worker_clock_skew_seconds", "Database's clock minus the worker's", lambda worker: worker.clock_skew_ms / 1000),
    ("worker_beat_age_seconds", "Time since the last sign of life", lambda worker: worker.beat_age_seconds),
    ("pass_duration_worst_seconds", "Longest pass since the last beat", lambda worker: worker.worst_pass_seconds),
)


def exposition(status: EngineStatus, accept: str) -> tuple[bytes, str]:
    """(body, content type): OpenMetrics where `accept`, the request's header, asks for it, else the text format."""
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry()
    registry.register(_Figures(status))
    return encode(registry), content_type


class _Figures(Collector):
    def __init__(self, status: EngineStatus) -> None:
        self.status = status

    def collect(self) -> Iterator[Metric]:
        yield from _state(self.status)
        yield from _work(self.status)
        yield from _duties(self.status)
        yield from _workers(self.status)


def _gauge(name: str, words: str, labels: tuple[str, ...], rows: Sequence[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(f"alwrity_{name}", words, labels=labels)
    for values, figure in rows:
        family.add_metric(values, figure)
    return family


def _state(status: EngineStatus) -> Iterator[Metric]:
    states = [worker.state for worker in status.workers]
    ringing = {alarm.name for alarm in status.alarms}
    yield _gauge("paused", "1 while everything is paused", (), [((), status.paused_at is not None)])
    yield _gauge(
        "workers", "Schedulers by state", ("state",), [((name,), states.count(name)) for name in WORKER_STATES]
    )
    yield _gauge(
        "alarm",
        "1 while the product itself raises this alarm",
        ("alarm",),
        [((name,), name in ringing) for name in ALARMS],
    )


def _work(status: EngineStatus) -> Iterator[Metric]:
    rows = [
        ((kind.kind, state), float(figure))
        for kind in status.kinds
        for state, figure in (("pending", kind.pending), ("due", kind.due), ("running", kind.running))
    ]
    rows += [(("publish", state), float(figure)) for state, figure in status.held.items()]
    yield _gauge("queue_rows", "Work by kind and state; due is a part of pending", ("kind", "state"), rows)
    ages = [((kind.kind,), age_of(kind, status.now) or 0.0) for kind in status.kinds]
    yield _gauge(
        "oldest_due_age_seconds", "How long the oldest due row has been waiting; 0 when none is", ("kind",), ages
    )


def _duties(status: EngineStatus) -> Iterator[Metric]:
    ran = [duty for duty in status.duties if duty.last_run_at is not None]
    yield _gauge(
        "duty_last_run_timestamp_seconds", "When the duty last ran", ("duty",),
        [((duty.name,), duty.last_run_at.timestamp()) for duty in ran if duty.last_run_at],
    )  # fmt: skip
    yield _gauge(
        "duty_last_duration_seconds", "How long its last run took", ("duty",),
        [((duty.name,), (duty.last_duration_ms or 0) / 1000) for duty in ran],
    )  # fmt: skip
    yield _gauge(
        "duty_cadence_seconds",
        "How often the duty is due",
        ("duty",),
        [((duty.name,), duty.every_seconds) for duty in ran],
    )
    yield _gauge("duty_failed", "1 when its last run failed", ("duty",), [((duty.name,), duty.failed) for duty in ran])


def _workers(status: EngineStatus) -> Iterator[Metric]:
    shown = [worker for worker in status.workers if worker.beat_age_seconds <= SHOWN_AFTER_END.total_seconds()]
    yield _gauge(
        "worker_info", "Always 1; says where a worker runs", ("worker", "host", "role"),
        [((worker.name, worker.host, worker.role), 1.0) for worker in shown],
    )  # fmt: skip
    for name, words, figure in GAUGES:
        yield _gauge(name, words, ("worker",), [((worker.name,), figure(worker)) for worker in shown])
    for name, words, figure in COUNTERS:
        counter = CounterMetricFamily(f"alwrity_{name}", words, labels=("worker",))
        for worker in shown:
            counter.add_metric((worker.name,), figure(worker))
        yield counter
    yield _histogram("lateness_seconds", "How long after its time a call began", shown, lambda worker: worker.lateness)
    yield _histogram(
        "pass_duration_seconds", "How long one look at the queue took", shown, lambda worker: worker.passes
    )


def _histogram(
    name: str, words: str, shown: list[WorkerStatus], figures: Callable[[WorkerStatus], Histogram]
) -> Metric:
    family = HistogramMetricFamily(f"alwrity_{name}", words, labels=("worker",))
    for worker in shown:
        found = figures(worker)
        buckets = [("+Inf" if bound == inf else str(bound), float(count)) for bound, count in found.cumulative()]
        family.add_metric((worker.name,), buckets, found.sum)
    return family
