"""The loop: look, do, sleep until the next due time. `run_pass` is bounded and says what it did.

Sleep is never longer than a second, whatever woke or failed to wake it (R15).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, OperationalError, connections

from alwrity_scheduler.core import clock
from schedules.engine import duties, workers
from schedules.engine.dispatch import Flight, ThreadDispatcher
from schedules.engine.kinds import kinds
from schedules.engine.work import Claim, Lease, WorkKind, claim, next_due_at

logger = logging.getLogger(__name__)
LONGEST_SLEEP = 1.0
RESCUE_EVERY = 10.0
HOUSEKEEPING_EVERY = 1.0
MOST_A_CLAIM = 100
MOST_LOOKS = 20
# Rows are claimed this much before their time, so that the claim's own duration does not make them late.
AHEAD = timedelta(milliseconds=50)
IDLE_AFTER_ERROR = 0.5

# What must stand before anything is claimed: asked in each pass. Housekeeping runs each second. Filled by wiring.
is_paused: list[Callable[[], bool]] = []
housekeeping: list[Callable[[datetime], object]] = []


@dataclass(slots=True)
class PassCounts:
    """What one pass did, in rows."""

    rescued: int = 0
    duties: int = 0
    claimed: int = 0
    started: int = 0
    finished: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{name} {count}" for name, count in asdict(self).items())


class Loop:
    """One scheduler process. `stop` may be called from a signal handler or another thread."""

    def __init__(self, *, threads: int, lease: timedelta, role: str = "embedded") -> None:
        self.heart = workers.Heart(role)
        self._condition = threading.Condition(threading.RLock())
        self._nudged = False
        self.stopping = False
        self.dispatcher = ThreadDispatcher(threads=threads, lease=lease, wake=self.wake)
        self._lease = Lease(self.heart.name, lease)
        self._unwritten: list[Flight] = []
        self._rescue_at = 0.0
        self._housekeeping_at = 0.0

    def wake(self) -> None:
        """Look now. Safe from any thread."""
        with self._condition:
            self._nudged = True
            self._condition.notify()

    def stop(self) -> None:
        self.stopping = True
        self.wake()

    def run(self, *, stop_seconds: float) -> None:
        """Until `stop`: then wait for calls under way, at most `stop_seconds`, and put back what has not begun (R37)."""
        self.heart.register(clock.database_now())
        duties.ensure_rows(clock.database_now())
        while not self.stopping:
            pause = self._safely(self._turn)
            self._sleep(IDLE_AFTER_ERROR if pause is None else pause)
        self._wind_up(stop_seconds)

    def drain(self) -> PassCounts:
        """For `--once`: publish everything that is due now, wait for it, and return the sum of the passes."""
        total = PassCounts()
        self.heart.register(clock.database_now())
        duties.ensure_rows(clock.database_now())
        while True:
            counts = self.run_pass(clock.database_now())
            for name, count in asdict(counts).items():
                setattr(total, name, getattr(total, name) + count)
            if not counts.claimed and not self.dispatcher.in_flight():
                break
            self._sleep(0.0 if counts.claimed else 0.05)
        self._wind_up(0)
        return total

    def _turn(self) -> float:
        began = clock.monotonic()
        now = clock.database_now()
        self.run_pass(now)
        self.heart.beat(now, self.dispatcher.in_flight())
        if not self.dispatcher.free():
            return LONGEST_SLEEP
        dues = [due for kind in kinds.values() if (due := next_due_at(kind.model)) is not None]
        ahead = min(((due - now - AHEAD).total_seconds() for due in dues), default=LONGEST_SLEEP)
        passed = clock.monotonic() - began
        # something due that could not be claimed (its account is busy, everything is paused): an end will wake us
        return LONGEST_SLEEP if ahead <= 0 else max(0.0, min(ahead - passed, LONGEST_SLEEP))

    def run_pass(self, now: datetime) -> PassCounts:
        """One look at everything: write results, rescue, duties, housekeeping, claim and start. `now` is the database's."""
        # the database's clock was read before this one, so a time derived from the pair is never early
        anchor = clock.monotonic()
        counts = PassCounts()
        counts.finished = self._write_results(now)
        if clock.monotonic() >= self._rescue_at:
            self._rescue_at = clock.monotonic() + RESCUE_EVERY
            dead = [name for name in workers.dead_workers() if name != self.heart.name]
            counts.rescued = sum(kind.rescue(now, dead_workers=dead) for kind in kinds.values())
        if clock.monotonic() >= self._housekeeping_at:
            self._housekeeping_at = clock.monotonic() + HOUSEKEEPING_EVERY
            counts.duties = duties.run_overdue(now)
            for chore in housekeeping:
                chore(now)
        if any(paused() for paused in is_paused):
            return counts
        for kind in kinds.values():
            self._claim(kind, now, anchor, counts)
        return counts

    def _claim(self, kind: WorkKind, now: datetime, anchor: float, counts: PassCounts) -> None:
        def due(item: Claim) -> float:
            return anchor + (item.run_at - now).total_seconds()

        looks = 0
        while not self.stopping and (free := min(self.dispatcher.free(), MOST_A_CLAIM)):
            claimed = claim(kind.model, now=now, limit=free, lease=self._lease, arm=kind.arm, ahead=AHEAD)
            counts.claimed += claimed.taken
            counts.started += len(claimed.tasks)
            self.dispatcher.submit(kind, claimed.tasks, due)
            if claimed.taken < free:
                # rows that were put back made way for others that are due: look again, but not for ever
                looks += 1
                if len(claimed.tasks) == claimed.taken or looks == MOST_LOOKS:
                    return

    def _write_results(self, now: datetime) -> int:
        """Write what has ended, all of a kind in one transaction. What cannot be written now is kept and tried again (R43)."""
        waiting = self._unwritten + self.dispatcher.ended()
        self._unwritten = []
        written = 0
        for kind in {flight.kind for flight in waiting}:
            flights = [flight for flight in waiting if flight.kind is kind]
            try:
                kind.finish([(flight.claim, flight.task, flight.result) for flight in flights], now)
            except (OperationalError, InterfaceError):
                self._unwritten += flights
                raise
            except Exception:
                logger.exception(
                    "A batch of results could not be written; writing one by one.", extra={"action": "finish_failed"}
                )
                self._write_singly(kind, flights, now)
            self.dispatcher.done(flights)
            for flight in flights:
                self.heart.note_start(flight.late_seconds)
            self.heart.completed += len(flights)
            written += len(flights)
        return written

    def _write_singly(self, kind: WorkKind, flights: list[Flight], now: datetime) -> None:
        for flight in flights:
            try:
                kind.finish([(flight.claim, flight.task, flight.result)], now)
            except (OperationalError, InterfaceError):
                raise
            except Exception:
                # left to the lease: the rescue makes it unconfirmed, and the look-up settles it
                logger.exception(
                    "A result could not be written.", extra={"action": "result_lost", "row": flight.claim.id}
                )

    def _wind_up(self, stop_seconds: float) -> None:
        self._safely(lambda: self._release(self.dispatcher.cancel_waiting()))
        until = clock.monotonic() + stop_seconds
        while self.dispatcher.in_flight() and clock.monotonic() < until:
            self._sleep(0.2)
            self._safely(lambda: self._write_results(clock.database_now()))
        self._safely(lambda: self.heart.stop(clock.database_now()))
        self.dispatcher.close()

    def _release(self, flights: list[Flight]) -> None:
        for kind in {flight.kind for flight in flights}:
            mine = [flight for flight in flights if flight.kind is kind]
            kind.release([(flight.claim, flight.task) for flight in mine], clock.database_now())
            self.dispatcher.done(mine)

    def _safely(self, step: Callable[[], object]) -> float | None:
        """The edge: a database that fails or an unforeseen error is told, and the loop goes on."""
        try:
            result = step()
        except DatabaseError:
            logger.warning(
                "The database did not answer; trying again.", exc_info=True, extra={"action": "database_error"}
            )
            connections.close_all()
            return None
        except Exception:
            logger.exception("A pass failed; trying again.", extra={"action": "pass_failed"})
            return None
        return result if isinstance(result, float) else 0.0

    def _sleep(self, seconds: float) -> None:
        with self._condition:
            if not self._nudged and seconds > 0:
                self._condition.wait(seconds)
            self._nudged = False
