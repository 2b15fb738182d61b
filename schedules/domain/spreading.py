"""Posts that had to wait go out one after the other, not all at once (ENGINE R28). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

LEAST_GAP = timedelta(milliseconds=100)


def slots(times: Sequence[datetime], start: datetime, step: timedelta) -> list[datetime]:
    """When each goes, in the order given: the first not before `start`, each `step` after the one before, none before its
    own time. All aware UTC."""
    found: list[datetime] = []
    free = start
    for own in times:
        at = max(free, own)
        found.append(at)
        free = at + step
    return found


def gap(spacing: timedelta, count: int) -> timedelta:
    """How far apart the first posts of `count` accounts of one service start, so that it is not met by all at once."""
    return max(spacing / max(count, 1), LEAST_GAP) if spacing else timedelta()
