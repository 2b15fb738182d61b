"""The calendar: a view of it, one day's posts, what is on or off, verbs on what was ticked, exports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language_bidi, ngettext, ngettext_lazy
from django.utils.translation import gettext as _

from alwrity_scheduler.workspaces.roles import Action
from alwrity_scheduler.workspaces.services import arrange
from schedules.models import SavedView, Schedule
from schedules.reads.choices import choices
from schedules.reads.choices import labels as known_labels
from schedules.web.calendar import bulk, cells, exports, layers, markup, menus, parts, spans
from schedules.web.calendar.parts import Scene
from schedules.web.calendar.query import Query, read
from schedules.web.calendar.query import is_uuid as _is_uuid
from schedules.web.context import shell_of
from schedules.web.gate import Visit, done, next_url, screen, show, wants_part

MOST_IN_DRAWER = 300


@screen()
def calendar(request: HttpRequest, visit: Visit) -> HttpResponse:
    query = _asked(request, visit)
    whole = not wants_part(request)
    saved = list(SavedView.objects.of(visit.person, visit.workspace, "calendar", "overlay")) if whole else None
    needs_names = whole or bool(query.account or query.campaign or query.person)
    known = choices(visit.workspace) if needs_names else None
    scene = parts.scene(request, visit, query, known=known, saved=saved)
    context = {
        **_around(request, scene),
        **parts.body(scene),
        "menus": menus.filters(query, known) if known else [],
        "chips": menus.chips(query, known),
        "counts": [*((name, len(getattr(query, name))) for name in menus.MENUS), ("layers", scene.layers.count)],
    }
    if whole and known is not None:
        context |= {
            "views": [row for row in saved or () if row.page == "calendar"],
            "own_overlays": [row for row in saved or () if row.page == "overlay"],
            "layer_menus": menus.of_layers(query, scene.layers, known, saved or ()),
            "tray": parts.tray(request, visit),
            "has_accounts": bool(known.accounts),
        }
    response = show(request, "schedules/calendar/page.html", "schedules/calendar/_part.html", context)
    if not whole and not context["refresh"]:
        response.headers["HX-Push-Url"] = context["here"]
    return response


def _asked(request: HttpRequest, visit: Visit) -> Query:
    return read(request.GET, timezone.localtime(visit.now).date())


def _around(request: HttpRequest, scene: Scene) -> dict[str, Any]:
    """What every view has around it."""
    query, span, path = scene.query, scene.span, request.path
    today = scene.today
    return {
        "title": _("Calendar"),
        "query": query,
        "span": span,
        "scene": scene,
        "heading": parts.title_of(span),
        "total": scene.total,
        "here": query.url(path),
        "previous_url": query.url(path, day=span.previous),
        "next_url": query.url(path, day=span.following),
        "today_url": query.url(path, day=today),
        "view_links": [
            (name, words, query.url(path, view=name), name == query.view, key)
            for name, words, key in (
                ("day", _("Day"), "1"),
                ("week", _("Week"), "2"),
                ("month", _("Month"), "3"),
                ("year", _("Year"), "4"),
            )
        ],
        "hours_url": query.url(path, hours="" if query.hours else "all"),
        "by_url": query.url(path, by="platform" if query.by == "account" else "account"),
        "select_url": query.url(path, select=not query.select),
        "print_url": f"{query.url(path)}&every=1",
        "export_urls": [(kind, query.url(reverse("web:calendar_export", args=[kind]))) for kind in ("ics", "csv")],
        "clear_url": query.bare().url(path),
        "hidden_count": scene.layers.count,
        "legend": markup.legend(),
        "zone_words": scene.zone.key,
        "now": scene.now,
        "refresh": request.headers.get("HX-Trigger") == "cal",
        "rtl": get_language_bidi(),
    }


@screen()
def labels(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The boxes of the menu of labels, asked for when it is opened."""
    query = _asked(request, visit)
    found = known_labels(visit.workspace)
    options = [menus.Option(value, value, value in query.label) for value in dict.fromkeys([*query.label, *found])]
    response = render(
        request, "schedules/calendar/_labels.html", {"menu": menus.Menu("label", menus.MENUS["label"], options)}
    )
    response.headers["Cache-Control"] = "no-store"
    return response


