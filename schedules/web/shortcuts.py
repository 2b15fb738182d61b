"""Every keyboard shortcut of the product, for the list under `?` and for what the scripts bind. Written down once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise
# the letter after G -> the entry of the navigation
GO = {
    "d": "today", "c": "calendar", "t": "timeline", "l": "schedules", "j": "jobs", "a": "accounts", "h": "engine",
    "r": "recovery",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shortcut:
    """`keys`: pressed one after the other; of each, a key or keys held together (`Ctrl+K`)."""

    keys: tuple[str, ...]
    words: Words
    single: bool = True

    @property
    def strokes(self) -> list[list[str]]:
        return [stroke.split("+") for stroke in self.keys]


@dataclass(frozen=True, slots=True)
class Group:
    title: Words
    shortcuts: Sequence[Shortcut]


def _held(keys: str, words: Words) -> Shortcut:
    """With a modifier, or of a widget that has the focus: works whether or not single letters are on."""
    return Shortcut((keys,), words, single=False)


_GO_WORDS: dict[str, Words] = {
    "today": _("Go to Today"),
    "calendar": _("Go to the calendar"),
    "timeline": _("Go to the timeline"),
    "schedules": _("Go to the list of schedules"),
    "jobs": _("Go to the jobs"),
    "accounts": _("Go to the accounts"),
    "engine": _("Go to the scheduler"),
    "recovery": _("Go to the recovery desk"),
}
_ROW = _("Select the row that has the focus")
_RANGE = _("Select all rows from the last one to this one")
GROUPS: tuple[Group, ...] = (
    Group(
        _("Everywhere"),
        (
            _held("Ctrl+K", _("Search, jump to a page, or do something by its name")),
            Shortcut(("N",), _("New post")),
            Shortcut(("/",), _("Go to the filter of this page")),
            Shortcut(("U",), _("Undo, while the message is on the page")),
            Shortcut(("?",), _("This list")),
            _held("Esc", _("Close what is open")),
        ),
    ),
    Group(_("Pages"), tuple(Shortcut(("G", key.upper()), _GO_WORDS[name]) for key, name in GO.items())),
    Group(
        _("Calendar and timeline"),
        (
            _held("←+→+↑+↓", _("Walk from post to post")),
            _held("Enter", _("Open it, or drop it where it is now")),
            Shortcut(("M",), _("Pick the post up; the arrows move it")),
            Shortcut(("Shift+M",), _("Move it by a dialog")),
            Shortcut(("E",), _("Edit it")),
            Shortcut(("P",), _("Pause or resume it")),
            Shortcut(("R",), _("Retry it, where it failed")),
            Shortcut(("X",), _("Select it, in a month")),
            _held("Esc", _("Put it back, or close its preview")),
            Shortcut(("T",), _("Today")),
            Shortcut(("J",), _("The time before")),
            Shortcut(("K",), _("The time after")),
            Shortcut(("1",), _("Day")),
            Shortcut(("2",), _("Week")),
            Shortcut(("3",), _("Month")),
            Shortcut(("4",), _("Year, in the calendar")),
        ),
    ),
    Group(
        _("List of schedules"),
        (
            Shortcut(("X",), _ROW),
            _held("Shift+click", _RANGE),
            _held("Ctrl+A", _("Select all rows of the page")),
            _held("Esc", _("Select none")),
        ),
    ),
    Group(
        _("Jobs and recovery desk"),
        (
            Shortcut(("X",), _ROW),
            _held("Shift+click", _RANGE),
            Shortcut(("R",), _("Retry the job that has the focus")),
        ),
    ),
    Group(_("Composer"), (_held("Ctrl+Enter", _("Schedule the post you are writing")),)),
)


def groups() -> list[Group]:
    return list(GROUPS)
