"""The lanes: which there are, in which group, and what each of them says of its posts. No request, no query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import TypeVar

from django.utils.translation import gettext as _

from schedules.reads.calendar import Event
from schedules.reads.timeline import AccountName, Progress
from schedules.web.templatetags.ui import platform_name
from schedules.web.timeline.zooms import Stretch
from schedules.web.words import TYPES

NONE = "none"
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Bar:
    """A campaign from its first to its last planned post: where it stands on the track, and how far it is."""

    x: int
    w: int


@dataclass(slots=True)
class Lane:
    """key: names the lane in the address. account_id: of lanes of accounts, else 0. group: the heading above it, may be empty."""

    key: str
    title: str
    group: str = ""
    icon: str = ""
    account: AccountName | None = None
    events: list[Event] = field(default_factory=list)
    progress: Progress | None = None
    bar: Bar | None = None

    @property
    def count(self) -> int:
        return len(self.events)

    @property
    def conflicts(self) -> int:
        return sum(event.near is not None for event in self.events)

    @property
    def signed_out(self) -> bool:
        return self.account is not None and self.account.state == "needs_auth"


def by_account(events: Iterable[Event], accounts: Sequence[AccountName], *, all_of_them: bool) -> list[Lane]:
    """One for each account, those without posts too (`all_of_them`), under its platform."""
    found = _gathered(events, lambda event: event.account_id)
    return [
        Lane(str(row.id), row.name, platform_name(row.platform), account=row, events=found.get(row.id, []))
        for row in sorted(accounts, key=lambda row: platform_name(row.platform).casefold())
        if row.id in found or (all_of_them and row.state != "disconnected")
    ]


def by_campaign(events: Iterable[Event]) -> list[Lane]:
    """By name, and last what belongs to none."""
    found = _gathered(events, lambda event: event.campaign_id or 0)
    lanes = [Lane(str(key), rows[0].campaign, icon="campaign", events=rows) for key, rows in found.items() if key]
    return [*_by_title(lanes), *_rest(found.get(0), _("No campaign"))]


def by_person(events: Iterable[Event], names: Mapping[int, str]) -> list[Lane]:
    """By the name of who wrote the post, and last what nobody here did."""
    found = _gathered(events, lambda event: event.author_id if event.author_id in names else 0)
    lanes = [Lane(str(key), names[key], icon="user", events=rows) for key, rows in found.items() if key]
    return [*_by_title(lanes), *_rest(found.get(0), _("Nobody here any more"))]


def by_type(events: Iterable[Event]) -> list[Lane]:
    found = _gathered(events, lambda event: event.content_type)
    return [Lane(key, str(word), icon=f"k-{key}", events=found[key]) for key, word in TYPES.items() if key in found]


def bar(progress: Progress | None, stretch: Stretch, zone: tzinfo) -> Bar | None:
    """Clipped to what is shown; None where nothing of it is."""
    if progress is None or progress.first is None or progress.last is None:
        return None
    first = _column(progress.first, stretch, zone)
    last = _column(progress.last, stretch, zone)
    if last < 1 or first > stretch.columns:
        return None
    start = max(1, first)
    end = min(stretch.columns, max(last, start + stretch.zoom.chip - 1))
    return Bar(start, max(1, end - start + 1))


def _column(at: datetime, stretch: Stretch, zone: tzinfo) -> int:
    return stretch.column(at.astimezone(zone))


def _gathered(events: Iterable[Event], of: Callable[[Event], Key]) -> dict[Key, list[Event]]:
    found: defaultdict[Key, list[Event]] = defaultdict(list)
    for event in events:
        found[of(event)].append(event)
    return found


def _by_title(lanes: Iterable[Lane]) -> list[Lane]:
    return sorted(lanes, key=lambda lane: (lane.title.casefold(), lane.key))


def _rest(events: list[Event] | None, title: str) -> list[Lane]:
    return [Lane(NONE, title, events=events)] if events else []
