"""The timeline: posts in lanes, milestones, and what waits for what."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.querysets import opened_for
from alwrity_scheduler.workspaces.roles import Action
from schedules.models import Campaign, Dependency, Milestone, SavedView, Schedule
from schedules.reads import timeline as reads
from schedules.reads.choices import choices
from schedules.reads.timeline import Risk
from schedules.services import planning
from schedules.web.calendar.markup import LOOKS, event_url, legend
from schedules.web.calendar.parts import title_of
from schedules.web.calendar.spans import span_of
from schedules.web.context import shell_of
from schedules.web.gate import Visit, done, leave, refused, screen, show, wants_part
from schedules.web.planning_forms import MilestoneForm
from schedules.web.templatetags.ui import platform_name
from schedules.web.timeline import parts
from schedules.web.timeline.parts import Board
from schedules.web.timeline.state import BY, kept
from schedules.web.timeline.zooms import ZOOMS
from schedules.web.words import TYPES

ZOOM_WORDS = {"day": gettext_lazy("Day"), "week": gettext_lazy("Week"), "month": gettext_lazy("Month")}
BY_WORDS = {
    "account": gettext_lazy("Account"),
    "campaign": gettext_lazy("Campaign"),
    "person": gettext_lazy("Person"),
    "type": gettext_lazy("Type"),
}
MOST_CAMPAIGNS = 500


@screen()
def timeline(request: HttpRequest, visit: Visit) -> HttpResponse:
    found = parts.board(visit, request.GET)
    context = _context(request, visit, found)
    if not wants_part(request):
        context |= _toolbar(visit, found)
    return show(request, "schedules/timeline/page.html", "schedules/timeline/_part.html", context)


def _context(request: HttpRequest, visit: Visit, found: Board) -> dict[str, Any]:
    state, days = found.state, found.stretch
    today = timezone.localtime(visit.now)
    risks = _risks(found)
    marks = [row for row in found.milestones if days.first <= row.due_on <= days.last]
    return {
        "title": _("Timeline"),
        "part": wants_part(request),
        "board": found,
        "state": state,
        "days": days,
        "heading": title_of(span_of(state.zoom.name, state.anchor, days.first.weekday())),
        "columns": parts.columns(found),
        "today": today.date(),
        "now_x": days.column(today) if days.first <= today.date() <= days.last else 0,
        "lane_query": parts.lane_query(found),
        "previous_url": parts.address(found, date=days.previous),
        "today_url": parts.address(found, date=today.date()),
        "following_url": parts.address(found, date=days.following),
        "zooms": [(name, ZOOM_WORDS[name], parts.address(found, zoom=name)) for name in ZOOMS],
        "groupings": [
            (name, BY_WORDS[name], parts.address(found, by="" if name == "account" else name, lane="")) for name in BY
        ],
        "critical_url": parts.address(found, critical="" if state.critical else "1"),
        "all_lanes_url": parts.address(found, lane=""),
        "lane_base": parts.lane_base(found),
        "page_urls": [(number, parts.address(found, page=number)) for number in range(1, found.pages + 1)],
        "page": min(state.page, found.pages),
        "clear_url": f"{reverse('web:timeline')}?zoom={state.zoom.name}&date={state.anchor.isoformat()}",
        "here": parts.address(found),
        "self_url": parts.address(found, picked=state.picked, page=state.page if state.page > 1 else ""),
        "milestones": [(row, days.column_of_day(row.due_on)) for row in marks],
        "open_milestones": [row for row in found.milestones if row.done_at is None or row in marks],
        "risks": risks[: parts.SHOWN_RISKS],
        "more_risks": len(risks) - parts.SHOWN_RISKS,
        "paths": [_path(found, path) for path in found.paths] if state.critical else [],
        "may_write": shell_of(request).may.write,
        "legend": legend(),
        "exports": _exports(found),
        "kept_pairs": [("zoom", state.zoom.name), *parse_qsl(state.query)],
        "view_query": "&".join(filter(None, (f"zoom={state.zoom.name}", state.query))),
        "picked": _picked(visit, found),
    }


def _risks(found: Board) -> list[tuple[Risk, str, str]]:
    """Each with its words and where to pick it; all posts that come after one milestone are one of them."""
    after = Counter(risk.other for risk in found.risks if risk.kind == "milestone")
    told = set[str]()
    shown = []
    for risk in found.risks:
        words = parts.risk_words(risk)
        if risk.kind == "milestone" and after[risk.other] > 1:
            if risk.other in told:
                continue
            told.add(risk.other)
            many = ngettext(
                "It and %(n)s other post come after “%(other)s”, the milestone of their campaign.",
                "It and %(n)s other posts come after “%(other)s”, the milestone of their campaign.",
                after[risk.other] - 1,
            )
            words = many % {"n": after[risk.other] - 1, "other": risk.other}
        shown.append((risk, words, parts.address(found, picked=risk.key)))
    return shown


def _path(found: Board, path: list[int]) -> list[tuple[Any, str]]:
    """The posts of one critical path, each with where to pick it; empty where it is not shown."""
    keys = {event.schedule_id: event.key for event in reversed(found.events)}
    return [(found.links.posts[post], parts.address(found, picked=keys[post]) if post in keys else "") for post in path]


def _exports(found: Board) -> list[tuple[str, str]]:
    """The calendar's files, of these days and filters."""
    rest = kept(found.given, by="", lane="", critical="")
    query = f"?view={found.state.zoom.name}&date={found.state.anchor.isoformat()}{f'&{rest}' if rest else ''}"
    return [(kind, reverse("web:calendar_export", args=[kind]) + query) for kind in ("ics", "csv")]


