"""Performing tasks in a pool of threads, and holding their leases meanwhile. Knows kinds of work, not posts."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import connections

from alwrity_scheduler.core import clock
from schedules.engine.watch import perform
from schedules.engine.work import Claim, WorkKind, renew

logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Flight:
    """One task on its way: claimed, handed to a thread, perhaps answered."""

    kind: WorkKind
    claim: Claim
    task: Any
    start_at: float  # monotonic seconds: its due time, never earlier (R13)
    late_seconds: float = 0.0
    result: Any = None


class ThreadDispatcher:
    """A pool of `threads`. `wake` is called whenever a task has ended. Used from one thread, the loop's."""

    def __init__(self, *, threads: int, lease: timedelta, wake: Callable[[], None]) -> None:
        self.threads = threads
        self.lease = lease
        self._wake = wake
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="publish")
        self._ended: queue.SimpleQueue[Flight] = queue.SimpleQueue()
        self._flights: dict[Future[None], Flight] = {}
        self._lock = threading.Lock()
        self._held: set[Flight] = set()
        self._keeper = _LeaseKeeper(self)
        self._keeper.start()

    def in_flight(self) -> int:
        """Tasks that are claimed and whose result is not written yet."""
        with self._lock:
            return len(self._held)

    def free(self) -> int:
        return max(0, self.threads - self.in_flight())

    def submit(self, kind: WorkKind, tasks: Iterable[tuple[Claim, Any]], due: Callable[[Claim], float]) -> None:
        """Hand the tasks to the pool; `due` gives a claim's due time in monotonic seconds, before which nothing is performed."""
        for claim, task in tasks:
            flight = Flight(kind, claim, task, due(claim))
            with self._lock:
                self._held.add(flight)
            future = self._pool.submit(self._fly, flight)
            self._flights[future] = flight

    def _fly(self, flight: Flight) -> None:
        try:
            if (early := flight.start_at - clock.monotonic()) > 0:
                time.sleep(early)
            flight.late_seconds = clock.monotonic() - flight.start_at
            flight.result = perform(flight.kind, flight.task)
        finally:
            # most calls use none; a platform that lives in our database must not leave one behind in each thread
            connections.close_all()
            self._ended.put(flight)
            self._wake()

    def ended(self) -> list[Flight]:
        """The tasks that ended since the last call. They stay held until `done` says that their result is written."""
        flights = []
        while True:
            try:
                flights.append(self._ended.get_nowait())
            except queue.Empty:
                break
        self._flights = {future: flight for future, flight in self._flights.items() if not future.done()}
        return flights

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
        return [flight for future, flight in list(self._flights.items()) if future.cancel()]

    def close(self) -> None:
        self._keeper.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)


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
