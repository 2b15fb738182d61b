"""Performing tasks in a pool of threads, and holding their leases meanwhile. Knows kinds of work, not posts."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import connections

from alwrity_scheduler.core import clock
from schedules.engine.lastlook import NOTICE, LastLook
from schedules.engine.watch import perform
from schedules.engine.work import Claim, WorkKind, renew

logger = logging.getLogger(__name__)
CLAIM_SECONDS = 0.02  # about what it takes until a claim brings more
MOST_SPARE = 3  # times the threads
STEADY = 0.9  # how much the calls before weigh against the latest


@dataclass(eq=False, slots=True)
class Flight:
    """One task on its way: claimed, handed to a thread, perhaps answered."""

    kind: WorkKind
    claim: Claim
    task: Any
    start_at: float  # monotonic seconds: its due time, never earlier (R13)
    late_seconds: float = 0.0
    took_seconds: float = 0.0
    result: Any = None
    performed: bool = False
    withdrawn: bool = False  # taken back before its time: nothing was performed, and nothing is to be written


class ThreadDispatcher:
    """At most `threads` threads, started as they are needed. `wake` is called whenever a task has ended.

    The standard library's executor would do, but a Future with its lock and condition costs as much as the rest of a post.
    """

    def __init__(self, *, threads: int, lease: timedelta, wake: Callable[[], None]) -> None:
        self.threads = threads
        # Claims in hand beyond the threads: what these will have taken up by the time that another claim could bring more.
        # Calls of microseconds would otherwise wait for the database; of slow ones hardly any is held before its call.
        self.spare = 0
        self._call_seconds = 1.0
        self.lease = lease
        self.wake = wake
        self._waiting: queue.SimpleQueue[Flight | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[Flight] = queue.SimpleQueue()
        self._pool: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._held: set[Flight] = set()
        self._keeper = _LeaseKeeper(self)
        self._keeper.start()
        self._last_look = LastLook()
        self._last_look.start()

    def in_flight(self) -> int:
        """Tasks that are claimed and whose result is not written yet."""
        return len(self._held)

    def free(self, kind: WorkKind | None = None) -> int:
        """How many more claims may be taken, of any kind or of this one."""
        free = max(0, self.threads + self.spare - len(self._held))
        if kind is None or kind.share >= 1:
            return free
        with self._lock:
            mine = sum(flight.kind is kind for flight in self._held)
        return max(0, min(free, max(1, int(self.threads * kind.share)) - mine))

    def submit(self, kind: WorkKind, tasks: Iterable[tuple[Claim, Any]], due: Callable[[Claim], float]) -> None:
        """Hand the tasks to the pool; `due` gives a claim's due time in monotonic seconds, before which nothing is performed."""
        flights = [Flight(kind, claim, task, due(claim)) for claim, task in tasks]
        with self._lock:
            self._held.update(flights)
        for flight in flights:
            self._waiting.put(flight)
        while len(self._pool) < min(self.threads, len(self._held)):
            thread = threading.Thread(target=self._serve, name=f"publish-{len(self._pool)}", daemon=True)
            self._pool.append(thread)
            thread.start()

    def _serve(self) -> None:
        while (flight := self._waiting.get()) is not None:
            self._fly(flight)

    def _fly(self, flight: Flight) -> None:
        try:
            ours = self._is_still_ours(flight)
            if not ours:
                # without a word from the database nothing is sent either
                flight.withdrawn = ours is False
                return
            if (early := flight.start_at - clock.monotonic()) > 0:
                time.sleep(early)
            flight.late_seconds = clock.monotonic() - flight.start_at
            flight.performed = True
            began = clock.monotonic()
            flight.result = perform(flight.kind, flight.task)
            flight.took_seconds = clock.monotonic() - began
        except Exception:
            # the edge: a kind that raises breaks its promise; what it did is not known, and the lease will tell
            logger.exception(
                "A task failed in a way it should not.", extra={"action": "perform_failed", "row": flight.claim.id}
            )
        finally:
            # most calls use none; a platform that lives in our database must not leave one behind in each thread
            connections.close_all()
            self._ended.put(flight)
            self.wake()

    def _is_still_ours(self, flight: Flight) -> bool | None:
        """The last look (R34), at a row that was claimed early enough to be taken back. None: the database does not say."""
        claimed_at = flight.claim.lease_until - self.lease
        if not flight.kind.taken_back or flight.claim.run_at - claimed_at <= NOTICE:
            return True
        return self._last_look.ask(flight.kind, flight.claim, flight.start_at)

    def ended(self) -> list[Flight]:
        """The tasks that ended since the last call. They stay held until `done` says that their result is written."""
        flights = _drained(self._ended)
        self._learn(flights)
        self.done(flight for flight in flights if flight.withdrawn)
        return [flight for flight in flights if not flight.withdrawn]

    def _learn(self, flights: Iterable[Flight]) -> None:
        for flight in flights:
            if flight.kind.share < 1:
                continue  # its receivers say nothing about how long posts take
            self._call_seconds = STEADY * self._call_seconds + (1 - STEADY) * flight.took_seconds
        taken_up = self.threads * CLAIM_SECONDS / max(self._call_seconds, 1e-6)
        self.spare = int(min(taken_up, MOST_SPARE * self.threads))

    def done(self, flights: Iterable[Flight]) -> None:
        with self._lock:
            self._held.difference_update(flights)

    def held(self) -> dict[WorkKind, dict[int, int]]:
        """id -> token of everything held, by kind."""
        held: dict[WorkKind, dict[int, int]] = {}
        with self._lock:
            for flight in self._held:
                held.setdefault(flight.kind, {})[flight.claim.id] = flight.claim.token
        return held

    def cancel_waiting(self) -> list[Flight]:
        """Take back the tasks that no thread has begun."""
        return [flight for flight in _drained(self._waiting) if flight is not None]

    def close(self) -> None:
        self._keeper.stop()
        self._last_look.stop()
        self._last_look.join(1)
        for _ in self._pool:
            self._waiting.put(None)


def _drained(source: queue.SimpleQueue[Any]) -> list[Any]:
    found = []
    while True:
        try:
            found.append(source.get_nowait())
        except queue.Empty:
            return found


class _LeaseKeeper(threading.Thread):
    """Renews all held leases at a third of their length, on a connection of its own (R20)."""

    def __init__(self, dispatcher: ThreadDispatcher) -> None:
        super().__init__(name="lease-keeper", daemon=True)
        self._dispatcher = dispatcher
        self._stopping = threading.Event()

    def stop(self) -> None:
        self._stopping.set()

    def run(self) -> None:
        pause = self._dispatcher.lease.total_seconds() / 3
        while not self._stopping.wait(pause):
            try:
                for kind, held in self._dispatcher.held().items():
                    renew(kind.model, held=held, now=clock.database_now(), length=self._dispatcher.lease)
            except DatabaseError:
                # calls end well before their lease does, so a missed renewal costs no post; the next one comes
                logger.warning("Leases could not be renewed.", exc_info=True, extra={"action": "renew_failed"})
                connections.close_all()
        connections.close_all()