def _picked(visit: Visit, found: Board) -> dict[str, Any] | None:
    """The post that is looked at, what it waits for and what waits for it, and the events to draw lines between."""
    key = found.state.picked
    schedule = reads.picked(visit.workspace, key) if key else None
    if schedule is None:
        return None
    at = {event.schedule_id: event for event in reversed(found.events)}
    before, after = found.links.before(schedule.pk), found.links.after(schedule.pk)
    lines = [(at[post.id].key, key) for post in before if post.id in at]
    lines += [(key, at[post.id].key) for post in after if post.id in at]
    event = next((event for event in found.events if event.key == key), None)
    sign, word = LOOKS[event.look] if event else ("", "")
    return {
        "schedule": schedule,
        "event": event,
        "icon": sign,
        "word": word,
        "url": event_url(key),
        "before": before,
        "after": after,
        "lines": lines,
        "risks": [parts.risk_words(risk) for risk in found.risks if risk.key == key],
    }


def _toolbar(visit: Visit, found: Board) -> dict[str, Any]:
    """The filters, which stand outside of what is swapped."""
    known, filters = choices(visit.workspace), found.state.filters
    menus: list[tuple[str, str, list[tuple[str, Any]]]] = [
        ("platform", _("Platform"), [(name, platform_name(name)) for name in known.platforms]),
        ("account", _("Account"), [(item.value, item.name) for item in known.accounts]),
        ("status", _("Status"), [(look, word) for look, (_icon, word) in LOOKS.items()]),
        ("campaign", _("Campaign"), [(item.value, item.name) for item in known.campaigns]),
        ("type", _("Type"), list(TYPES.items())),
        ("person", _("Person"), [(item.value, item.name) for item in known.people]),
    ]
    views = SavedView.objects.of(visit.person, visit.workspace, "timeline").select_related("person")
    return {
        "menus": [
            {
                "name": name,
                "title": title,
                "options": [(value, label, value in getattr(filters, name)) for value, label in options],
                "on": len(getattr(filters, name)),
            }
            for name, title, options in menus
            if options
        ],
        "views": list(views),
    }


# ---- milestones


@screen("GET", "HEAD", "POST")
def milestone_new(request: HttpRequest, visit: Visit) -> HttpResponse:
    visit.require(Action.WRITE)
    form = _form(request, visit, {"due_on": request.GET.get("due_on", "")})
    if request.method == "POST" and form.is_valid():
        try:
            row = planning.create_milestone(
                workspace=visit.workspace, actor=visit.actor, now=visit.now, **form.values()
            )
        except Refused as error:
            form.refuse(error.problems)
        else:
            undo = reverse("web:milestone_act", args=[row.public_id, "remove"])
            return leave(request, _("Added the milestone “%(name)s”.") % {"name": row.name}, _back(request), undo=undo)
    return _show_form(request, form, _("New milestone"), reverse("web:milestone_new"))


