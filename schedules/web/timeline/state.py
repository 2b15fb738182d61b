"""What the address of the timeline says: zoom, day, lanes, filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import QueryDict

from schedules.reads.calendar import read_key
from schedules.web.calendar.query import FILTERS, Query, read
from schedules.web.timeline.zooms import ZOOMS, Zoom

BY = ("account", "campaign", "person", "type")
KEPT = ("by", "lane", "critical", "conflicts", "q", *FILTERS)


@dataclass(frozen=True, slots=True)
class State:
    """An impossible wish counts as none. lane: the key of the only lane to be shown; page: of the lanes, from 1.

    filters: as the calendar has them. query: everything but zoom, date, page and picked, as a query string.
    """

    zoom: Zoom
    anchor: date
    by: str
    lane: str
    critical: bool
    picked: str
    page: int
    filters: Query
    query: str

    @property
    def filtered(self) -> bool:
        return self.critical or self.filters.filtered


def read_state(given: QueryDict, today: date) -> State:
    page, picked, filters = given.get("page", ""), given.get("picked", ""), read(given, today)
    by = given.get("by", "")
    return State(
        zoom=ZOOMS.get(given.get("zoom", ""), ZOOMS["week"]),
        anchor=filters.day,
        by=by if by in BY else "account",
        lane=given.get("lane", "")[:40],
        critical=given.get("critical") == "1",
        picked=picked if read_key(picked) else "",
        page=max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 5 else 1,
        filters=filters,
        query=kept(given),
    )


def kept(given: QueryDict, **changed: str) -> str:
    """What of the address goes along from one stretch of time to the next, with some of it changed ("": left out)."""
    query = QueryDict(mutable=True)
    for name in KEPT:
        values = [changed[name]] if name in changed else given.getlist(name)
        if values := [value for value in values if value]:
            query.setlist(name, values)
    return query.urlencode()
