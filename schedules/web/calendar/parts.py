"""The calendar's parts, drawn: a whole view, or the cells that something has changed (`touched`)."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from schedules.models import Milestone, SavedView
from schedules.reads import calendar as reads
from schedules.reads import year
from schedules.reads.calendar import Event
from schedules.reads.choices import Choices, choices
from schedules.reads.posting_times import PostingTime, posting_times
from schedules.reads.unscheduled import unscheduled, unsent
from schedules.web import locale
from schedules.web.calendar import cells, layers, markup, spans
from schedules.web.calendar.cells import Cell
from schedules.web.calendar.layers import Layers
from schedules.web.calendar.markup import Pen
from schedules.web.calendar.overlays import Bar, overlays
from schedules.web.calendar.query import Query, read
from schedules.web.calendar.spans import Change, Span
from schedules.web.context import shell_of
from schedules.web.gate import Visit
from schedules.web.templatetags.ui import platform_name, zone_name

WORKING_HOURS = range(7, 21)
MOST_COLUMNS = 40
MOST_PRINTED_A_DAY = 12  # of a month; weeks and days are printed whole


@dataclass(slots=True)
class Scene:
    """What one answer is drawn from. `before`: the events of the week before a week. `free`: posting times without a post."""

    query: Query
    span: Span
    zone: ZoneInfo
    now: datetime
    pen: Pen
    layers: Layers
    known: Choices | None
    events: list[Event] = field(default_factory=list)
    before: list[Event] = field(default_factory=list)
    free: list[PostingTime] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    pin: str = ""
    days: dict[date, year.Day] = field(default_factory=dict)
    last_year: int | None = None
    milestones: list[Milestone] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(day.count for day in self.days.values()) if self.query.view == "year" else len(self.events)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


def scene(
    request: HttpRequest,
    visit: Visit,
    query: Query,
    *,
    span: Span | None = None,
    known: Choices | None = None,
    saved: Sequence[SavedView] | None = None,
    pin: str = "",
    out_of_band: bool = False,
) -> Scene:
    """Ask for the events of a view (at most two queries), and for what its links and marks need besides."""
    zone = ZoneInfo(timezone.get_current_timezone_name())
    span = span or span_for(visit, query)
    on = layers.remembered(visit.person.layout)
    own = _overlays_on(visit, query, on, saved)
    if known is None and (query.view == "day" or any(item.account or item.campaign for item in own)):
        known = choices(visit.workspace)
    may = shell_of(request).may if query.view != "year" else None
    pen = Pen(
        now=visit.now,
        rest=query.filters,
        may_write=may is not None and may.write,
        select=query.select and may is not None and may.operate,
        out_of_band=out_of_band,
    )
    drawn = Scene(query=query, span=span, zone=zone, now=visit.now, pen=pen, layers=on, known=known, pin=pin)
    if query.view == "year":
        asked: Any = {"wanted": query.wanted(), "without": on.without()}
        drawn.days = year.days(visit.workspace, query.day.year, zone.key, visit.now, **asked)
        drawn.last_year = year.total(visit.workspace, query.day.year - 1, zone.key, **asked)
        drawn.milestones = year.milestones(visit.workspace, query.day.year)
        return drawn
    _fill(drawn, visit, with_week_before=query.view == "week" and not out_of_band)
    pen.marked = layers.marked(drawn.events, own, known or _NOTHING_KNOWN)
    return drawn


def span_for(visit: Visit, query: Query) -> Span:
    return spans.span_of(query.view, query.day, locale.first_weekday(visit.person))


def _fill(drawn: Scene, visit: Visit, *, with_week_before: bool) -> None:
    """The events, and what stands beside them."""
    start, end = drawn.span.bounds(drawn.zone)
    since = spans.midnight(drawn.span.first - spans.ONE_WEEK, drawn.zone) if with_week_before else start
    found = drawn.layers.shown(
        reads.events(
            visit.workspace, start=since, end=end, zone=drawn.zone.key, now=visit.now, wanted=drawn.query.wanted()
        )
    )
    drawn.events = [event for event in found if event.at >= start]
    drawn.before = [event for event in found if event.at < start]
    drawn.bars = _bars(visit, drawn.span, drawn.zone, drawn.layers)
    if drawn.query.view == "day" and drawn.pen.new_url:
        drawn.free = _free(visit, drawn.span, drawn.zone, drawn.events, drawn.layers)


_NOTHING_KNOWN = Choices((), (), ())


def _overlays_on(visit: Visit, query: Query, on: Layers, saved: Sequence[SavedView] | None) -> list[Query]:
    wanted = on.overlays | set(query.overlay)
    if not wanted:
        return []
    rows = SavedView.objects.of(visit.person, visit.workspace, "overlay") if saved is None else saved
    return [
        read(QueryDict(row.query), query.day) for row in rows if row.page == "overlay" and str(row.public_id) in wanted
    ]


def _free(visit: Visit, span: Span, zone: ZoneInfo, events: Iterable[Event], on: Layers) -> list[PostingTime]:
    """Posting times that are still to come and have no post of their account within the hour."""
    start, end = span.bounds(zone)
    taken = {(event.account_id, event.at.replace(minute=0, second=0, microsecond=0)) for event in events}
    return [
        item
        for item in posting_times(visit.workspace, start=max(start, visit.now), end=end, zone=zone)
        if (item.account_id, item.at.replace(minute=0, second=0, microsecond=0)) not in taken
        and not on.hides("account", item.account_id)
        and not on.hides("platform", item.platform)
    ]


def _bars(visit: Visit, span: Span, zone: ZoneInfo, on: Layers) -> list[Bar]:
    start, end = span.bounds(zone)
    found = [
        bar
        for name, overlay in overlays.items()
        if not on.hides("connected", name)
        for bar in overlay.bars(visit.workspace, start, end)
    ]
    return sorted(found, key=lambda bar: bar.start)


def exported(visit: Visit, query: Query) -> list[Event]:
    """All events of the view, as its reader sees them; of a month the days of that month alone."""
    zone = ZoneInfo(timezone.get_current_timezone_name())
    span = span_for(visit, query)
    start, end = span.bounds(zone)
    found = reads.events(visit.workspace, start=start, end=end, zone=zone.key, now=visit.now, wanted=query.wanted())
    return [event for event in layers.remembered(visit.person.layout).shown(found) if span.holds(event.at.date())]


# ---- a whole view


def body(scene: Scene) -> dict[str, Any]:
    """What `_cal.html` shows: of a month its weeks, of a week or a day the heads of its columns and its rows."""
    match scene.query.view:
        case "month":
            return _month(scene)
        case "week":
            return _week(scene)
        case "year":
            return _year(scene)
        case _:
            return _day(scene)


def _month(scene: Scene) -> dict[str, Any]:
    by_day = cells.by_day(scene.events)
    weeks = [
        [
            {"out": not scene.span.holds(day), "html": markup.safe(_day_cell(scene, day, by_day.get(day, [])))}
            for day in week
        ]
        for week in scene.span.weeks()
    ]
    return {"weeks": weeks, "heads": list(scene.span.days[:7])}


def _day_cell(scene: Scene, day: date, events: Sequence[Event]) -> str:
    most = MOST_PRINTED_A_DAY if scene.query.every else cells.MOST_A_DAY
    cell = cells.day_cell(events, most=most, pin=scene.pin)
    return scene.pen.day(day, cell, events, today=day == scene.today, bars=_bars_of(scene, day))


def _bars_of(scene: Scene, day: date) -> list[Bar]:
    if not scene.bars:
        return []
    start, end = spans.midnight(day, scene.zone), spans.midnight(day + spans.ONE_DAY, scene.zone)
    return [bar for bar in scene.bars if bar.start < end and bar.end > start]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of hours: a day of a week, or a platform or an account of a day. `mark`: follows the ids of its cells."""

    day: date
    events: list[Event]
    changes: dict[int, Change]
    mark: str = ""
    label: str = ""
    platform: str = ""
    narrow: str = ""


