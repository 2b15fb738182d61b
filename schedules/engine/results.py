"""Writing what has ended, in groups: by the loop itself, or by a thread of its own beside a running loop.

With a thread of its own, one group is written while the next one is claimed: each waits for the database in turn.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.tracing import span
from schedules.engine.dispatch import Flight, ThreadDispatcher
from schedules.engine.work import WorkKind
from schedules.engine.workers import Heart

logger = logging.getLogger(__name__)
PAUSE_AFTER_ERROR = 0.5
STOP_SECONDS = 5.0


def own_turn() -> AbstractContextManager[object]:
    """SQLite lets one writer at a time; two threads of one process take turns here, and not in SQLite's sleeps."""
    return threading.Lock() if connection.vendor == "sqlite" else nullcontext()


class Results:
    """What has ended and is not written yet. `write` may be called from any thread."""

    def __init__(self, dispatcher: ThreadDispatcher, heart: Heart, turn: AbstractContextManager[object]) -> None:
        self._dispatcher = dispatcher
        self._heart = heart
        self._turn = turn
        self._one = threading.Lock()
        self._unwritten: list[Flight] = []

    def note_database_error(self) -> None:
        self._heart.database_errors += 1

    def write(self) -> int:
        """Write what has ended, all of a kind in one transaction. What cannot be written now is kept and tried again (R43)."""
        with self._one:
            waiting = self._unwritten + self._dispatcher.ended()
            self._unwritten = list(waiting)
            if not waiting:
                return 0
            now = clock.database_now()
            for kind in dict.fromkeys(flight.kind for flight in waiting):
                flights = [flight for flight in waiting if flight.kind is kind]
                with self._turn:
                    # what raised is left to the lease: the rescue makes it unconfirmed
                    _finish(kind, [flight for flight in flights if flight.result is not None], now)
                    if spared := [(flight.claim, flight.task) for flight in flights if not flight.performed]:
                        kind.release(spared, now)
                self._unwritten = [flight for flight in self._unwritten if flight.kind is not kind]
                self._dispatcher.done(flights)
                for flight in flights:
                    self._heart.note_start(flight.late_seconds)
                self._heart.completed += len(flights)
            return len(waiting)


def _finish(kind: WorkKind, flights: list[Flight], now: datetime) -> None:
    if not flights:
        return
    try:
        with span("engine.finish", kind=kind.name, rows=len(flights)):
            kind.finish([(flight.claim, flight.task, flight.result) for flight in flights], now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception(
            "A batch of results could not be written; writing one by one.", extra={"action": "finish_failed"}
        )
        for flight in flights:
            _finish_one(kind, flight, now)


def _finish_one(kind: WorkKind, flight: Flight, now: datetime) -> None:
    try:
        kind.finish([(flight.claim, flight.task, flight.result)], now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # left to the lease: the rescue makes it unconfirmed, and the look-up settles it
        logger.exception("A result could not be written.", extra={"action": "result_lost", "row": flight.claim.id})


class Finisher(threading.Thread):
    """Writes results as they come, until `stop`. `written` is called after each group, so that the loop claims again."""

    def __init__(self, results: Results, written: Callable[[], None]) -> None:
        super().__init__(name="finisher", daemon=True)
        self._results = results
        self._written = written
        self._ended = threading.Event()
        self._stopping = False

    def wake(self) -> None:
        self._ended.set()

    def stop(self) -> None:
        """Write what is there, and end. A database that does not answer is not waited for."""
        self._stopping = True
        self._ended.set()
        self.join(STOP_SECONDS)

    def run(self) -> None:
        while not self._stopping:
            self._ended.wait()
            self._ended.clear()
            try:
                if self._results.write():
                    self._written()
            except (DatabaseError, InterfaceError):
                self._results.note_database_error()
                logger.warning(
                    "Results could not be written; trying again.", exc_info=True, extra={"action": "database_error"}
                )
                connections.close_all()
                self._again()
            except Exception:
                logger.exception("Results could not be written; trying again.", extra={"action": "finish_failed"})
                self._again()
        connections.close_all()

    def _again(self) -> None:
        if not self._stopping:
            threading.Event().wait(PAUSE_AFTER_ERROR)
            self._ended.set()