@screen("GET", "HEAD", "POST")
def milestone(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _milestone(visit, public_id)
    visit.require(Action.WRITE, row.workspace)
    campaign = str(row.campaign.public_id) if row.campaign else ""
    form = _form(request, visit, {"name": row.name, "due_on": row.due_on, "campaign": campaign})
    if request.method == "POST" and form.is_valid():
        try:
            planning.edit_milestone(milestone=row, changes=form.values(), actor=visit.actor, now=visit.now)
        except Refused as error:
            form.refuse(error.problems)
        else:
            return leave(request, _("Saved the milestone “%(name)s”.") % {"name": row.name}, _back(request))
    return _show_form(request, form, _("Edit milestone"), reverse("web:milestone", args=[public_id]))


@screen("POST")
def milestone_act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    row = _milestone(visit, public_id, removed=verb == "restore")
    visit.require(Action.WRITE, row.workspace)
    by: dict[str, Any] = {"milestone": row, "actor": visit.actor, "now": visit.now}
    match verb:
        case "done":
            planning.mark_done(done=True, **by)
            words, back = _("“%(name)s” is reached."), "reopen"
        case "reopen":
            planning.mark_done(done=False, **by)
            words, back = _("“%(name)s” is not reached yet."), "done"
        case "remove":
            planning.remove_milestone(**by)
            words, back = _("Removed the milestone “%(name)s”."), "restore"
        case "restore":
            planning.restore_milestone(**by)
            words, back = _("The milestone “%(name)s” is back."), "remove"
        case _:
            raise Http404
    undo = reverse("web:milestone_act", args=[public_id, back])
    return done(request, words % {"name": row.name}, _back(request), undo=undo)


def _milestone(visit: Visit, public_id: UUID, *, removed: bool = False) -> Milestone:
    rows = Milestone.objects.visible_to(visit.person).filter(removed_at__isnull=not removed)
    found: Milestone = get_object_or_404(rows.select_related("workspace", "campaign"), public_id=public_id)
    return found


def _form(request: HttpRequest, visit: Visit, initial: dict[str, Any]) -> MilestoneForm:
    campaigns = list(Campaign.objects.filter(workspace=visit.workspace).order_by("name", "id")[:MOST_CAMPAIGNS])
    return MilestoneForm(request.POST if request.method == "POST" else None, initial=initial, campaigns=campaigns)


def _show_form(request: HttpRequest, form: MilestoneForm, title: str, action: str) -> HttpResponse:
    context = {"title": title, "form": form, "action": action, "back": _back(request)}
    status = 422 if form.is_bound else 200
    return show(
        request, "schedules/timeline/milestone.html", "schedules/timeline/_milestone_form.html", context, status=status
    )


def _back(request: HttpRequest, fallback: str = "") -> str:
    """Where the person came from, if that is one of our own addresses: from the form, else from the address."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()})
    return wanted if own else fallback or reverse("web:timeline")


# ---- what waits for what


@screen()
def dependencies(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """What a post waits for, and a search for more. htmx gets what was found."""
    row = _schedule(visit, public_id)
    links = reads.links(row.workspace)
    before, words = links.before(row.pk), request.GET.get("find", "")[:100]
    context = {
        "title": _("What it waits for"),
        "schedule": row,
        "before": before,
        "after": links.after(row.pk),
        "find": words,
        "found": reads.search(row.workspace, words, but=[row.pk, *(post.id for post in before)]),
        "may_write": visit.may(Action.WRITE, row.workspace),
        "back": _back(request, reverse("web:schedule_dependencies", args=[public_id])),
    }
    return show(request, "schedules/timeline/dependencies.html", "schedules/timeline/_found.html", context)


@screen("POST")
def dependency_act(request: HttpRequest, visit: Visit, public_id: UUID, other: UUID, verb: str) -> HttpResponse:
    row = _schedule(visit, public_id)
    visit.require(Action.WRITE, row.workspace)
    before = _schedule(visit, other)
    back = _back(request, reverse("web:schedule_dependencies", args=[public_id]))
    names = {"name": row, "other": before}
    if verb == "add":
        try:
            planning.depend(schedule=row, waits_for=before, actor=visit.actor, now=visit.now)
        except Refused as error:
            return refused(request, error, back)
        undo = reverse("web:dependency_act", args=[public_id, other, "remove"])
        return done(request, _("“%(name)s” now waits for “%(other)s”.") % names, back, undo=undo)
    if verb != "remove":
        raise Http404
    link = Dependency.objects.filter(schedule=row, waits_for=before).first()
    if link is not None:
        planning.undepend(dependency=link, actor=visit.actor, now=visit.now)
    undo = reverse("web:dependency_act", args=[public_id, other, "add"])
    return done(request, _("“%(name)s” no longer waits for “%(other)s”.") % names, back, undo=undo)


def _schedule(visit: Visit, public_id: UUID) -> Schedule:
    rows = Schedule.objects.visible_to(visit.person).select_related("content", "workspace")
    found: Schedule = get_object_or_404(rows, public_id=public_id)
    opened_for(found.workspace, visit.person)
    return found
