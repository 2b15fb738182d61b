"""Deaths at chosen places: a forked scheduler kills itself the n-th time it comes by one. The product knows nothing of it.

A random kill seldom falls between two statements; these do each time.
"""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Callable
from typing import Any

# name -> (module, dotted name in it, before or after the call)
POINTS = {
    "in the claim's transaction, attempts written": ("schedules.services.publishing", "PublishKind.arm", "after"),
    "claimed, not handed to a thread": ("schedules.engine.dispatch", "ThreadDispatcher.submit", "before"),
    "before the call": ("schedules.services.publishing", "PublishKind.perform", "before"),
    "answered, not written": ("schedules.services.publishing", "PublishKind.perform", "after"),
    "before the results' transaction": ("schedules.services.publishing", "PublishKind.finish", "before"),
    "in the results' transaction": ("schedules.services.outcomes", "end_attempts", "after"),
    "before the commit, facts gathered": ("alwrity_scheduler.core.events", "_hand_over", "before"),
    "before the commit, all written": ("alwrity_scheduler.core.events", "_hand_over", "after"),
    "results written": ("schedules.services.publishing", "PublishKind.finish", "after"),
    "in the rescue": ("schedules.services.outcomes", "plan_look_up", "after"),
    "before a look-up": ("schedules.services.checks", "CheckKind.perform", "before"),
    "looked up, not written": ("schedules.services.checks", "CheckKind.perform", "after"),
    "in the look-up's transaction": ("schedules.services.checks", "_settle", "after"),
    "a lease renewed": ("schedules.engine.dispatch", "renew", "after"),
}


def arm(point: str, nth: int) -> None:
    """From now on the `nth` passing of `point` is this process' last."""
    module_name, dotted, when = POINTS[point]
    place: Any = importlib.import_module(module_name)
    *outer, name = dotted.split(".")
    for part in outer:
        place = getattr(place, part)
    setattr(place, name, _mined(getattr(place, name), nth, when))


def _mined(call: Callable[..., Any], nth: int, when: str) -> Callable[..., Any]:
    left = [nth]

    def die_in_time() -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def mined(*values: Any, **named: Any) -> Any:
        if when == "before":
            die_in_time()
        answer = call(*values, **named)
        if when == "after":
            die_in_time()
        return answer

    return mined
