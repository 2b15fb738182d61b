"""How beat leaves when it is asked to."""

from __future__ import annotations

import signal
from types import FrameType


def leave_at_once() -> None:
    """Celery's own handler writes to the database while it interrupts whatever was under way there, and waits for ever for the
    connection's lock, which the interrupted call holds. This one only leaves: the loop ends and writes then (Service.start).
    Handlers of others stay.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        if getattr(signal.getsignal(number), "__module__", "") == "celery.apps.beat":
            signal.signal(number, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit
