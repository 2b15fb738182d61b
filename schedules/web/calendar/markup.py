"""The HTML of events, days and hours, written in Python: a month holds hundreds of them, and the template language takes
three times as long. What people wrote is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from schedules.reads.calendar import Event
from schedules.reads.posting_times import PostingTime
from schedules.reads.unscheduled import Begun, Unscheduled
from schedules.reads.year import Day
from schedules.web import locale
from schedules.web.calendar.cells import Cell, strip
from schedules.web.calendar.overlays import Bar
from schedules.web.calendar.spans import Change
from schedules.web.templatetags.ui import icon, platform_name

# look -> icon, word
LOOKS = {
    "scheduled": ("st-scheduled", lazy("Scheduled")),
    "running": ("st-running", lazy("Publishing")),
    "published": ("st-published", lazy("Published")),
    "failed": ("st-failed", lazy("Failed")),
    "missed": ("st-missed", lazy("Missed")),
    "unsure": ("st-unsure", lazy("Unconfirmed")),
    "blocked": ("st-blocked", lazy("On hold")),
    "paused": ("st-paused", lazy("Paused")),
    "draft": ("st-draft", lazy("Draft")),
    "review": ("st-review", lazy("In review")),
    "cancelled": ("st-cancelled", lazy("Cancelled")),
}


def event_url(key: str) -> str:
    return f"{_calendar_path()}e/{quote(key)}/"


@lru_cache(maxsize=1)
def _calendar_path() -> str:
    return reverse("web:calendar")


class Pen:
    """Writes the parts of one answer: what is the same for all of them is worked out once.

    day_url, drawer_url, new_url: addresses that end where the date or the time goes. rest: the filters, to follow it. new_url is
    empty for those who may not write. marked: keys of events that an overlay of the person's own marks. out_of_band: each part
    says that it takes the place of the one with its id.
    """

    def __init__(
        self,
        *,
        now: datetime,
        rest: str = "",
        may_write: bool = False,
        select: bool = False,
        marked: frozenset[str] = frozenset(),
        out_of_band: bool = False,
    ) -> None:
        self.cycle = locale.hour_cycle()
        self.now = timezone.localtime(now)
        self.rest = escape(f"&{rest}" if rest else "")
        self.day_url = f"{_calendar_path()}?view=day&amp;date="
        self.drawer_url = f"{reverse('web:calendar_day')}?date="
        self.new_url = f"{reverse('web:schedule_new')}?at=" if may_write else ""
        self.select = select
        self.marked = marked
        self.oob = ' hx-swap-oob="true"' if out_of_band else ""
        self.language = get_language() or "en"

    # ---- events

    def event(self, event: Event, *, with_zone: bool = False) -> str:
        """One link: sign, words for those who do not see it, time, title."""
        at = event.at.isoformat()
        conflict = event.near is not None
        marked = event.key in self.marked
        key = event.key
        box = self._box(event) if self.select else ""
        clock = locale.clock(event.at, self.cycle)
        zone = f" {event.at.tzname()}" if with_zone else ""
        return (
            f'{box}<a class="ev s-{event.look}{" cf" if conflict else ""}{" rec" if event.recurring else ""}'
            f'{" ov" if marked else ""}" href="{_calendar_path()}e/{key}/" data-ev="{key}" data-at="{at[:16]}" '
            f'data-acc="{event.account_id}" data-v="{event.version}"{" data-fixed" if event.fixed else ""}'
            f"{' data-rec' if event.recurring else ''}>{_sign(self.language, event.look, conflict, marked)}"
            f'<b>{clock}{zone}</b> <span class="t" dir="auto">{escape(event.title)}</span>'
            f"{_whose(event.platform, event.account)}</a>"
        )

    def events(self, events: Sequence[Event], *, with_zone: bool = False) -> str:
        if not events:
            return ""
        items = "</li><li>".join([self.event(event, with_zone=with_zone) for event in events])
        return f"<ul><li>{items}</li></ul>"

    def _box(self, event: Event) -> str:
        words = escape(
            _("Select %(title)s, %(time)s") % {"title": event.title, "time": locale.clock(event.at, self.cycle)}
        )
        return f'<input type="checkbox" class="tick" name="event" value="{event.key}" form="cal-bulk" aria-label="{words}">'

    # ---- a day of a month

    def day(self, day: date, cell: Cell, events: Sequence[Event], *, today: bool, bars: Sequence[Bar] = ()) -> str:
        stamp = day.isoformat()
        long = locale.day(day, "weekday_long")
        number = ngettext("%(n)s post", "%(n)s posts", cell.count) % {"n": cell.count}
        words = (
            _("%(day)s, today: %(posts)s") % {"day": long, "posts": number}
            if today
            else _("%(day)s: %(posts)s") % {"day": long, "posts": number}
        )
        return (
            f'<div class="cell{" today" if today else ""}" id="d-{stamp}" data-drop="{stamp}"{self.oob}><div class="dh">'
            f'<a class="dn" href="{self.day_url}{stamp}{self.rest}"><span class="vh">{escape(words)}</span>'
            f'<span aria-hidden="true">{day.day}</span></a>{self.flags(cell)}'
            f"{_count(cell.count)}</div>{_strip(events)}{bars_of(bars)}{self.events(cell.shown)}"
            f"{self._more_of_day(stamp, long, cell)}{self._add_to_day(day, long)}</div>"
        )

    def flags(self, cell: Cell) -> str:
        found = ""
        if cell.bad:
            words = escape(ngettext("%(n)s needs you", "%(n)s need you", cell.bad) % {"n": cell.bad})
            found += f'<span class="flag bad" title="{words}" aria-hidden="true">{cell.bad}</span><span class="vh">{words}</span>'
        if cell.conflicts:
            words = escape(ngettext("%(n)s in conflict", "%(n)s in conflict", cell.conflicts) % {"n": cell.conflicts})
            found += (
                f'<span class="flag cf" title="{words}" aria-hidden="true">{cell.conflicts}</span>'
                f'<span class="vh">{words}</span>'
            )
        return found

    def _more_of_day(self, stamp: str, long: str, cell: Cell) -> str:
        if not cell.hidden:
            return ""
        words = escape(ngettext("%(n)s more", "%(n)s more", cell.hidden) % {"n": _plus(cell.hidden)})
        return (
            f'<a class="more" href="{self.drawer_url}{stamp}{self.rest}" data-day="{stamp}">{words}'
            f'<span class="vh"> {escape(long)}</span></a>'
        )

    def _add_to_day(self, day: date, long: str) -> str:
        if not self.new_url or day < self.now.date():
            return ""
        return self._add(f"{day.isoformat()}T09:00", _("New post on %(day)s") % {"day": long})

    def _add(self, stamp: str, words: str, more: str = "") -> str:
        """The empty place is a link to the composer; who goes by keyboard has "New post" and sets the time there."""
        return f'<a class="add" href="{self.new_url}{stamp}{more}" tabindex="-1" aria-label="{escape(words)}"></a>'

    # ---- an hour of a day

    def slot(
        self,
        day: date,
        hour: int,
        cell: Cell,
        *,
        column: str = "",
        label: str = "",
        change: Change | None = None,
        free: str = "",
        narrow: str = "",
    ) -> str:
        """`column` sets apart the columns of a day; `narrow`: what narrows the drawer and the composer to one of them."""
        stamp = f"{day.isoformat()}T{hour:02}"
        named = f'<span class="of" dir="auto">{escape(label)}</span>' if label and cell.count else ""
        return (
            f'<div class="slot{f" {change.kind}" if change else ""}" id="h-{stamp}{column}" data-hour="{stamp}"{self.oob}>'
            f"{named}{change_note(change, hour) if change and not column else ''}"
            f"{self.events(cell.shown, with_zone=bool(change and change.kind == 'fold'))}"
            f"{self._more_of_hour(day, hour, cell, narrow)}{free}{self._add_to_hour(day, hour, change, narrow)}</div>"
        )

    def _more_of_hour(self, day: date, hour: int, cell: Cell, narrow: str) -> str:
        if not cell.hidden:
            return ""
        words = _("more at %(time)s") % {"time": self._hour(day, hour)}
        conflict = f", {_('in conflict')}" if cell.left_out_in_conflict else ""
        stamp = day.isoformat()
        return (
            f'<a class="more{" cf" if conflict else ""}" href="{self.drawer_url}{stamp}&amp;hour={hour}{self.rest}{narrow}" '
            f'data-day="{stamp}" data-at-hour="{hour}">{_plus(cell.hidden)}<span class="vh"> {escape(words + conflict)}</span></a>'
        )

    def _add_to_hour(self, day: date, hour: int, change: Change | None, narrow: str) -> str:
        if not self.new_url or (change and change.kind == "gap"):
            return ""
        if (day, hour) < (self.now.date(), self.now.hour):
            return ""
        at = f"{day.isoformat()}T{hour:02}:00"
        return self._add(at, _("New post, %(time)s") % {"time": self._hour(day, hour)}, narrow)

    def _hour(self, day: date, hour: int) -> str:
        return _said_hour(self.language, self.cycle, day, hour)

    def heat(self, day: date, one: Day, step: int, *, today: bool, milestones: Sequence[str] = ()) -> str:
        """A day of a year: its number on the colour of its step, underlined where something went wrong, with a corner where a
        milestone is due (`milestones`: their names)."""
        words = ngettext("%(n)s post", "%(n)s posts", one.count) % {"n": one.count}
        if one.bad:
            words += ", " + ngettext("%(n)s needs you", "%(n)s need you", one.bad) % {"n": one.bad}
        if milestones:
            words += ", " + _("milestone: %(names)s") % {"names": ", ".join(milestones)}
        words = f"{locale.day(day, 'day_long')}: {words}"
        marks = f"{' bad' if one.bad else ''}{' goal' if milestones else ''}{' today' if today else ''}"
        return (
            f'<li><a class="lv{step}{marks}" '
            f'href="{self.day_url}{day.isoformat()}{self.rest}" title="{escape(words)}"><span aria-hidden="true">{day.day}</span>'
            f'<span class="vh">{escape(words)}</span></a></li>'
        )

    def free(self, item: PostingTime) -> str:
        """A posting time without a post: a link to the composer with that time and account."""
        at = item.at.isoformat()[:16]
        words = _("%(time)s free, %(account)s") % {"time": locale.clock(item.at, self.cycle), "account": item.account}
        return (
            f'<a class="free" href="{self.new_url}{at}&amp;account={item.account_public_id}">{icon("plus")}'
            f'<span dir="auto">{escape(words)}</span></a>'
        )

    # ---- the tray

    def loose(self, item: Unscheduled) -> str:
        """A draft schedule, to be dragged to a time."""
        at = timezone.localtime(item.at).isoformat()
        return (
            f'<a class="ev s-draft{" rec" if item.recurring else ""}" href="{event_url(item.key)}" data-ev="{item.key}" '
            f'data-at="{at[:16]}" data-acc="{item.account_id}" data-v="{item.version}"{" data-rec" if item.recurring else ""}>'
            f'{_sign(self.language, "draft", False, False)}<span class="t" dir="auto">{escape(item.title)}</span>'
            f"{_whose(item.platform, item.account)}</a>"
        )

    def begun(self, item: Begun) -> str:
        """What the person has begun to write: leads back into the composer."""
        title = item.title or _("Untitled")
        return (
            f'<a class="ev s-draft" href="{reverse("web:schedule_new")}?draft={item.public_id}" data-ev="d{item.public_id}" '
            f'data-at="" data-acc="" data-v="">{icon("edit")}<span class="vh">{escape(_("Begun"))}. </span>'
            f'<span class="t" dir="auto">{escape(title)}</span></a>'
        )


@lru_cache(maxsize=256)
def _sign(language: str, look: str, conflict: bool, marked: bool) -> str:
    """Icon and hidden words; `language` is there so that each has its own."""
    name, word = LOOKS[look]
    words = str(word)
    if conflict:
        words = _("%(status)s (conflict)") % {"status": words}
    if marked:
        words = _("%(status)s, marked") % {"status": words}
    return f'{icon(name)}<span class="vh">{escape(words)}. </span>'.replace(' focusable="false"', "")


@lru_cache(maxsize=1024)
def _said_hour(language: str, cycle: str, day: date, hour: int) -> str:
    """A place of a table of hours; `language` is there so that each has its own."""
    return locale.stamp(datetime.combine(day, time(hour)), weekday=False)


@lru_cache(maxsize=4096)
def _whose(platform: str, account: str) -> str:
    return f'<span class="vh">, {escape(platform_name(platform))} {escape(account)}</span>'


def _plus(count: int) -> str:
    """`+4`, set apart, so that it reads the same among words that go from right to left."""
    return f"\u2066+{count}\u2069"


def _count(count: int) -> str:
    return f'<span class="n" aria-hidden="true">{count}</span>' if count else ""


def bars_of(bars: Sequence[Bar]) -> str:
    """What connected calendars have on a day."""
    if not bars:
        return ""
    items = "".join(
        f'<li dir="auto"><a href="{escape(bar.url)}">{escape(bar.title)}</a></li>'
        if bar.url
        else f'<li dir="auto">{escape(bar.title)}</li>'
        for bar in bars[:3]
    )
    return f'<ul class="bars">{items}</ul>'


def _strip(events: Sequence[Event]) -> str:
    if not events:
        return ""
    bars = "".join(
        f'<rect class="m-{look}" x="{place}" width="{width}" height="4"/>' for look, place, width in strip(events)
    )
    return f'<svg class="mix" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">{bars}</svg>'


def change_note(change: Change, hour: int) -> str:
    """What the clocks do in this hour, in words."""
    if change.kind == "gap":
        words = _("%(from)s does not exist on this day: clocks go forward to %(to)s.") % {
            "from": locale.clock(time(hour)),
            "to": locale.clock(change.until),
        }
    else:
        words = _("%(hour)s comes twice on this day: first %(before)s, then %(after)s.") % {
            "hour": locale.clock(time(hour)),
            "before": change.before,
            "after": change.after,
        }
    return f'<p class="dst">{escape(words)}</p>'


def safe(html: str) -> SafeString:
    """HTML of this module, for templates."""
    return mark_safe(html)  # noqa: S308 - escaped where it is put together


def mix_of(events: Sequence[Event]) -> SafeString:
    return safe(_strip(events))


def legend() -> list[dict[str, Any]]:
    return [{"look": look, "icon": name, "word": word} for look, (name, word) in LOOKS.items()]
