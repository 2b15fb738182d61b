"""The last look between claim and call: does the row that waits for its time still belong to us? (R34)

Rows are claimed a moment before their time. Somebody who cancels one in that moment is heard: whoever takes a claimed row
back does so under the row's lock and at least `NOTICE` before its time, and this look locks the rows within `NOTICE` of
their time. So either the look finds the row taken, or the taker finds that it is too late; never both. The look happens
while the row waits, in one query for all rows of the same moment, and costs no punctuality.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import Error as DatabaseError
from django.db import connections

from alwrity_scheduler.core import clock
from schedules.engine.work import Claim, WorkKind, still_held

logger = logging.getLogger(__name__)
NOTICE = timedelta(milliseconds=15)


@dataclass(eq=False, slots=True)
class _Question:
    kind: WorkKind
    claim: Claim
    ask_at: float  # monotonic seconds
    answered: threading.Event = field(default_factory=threading.Event)
    ours: bool | None = None


class LastLook(threading.Thread):
    """Answers the questions of all threads of a pool, those of the same moment in one query, on a connection of its own."""

    def __init__(self) -> None:
        super().__init__(name="last-look", daemon=True)
        self._changed = threading.Condition()
        self._open: list[_Question] = []
        self._stopping = False

    def ask(self, kind: WorkKind, claim: Claim, start_at: float) -> bool | None:
        """Waits until `NOTICE` before `start_at` (monotonic seconds): is the row still ours? None: the database does not say."""
        question = _Question(kind, claim, start_at - NOTICE.total_seconds())
        with self._changed:
            if self._stopping:
                return None
            self._open.append(question)
            self._changed.notify()
        question.answered.wait()
        return question.ours

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def run(self) -> None:
        while batch := self._next():
            self._answer(batch)
        connections.close_all()

    def _next(self) -> list[_Question]:
        """The questions whose moment has come; empty when it is time to stop, and nobody is left waiting then."""
        with self._changed:
            while not self._stopping:
                now = clock.monotonic()
                batch = [item for item in self._open if item.ask_at <= now]
                if batch:
                    self._open = [item for item in self._open if item.ask_at > now]
                    return batch
                first = min((item.ask_at for item in self._open), default=None)
                self._changed.wait(None if first is None else first - now)
            for item in self._open:
                item.answered.set()
            return []

    @staticmethod
    def _answer(batch: list[_Question]) -> None:
        try:
            for kind in {item.kind for item in batch}:
                mine = [item for item in batch if item.kind is kind]
                ours = still_held(kind.model, held={item.claim.id: item.claim.token for item in mine})
                for item in mine:
                    item.ours = item.claim.id in ours
        except DatabaseError:
            logger.warning("The last look got no answer.", exc_info=True, extra={"action": "last_look_failed"})
            connections.close_all()
        finally:
            for item in batch:
                item.answered.set()
