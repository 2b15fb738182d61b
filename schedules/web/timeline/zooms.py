"""Which days a zoom shows, and how finely. Pure."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

DAY_MINUTES = 24 * 60
FIRST_YEAR, LAST_YEAR = 1970, 9990


@dataclass(frozen=True, slots=True)
class Zoom:
    """slot: minutes of one column. chip: how many columns a post takes to be read. rows: how many stand above each other.
    lanes: how many are shown at once."""

    name: str
    slot: int
    chip: int
    rows: int
    lanes: int

    @property
    def per_day(self) -> int:
        return DAY_MINUTES // self.slot


ZOOMS = {
    zoom.name: zoom for zoom in (Zoom("day", 5, 18, 4, 40), Zoom("week", 30, 18, 4, 30), Zoom("month", 120, 11, 3, 8))
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """The days of a zoom. columns: those of its days; the track has `chip` more at its end, so that no post is cut off there."""

    zoom: Zoom
    first: date
    days: int
    previous: date
    following: date

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days - 1)

    @property
    def columns(self) -> int:
        return self.days * self.zoom.per_day

    @property
    def dates(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.days)]

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """[start, end) as aware times."""
        end = self.first + timedelta(days=self.days)
        return datetime.combine(self.first, time(), zone), datetime.combine(end, time(), zone)

    def column(self, at: datetime) -> int:
        """The column, from 1, in which this wall-clock time of the stretch stands; its zone is not looked at."""
        minutes = (at.replace(tzinfo=None) - datetime.combine(self.first, time())) // timedelta(minutes=1)
        return minutes // self.zoom.slot + 1

    def column_of_day(self, day: date) -> int:
        return (day - self.first).days * self.zoom.per_day + 1


def stretch(zoom: Zoom, anchor: date, first_day: int) -> Stretch:
    """The day, week (from weekday `first_day`, 0 is Monday) or month with `anchor` in it."""
    if zoom.name == "day":
        return Stretch(zoom, anchor, 1, anchor - timedelta(days=1), anchor + timedelta(days=1))
    if zoom.name == "week":
        first = anchor - timedelta(days=(anchor.weekday() - first_day) % 7)
        return Stretch(zoom, first, 7, anchor - timedelta(days=7), anchor + timedelta(days=7))
    first = anchor.replace(day=1)
    days = calendar.monthrange(anchor.year, anchor.month)[1]
    return Stretch(zoom, first, days, (first - timedelta(days=1)).replace(day=1), first + timedelta(days=days))
