"""Times at which nothing is in the way: a walk over a grid between what is taken. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Where a time may lie: in [after, before) (aware), on `zone`'s wall clock from `opens` up to `closes` (None: the whole day),
    on these weekdays (0 is Monday; empty: all)."""

    after: datetime
    before: datetime
    zone: ZoneInfo
    opens: time | None = None
    closes: time | None = None
    weekdays: frozenset[int] = frozenset()

    def holds(self, at: datetime) -> bool:
        local = at.astimezone(self.zone)
        if self.weekdays and local.weekday() not in self.weekdays:
            return False
        clock = local.time()
        return not ((self.opens and clock < self.opens) or (self.closes and clock >= self.closes))


def free(
    window: Window, taken: Mapping[int, Sequence[datetime]], gaps: Mapping[int, timedelta], *, step: timedelta
) -> Iterator[datetime]:
    """The times of the window, on whole steps of the hour, at which every key's taken times (sorted) are its gap away."""
    at = _on_grid(window.after, step)
    while at < window.before:
        if window.holds(at) and all(_is_clear(at, taken.get(key, ()), gap) for key, gap in gaps.items()):
            yield at
        at += step


def _on_grid(at: datetime, step: timedelta) -> datetime:
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour + -(-(at - hour) // step) * step


def _is_clear(at: datetime, taken: Sequence[datetime], gap: timedelta) -> bool:
    place = bisect_left(taken, at)
    return all(abs(at - other) >= gap for other in taken[max(0, place - 1) : place + 1])
