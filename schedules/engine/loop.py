"""The loop: look, do, sleep until the next due time. `run_pass` is bounded and says what it did.

Sleep is never longer than a second, whatever woke or failed to wake it (R15).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connections

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.tracing import span
from schedules.engine import duties, workers
from schedules.engine.dispatch import Flight, ThreadDispatcher
from schedules.engine.kinds import kinds
from schedules.engine.results import Finisher, Results, own_turn
from schedules.engine.work import LAST_PRIORITY, Claim, Claimed, Lease, WorkKind, claim, look, next_after

logger = logging.getLogger(__name__)
LONGEST_SLEEP = 1.0
RESCUE_EVERY = 10.0
HOUSEKEEPING_EVERY = 1.0
MOST_LOOKS = 20
# Rows are claimed this much before their time, so that the claim's own duration does not make them late.
AHEAD = timedelta(milliseconds=50)
IDLE_AFTER_ERROR = 0.5
GATHER_SECONDS = 0.005

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
        self._turn_of_writers = own_turn()
        self.dispatcher = ThreadDispatcher(threads=threads, lease=lease, wake=self.wake)
        self.results = Results(self.dispatcher, self.heart, self._turn_of_writers)
        self._finisher: Finisher | None = None
        self._lease = Lease(self.heart.name, lease)
        self._rescue_at = 0.0
        self._housekeeping_at = 0.0
        self._claimed_at = 0.0

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
        self._finisher = Finisher(self.results, written=self.wake)
        self.dispatcher.wake = self._finisher.wake
        self._finisher.start()
        while not self.stopping:
            pause = self._safely(self._turn)
            self._sleep(IDLE_AFTER_ERROR if pause is None else pause)
            self._gather()
        self._wind_up(stop_seconds)

    def drain(self) -> PassCounts:
        """For `--once`: publish everything that is due now, wait for it, and return the sum of the passes."""
        total = PassCounts()
        self.heart.register(clock.database_now())
        duties.ensure_rows(clock.database_now())
        while True:
            with self.heart.timed_pass():
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
        seen = look([kind.model for kind in kinds.values()])
        with self.heart.timed_pass():
            due = [at is not None and at <= seen.now + AHEAD for at in seen.next_due]
            counts = self.run_pass(seen.now, began, due=due)
        self.heart.beat(seen.now, self.dispatcher.in_flight())
        if not self.dispatcher.free():
            return LONGEST_SLEEP
        if counts.claimed:
            return 0.0  # the look told of what is claimed now, and not of what is due behind it
        # something due that could not be claimed (its account is busy, everything is paused) must not hide what comes next
        soon = seen.now + AHEAD
        dues = [
            next_after(kind.model, soon) if at is not None and at <= soon else at
            for kind, at in zip(kinds.values(), seen.next_due, strict=True)
        ]
        ahead = min(((at - soon).total_seconds() for at in dues if at is not None), default=LONGEST_SLEEP)
        return max(0.0, min(ahead - (clock.monotonic() - began), LONGEST_SLEEP))

    def run_pass(self, now: datetime, read_at: float | None = None, *, due: Sequence[bool] | None = None) -> PassCounts:
        """One look at everything: write results, maintain, claim and start. `now` is the database's. For `due` see `work`.

        `read_at`: monotonic seconds before `now` was read, when that was not just now.
        """
        # the database's clock was read before this one, so a time derived from the pair is never early
        anchor = clock.monotonic()
        counts = PassCounts()
        if self._finisher is None:
            counts.finished = self.results.write()
        self.maintain(now, counts)
        self.work(now, anchor, counts, read_at=anchor if read_at is None else read_at, due=due)
        return counts

    def maintain(self, now: datetime, counts: PassCounts) -> None:
        """Rescue, overdue duties and housekeeping, each when its time has come. Claims nothing."""
        if clock.monotonic() >= self._rescue_at:
            self._rescue_at = clock.monotonic() + RESCUE_EVERY
            dead = [name for name in workers.dead_workers() if name != self.heart.name]
            counts.rescued = sum(kind.rescue(now, dead_workers=dead) for kind in kinds.values())
            self.heart.rescued += counts.rescued
        if clock.monotonic() >= self._housekeeping_at:
            self._housekeeping_at = clock.monotonic() + HOUSEKEEPING_EVERY
            counts.duties = duties.run_overdue(now)
            for chore in housekeeping:
                chore(now)

    def work(
        self,
        now: datetime,
        anchor: float,
        counts: PassCounts,
        *,
        read_at: float,
        due: Sequence[bool] | None = None,
        priority_to: int = LAST_PRIORITY,
    ) -> None:
        """Claim what is due, of `priority_to` or more urgent, and start it.

        Both monotonic seconds: `anchor` was read after `now`, so that nothing starts early; `read_at` before it, so that
        no lease is taken for longer than it is. `due` says for each kind whether a look has found something; without it
        each kind is asked.
        """
        if due is not None and not any(due):
            return
        if any(paused() for paused in is_paused):
            return

        def take(kind: WorkKind, free: int) -> Claimed:
            return claim(
                kind.model, now=now, limit=free, lease=self._lease, arm=kind.arm, ahead=AHEAD, read_at=read_at,
                priority_to=priority_to, known_due=due is not None,
            )  # fmt: skip

        for number, kind in enumerate(kinds.values()):
            if due is None or due[number]:
                self._claim(kind, take, counts, lambda item: anchor + (item.run_at - now).total_seconds())

    def _claim(
        self,
        kind: WorkKind,
        take: Callable[[WorkKind, int], Claimed],
        counts: PassCounts,
        due: Callable[[Claim], float],
    ) -> None:
        looks = 0
        while not self.stopping and (free := min(self.dispatcher.free(kind), kind.most_a_claim)):
            with self._turn_of_writers, span("engine.claim", kind=kind.name):
                claimed = take(kind, free)
            self._claimed_at = clock.monotonic()
            counts.claimed += claimed.taken
            self.heart.claimed += claimed.taken
            counts.started += len(claimed.tasks)
            self.dispatcher.submit(kind, claimed.tasks, due)
            if claimed.taken < free:
                # rows that were put back made way for others that are due: look again, but not for ever
                looks += 1
                if len(claimed.tasks) == claimed.taken or looks == MOST_LOOKS:
                    return

    def _gather(self) -> None:
        """Under load, let some slots come free before the next claim: a claim of one costs nearly what one of fifty does."""
        if (
            not self.dispatcher.in_flight()
            or self.dispatcher.free() * 4 >= self.dispatcher.threads + self.dispatcher.spare
        ):
            return
        left = self._claimed_at + GATHER_SECONDS - clock.monotonic()
        if left > 0 and not self.stopping:
            time.sleep(left)

    def _wind_up(self, stop_seconds: float) -> None:
        self._safely(lambda: self._release(self.dispatcher.cancel_waiting()))
        until = clock.monotonic() + stop_seconds
        while self.dispatcher.in_flight() and clock.monotonic() < until:
            self._sleep(0.2)
            self._safely(self.results.write)
        if self._finisher is not None:
            self._finisher.stop()
            self._finisher = None
        self._safely(self.results.write)
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
        except (DatabaseError, InterfaceError):
            logger.warning(
                "The database did not answer; trying again.", exc_info=True, extra={"action": "database_error"}
            )
            self.heart.database_errors += 1
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
