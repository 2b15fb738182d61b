"""The tags and filters every template may use (registered as built-ins): icons, status pills, times, durations.

Times print in the person's active zone and say which one it is; the machine form and UTC stand beside them.
"""

from __future__ import annotations

import json
import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as written
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from platforms.services.media import media_path_of, media_url, thumbnail_path_of
from schedules.domain.approval import ReviewState
from schedules.domain.recovery import Cause
from schedules.domain.states import JobState, ScheduleState
from schedules.reads import executions
from schedules.services import link_cards
from schedules.web import first_steps as guide
from schedules.web import icons, locale, prose
from schedules.web.words import PRIORITIES, TYPES

register = template.Library()

# state -> (look, icon, word); the look is a class of product.css
JOB_SIGNS = {
    JobState.PENDING: ("scheduled", "st-scheduled", gettext_lazy("Scheduled")),
    JobState.RUNNING: ("running", "st-running", gettext_lazy("Publishing")),
    JobState.PROCESSING: ("running", "st-running", gettext_lazy("Processing")),
    JobState.COMPLETED: ("published", "st-published", gettext_lazy("Published")),
    JobState.FAILED: ("failed", "st-failed", gettext_lazy("Failed")),
    JobState.UNCONFIRMED: ("missed", "st-unsure", gettext_lazy("Unconfirmed")),
    JobState.MISSED: ("missed", "st-missed", gettext_lazy("Missed")),
    JobState.BLOCKED: ("missed", "st-blocked", gettext_lazy("On hold")),
    JobState.CANCELLED: ("cancelled", "st-cancelled", gettext_lazy("Cancelled")),
    JobState.SUPERSEDED: ("cancelled", "st-replaced", gettext_lazy("Replaced")),
}
CAUSE_SIGNS = {
    Cause.UNCONFIRMED: ("missed", "st-unsure", gettext_lazy("Unconfirmed")),
    Cause.FAILED: ("failed", "st-failed", gettext_lazy("Failed")),
    Cause.MISSED: ("missed", "st-missed", gettext_lazy("Missed")),
    Cause.SIGN_IN: ("missed", "lock", gettext_lazy("Waiting for sign-in")),
    Cause.ON_HOLD: ("paused", "st-paused", gettext_lazy("On hold")),
}
SCHEDULE_SIGNS = {
    ScheduleState.DRAFT: ("draft", "st-draft", gettext_lazy("Draft")),
    ScheduleState.IN_REVIEW: ("review", "st-review", gettext_lazy("In review")),
    ScheduleState.ACTIVE: ("scheduled", "st-scheduled", gettext_lazy("Active")),
    ScheduleState.PAUSED: ("paused", "st-paused", gettext_lazy("Paused")),
    ScheduleState.FINISHED: ("done", "st-published", gettext_lazy("Finished")),
    ScheduleState.ARCHIVED: ("cancelled", "st-archived", gettext_lazy("Archived")),
}
REVIEW_SIGNS = {
    ReviewState.WAITING: ("review", "st-review", gettext_lazy("Waiting for approval")),
    ReviewState.APPROVED: ("published", "st-published", gettext_lazy("Approved")),
    ReviewState.CHANGES: ("missed", "edit", gettext_lazy("Changes requested")),
    ReviewState.WITHDRAWN: ("draft", "undo", gettext_lazy("Taken back")),
    ReviewState.REPLACED: ("cancelled", "st-replaced", gettext_lazy("Edited since")),
}
ACCOUNT_SIGNS = {
    "active": ("published", "st-published", gettext_lazy("Connected")),
    "paused": ("paused", "st-paused", gettext_lazy("Paused")),
    "needs_auth": ("failed", "st-failed", gettext_lazy("Needs signing in")),
    "disconnected": ("cancelled", "st-cancelled", gettext_lazy("Disconnected")),
}
WEBHOOK_SIGNS = {
    "active": ("published", "st-published", gettext_lazy("Active")),
    "paused": ("paused", "st-paused", gettext_lazy("Paused")),
    "disabled": ("failed", "st-failed", gettext_lazy("Switched off")),
}
DELIVERY_SIGNS = {
    "pending": ("scheduled", "st-scheduled", gettext_lazy("Waiting")),
    "running": ("running", "st-running", gettext_lazy("Under way")),
    "delivered": ("published", "st-published", gettext_lazy("Delivered")),
    "failed": ("failed", "st-failed", gettext_lazy("Failed")),
    "cancelled": ("cancelled", "st-cancelled", gettext_lazy("Cancelled")),
    "held": ("paused", "st-paused", gettext_lazy("Held")),
}


@lru_cache(maxsize=512)
def _icon(name: str, cls: str) -> SafeString:
    if name not in icons.NAMES:
        raise KeyError(name)
    href = reverse("web:icons", args=[icons.sprite()[1]])
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>', f"i {cls}".strip(), href, name
    )


