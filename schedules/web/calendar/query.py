"""The state of the calendar as it stands in the address: view, date, filters. Read once, written back for every link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from schedules.models.content import ContentType
from schedules.reads.calendar import LOOKS, Wanted
from schedules.web.calendar.spans import FIRST_YEAR, LAST_YEAR, VIEWS

LONGEST_Q = 100
MOST_VALUES = 50
FILTERS = ("platform", "account", "campaign", "type", "person", "label", "status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Values are as the address has them, without those that mean nothing. hours: "" is the working hours, "all" the whole day.
    by: what the columns of a day are. select: are there check boxes? every: are all posts drawn, as for printing?"""

    view: str
    day: date
    platform: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    campaign: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    overlay: tuple[str, ...] = ()
    conflicts: bool = False
    q: str = ""
    hours: str = ""
    by: str = "platform"
    select: bool = False
    every: bool = False

    @property
    def filtered(self) -> bool:
        return bool(self.q or self.conflicts or any(getattr(self, name) for name in FILTERS))

    @property
    def filters(self) -> str:
        """Everything but view and date, as a query string."""
        return urlencode(self._pairs())

    def url(self, path: str, **changes: Any) -> str:
        """The same state with changes, as an address."""
        other = replace(self, **changes)
        pairs = [("view", other.view), ("date", other.day.isoformat()), *other._pairs()]
        return f"{path}?{urlencode(pairs)}"

    def without(self, name: str, value: str) -> Query:
        """Without one of the filters that are on."""
        if name == "q":
            return replace(self, q="")
        if name == "conflicts":
            return replace(self, conflicts=False)
        rest: Any = {name: tuple(item for item in getattr(self, name) if item != value)}
        return replace(self, **rest)

    def bare(self) -> Query:
        """Without any filter."""
        none: Any = dict.fromkeys(FILTERS, ())
        return replace(self, q="", conflicts=False, **none)

    def wanted(self) -> Wanted:
        return Wanted(
            platforms=self.platform,
            accounts=[UUID(value) for value in self.account],
            campaigns=[UUID(value) for value in self.campaign],
            types=self.type,
            people=[int(value) for value in self.person],
            looks=self.status,
            labels=self.label,
            q=self.q,
            conflicts=self.conflicts,
        )

    def _pairs(self) -> list[tuple[str, str]]:
        pairs = [(name, value) for name in (*FILTERS, "overlay") for value in getattr(self, name)]
        if self.conflicts:
            pairs.append(("conflicts", "1"))
        if self.q:
            pairs.append(("q", self.q))
        if self.hours:
            pairs.append(("hours", self.hours))
        if self.by != "platform":
            pairs.append(("by", self.by))
        if self.select:
            pairs.append(("select", "1"))
        return pairs


def read(data: QueryDict, today: date) -> Query:
    """What cannot be read is as if it had not been said: an old or hand-made address still shows a calendar."""
    view = data.get("view", "")
    return Query(
        view=view if view in VIEWS else "month",
        day=day_of(data.get("date", ""), today),
        platform=_some(data, "platform", lambda value: value.replace("_", "").replace("-", "").isalnum()),
        account=_some(data, "account", is_uuid),
        campaign=_some(data, "campaign", is_uuid),
        type=_some(data, "type", lambda value: value in ContentType.values),
        person=_some(data, "person", lambda value: value.isascii() and value.isdecimal() and len(value) < 19),
        label=_some(data, "label", lambda value: len(value) <= LONGEST_Q),
        status=_some(data, "status", lambda value: value in LOOKS),
        overlay=_some(data, "overlay", is_uuid),
        conflicts=data.get("conflicts") == "1",
        q=" ".join(data.get("q", "").split())[:LONGEST_Q],
        hours="all" if data.get("hours") == "all" else "",
        by="account" if data.get("by") == "account" else "platform",
        select=data.get("select") == "1",
        every=data.get("every") == "1",
    )


def day_of(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else today


def _some(data: QueryDict, name: str, is_good: Any) -> tuple[str, ...]:
    values = [value.strip() for value in data.getlist(name)]
    return tuple(dict.fromkeys(value for value in values if value and is_good(value)))[:MOST_VALUES]


def is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True
