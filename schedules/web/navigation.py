"""What the rail shows. Packages above or beside this one add entries from their wiring; only what exists is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from alwrity_scheduler.core.registry import Registry
from schedules.web.shortcuts import GO

PLAN, RUN, LEARN, SET_UP = "plan", "run", "learn", "set_up"
GROUPS: tuple[tuple[str, str | Promise], ...] = (
    ("", ""),
    (PLAN, _("Plan")),
    (RUN, _("Run")),
    (LEARN, _("Learn")),
    (SET_UP, _("Set up")),
)


def everyone(shell: Any) -> bool:
    return True


def nothing(shell: Any) -> int:
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationEntry:
    """`url_name` is reversed for each page; an entry whose address does not exist is left out.

    `shown` and `count` get the request's `Shell`: who may see it, and how many things in it need a person.
    """

    title: str | Promise
    url_name: str
    icon: str
    group: str = ""
    shown: Callable[[Any], bool] = everyone
    count: Callable[[Any], int] = nothing


entries: Registry[NavigationEntry] = Registry("navigation entry")
entries.register("today", NavigationEntry(title=_("Today"), url_name="web:today", icon="today"))
entries.register("calendar", NavigationEntry(title=_("Calendar"), url_name="web:calendar", icon="calendar", group=PLAN))
entries.register("timeline", NavigationEntry(title=_("Timeline"), url_name="web:timeline", icon="timeline", group=PLAN))
entries.register(
    "schedules", NavigationEntry(title=_("Schedules"), url_name="web:schedules", icon="schedules", group=PLAN)
)
entries.register(
    "reviews",
    NavigationEntry(
        title=_("Review"),
        url_name="web:reviews",
        icon="st-review",
        group=PLAN,
        count=lambda shell: shell.reviews_waiting,
    ),
)
entries.register("media", NavigationEntry(title=_("Media"), url_name="web:media", icon="k-image", group=PLAN))
entries.register(
    "drafts",
    NavigationEntry(
        title=_("Your drafts"), url_name="web:drafts", icon="st-draft", group=PLAN, shown=lambda shell: shell.may.write
    ),
)
entries.register(
    "library",
    NavigationEntry(title=_("Templates"), url_name="web:library", icon="template", group=PLAN),
)
entries.register("jobs", NavigationEntry(title=_("Jobs"), url_name="web:jobs", icon="jobs", group=RUN))
entries.register(
    "recovery",
    NavigationEntry(
        title=_("Recovery desk"),
        url_name="web:recovery",
        icon="recovery",
        group=RUN,
        count=lambda shell: shell.needs_you,
    ),
)
entries.register(
    "notifications", NavigationEntry(title=_("Notifications"), url_name="web:notifications", icon="bell", group=RUN)
)
entries.register(
    "engine",
    NavigationEntry(
        title=_("Scheduler"), url_name="web:engine", icon="health", group=RUN, shown=lambda shell: bool(shell.may_watch)
    ),
)
entries.register(
    "accounts", NavigationEntry(title=_("Accounts"), url_name="web:accounts", icon="accounts", group=SET_UP)
)
entries.register("team", NavigationEntry(title=_("Team and tokens"), url_name="web:team", icon="people", group=SET_UP))
entries.register("graphql", NavigationEntry(title=_("GraphQL"), url_name="graphql:endpoint", icon="code", group=SET_UP))
entries.register(
    "security",
    NavigationEntry(
        title=_("Security"),
        url_name="web:security",
        icon="shield",
        group=SET_UP,
        shown=lambda shell: bool(shell.may.audit),
    ),
)
entries.register("sandbox", NavigationEntry(title=_("Sandbox"), url_name="sandbox:index", icon="sandbox", group=SET_UP))
entries.register(
    "admin",
    NavigationEntry(
        title=_("All data"),
        url_name="admin:index",
        icon="admin",
        group=SET_UP,
        shown=lambda shell: bool(shell.user.is_staff),
    ),
)


_KEYS = {name: key for key, name in GO.items()}


@dataclass(frozen=True, slots=True)
class Link:
    """`key`: the letter that leads there after G, if any."""

    name: str
    title: str | Promise
    url: str
    icon: str
    current: bool
    count: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    title: str | Promise
    entries: list[Link]


def groups(shell: Any, path: str) -> list[Group]:
    """The rail of this person on this page, group by group; empty groups are left out."""
    found: dict[str, list[Link]] = {}
    for name, entry in entries.items():
        if not entry.shown(shell):
            continue
        try:
            url = reverse(entry.url_name)
        except NoReverseMatch:
            continue
        current = path == url if name == "today" else path.startswith(url)
        link = Link(name, entry.title, url, entry.icon, current, entry.count(shell), _KEYS.get(name, ""))
        found.setdefault(entry.group, []).append(link)
    return [Group(title, found[key]) for key, title in GROUPS if key in found]


# the bar of a phone; what a person may not see, or is not there yet, is followed by what may stand in its place
TABS = ("today", "calendar", "new", "jobs")
INSTEAD = {"calendar": "schedules", "new": "accounts"}


def tabs(shell: Any, rail: list[Group]) -> list[Link]:
    links = {link.name: link for group in rail for link in group.entries}
    if shell.may.write:
        links["new"] = Link("new", _("New"), reverse("web:schedule_new"), "plus", False, 0)
    found = (links.get(name) or links.get(INSTEAD.get(name, "")) for name in TABS)
    return [link for link in found if link is not None]