@register.simple_tag
def icon(name: str, cls: str = "") -> SafeString:
    """A decorative icon: words stand beside it, or the button that holds it has an aria-label."""
    return _icon(name, cls)


def _pill(sign: tuple[str, str, Any]) -> SafeString:
    look, icon_name, word = sign
    return format_html('<span class="pill s-{}">{}{}</span>', look, _icon(icon_name, ""), word)


@register.filter
def job_pill(state: str) -> SafeString:
    return _pill(JOB_SIGNS[JobState(state)])


@register.filter
def cause_pill(cause: Cause) -> SafeString:
    return _pill(CAUSE_SIGNS[cause])


@register.filter
def cause_word(cause: Cause) -> str:
    return str(CAUSE_SIGNS[cause][2])


@register.filter
def schedule_pill(state: str) -> SafeString:
    return _pill(SCHEDULE_SIGNS[ScheduleState(state)])


@register.filter
def account_pill(state: str) -> SafeString:
    return _pill(ACCOUNT_SIGNS[state])


@register.filter
def webhook_pill(state: str) -> SafeString:
    return _pill(WEBHOOK_SIGNS[state])


@register.filter
def delivery_pill(state: str) -> SafeString:
    return _pill(DELIVERY_SIGNS[state])


@register.filter
def job_word(state: str) -> str:
    return str(JOB_SIGNS[JobState(state)][2])


@register.filter
def job_dot(job: Any) -> SafeString:
    """One run in a strip of runs: colour and sign, with the words for those who do not see them."""
    look, icon_name, word = JOB_SIGNS[JobState(job.state)]
    local = timezone.localtime(job.run_at)
    words = f"{word}, {_stamp(local)}"
    return format_html(
        '<a class="dot s-{}" href="{}" title="{}">{}<span class="vh">{}</span></a>',
        look,
        reverse("web:job", args=[job.public_id]),
        words,
        _icon(icon_name, ""),
        words,
    )


def zone_name(moment: datetime) -> str:
    """`CET`, or `UTC+03:30` where the zone has no letters."""
    name = moment.tzname() or ""
    return f"UTC{name[:3]}{':' + name[3:] if name[3:] else ''}" if name[:1] in "+-" else name


def _stamp(local: datetime, *, weekday: bool = True) -> str:
    return f"{locale.stamp(local, weekday=weekday)} {zone_name(local)}"


def _time(local: datetime, words: str) -> SafeString:
    utc = local.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        words,
    )


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """`Tue 24 Nov, 09:00 CET` in the active zone. Only for aware datetimes."""
    if value is None:
        return mark_safe("–")
    local = timezone.localtime(value)
    return _time(local, _stamp(local))


@register.filter
def moment_in(value: datetime | None, zone: str) -> SafeString | str:
    """The same in a named zone, with the offset, because it is not the reader's own."""
    if value is None:
        return mark_safe("–")
    local = value.astimezone(zoneinfo.ZoneInfo(zone))
    offset = local.strftime("%z")
    return _time(local, f"{_stamp(local)} ({'UTC' + offset[:3] + ':' + offset[3:]})")