def _week(scene: Scene) -> dict[str, Any]:
    by_day = cells.by_day(scene.events)
    columns = [Column(day, by_day.get(day, []), spans.changes_of(day, scene.zone)) for day in scene.span.days]
    return _hours(scene, columns) | {"heads": [_head_of_day(scene, column) for column in columns]}


def _head_of_day(scene: Scene, column: Column) -> dict[str, Any]:
    before = cells.by_day(scene.before).get(column.day - spans.ONE_WEEK, [])
    return {
        "day": column.day,
        "today": column.day == scene.today,
        "url": scene.query.url("", view="day", day=column.day),
        "count": len(column.events),
        "figures": markup.safe(figures_of(scene, column)),
        "before": len(before),
        "bars": markup.safe(markup.bars_of(_bars_of(scene, column.day))),
    }


def figures_of(scene: Scene, column: Column) -> str:
    """How many posts a column has, how many need a person, and its strip of statuses."""
    cell = cells.hour_cell(column.events, most=0)
    words = ngettext("%(n)s post", "%(n)s posts", cell.count) % {"n": cell.count}
    return (
        f'<span class="fig" id="n-{column.day.isoformat()}{column.mark}"{scene.pen.oob}><span class="n" title="{escape(words)}">'
        f'<span aria-hidden="true">{cell.count}</span><span class="vh">{escape(words)}</span></span>'
        f"{scene.pen.flags(cell)}{markup.mix_of(column.events)}</span>"
    )


