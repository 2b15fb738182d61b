"""Puts the timeline of one address together: asks the reads, fills the lanes, has them written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from itertools import groupby
from typing import Any

from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy

from schedules.domain import planning
from schedules.models import Milestone
from schedules.reads import calendar
from schedules.reads import timeline as reads
from schedules.reads.calendar import Event
from schedules.reads.timeline import Links, Risk
from schedules.web import locale
from schedules.web.gate import Visit
from schedules.web.timeline import lanes as lane_kinds
from schedules.web.timeline.chips import Pen
from schedules.web.timeline.lanes import Lane
from schedules.web.timeline.placing import Track, most_a_day, place
from schedules.web.timeline.state import State, kept, read_state
from schedules.web.timeline.zooms import Stretch, stretch

RISK_WORDS: Mapping[str, str | Promise] = {
    "early": gettext_lazy("It stands before “%(other)s”, which it waits for."),
    "held": gettext_lazy("It waits for “%(other)s”, which is not going out as planned."),
    "milestone": gettext_lazy("It comes after “%(other)s”, the milestone of its campaign."),
    "late": gettext_lazy("Its time has passed and it is not out yet."),
    "sign_in": gettext_lazy("%(other)s needs signing in before it can go out."),
}
LONGEST_OTHER = 60
SHOWN_RISKS = 12


@dataclass(frozen=True, slots=True)
class Drawn:
    """A lane as it is written: its markup, and how many rows it takes."""

    lane: Lane
    html: SafeString
    rows: int
    is_open: bool = False


@dataclass(slots=True)
class Board:
    """All that the page says. path: the critical path, as posts' ids, group by group."""

    state: State
    stretch: Stretch
    given: QueryDict
    events: list[Event]
    links: Links
    milestones: list[Milestone]
    risks: list[Risk]
    paths: list[list[int]]
    lanes: list[Lane]
    pages: int = 1
    drawn: list[Drawn] = field(default_factory=list)

    @property
    def groups(self) -> list[tuple[str, list[Drawn]]]:
        return [(title, list(rows)) for title, rows in groupby(self.drawn, key=lambda item: item.lane.group)]


def risk_words(risk: Risk) -> str:
    return str(RISK_WORDS[risk.kind]) % {"other": Truncator(risk.other).chars(LONGEST_OTHER)}


def board(visit: Visit, given: QueryDict, *, only: int = 0) -> Board:
    """Seven or eight queries less those of the frame's. `only`: the id of the one account whose lane is wanted."""
    zone = timezone.get_current_timezone()
    state = read_state(given, timezone.localtime(visit.now).date())
    days = stretch(state.zoom, state.anchor, locale.first_weekday(visit.person))
    accounts = reads.accounts(visit.workspace) if state.by == "account" else []
    wanted = state.filters.wanted()
    if only:
        wanted = replace(wanted, accounts=[row.public_id for row in accounts if row.id == only])
    start, end = days.bounds(zone)
    name = timezone.get_current_timezone_name()
    events = calendar.events(visit.workspace, start=start, end=end, zone=name, now=visit.now, wanted=wanted)
    links = reads.links(visit.workspace)
    paths = planning.critical_paths(links.waits, links.times(events))
    if state.critical:
        on_path = {post for path in paths for post in path}
        events = [event for event in events if event.schedule_id in on_path]
    milestones = reads.milestones(visit.workspace, days.first, days.last)
    signed_out = {row.id for row in accounts if row.state == "needs_auth"}
    risks = reads.risks(events, links=links, milestones=milestones, signed_out=signed_out, now=visit.now)
    found = Board(state, days, given, events, links, milestones, risks, paths, _lanes(visit, state, events, accounts))
    _draw(visit, found, only)
    return found


def _lanes(visit: Visit, state: State, events: list[Event], accounts: list[reads.AccountName]) -> list[Lane]:
    match state.by:
        case "campaign":
            lanes = lane_kinds.by_campaign(events)
        case "person":
            names = reads.people({event.author_id for event in events if event.author_id})
            lanes = lane_kinds.by_person(events, names)
        case "type":
            lanes = lane_kinds.by_type(events)
        case _:
            lanes = lane_kinds.by_account(events, accounts, all_of_them=not state.filtered)
    return [lane for lane in lanes if state.lane in ("", lane.key)]