@register.filter
def clock_time(value: datetime | None) -> SafeString | str:
    """Hours, minutes and seconds: for lists of things that happened within one job."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    words = pgettext("day and time", "%(day)s, %(time)s") % {
        "day": locale.short_day(local, weekday=False),
        "time": locale.clock_seconds(local),
    }
    return _time(local, f"{words} {zone_name(local)}")


@register.filter
def day(value: date | datetime) -> str:
    """`Tuesday 24 November 2026` in the active zone."""
    return locale.long_day(_local(value) if isinstance(value, datetime) else value)


@register.filter
def wall(value: datetime | None) -> str:
    """A wall-clock time without a zone, as the person wrote it."""
    if value is None:
        return ""
    day_words = written(value, locale.pattern("weekday_y"))
    return pgettext("day and time", "%(day)s, %(time)s") % {"day": day_words, "time": locale.clock(value)}


@register.filter
def clock_words(value: datetime | time | None) -> str:
    """`09:00` or `9:00 AM`: an aware datetime in the active zone, anything else as it stands."""
    if value is None:
        return ""
    return locale.clock(_local(value) if isinstance(value, datetime) else value)


@register.filter
def short_day(value: date) -> str:
    """`Tue 24 Nov`; the year only where it is not this one."""
    return locale.short_day(_local(value) if isinstance(value, datetime) else value)


@register.filter
def stamp(value: datetime | None) -> str:
    """`24 Nov, 09:00`: in the active zone, or as a naive one stands; for lists whose zone is said once."""
    return "" if value is None else locale.stamp(_local(value), weekday=False)


def _local(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


@register.filter
def day_words(value: date) -> str:
    """`24 November`, without a year."""
    return locale.day(value, "day_long")


@register.filter
def said(words: str) -> str:
    return locale.said(words)


@register.filter
def number(value: float | None) -> str:
    """Grouped as the language does it; for reading only."""
    return "–" if value is None else locale.number(value)


@register.filter
def relative(value: datetime | None, now: datetime) -> str:
    """`in 12 min`, `3 h ago`: to stand beside an absolute time, never instead of one."""
    if value is None:
        return ""
    seconds = (value - now).total_seconds()
    words = duration(abs(seconds))
    if abs(seconds) < 45:
        return _("now")
    return _("in %(words)s") % {"words": words} if seconds > 0 else _("%(words)s ago") % {"words": words}


@register.filter
def duration(value: timedelta | float | None) -> str:
    """The largest one unit that says enough: `0.8 s`, `42 s`, `5 min`, `3 h`, `12 days`."""
    if value is None:
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 1:
        return _("%(n)d ms") % {"n": round(seconds * 1000)}
    if seconds < 10:
        tenths = round(seconds, 1)
        return _("%(n)s s") % {"n": locale.number(tenths, 0 if tenths == int(tenths) else 1)}
    for size, limit, words in ((1, 90, _("%(n)s s")), (60, 5400, _("%(n)s min")), (3600, 129_600, _("%(n)s h"))):
        if seconds < limit:
            return words % {"n": round(seconds / size)}
    days = round(seconds / 86_400)
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


@register.filter
def between(start: datetime | None, end: datetime | None) -> timedelta | None:
    return None if start is None or end is None else end - start


@register.filter
def mentions(value: dict[str, Any], key: str) -> Any:
    """A dictionary's entry by a name that is only known in the template."""
    return value.get(key)


@register.filter
def errors_of(form: Any, name: str) -> Any:
    return form.errors.get(name, "")


PLATFORM_NAMES = {
    "x": "X",
    "linkedin": "LinkedIn",
    "http": "HTTP",
    "wordpress": "WordPress",
    "youtube": "YouTube",
    "tiktok": "TikTok",
}


@register.filter
def platform_name(value: str) -> str:
    return PLATFORM_NAMES.get(value, value.replace("_", " ").title())


@register.filter
def platform_tag(value: str) -> SafeString:
    """Two letters in a tile: platforms have no colour of their own, since brand colours fight with status."""
    name = platform_name(value)
    return format_html('<span class="ptag" aria-hidden="true">{}</span>', name[:2])


# a job's `reason` where no sentence stands beside it
REASONS = {
    "by_person": gettext_lazy("A person decided so."),
    "reslotted": gettext_lazy("A person gave it this time."),
    "despite_pause": gettext_lazy("A person sends it although its schedule is paused."),
    "archived": gettext_lazy("Its schedule was archived."),
    "cancelled": gettext_lazy("It was cancelled."),
}


@register.filter
def why(reason: str) -> str:
    if not reason:
        return ""
    known = REASONS.get(reason)
    return str(known) if known else reason.replace("_", " ").capitalize() + "."


@register.filter
def humanise(value: str) -> str:
    return str(value).replace("_", " ")


FIGURES = {
    "impressions": gettext_lazy("Impressions"),
    "reach": gettext_lazy("Reach"),
    "views": gettext_lazy("Views"),
    "likes": gettext_lazy("Likes"),
    "reposts": gettext_lazy("Reposts"),
    "replies": gettext_lazy("Replies"),
    "quotes": gettext_lazy("Quotes"),
    "bookmarks": gettext_lazy("Bookmarks"),
    "clicks": gettext_lazy("Clicks"),
    "opens": gettext_lazy("Opens"),
    "recipients": gettext_lazy("Recipients"),
}


@register.filter
def figure_word(name: str) -> str:
    return str(FIGURES.get(name) or str(name).replace("_", " ").capitalize())


@register.filter
def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=False)


# an attempt's outcome; an empty one has not come yet
OUTCOMES = {
    "": gettext_lazy("under way"),
    "published": gettext_lazy("published"),
    "accepted": gettext_lazy("accepted"),
    "done": gettext_lazy("done"),
    "found": gettext_lazy("found"),
    "absent": gettext_lazy("not there"),
    "not_called": gettext_lazy("not sent"),
    "lost": gettext_lazy("interrupted"),
    "rejected": gettext_lazy("refused"),
    "auth": gettext_lazy("sign-in not accepted"),
    "rate_limited": gettext_lazy("too many calls"),
    "unavailable": gettext_lazy("not reachable"),
    "unknown": gettext_lazy("no clear answer"),
}


