"""One post on the timeline: the calendar's markup with a place on the track, written as text since there are hundreds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from schedules.reads.calendar import Event
from schedules.web import locale
from schedules.web.calendar.markup import LOOKS, event_url
from schedules.web.templatetags.ui import icon
from schedules.web.timeline.placing import Placed, Rest, Track

LONGEST_TITLE = 40


class Pen:
    """Writes the posts of one answer. rest_url: where "+n" leads; ends where the date goes. drawer: that is a part for the drawer.

    notes: by key, what is at risk.
    """

    def __init__(self, *, rest_url: str, notes: Mapping[str, str], picked: str = "", drawer: bool = True) -> None:
        self.cycle = locale.hour_cycle()
        self.rest_url = escape(rest_url)
        self.drawer = drawer
        self.notes = notes
        self.picked = picked
        self.language = get_language() or "en"
        self.base = event_url("j")[: -len("j/")]
        self.days: dict[date, str] = {}

    def track(self, track: Track, *, below: int = 0, whose: bool, rest: str = "") -> SafeString:
        """`below`: rows that something else takes. whose: the lane does not say the account. rest: goes behind "+n"."""
        parts = [self._post(item, below, whose=whose) for item in track.placed]
        parts += [self._rest(item, below + track.rows + 1, rest) for item in track.rests]
        return mark_safe("".join(parts))  # noqa: S308 - escaped below

    def _post(self, item: Placed, below: int, *, whose: bool) -> str:
        event = item.event
        at, note = event.at.isoformat(), self.notes.get(event.key, "")
        classes = f"ev s-{event.look}{' cf' if event.near is not None else ''}{' rec' if event.recurring else ''}"
        classes += f"{' rk' if note else ''}{' picked' if event.key == self.picked else ''}"
        clock = locale.clock(event.at, self.cycle)
        title = event.title if len(event.title) <= LONGEST_TITLE else f"{event.title[: LONGEST_TITLE - 1]}…"
        return (
            f'<a class="{classes} x{item.x} w{item.w} l{item.row + below}" href="{self.base}{event.key}/" '
            f'data-ev="{event.key}" data-at="{at[:16]}" data-acc="{event.account_id}" data-v="{event.version}"'
            f"{' data-fixed' if event.fixed else ''}{' data-rec' if event.recurring else ''}>"
            f"{_sign(self.language, event.look, event.near is not None)}"
            f'<span class="d">{self._day(event.at.date())} </span><b>{clock}</b><span class="t" dir="auto">{escape(title)}</span>'
            f"{_whose(event) if whose else ''}{_note(note)}</a>"
        )

    def _rest(self, item: Rest, row: int, rest: str) -> str:
        words = ngettext("more post on %(day)s", "more posts on %(day)s", item.count) % {"day": self._day(item.day)}
        stamp = item.day.isoformat()
        drawer = f' data-day="{stamp}"' if self.drawer else ""
        return (
            f'<a class="more x{item.x} l{row}" href="{self.rest_url}{stamp}{escape(rest)}"{drawer}>'
            f'+{item.count}<span class="vh"> {escape(words)}</span></a>'
        )

    def _day(self, day: date) -> str:
        if day not in self.days:
            self.days[day] = escape(locale.day(day, "day"))
        return self.days[day]


@lru_cache(maxsize=256)
def _sign(language: str, look: str, conflict: bool) -> str:
    name, word = LOOKS[look]
    words = _("%(status)s (conflict)") % {"status": word} if conflict else str(word)
    return f'{icon(name)}<span class="vh">{escape(words)}. </span>'.replace(' focusable="false"', "")


def _whose(event: Event) -> str:
    return f'<span class="vh">, {escape(event.account)}</span>'


def _note(words: str) -> str:
    return f'{icon("warning", "mark")}<span class="vh">. {escape(words)}</span>' if words else ""