def _day(scene: Scene) -> dict[str, Any]:
    columns = _columns(scene)
    note = next((change for change in columns[0].changes.items()), None) if columns else None
    heads = [
        {"label": column.label, "platform": column.platform, "figures": markup.safe(figures_of(scene, column))}
        for column in columns
    ]
    return _hours(scene, columns) | {
        "heads": heads,
        "note": markup.safe(markup.change_note(note[1], note[0])) if note else "",
        "free_count": len(scene.free),
        "bars": markup.safe(markup.bars_of(_bars_of(scene, scene.span.first))),
    }


def _columns(scene: Scene) -> list[Column]:
    """A platform or an account each: those that there are, and those that have posts."""
    day, changes = scene.span.first, spans.changes_of(scene.span.first, scene.zone)
    known = scene.known or _NOTHING_KNOWN
    wanted, query = scene.query.wanted(), scene.query
    if query.by == "account":
        by_account = cells.grouped(scene.events, lambda event: event.account_id)
        names = {item.id: (item.platform, item.name, item.value) for item in known.accounts if _is_of(item, wanted)}
        for event in scene.events:
            names.setdefault(event.account_id, (event.platform, event.account, ""))
        return [
            Column(
                day,
                by_account.get(pk, []),
                changes,
                f"-a{pk}",
                name,
                platform,
                f"&amp;account={value}" if value else "",
            )
            for pk, (platform, name, value) in list(names.items())[:MOST_COLUMNS]
            if pk in by_account or not (scene.layers.hides("account", pk) or scene.layers.hides("platform", platform))
        ]
    by_platform = cells.grouped(scene.events, lambda event: event.platform)
    listed = {item.platform for item in known.accounts if _is_of(item, wanted)} | set(by_platform)
    return [
        Column(day, by_platform.get(name, []), changes, f"-{name}", platform_name(name), name, f"&amp;platform={name}")
        for name in sorted(listed)
        if name in by_platform or not scene.layers.hides("platform", name)
    ]


def _is_of(account: Any, wanted: reads.Wanted) -> bool:
    return (not wanted.platforms or account.platform in wanted.platforms) and (
        not wanted.accounts or account.value in {str(value) for value in wanted.accounts}
    )