@register.filter
def outcome_word(outcome: str) -> str:
    return str(OUTCOMES.get(outcome) or humanise(outcome))


@register.filter
def ending(outcome: str) -> str:
    return executions.ending_of(outcome).value


@register.filter
def masked(value: Any) -> Any:
    return executions.masked(value)


@register.filter
def request_id(response: Any) -> str:
    return executions.request_id_of(response)


@register.filter
def in_zone(value: datetime, zone: str) -> datetime:
    """The wall clock of a zone, naive, so that no filter moves it on."""
    return value.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None)


@register.simple_tag
def signed_media(asset: Any, now: datetime) -> str:
    """The file's address for somebody who is not signed in; works for a while."""
    return media_url(asset, now).removeprefix(settings.PUBLIC_URL)


@register.filter
def review_pill(state: str) -> SafeString:
    return _pill(REVIEW_SIGNS[ReviewState(state)])


@register.filter
def review_address(token: str) -> str:
    """The whole address of an outside reviewer's link."""
    return f"{settings.PUBLIC_URL}{reverse('outside_review', args=[token])}"


@register.filter
def media_address(asset: Any) -> str:
    return media_path_of(asset)


@register.filter
def thumbnail(asset: Any) -> str:
    """The address of a file's small picture; empty where there is none."""
    return thumbnail_path_of(asset)


MEDIA_WORDS = {"video/quicktime": "MOV", "audio/mp4": "M4A", "application/pdf": "PDF"}


@register.filter
def media_word(mime: str) -> str:
    """`image/jpeg` as JPEG."""
    return MEDIA_WORDS.get(mime, mime.rpartition("/")[2].upper())


@register.filter
def playing_time(seconds: float | None) -> str:
    """`0:42`, `1:02:05`."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def in_reach(words: str, zone: str) -> str:
    """A rule's words without the name of its zone, where that is the reader's own."""
    return words.removesuffix(f", {zone}") if zone == timezone.get_current_timezone_name() else words


_PIECES = re.compile(r"(https?://[^\s<>\"]+|(?<!\w)[#@]\w[\w.-]*)")


@register.filter
def post_text(value: str) -> SafeString:
    """A post's text with its addresses, hashtags and mentions marked, as the networks show them."""
    pieces = _PIECES.split(value)
    return format_html_join(
        "", "{}{}{}", (_marked(piece) if place % 2 else ("", piece, "") for place, piece in enumerate(pieces) if piece)
    )


def _marked(piece: str) -> tuple[SafeString, str, SafeString]:
    return mark_safe('<span class="lnk">'), piece, mark_safe("</span>")


@register.filter
def post_prose(value: str) -> SafeString:
    """A blog article or a newsletter: HTML or Markdown as it is written, cleaned; without its pictures, which are elsewhere."""
    return prose.cleaned(value)


@register.simple_tag
def look(card: Any) -> SafeString:
    return mark_safe(render_to_string(f"schedules/looks/_{card.look}.html", {"card": card}))  # noqa: S308 - autoescaped


@register.simple_tag
def link_preview(url: str) -> SafeString:
    """The link's card if it was read lately, else a place that asks for it."""
    card = link_cards.cached(url)
    if card is not None:
        return mark_safe(render_to_string("schedules/partials/_link_card.html", {"card": card}))  # noqa: S308
    site = (urlsplit(url).hostname or "").removeprefix("www.")
    return mark_safe(render_to_string("schedules/partials/_link_waiting.html", {"url": url, "site": site}))  # noqa: S308


@register.inclusion_tag("schedules/partials/_findings.html", takes_context=True)
def live_findings(context: Any, name: str, oob: bool = False) -> dict[str, Any]:
    """The problems at one field. Where the form itself says what is wrong there, it is not said twice."""
    form, shown = context.get("form"), context.get("shown")
    told = not oob and form is not None and form.is_bound and name in form.errors
    return {"name": name, "items": [] if told or shown is None else shown.at(name), "oob": oob}


@register.inclusion_tag("schedules/partials/_tab_mark.html", takes_context=True)
def tab_mark(context: Any, tab: Any, oob: bool = False) -> dict[str, Any]:
    shown = context.get("shown")
    errors = len([item for item in shown.errors if item.field in tab.names]) if shown else 0
    return {"tab": tab, "errors": errors, "oob": oob}


@register.filter
def type_word(value: str) -> str:
    """A content type in words."""
    return str(TYPES.get(value, value))


@register.filter
def priority_word(value: int) -> str:
    """`High`, or the number between two of the named steps."""
    return str(PRIORITIES.get(value, value))


@register.simple_tag(takes_context=True)
def first_steps(context: Any) -> guide.Guide:
    """The way to the first post, for the one who looks."""
    return guide.guide_of(context["shell"])
