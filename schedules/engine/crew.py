"""The loop of one worker process of the distributed engine: it claims while a "look now" says so. Knows no Celery.

The rows say what is due; a look only says that somebody should claim, and how urgent it must be. When the looks stay
away (the broker is gone), the poll each second goes on by itself, so that nothing depends on the broker (R15).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, connections

from alwrity_scheduler.core import clock
from schedules.engine.kinds import kinds
from schedules.engine.looks import HORIZON
from schedules.engine.loop import AHEAD, IDLE_AFTER_ERROR, LONGEST_SLEEP, Loop, PassCounts
from schedules.engine.work import due_window

logger = logging.getLogger(__name__)
# How long one look may claim. Short, so that the broker's order of bands is asked again and a stop need not wait.
LOOK_SECONDS = 3.0
# After that long without a word from the broker this process also maintains, as a scheduler of its own would.
SILENCE_SECONDS = 15.0


@dataclass(slots=True)
class Look:
    """Claim rows of `priority_to` or more urgent until `until` (monotonic seconds) or until nothing is left to wait for."""

    priority_to: int
    until: float
    claimed: int = 0
    over: threading.Event = field(default_factory=threading.Event)


class Crew(Loop):
    """`priority_to` is what it claims unasked: the least urgent band it serves, 0 for none.

    `is_leaving` is asked in each turn: true once the worker that owns this process shuts down.
    """

    def __init__(
        self, *, threads: int, lease: timedelta, priority_to: int, is_leaving: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__(threads=threads, lease=lease, role="celery")
        self._priority_to = priority_to
        self._is_leaving = is_leaving
        self._look: Look | None = None
        self._heard_at = clock.monotonic()

    def live(self, *, stop_seconds: float) -> None:
        """`run`, for a thread of its own: a database that is away at the start is waited for."""
        while not self.stopping:
            try:
                self.run(stop_seconds=stop_seconds)
            except DatabaseError:
                logger.warning("The database did not answer; trying again.", extra={"action": "database_error"})
                connections.close_all()
                self._sleep(IDLE_AFTER_ERROR)
        if look := self._look:
            look.over.set()
        connections.close_all()

    def heard(self) -> None:
        """The broker lives: others maintain."""
        self._heard_at = clock.monotonic()

    def answer(self, priority_to: int, *, seconds: float = LOOK_SECONDS) -> int:
        """Have rows claimed and performed; returns how many were claimed, at the latest a little after `seconds`.

        Calls under way then go on. A band's look takes what is more urgent too, so that it never makes an urgent post wait.
        """
        self.heard()
        look = Look(priority_to, clock.monotonic() + seconds)
        before, self._look = self._look, look
        if before:
            before.over.set()
        self.wake()
        look.over.wait(seconds + LONGEST_SLEEP)
        return look.claimed

    def _turn(self) -> float:
        if self._is_leaving():
            self.stop()
            return 0.0
        read_at = clock.monotonic()
        now = clock.database_now()
        anchor = clock.monotonic()
        counts = PassCounts()
        self.heart.beat(now, self.dispatcher.in_flight())
        if anchor - self._heard_at > SILENCE_SECONDS:
            self.maintain(now, counts)
        look = self._look or self._own_look(now)
        if look is None:
            return LONGEST_SLEEP
        if anchor < look.until:
            self.work(now, anchor, counts, read_at=read_at, priority_to=look.priority_to)
            look.claimed += counts.claimed
        return self._pause(look, now, counts)

    def _own_look(self, now: datetime) -> Look | None:
        """What is due already and was not claimed: its look was lost, or everybody is busy."""
        if not self._priority_to or not self.dispatcher.free():
            return None
        rows = (due_window(kind.model._default_manager, now, 1, self._priority_to) for kind in kinds.values())
        if not any(query.values_list("pk").first() for query in rows):
            return None
        look = Look(self._priority_to, clock.monotonic() + LOOK_SECONDS)
        if self._look is None:
            self._look = look
        return look

    def _pause(self, look: Look, now: datetime, counts: PassCounts) -> float:
        """Seconds until the next turn; ends the look when it is over."""
        left = look.until - clock.monotonic()
        ahead = self._next_in(look, now)
        waits = self.dispatcher.in_flight() or counts.claimed or (ahead is not None and ahead > 0)
        if left <= 0 or not waits:
            look.over.set()
            if self._look is look:
                self._look = None
            return LONGEST_SLEEP
        if ahead is None or ahead <= 0 or not self.dispatcher.free():
            # nothing can be claimed before a call ends, which wakes us
            ahead = LONGEST_SLEEP
        return min(ahead, left, LONGEST_SLEEP)

    def _next_in(self, look: Look, now: datetime) -> float | None:
        """Seconds until the next row whose account is free, if that is soon; 0 or less: it is due and was not claimed."""
        rows = (due_window(kind.model._default_manager, now + HORIZON, 1, look.priority_to) for kind in kinds.values())
        dues = [at for query in rows if (at := query.values_list("run_at", flat=True).first()) is not None]
        return min(((at - now - AHEAD).total_seconds() for at in dues), default=None)