def _draw(visit: Visit, found: Board, only: int) -> None:
    state, days = found.state, found.stretch
    size = days.zoom.lanes
    found.pages = max(1, -(-len(found.lanes) // size))
    page = min(state.page, found.pages)
    shown = found.lanes[(page - 1) * size : page * size]
    if state.by == "campaign":
        _measure(visit, shown, days)
    most = _most(found.given) or most_a_day((lane.events for lane in shown), days.zoom.rows)
    first = _first(found)
    opened = next((lane.key for lane in shown if lane.count), "")
    pen = _pen(visit, found)
    for lane in shown:
        if only and (lane.account is None or lane.account.id != only):
            continue
        track = place(lane.events, days, per_day=most, first=first)
        html = pen.track(track, below=int(lane.bar is not None), whose=state.by != "account", rest=_rest(found, lane))
        found.drawn.append(Drawn(lane, html, _rows(track, lane), is_open=lane.key == opened))


def _most(given: QueryDict) -> int:
    """What `touched` is told, so that a lane keeps its height when it is written alone."""
    most = given.get("most", "")
    return int(most) if most.isascii() and most.isdecimal() and len(most) < 3 else 0


def _rows(track: Track, lane: Lane) -> int:
    return track.rows + int(bool(track.rests)) + int(lane.bar is not None)


def _measure(visit: Visit, lanes: Iterable[Lane], days: Stretch) -> None:
    ids = [int(lane.key) for lane in lanes if lane.key != lane_kinds.NONE]
    progress = reads.progress(visit.workspace, ids)
    for lane in lanes:
        if lane.key != lane_kinds.NONE:
            lane.progress = progress.get(int(lane.key))
            lane.bar = lane_kinds.bar(lane.progress, days, timezone.get_current_timezone())


def _first(found: Board) -> set[str]:
    """What must be seen: the picked post, and those that it is tied to."""
    picked = next((event for event in found.events if event.key == found.state.picked), None)
    if picked is None:
        return {found.state.picked} if found.state.picked else set()
    tied = {post.id for post in (*found.links.before(picked.schedule_id), *found.links.after(picked.schedule_id))}
    return {picked.key} | {event.key for event in found.events if event.schedule_id in tied}


def _pen(visit: Visit, found: Board) -> Pen:
    notes: dict[str, str] = {}
    for risk in found.risks:
        notes[risk.key] = " ".join(filter(None, (notes.get(risk.key), risk_words(risk))))
    rest_url = (
        f"{reverse('web:calendar_day')}?date="
        if found.state.by == "account"
        else f"{reverse('web:timeline')}?zoom=day&date="
    )
    return Pen(
        rest_url=rest_url,
        notes=notes,
        picked=found.state.picked,
        drawer=found.state.by == "account",
    )


def _rest(found: Board, lane: Lane) -> str:
    """What follows the day in the address behind "+n": the filters, and this lane."""
    if lane.account is None:
        return f"&{kept(found.given, lane=lane.key)}"
    return f"&{kept(found.given, by='', lane='', critical='', account=str(lane.account.public_id))}"


def touched(
    request: HttpRequest, visit: Visit, *, view: str, anchor: date | str, query: str, account_id: int, pin: str
) -> str:
    """The lane of one account as it is now, to take the place of the one on the page; empty where lanes are not accounts.

    view: `tl-day`, `tl-week` or `tl-month`. query: the page's `data-q`. pin: the key of an event that must be among those shown.
    """
    given = QueryDict(query, mutable=True)
    given["zoom"], given["date"], given["picked"] = view.removeprefix("tl-"), str(anchor), pin
    found = board(visit, given, only=account_id)
    if found.state.by != "account":
        return ""
    return "".join(
        render_to_string(
            "schedules/timeline/_lane.html",
            {"item": item, "swap": True, "lane_base": lane_base(found)},
            request=request,
        )
        for item in found.drawn
    )


def lane_query(found: Board) -> str:
    """The page's `data-q`: what `touched` needs to write a lane as it stands there."""
    most = _most(found.given) or most_a_day((lane.events for lane in found.lanes), found.stretch.zoom.rows)
    return "&".join(filter(None, (found.state.query, f"most={most}")))


def columns(found: Board) -> list[dict[str, Any]]:
    """The axis: hours of a day, else days. x, w: where; each with what it is called."""
    days = found.stretch
    if days.zoom.name == "day":
        step = 60 // days.zoom.slot
        return [{"hour": locale.clock(time(hour)), "x": hour * step + 1, "w": step} for hour in range(24)]
    return [{"day": day, "x": days.column_of_day(day), "w": days.zoom.per_day} for day in days.dates]


def address(found: Board, **changed: Any) -> str:
    """The same timeline with some of its address changed."""
    zoom = changed.pop("zoom", found.state.zoom.name)
    day = changed.pop("date", found.state.anchor)
    more = "".join(f"&{name}={changed.pop(name)}" for name in ("picked", "page") if changed.get(name))
    changed = {name: value for name, value in changed.items() if name not in ("picked", "page")}
    rest = kept(found.given, **changed)
    return f"{reverse('web:timeline')}?zoom={zoom}&date={day.isoformat()}{f'&{rest}' if rest else ''}{more}"


def lane_base(found: Board) -> str:
    """Ends where the key of the only lane to be shown goes."""
    return f"{address(found, lane='')}&lane="
