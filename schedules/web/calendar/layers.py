"""Layers: what a person has switched off on the calendar, and which of their saved overlays mark what they see. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schedules.reads.calendar import Event
from schedules.reads.choices import Choice, Choices
from schedules.reads.year import Without
from schedules.web.calendar.query import Query

KINDS = ("platform", "account", "campaign", "person", "type", "connected")
MOST_HIDDEN = 500


@dataclass(frozen=True, slots=True)
class Layers:
    """hidden: by kind the values that are switched off, as text (rows by their id). overlays: public ids of saved overlays that
    are on. Remembered as `person.layout["calendar"]`."""

    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    overlays: frozenset[str] = frozenset()

    @property
    def count(self) -> int:
        return sum(len(values) for values in self.hidden.values())

    def hides(self, kind: str, value: object) -> bool:
        return str(value) in self.hidden.get(kind, ())

    def shown(self, events: Iterable[Event]) -> list[Event]:
        if not self.count:
            return list(events)
        return [event for event in events if not any(self.hides(kind, value) for kind, value in _values(event))]

    def without(self) -> Without:
        """The same for those who count and do not look at each event."""
        return Without(
            platforms=self.hidden.get("platform", ()),
            accounts=self._ids("account"),
            campaigns=self._ids("campaign"),
            people=self._ids("person"),
            types=self.hidden.get("type", ()),
        )

    def _ids(self, kind: str) -> frozenset[int]:
        return frozenset(int(value) for value in self.hidden.get(kind, ()) if value.isascii() and value.isdecimal())

    def stored(self) -> dict[str, Any]:
        return {
            "hidden": {kind: sorted(values)[:MOST_HIDDEN] for kind, values in self.hidden.items() if values},
            "overlays": sorted(self.overlays),
        }


def _values(event: Event) -> tuple[tuple[str, object], ...]:
    return (
        ("platform", event.platform),
        ("account", event.account_id),
        ("campaign", event.campaign_id),
        ("person", event.author_id),
        ("type", event.content_type),
    )


def remembered(layout: Mapping[str, Any]) -> Layers:
    """From a person's layout; what cannot be read is as if nothing had been switched off."""
    kept = layout.get("calendar")
    hidden = kept.get("hidden") if isinstance(kept, dict) else None
    overlays = kept.get("overlays") if isinstance(kept, dict) else None
    return Layers(
        {
            kind: frozenset(map(str, values))
            for kind, values in (hidden.items() if isinstance(hidden, dict) else ())
            if kind in KINDS and isinstance(values, list)
        },
        frozenset(map(str, overlays)) if isinstance(overlays, list) else frozenset(),
    )


def switched(old: Layers, *, listed: Mapping[str, Iterable[str]], shown: Mapping[str, Iterable[str]]) -> Layers:
    """After the form: of what it listed, what was not ticked is hidden; what it did not list stays as it was."""
    hidden = {
        kind: (old.hidden.get(kind, frozenset()) - frozenset(listed.get(kind, ())))
        | (frozenset(listed.get(kind, ())) - frozenset(shown.get(kind, ())))
        for kind in KINDS
    }
    overlays = (old.overlays - frozenset(listed.get("overlay", ()))) | frozenset(shown.get("overlay", ()))
    return Layers({kind: values for kind, values in hidden.items() if values}, overlays)


def marked(events: Iterable[Event], overlays: Iterable[Query], known: Choices) -> frozenset[str]:
    """The keys of the events that one of the overlays is about. Words are looked for in titles and campaigns."""
    tests = [_Test.of(overlay, known) for overlay in overlays if overlay.filtered]
    return frozenset(event.key for event in events if any(test.fits(event) for test in tests)) if tests else frozenset()


@dataclass(frozen=True, slots=True)
class _Test:
    query: Query
    accounts: frozenset[int]
    campaigns: frozenset[int]

    @classmethod
    def of(cls, query: Query, known: Choices) -> _Test:
        return cls(query, _ids(query.account, known.accounts), _ids(query.campaign, known.campaigns))

    def fits(self, event: Event) -> bool:
        query = self.query
        return (
            (not query.platform or event.platform in query.platform)
            and (not query.account or event.account_id in self.accounts)
            and (not query.campaign or event.campaign_id in self.campaigns)
            and (not query.type or event.content_type in query.type)
            and (not query.person or str(event.author_id) in query.person)
            and (not query.status or event.look in query.status)
            and (not query.conflicts or event.near is not None)
            and query.q.casefold() in f"{event.title} {event.campaign}".casefold()
        )


def _ids(values: Iterable[str], choices: Iterable[Choice]) -> frozenset[int]:
    wanted = frozenset(values)
    return frozenset(choice.id for choice in choices if choice.value in wanted)