def _hours(scene: Scene, columns: Sequence[Column]) -> dict[str, Any]:
    by_hour = [cells.grouped(column.events, lambda event: event.at.hour) for column in columns]
    local = scene.now.astimezone(scene.zone)
    rows = []
    for hour in range(24):
        drawn = [
            markup.safe(_slot(scene, column, hour, by_hour[place].get(hour, [])))
            for place, column in enumerate(columns)
        ]
        changed = any(hour in column.changes for column in columns)
        rows.append(
            {
                "hour": hour,
                "words": locale.clock(time(hour), scene.pen.cycle),
                "off": hour not in WORKING_HOURS and not changed,
                "now": hour == local.hour and scene.today in scene.span.days,
                "cells": drawn,
            }
        )
    return {"rows": rows, "zone_name": zone_name(spans.midnight(scene.span.first, scene.zone)), "zone": scene.zone.key}


def _slot(scene: Scene, column: Column, hour: int, events: Sequence[Event]) -> str:
    most = None if scene.query.every else cells.MOST_AN_HOUR[scene.query.view]
    cell: Cell = cells.hour_cell(events, most=most, pin=scene.pin)
    return scene.pen.slot(
        column.day,
        hour,
        cell,
        column=column.mark,
        label=column.label,
        change=column.changes.get(hour),
        free=_free_links(scene, column, hour) if scene.free else "",
        narrow=column.narrow,
    )


def _free_links(scene: Scene, column: Column, hour: int) -> str:
    return "".join(
        scene.pen.free(item)
        for item in scene.free
        if item.at.hour == hour and column.mark in (f"-{item.platform}", f"-a{item.account_id}")
    )


def _year(scene: Scene) -> dict[str, Any]:
    """The quarters, each with its months, each with its days; and how the year compares with the last one."""
    most = max((day.count for day in scene.days.values()), default=0)
    first_day = scene.span.first_day
    due: defaultdict[date, list[str]] = defaultdict(list)
    for row in scene.milestones:
        due[row.due_on].append(row.name)
    months = [_heat(scene, scene.span.first.replace(month=number), first_day, most, due) for number in range(1, 13)]
    quarters = [
        {
            "number": number + 1,
            "months": months[3 * number : 3 * number + 3],
            "count": sum(month["count"] for month in months[3 * number : 3 * number + 3]),
            "bad": sum(month["bad"] for month in months[3 * number : 3 * number + 3]),
        }
        for number in range(4)
    ]
    return {
        "quarters": quarters,
        "most": most,
        "compared": _compared(scene),
        "steps": _steps(most),
        "milestones": [(row, _on_timeline(row)) for row in scene.milestones],
    }


def _on_timeline(row: Milestone) -> str:
    return f"{reverse('web:timeline')}?zoom=month&date={row.due_on.isoformat()}"


def _heat(scene: Scene, first: date, first_day: int, most: int, due: Mapping[date, Sequence[str]]) -> dict[str, Any]:
    length = monthrange(first.year, first.month)[1]
    days = [first + timedelta(days=step) for step in range(length)]
    found = [scene.days.get(day, year.Day(0, 0)) for day in days]
    cells_of = "".join(
        scene.pen.heat(
            day,
            one,
            cells.step_of(one.count, most),
            today=day == scene.today,
            milestones=due.get(day, ()),
        )
        for day, one in zip(days, found, strict=True)
    )
    return {
        "first": first,
        "url": scene.query.url("", view="month", day=first),
        "lead": (first.weekday() - first_day) % 7,
        "html": markup.safe(cells_of),
        "count": sum(one.count for one in found),
        "bad": sum(one.bad for one in found),
    }


def _compared(scene: Scene) -> str:
    """`+12 % on 2025` in a sentence; empty where there was nothing."""
    if not scene.last_year:
        return ""
    change = round(100 * (scene.total - scene.last_year) / scene.last_year)
    return _("%(change)s %% on %(year)s, which had %(count)s posts.") % {
        "change": f"{change:+d}",
        "year": scene.query.day.year - 1,
        "count": locale.number(scene.last_year),
    }


