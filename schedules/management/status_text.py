"""The engine's figures for a terminal of 80 columns: `manage.py runscheduler --status`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime

from schedules.engine.figures import Histogram
from schedules.reads.alarms import spoken
from schedules.reads.engine import EngineStatus, WorkerStatus, age_of

WIDTH = 80
MOST_STOPPED = 3


def text(status: EngineStatus) -> str:
    """Lines of at most 80 characters, without a line break at the end."""
    parts = (_head(status), _alarms(status), _workers(status), _queue(status), _speed(status), _duties(status))
    return "\n".join(line[:WIDTH].rstrip() for part in parts for line in (*part, ""))[:-1]


def _head(status: EngineStatus) -> Iterator[str]:
    state = "paused" if status.paused_at else "running" if status.running else "NOT RUNNING"
    yield f"{f'Scheduler at {status.now:%Y-%m-%d %H:%M:%S} UTC':<60}{state:>20}"
    if status.paused_at:
        yield f"Everything is paused since {status.paused_at:%Y-%m-%d %H:%M:%S} UTC."


def _alarms(status: EngineStatus) -> Iterator[str]:
    yield f"Alarms: {len(status.alarms) or 'none'}"
    for alarm in status.alarms:
        yield from _wrapped(f"! {alarm.words}", "  ", "    ")
        yield from _wrapped(alarm.remedy, "    ", "    ")


def _wrapped(words: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _workers(status: EngineStatus) -> Iterator[str]:
    going = [worker for worker in status.workers if worker.state != "stopped"]
    stopped = [worker for worker in status.workers if worker.state == "stopped"]
    silent = sum(worker.state == "silent" for worker in going)
    yield f"Workers: {len(going) - silent} alive, {silent} silent, {len(stopped)} stopped in the last day"
    shown = [*going, *stopped[:MOST_STOPPED]]
    if shown:
        yield f"  {'':<25}{'state':<8}{'last beat':>10}{'calls':>6}{'done':>10}{'memory':>9}{'CPU':>9}"
    for worker in shown:
        yield (
            f"  {_cut(worker.name, 24):<25}{worker.state:<8}{spoken(worker.beat_age_seconds):>10}{worker.in_flight:>6}"
            f"{worker.completed_count:>10,}{worker.rss_bytes / 1e6:>6.0f} MB{worker.cpu_seconds:>7.1f} s"
        )
        yield from _oddities(worker)


def _oddities(worker: WorkerStatus) -> Iterator[str]:
    counts = ((worker.rescued_count, "rescued"), (worker.database_error_count, "database errors"))
    words = [f"{number:,} {name}" for number, name in counts if number]
    if abs(worker.clock_skew_ms) >= 100:
        words.append(f"clock off by {worker.clock_skew_ms / 1000:.1f} s")
    if words:
        yield f"    {', '.join(words)}"


def _queue(status: EngineStatus) -> Iterator[str]:
    yield f"Queue: {'':<20}{'pending':>11}{'due':>11}{'running':>11}{'oldest due':>16}"
    for kind in status.kinds:
        age = age_of(kind, status.now)
        waiting = "-" if age is None else spoken(age)
        yield f"  {_cut(kind.kind, 24):<25}{kind.pending:>11,}{kind.due:>11,}{kind.running:>11,}{waiting:>16}"
    yield "  outside the queue: " + ", ".join(f"{number:,} {state}" for state, number in status.held.items())


def _speed(status: EngineStatus) -> Iterator[str]:
    worst = max((worker.worst_pass_seconds for worker in status.workers if worker.alive), default=0.0)
    yield f"Lateness: {_histogram(status.lateness, 'calls')}"
    yield f"Passes:   {_histogram(status.passes, 'passes')}, worst of the last seconds {_short(worst)}"


def _histogram(found: Histogram, things: str) -> str:
    middle, high = found.quantile(0.5), found.quantile(0.99)
    if middle is None or high is None:
        return f"no {things} yet"
    return f"p50 {_short(middle)}, p99 {_short(high)} of {found.count:,} {things}"


def _short(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s" if seconds < 60 else spoken(seconds)


def _duties(status: EngineStatus) -> Iterator[str]:
    yield f"Duties: {'':<12}{'last run':>11}{'took':>9}{'next run':>11}  result"
    for duty in status.duties:
        took = "-" if duty.last_duration_ms is None else f"{duty.last_duration_ms:,} ms"
        following = _until(duty.next_at, status.now) if duty.enabled else "off"
        line = f"  {_cut(duty.name, 17):<18}{_since(duty.last_run_at, status.now):>11}{took:>9}{following:>11}  "
        yield line + _cut(duty.last_result, WIDTH - len(line))


def _since(at: datetime | None, now: datetime) -> str:
    return "never" if at is None else f"{_one_unit((now - at).total_seconds())} ago"


def _until(at: datetime, now: datetime) -> str:
    seconds = (at - now).total_seconds()
    return "now" if seconds <= 0 else f"in {_one_unit(seconds)}"


def _one_unit(seconds: float) -> str:
    return " ".join(spoken(seconds).split()[:2])


def _cut(words: str, length: int) -> str:
    return words if len(words) <= length else words[: length - 1] + "…"
