"""Registers the duties that read the history for people, look for what ends, and tidy up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from schedules.engine.duties import DutyKind, duties


def connect() -> None:
    """Called once, when Django is ready."""
    from schedules.reads.frame import counters

    counters.register("notices", _waiting)
    duties.register("tell people", DutyKind(_tell, 10))
    duties.register("tell what ends", DutyKind(_tell_what_ends, 300))
    duties.register("tidy notices", DutyKind(_tidy, 3600))


def _waiting(person: Any) -> Any:
    from schedules.notifications.models import Notice

    return Notice.objects.filter(user=person).open()


def _tell(now: datetime) -> str:
    from schedules.notifications import services

    return f"{services.follow(now=now)} facts told"


def _tell_what_ends(now: datetime) -> str:
    from schedules.notifications import ending

    return f"{ending.tell(now=now)} notices"


def _tidy(now: datetime) -> str:
    from schedules.notifications import services

    return f"{services.settle_all(now=now)} settled, {services.prune(now=now)} removed"
