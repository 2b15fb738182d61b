"""Where events stand in a view: the few that a cell shows, and what it says of the rest. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from schedules.reads.calendar import NEEDS_A_PERSON, Event

MOST_A_DAY = 4  # of a month
MOST_AN_HOUR = {"week": 2, "day": 6}
# the order in which a day's strip shows its statuses
STRIP = (
    "failed", "missed", "unsure", "blocked", "running", "scheduled", "review", "paused", "draft", "published", "cancelled",
)  # fmt: skip
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Cell:
    """A day or an hour. shown: some of the events; hidden: how many others; conflicts, bad: how many of all of them stand in
    conflict, or have failed, been missed or wait for a person. left_out_in_conflict: is one of the others in conflict?"""

    shown: list[Event]
    hidden: int
    count: int
    conflicts: int
    bad: int
    left_out_in_conflict: bool


def needs_a_person(event: Event) -> bool:
    return event.near is not None or event.look in NEEDS_A_PERSON


def day_cell(events: Sequence[Event], *, most: int | None = MOST_A_DAY, pin: str = "") -> Cell:
    """First what needs a person, then by time."""
    ordered = sorted(events, key=lambda event: (not needs_a_person(event), event.at))
    return _cell(events, _first(ordered, most, pin))


def hour_cell(events: Sequence[Event], *, most: int | None, pin: str = "") -> Cell:
    """By time; where there is no room for all, what needs a person stays."""
    if most is None or len(events) <= most:
        return _cell(events, list(events))
    chosen = _first(sorted(events, key=lambda event: (not needs_a_person(event), event.at)), most, pin)
    return _cell(events, sorted(chosen, key=lambda event: event.at))


def _first(ordered: list[Event], most: int | None, pin: str) -> list[Event]:
    """The first `most`; a pinned event takes the last place if it would be left out."""
    if most is None or len(ordered) <= most:
        return ordered
    shown = ordered[:most]
    pinned = next((event for event in ordered[most:] if event.key == pin), None) if pin else None
    return [*shown[:-1], pinned] if pinned else shown


def _cell(events: Sequence[Event], shown: list[Event]) -> Cell:
    conflicts = sum(event.near is not None for event in events)
    return Cell(
        shown=shown,
        hidden=len(events) - len(shown),
        count=len(events),
        conflicts=conflicts,
        bad=sum(event.look in NEEDS_A_PERSON for event in events),
        left_out_in_conflict=conflicts > sum(event.near is not None for event in shown),
    )


def grouped(events: Iterable[Event], by: Callable[[Event], Key]) -> dict[Key, list[Event]]:
    found: defaultdict[Key, list[Event]] = defaultdict(list)
    for event in events:
        found[by(event)].append(event)
    return found


def by_day(events: Iterable[Event]) -> dict[date, list[Event]]:
    return grouped(events, lambda event: event.at.date())


def strip(events: Sequence[Event]) -> list[tuple[str, float, float]]:
    """(look, where it begins, how wide it is) of 100, in the order of STRIP."""
    counts = Counter(event.look for event in events)
    found, place = [], 0.0
    for look in STRIP:
        if counts[look]:
            width = 100 * counts[look] / len(events)
            found.append((look, round(place, 1), round(width, 1)))
            place += width
    return found


def step_of(count: int, most: int) -> int:
    """A heat map's step from 0 (nothing) to 4."""
    return 0 if count <= 0 or most <= 0 else min(4, 1 + (4 * count - 1) // max(most, 4))