def _steps(most: int) -> list[tuple[int, str]]:
    """The heat map's steps with the numbers that they stand for."""
    steps: dict[int, list[int]] = {}
    for count in range(most + 1):
        steps.setdefault(cells.step_of(count, most), []).append(count)
    return [(step, f"{found[0]}–{found[-1]}" if len(found) > 1 else str(found[0])) for step, found in steps.items()]


# ---- the cells that something has changed


def touched(
    request: HttpRequest,
    visit: Visit,
    *,
    view: str,
    anchor: date,
    query: str,
    days: Iterable[date],
    pin: str = "",
    hours: Collection[tuple[date, int]] | None = None,
    with_tray: bool = False,
    of: Event | None = None,
) -> str:
    """The HTML, to be swapped out of band, of the cells of these days in that view with these filters; empty where the view shows
    none of them.

    pin: the key of an event that is drawn whatever else its cell holds. hours: of a week or a day, only these hours and those
    beside them (day, hour); else all of the days'. of: of a day, only this event's column. A year is drawn by its own page alone.
    """
    asked = read(QueryDict(f"{query}&view={view}&date={anchor.isoformat()}"), anchor)
    whole = span_for(visit, asked)
    shown = sorted(set(days) & set(whole.days))
    html = _tray_again(request, visit) if with_tray else ""
    if not shown or asked.view == "year":
        return html
    run = tuple(shown[0] + timedelta(days=number) for number in range((shown[-1] - shown[0]).days + 1))
    narrow = Span(asked.view, asked.day, run, whole.previous, whole.following)
    drawn = scene(request, visit, asked, span=narrow, pin=pin, out_of_band=True)
    by_day = cells.by_day(drawn.events)
    if asked.view == "month":
        return html + "".join(_day_cell(drawn, day, by_day.get(day, [])) for day in shown)
    wanted = None if hours is None else {(day, hour + step) for day, hour in hours for step in (-1, 0, 1)}
    if asked.view == "day":
        columns = [column for column in _columns(drawn) if of is None or _holds(column, of)]
    else:
        columns = [Column(day, by_day.get(day, []), spans.changes_of(day, drawn.zone)) for day in shown]
    return html + "".join(_touched_column(drawn, column, wanted) for column in columns)


def _holds(column: Column, event: Event) -> bool:
    return column.mark in (f"-{event.platform}", f"-a{event.account_id}")


def _touched_column(drawn: Scene, column: Column, wanted: Collection[tuple[date, int]] | None) -> str:
    by_hour = cells.grouped(column.events, lambda event: event.at.hour)
    return figures_of(drawn, column) + "".join(
        _slot(drawn, column, hour, by_hour.get(hour, []))
        for hour in range(24)
        if wanted is None or (column.day, hour) in wanted
    )


def _tray_again(request: HttpRequest, visit: Visit) -> str:
    context = {"tray": tray(request, visit), "out_of_band": True}
    return str(render_to_string("schedules/calendar/_tray.html", context, request=request))


# ---- what is not scheduled


@dataclass(frozen=True, slots=True)
class Loose:
    """Something to be dragged into the calendar. `kind`: "schedule" or "draft" (of the composer)."""

    html: SafeString
    kind: str


def tray(request: HttpRequest, visit: Visit) -> list[Loose]:
    """Draft schedules whose times have gone by, and what the person has begun to write; two queries."""
    if not shell_of(request).may.write:
        return []
    pen = Pen(now=visit.now)
    return [
        *(Loose(markup.safe(pen.loose(item)), "schedule") for item in unscheduled(visit.workspace, visit.now)),
        *(Loose(markup.safe(pen.begun(item)), "draft") for item in unsent(visit.person, visit.workspace)),
    ]


# ---- words


def title_of(span: Span) -> str:
    match span.view:
        case "day":
            return locale.long_day(span.anchor)
        case "week":
            return locale.days(span.first, span.last)
        case "year":
            return date_format(span.anchor, "Y")
        case _:
            return locale.month(span.anchor)
