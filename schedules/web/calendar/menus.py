"""The boxes of the calendar's menus, and the chips of what is on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from schedules.models import SavedView
from schedules.reads.choices import Choice, Choices
from schedules.web.calendar import markup
from schedules.web.calendar.layers import Layers
from schedules.web.calendar.overlays import overlays
from schedules.web.calendar.query import Query
from schedules.web.templatetags.ui import platform_name
from schedules.web.words import TYPES

MOST_CHOICES = 100
MENUS = {
    "platform": lazy("Platform"),
    "account": lazy("Account"),
    "status": lazy("Status"),
    "campaign": lazy("Campaign"),
    "type": lazy("Type"),
    "person": lazy("Person"),
    "label": lazy("Label"),
}


@dataclass(frozen=True, slots=True)
class Option:
    """A box of a menu. `icon` and `look` are a status's."""

    value: str
    name: str
    on: bool
    icon: str = ""
    look: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    name: str
    title: Any
    options: list[Option]

    @property
    def count(self) -> int:
        return sum(option.on for option in self.options)


def filters(query: Query, known: Choices) -> list[Menu]:
    values: dict[str, list[tuple[str, str]]] = {
        "platform": [(name, platform_name(name)) for name in known.platforms],
        "account": _pairs(known.accounts),
        "campaign": _pairs(known.campaigns),
        "type": [(value, str(word)) for value, word in TYPES.items()],
        "person": _pairs(known.people),
        "label": [(value, value) for value in query.label],
    }
    menus = [
        Menu(name, MENUS[name], [Option(value, words, value in getattr(query, name)) for value, words in values[name]])
        for name in MENUS
        if name != "status"
    ]
    looks = [
        Option(item["look"], str(item["word"]), item["look"] in query.status, item["icon"], item["look"])
        for item in markup.legend()
    ]
    return [*menus[:2], Menu("status", MENUS["status"], looks), *menus[2:]]


def _pairs(items: Sequence[Choice]) -> list[tuple[str, str]]:
    return [(item.value, _named(item)) for item in items[:MOST_CHOICES]]


def _named(item: Choice) -> str:
    return f"{item.name} ({platform_name(item.platform)})" if item.platform else item.name


def chips(query: Query, known: Choices | None) -> list[tuple[str, str, str]]:
    """What is on: (kind, value in words, the address without it)."""
    path = reverse("web:calendar")
    names = {item.value: _named(item) for item in (*known.accounts, *known.campaigns, *known.people)} if known else {}
    names |= {name: str(word) for name, word in TYPES.items()}
    names |= {item["look"]: str(item["word"]) for item in markup.legend()}
    found = [
        (
            str(title),
            platform_name(value) if name == "platform" else names.get(value, value),
            query.without(name, value).url(path),
        )
        for name, title in MENUS.items()
        for value in getattr(query, name)
    ]
    if query.q:
        found.append((_("Words"), query.q, query.without("q", query.q).url(path)))
    if query.conflicts:
        found.append((_("Conflicts"), _("only those"), query.without("conflicts", "1").url(path)))
    return found


def of_layers(query: Query, on: Layers, known: Choices, saved: Sequence[SavedView]) -> list[Menu]:
    values: dict[str, tuple[Any, list[tuple[str, str]]]] = {
        "platform": (_("Platforms"), [(name, platform_name(name)) for name in known.platforms]),
        "account": (_("Accounts"), [(str(item.id), _named(item)) for item in known.accounts[:MOST_CHOICES]]),
        "person": (_("Team"), [(str(item.id), item.name) for item in known.people[:MOST_CHOICES]]),
        "campaign": (_("Campaigns"), [(str(item.id), item.name) for item in known.campaigns[:MOST_CHOICES]]),
        "type": (_("Types"), [(value, str(word)) for value, word in TYPES.items()]),
        "connected": (_("Connected calendars"), [(name, str(item.title)) for name, item in overlays.items()]),
    }
    menus = [
        Menu(name, title, [Option(value, words, not on.hides(name, value)) for value, words in pairs])
        for name, (title, pairs) in values.items()
        if pairs
    ]
    own = [row for row in saved if row.page == "overlay"]
    if own:
        ticked = on.overlays | set(query.overlay)
        menus.append(
            Menu(
                "overlay",
                _("Your overlays"),
                [Option(str(row.public_id), row.name, str(row.public_id) in ticked) for row in own],
            )
        )
    return menus
