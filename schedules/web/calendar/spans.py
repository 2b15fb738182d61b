"""Which days a view of the calendar shows, and what clocks do on them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

VIEWS = ("day", "week", "month", "year")
FIRST_YEAR, LAST_YEAR = 1970, 9990
ONE_DAY, ONE_WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Span:
    """The days of one view, in order. `previous` and `following` are anchors of the neighbouring spans."""

    view: str
    anchor: date
    days: tuple[date, ...]
    previous: date
    following: date
    first_day: int = 0  # of its weeks; 0 is Monday

    @property
    def first(self) -> date:
        return self.days[0]

    @property
    def last(self) -> date:
        return self.days[-1]

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """[start, end) as aware times."""
        return midnight(self.first, zone), midnight(self.last + ONE_DAY, zone)

    def weeks(self) -> list[tuple[date, ...]]:
        return [self.days[place : place + 7] for place in range(0, len(self.days), 7)]

    def holds(self, day: date) -> bool:
        """Is it one of the month, or of the year, that the view is of?"""
        return self.view != "month" or (day.year, day.month) == (self.anchor.year, self.anchor.month)


def midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def span_of(view: str, anchor: date, first_day: int) -> Span:
    match view:
        case "day":
            return Span(view, anchor, (anchor,), anchor - ONE_DAY, anchor + ONE_DAY)
        case "week":
            start = start_of_week(anchor, first_day)
            return Span(view, anchor, _run(start, 7), anchor - ONE_WEEK, anchor + ONE_WEEK, first_day)
        case "year":
            start = anchor.replace(month=1, day=1)
            length = (start.replace(year=start.year + 1) - start).days
            return Span(view, anchor, _run(start, length), _in_year(anchor, -1), _in_year(anchor, 1), first_day)
        case _:
            start = anchor.replace(day=1)
            following = (start + timedelta(days=31)).replace(day=1)
            first = start_of_week(start, first_day)
            length = (start_of_week(following - ONE_DAY, first_day) - first).days + 7
            return Span("month", anchor, _run(first, length), (start - ONE_DAY).replace(day=1), following, first_day)


def start_of_week(day: date, first_day: int) -> date:
    return day - timedelta(days=(day.weekday() - first_day) % 7)


def _run(first: date, length: int) -> tuple[date, ...]:
    return tuple(first + timedelta(days=number) for number in range(length))


def _in_year(day: date, step: int) -> date:
    return date(day.year + step, day.month, 1)


@dataclass(frozen=True, slots=True)
class Change:
    """What the clocks do within an hour of a day. kind: "gap" (put forward) or "fold" (put back).

    before, after: the two names of the zone. until: where the clocks go on after a gap, a wall-clock time.
    """

    kind: str
    before: str
    after: str
    until: time


def changes_of(day: date, zone: tzinfo) -> dict[int, Change]:
    """By hour; empty on nearly every day."""
    start, end = midnight(day, zone), midnight(day + ONE_DAY, zone)
    if start.utcoffset() == end.replace(fold=1).utcoffset() == start.replace(fold=1).utcoffset():
        return {}
    found = {}
    for hour in range(24):
        for minute in (0, 30):
            at = datetime.combine(day, time(hour, minute), zone)
            before, after = at.utcoffset(), at.replace(fold=1).utcoffset()
            if before is None or after is None or before == after:
                continue
            size = abs(after - before)
            until = (datetime.combine(day, time(hour, minute)) + size).time()
            names = (at.tzname() or "", at.replace(fold=1).tzname() or "")
            found[hour] = Change("gap" if before < after else "fold", *names, until)
            break
    return found
