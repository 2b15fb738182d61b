"""Where posts stand in a lane: column, width and row, and how many of a day found no room. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from schedules.reads.calendar import Event
from schedules.web.timeline.zooms import Stretch

NEEDS_A_PERSON = frozenset({"failed", "missed", "unsure", "blocked"})
# what a page may weigh, and what a post and a "+n" weigh in it, in bytes
ROOM, OF_A_POST, OF_A_REST = 128_000, 400, 215


@dataclass(frozen=True, slots=True)
class Placed:
    """x, row: from 1. w: in columns."""

    event: Event
    x: int
    w: int
    row: int


@dataclass(frozen=True, slots=True)
class Rest:
    """Posts of one day that found no room; `x` is the day's first column."""

    day: date
    x: int
    count: int


@dataclass(frozen=True, slots=True)
class Track:
    """placed: in the order of time. rows: how many rows of posts there are."""

    placed: list[Placed]
    rests: list[Rest]
    rows: int


def place(events: Sequence[Event], stretch: Stretch, *, per_day: int, first: Container[str] = ()) -> Track:
    """At most `per_day` posts a day, in as few rows as they need and no more than the zoom has.

    Those whose key is in `first` get their place before all others, then what needs a person, then by time.
    """
    rows: list[list[tuple[int, int]]] = []
    placed: list[Placed] = []
    taken: Counter[date] = Counter()
    left: Counter[date] = Counter()
    for event in sorted(events, key=lambda item: _rank(item, first)):
        day, x = event.at.date(), stretch.column(event.at)
        row = _row(rows, x, x + stretch.zoom.chip, stretch.zoom.rows) if taken[day] < per_day else 0
        if row:
            taken[day] += 1
            placed.append(Placed(event, x, stretch.zoom.chip, row))
        else:
            left[day] += 1
    placed.sort(key=lambda item: (item.event.at, item.event.key))
    rests = [Rest(day, stretch.column_of_day(day), left[day]) for day in sorted(left)]
    return Track(placed, rests, len(rows))


def _rank(event: Event, first: Container[str]) -> tuple[bool, bool, object]:
    return event.key not in first, not (event.near is not None or event.look in NEEDS_A_PERSON), event.at


def _row(rows: list[list[tuple[int, int]]], start: int, end: int, most: int) -> int:
    """Puts [start, end) into the first row with room there; its number from 1, 0 if there is none."""
    for number, row in enumerate(rows, start=1):
        if all(end <= other_start or start >= other_end for other_start, other_end in row):
            row.append((start, end))
            return number
    if len(rows) < most:
        rows.append([(start, end)])
        return len(rows)
    return 0


def most_a_day(lanes: Iterable[Sequence[Event]], rows: int) -> int:
    """How many posts a day of a lane may show, so that the page keeps within its weight: at least one, at most what fits."""
    counts = [count for events in lanes for count in Counter(event.at.date() for event in events).values()]
    for most in range(4 * rows, 1, -1):
        weight = sum(min(count, most) * OF_A_POST + (count > most) * OF_A_REST for count in counts)
        if weight <= ROOM:
            return most
    return 1