# ---- layers


@screen("POST")
def switch_layers(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Remember for this person what is shown; without any list, everything is shown again."""
    kinds = (*layers.KINDS, "overlay")
    listed = {kind: request.POST.getlist(f"listed_{kind}") for kind in kinds}
    shown = {kind: request.POST.getlist(f"shown_{kind}") for kind in kinds}
    old = layers.remembered(visit.person.layout)
    everything = not any(listed.values())
    new = layers.Layers({}, old.overlays) if everything else layers.switched(old, listed=listed, shown=shown)
    arrange(person=visit.person, page="calendar", values=new.stored())
    response = HttpResponseRedirect(next_url(request, reverse("web:calendar")))
    response.status_code = 303
    return response


# ---- one day, or one hour of it


@screen()
def day(request: HttpRequest, visit: Visit) -> HttpResponse:
    """All posts of a day or an hour with the filters that are on: for the drawer, and as a page of its own."""
    query = _asked(request, visit)
    text = request.GET.get("hour", "")
    hour = int(text) if text.isascii() and text.isdecimal() and int(text) < 24 else None
    span = spans.span_of("day", query.day, 0)
    scene = parts.scene(request, visit, replace(query, view="month"), span=span)
    found = [event for event in scene.events if hour is None or event.at.hour == hour]
    changes = spans.changes_of(query.day, scene.zone)
    twice = {at for at, change in changes.items() if change.kind == "fold"}
    items = [markup.safe(scene.pen.event(event, with_zone=event.at.hour in twice)) for event in found[:MOST_IN_DRAWER]]
    context = {
        "title": _("Calendar"),
        "query": query,
        "heading": parts.title_of(span),
        "hour": None if hour is None else f"{hour:02}:00",
        "items": items,
        "total": len(found),
        "left_out": len(found) - len(items),
        "conflicts": sum(event.near is not None for event in found),
        "bad": sum(cells.needs_a_person(event) for event in found),
        "back": query.url(reverse("web:calendar")),
        "day_url": query.url(reverse("web:calendar"), view="day"),
        "new_url": _new_url(visit, request, query, hour),
    }
    return show(request, "schedules/calendar/day.html", "schedules/calendar/_drawer.html", context)


def _new_url(visit: Visit, request: HttpRequest, query: Query, hour: int | None) -> str:
    local = timezone.localtime(visit.now)
    at = (query.day, 9 if hour is None else hour)
    if not shell_of(request).may.write or at < (local.date(), local.hour if hour is not None else 0):
        return ""
    return f"{reverse('web:schedule_new')}?at={at[0].isoformat()}T{at[1]:02}:00"


# ---- verbs on what was ticked

DONE = {
    "pause": ngettext_lazy("Paused %(n)d schedule.", "Paused %(n)d schedules.", "n"),
    "resume": ngettext_lazy("Resumed %(n)d schedule.", "Resumed %(n)d schedules.", "n"),
    "archive": ngettext_lazy("Archived %(n)d schedule.", "Archived %(n)d schedules.", "n"),
    "restore": ngettext_lazy(
        "Brought %(n)d schedule back from the archive.", "Brought %(n)d schedules back from the archive.", "n"
    ),
    "shift": ngettext_lazy("Moved %(n)d post.", "Moved %(n)d posts.", "n"),
}
MOST_UNDONE = 50


@screen("POST")
def act_on_ticked(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Fields: event (keys), verb, days, next. From the address too, with schedules instead of events: that is how it is undone."""
    data = request.POST if "verb" in request.POST else request.GET
    visit.require(Action.OPERATE)
    verb, back = data.get("verb", ""), next_url(request, reverse("web:calendar"))
    keys = data.getlist("event")[: bulk.MOST]
    if verb not in DONE:
        raise Http404
    if not keys and not data.getlist("schedule"):
        return done(request, _("Tick at least one post first."), back, level=messages.WARNING)
    if verb == "shift":
        outcome, undo = _shifted(visit, keys, data.get("days", ""))
        if outcome is None:
            words = _("Say by how many days: a whole number from 1 to 366, or below zero for earlier.")
            return done(request, words, back, level=messages.ERROR)
    else:
        outcome, undo = _acted(visit, keys, data.getlist("schedule"), verb)
    return done(
        request, _told(verb, outcome), back, undo=undo, level=messages.SUCCESS if outcome.done else messages.ERROR
    )


def _acted(visit: Visit, keys: list[str], public_ids: list[str], verb: str) -> tuple[bulk.Outcome, str]:
    if public_ids:
        ids = [value for value in public_ids[: bulk.MOST] if _is_uuid(value)]
        schedules = list(Schedule.objects.within(visit.workspace).filter(public_id__in=ids).order_by("pk"))
    else:
        schedules = bulk.schedules_of(visit.workspace, keys)
    outcome = bulk.act(schedules, verb, actor=visit.actor, now=visit.now)
    undo = bulk.VERBS[verb][1]
    return outcome, _undo_url(verb=undo, schedule=outcome.done) if undo else ""


def _shifted(visit: Visit, keys: list[str], text: str) -> tuple[bulk.Outcome | None, str]:
    try:
        days = int(text)
    except ValueError:
        days = 0
    if not days or abs(days) > bulk.FURTHEST:
        return None, ""
    zone = timezone.get_current_timezone_name()
    outcome = bulk.shift(
        visit.workspace, keys, days=days, zone=zone, actor=visit.actor, now=visit.now, person=visit.person
    )
    return outcome, _undo_url(verb="shift", days=-days, event=outcome.done)


def _undo_url(**values: Any) -> str:
    names = values.get("event") or values.get("schedule") or []
    return f"{reverse('web:calendar_bulk')}?{urlencode(values, doseq=True)}" if 0 < len(names) <= MOST_UNDONE else ""


def _told(verb: str, outcome: bulk.Outcome) -> str:
    words = [str(DONE[verb] % {"n": len(outcome.done)})] if outcome.done else []
    if outcome.refused:
        left = ngettext(
            "%(n)d was left as it is: %(why)s", "%(n)d were left as they are: %(why)s", len(outcome.refused)
        )
        words.append(left % {"n": len(outcome.refused), "why": " ".join(dict.fromkeys(outcome.refused))[:400]})
    return " ".join(words) or _("Nothing was changed: these posts are no longer there.")


# ---- files

MOST_EXPORTED = 20_000


@screen()
def export(request: HttpRequest, visit: Visit, kind: str) -> HttpResponse:
    """What the view shows, as a file: all of its posts, with the filters and layers that are on."""
    if kind not in ("ics", "csv"):
        raise Http404
    query = _asked(request, visit)
    found = parts.exported(visit, query)
    if len(found) > MOST_EXPORTED:
        words = _("These are more than 20,000 posts. Choose a shorter span or fewer of them.")
        return done(request, words, query.url(reverse("web:calendar")), level=messages.ERROR)
    zone = timezone.get_current_timezone_name()
    if kind == "csv":
        content = exports.table(found, zone=zone, site=settings.PUBLIC_URL)
    else:
        content = exports.icalendar(found, name=visit.workspace.name, now=visit.now, site=settings.PUBLIC_URL)
    name = f"calendar-{query.view}-{query.day.isoformat()}.{kind}"
    types = {"csv": "text/csv; charset=utf-8", "ics": "text/calendar; charset=utf-8"}
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=types[kind], headers=headers)
