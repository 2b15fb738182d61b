"""Who runs the engine: one row a process with its heartbeat, and how a dead process is told from a silent one."""

from __future__ import annotations

import logging
import os
import socket
from datetime import datetime, timedelta
from pathlib import Path

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.ids import uuid7
from schedules.engine.tables import Worker

logger = logging.getLogger(__name__)
BEAT_SECONDS = 5
SKEW_REPORTED_MS = 2000
FORGET_AFTER = timedelta(days=1)
BUCKETS_MS = (5, 10, 25, 50, 100, 250, 1000, 5000, 60_000)


def process_mark(pid: int) -> str:
    """What tells this process from every other one on this machine since it booted; empty where that cannot be known.

    Boot id, PID namespace and start time (proc(5)): a reused PID has another start time, and a container another namespace.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    started = stat.rsplit(")", 1)[1].split()[19]
    return f"{boot} {namespace} {started}"


def is_dead(host: str, pid: int, mark: str) -> bool:
    """Certainly dead: it ran on this machine, in this PID namespace, and is gone. False where one cannot be sure."""
    mine = process_mark(os.getpid())
    if not mark or not mine or host != socket.gethostname() or mark.split()[:2] != mine.split()[:2]:
        return False
    return process_mark(pid) != mark


class Heart:
    """This process' row: name, beat and figures."""

    def __init__(self, role: str = "embedded") -> None:
        self.role = role
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid7().hex[-6:]}"
        self.completed = 0
        self.lateness: dict[str, int] = {}
        self._beat_at = 0.0

    def register(self, now: datetime) -> None:
        """Write the row. Asking twice changes nothing."""
        Worker.objects.get_or_create(
            name=self.name,
            defaults={
                "role": self.role, "host": socket.gethostname(), "pid": os.getpid(),
                "process_mark": process_mark(os.getpid()), "started_at": now, "beat_at": now,
            },
        )  # fmt: skip

    def note_start(self, late_seconds: float) -> None:
        """Count one start in the histogram: how many milliseconds after its time it was."""
        milliseconds = late_seconds * 1000
        bucket = next((str(limit) for limit in BUCKETS_MS if milliseconds <= limit), "more")
        self.lateness[bucket] = self.lateness.get(bucket, 0) + 1

    def beat(self, now: datetime, in_flight: int, *, force: bool = False) -> None:
        """Write the row, at most every BEAT_SECONDS. `now` is the database's time; the difference to ours is the skew (R44)."""
        if not force and clock.monotonic() - self._beat_at < BEAT_SECONDS:
            return
        self._beat_at = clock.monotonic()
        skew = int((now - clock.now()).total_seconds() * 1000)
        if abs(skew) > SKEW_REPORTED_MS:
            logger.warning(
                "This machine's clock and the database's differ by %s ms: set both by NTP.",
                skew,
                extra={"action": "clock_skew"},
            )
        Worker.objects.filter(name=self.name).update(
            beat_at=now, in_flight=in_flight, completed_count=self.completed, clock_skew_ms=skew, lateness=self.lateness
        )

    def stop(self, now: datetime) -> None:
        Worker.objects.filter(name=self.name).update(
            stopped_at=now, beat_at=now, in_flight=0, completed_count=self.completed
        )


def dead_workers() -> list[str]:
    """Names of workers that are certainly dead and have not said goodbye."""

    rows = Worker.objects.filter(stopped_at=None).values_list("name", "host", "pid", "process_mark")
    return [name for name, host, pid, mark in rows if is_dead(host, pid, mark)]


def forget(now: datetime) -> int:
    """Close the rows of dead workers, and drop those that have been silent for a day."""

    Worker.objects.filter(name__in=dead_workers()).update(stopped_at=now)
    return Worker.objects.filter(beat_at__lt=now - FORGET_AFTER).delete()[0]
