"""One post on the calendar: its preview, what another time would mean, and the move."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alwrity_scheduler.core.errors import Problem, Refused, StaleVersion
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.domain import localtime
from schedules.domain.states import JobState, ScheduleState
from schedules.models import Job, Schedule
from schedules.reads import calendar
from schedules.reads.calendar import Event
from schedules.services import moving, recovery
from schedules.services.moving import Moved
from schedules.web import locale
from schedules.web.calendar import parts
from schedules.web.gate import Visit, done, next_url, screen, show, toasts, wants_part
from schedules.web.moving_forms import MoveEventForm
from schedules.web.templatetags.ui import moment
from schedules.web.timeline import parts as lanes

HOLDS = {ScheduleState.ACTIVE: "pause", ScheduleState.PAUSED: "resume"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A free time: `at` is its wall clock as forms send it."""

    at: str
    words: str


def zone_of_person() -> str:
    return timezone.get_current_timezone_name()


def find(visit: Visit, key: str) -> Event:
    found = calendar.one(visit.workspace, key, zone=zone_of_person(), now=visit.now)
    if found is None:
        raise Http404
    return found


@screen()
def event(request: HttpRequest, visit: Visit, key: str) -> HttpResponse:
    """The preview beside an event; without script, and for links, a page with the same and a form that moves it."""
    return _show(request, visit, find(visit, key), MoveEventForm())


def _show(request: HttpRequest, visit: Visit, found: Event, form: MoveEventForm, status: int = 200) -> HttpResponse:
    context = {**_described(visit, found), **_near(visit, found)}
    context |= {"form": form, "next": _came_from(request, found), "is_page": not wants_part(request)}
    return show(request, "schedules/calendar/event.html", "schedules/calendar/_peek.html", context, status=status)


def _described(visit: Visit, found: Event) -> dict[str, Any]:
    """The event, and what this person may do with it."""
    schedules = Schedule.objects.visible_to(visit.person).select_related("content", "workspace")
    schedule = get_object_or_404(schedules.prefetch_related("targets"), pk=found.schedule_id)
    account = get_object_or_404(PlatformAccount, workspace=visit.workspace, pk=found.account_id)
    job = get_object_or_404(Job, workspace=visit.workspace, public_id=found.public_id) if found.is_job else None
    own = next((target for target in schedule.targets.all() if target.account_id == account.pk), None)
    zone = zone_of_person()
    lives = schedule.state != ScheduleState.ARCHIVED
    return {
        "title": found.title,
        "event": found,
        "at": _stamp(found.at),
        "url": reverse("web:event", args=[found.key]),
        "schedule": schedule,
        "account": account,
        "job": job,
        "others": max(len(schedule.targets.all()) - 1, 0),
        "text": (own.text if own and own.text else "") or schedule.content.text,
        "other_zone": account.timezone != zone and found.at.utcoffset() != _offset(found.at, account.timezone),
        "open_url": reverse("web:job", args=[job.public_id])
        if job
        else reverse("web:schedule", args=[schedule.public_id]),
        "hold": HOLDS.get(ScheduleState(schedule.state), ""),
        "may_write": visit.may(Action.WRITE),
        "may_edit": visit.may(Action.WRITE) and lives,
        "may_move": visit.may(Action.WRITE) and lives and not found.fixed,
        "may_operate": visit.may(Action.OPERATE),
        "may_retry": job is not None and job.state in (JobState.FAILED, JobState.MISSED),
        **_publish_now(schedule, job, account, found),
    }


def _offset(at: datetime, zone: str) -> Any:
    return at.astimezone(localtime.zone(zone)).utcoffset()


def _publish_now(schedule: Schedule, job: Job | None, account: PlatformAccount, found: Event) -> dict[str, str]:
    """Where the verb goes and what it does, in words; empty where it makes no sense."""
    if job is not None:
        if job.state != JobState.PENDING or found.look == "paused":
            return {"now_url": "", "now_words": ""}
        words = _("It goes out on %(account)s at once. This cannot be undone.") % {"account": account.name}
        return {"now_url": reverse("web:job_act", args=[job.public_id, "run-now"]), "now_words": words}
    if schedule.state in (ScheduleState.ARCHIVED, ScheduleState.PAUSED, ScheduleState.FINISHED):
        return {"now_url": "", "now_words": ""}
    count = len(schedule.targets.all())
    words = ngettext(
        "It goes out on %(n)d account at once. This cannot be undone.",
        "It goes out on %(n)d accounts at once. This cannot be undone.",
        count,
    ) % {"n": count}
    return {"now_url": reverse("web:schedule_act", args=[schedule.public_id, "publish-now"]), "now_words": words}


def _near(visit: Visit, found: Event) -> dict[str, Any]:
    """What is in the event's way, where anything could be, and the free times beside it."""
    if found.look not in calendar.LIVE:
        return {"conflict": "", "free": []}
    conflict, free = _beside(visit, found.key, found.at)
    return {"conflict": conflict, "free": [] if found.fixed else free}


def _beside(visit: Visit, key: str, at: datetime) -> tuple[str, list[Suggestion]]:
    """What would be in the event's way at `at`, in words, and the nearest free times then."""
    zone = zone_of_person()
    near = moving.near(visit.workspace, key, at, zone=zone, now=visit.now)
    if not near:
        return "", []
    free = moving.free(visit.workspace, key, at, zone=zone, now=visit.now)
    return _conflict(near[0]), [Suggestion(_stamp(spot), _short(spot, at)) for spot in free]


def _conflict(near: Event) -> str:
    return _("Too close to “%(title)s” at %(time)s.") % {
        "title": near.title,
        "time": locale.clock(timezone.localtime(near.at)),
    }


def _short(at: datetime, other: datetime) -> str:
    """The time of day alone where the day is the same."""
    local = timezone.localtime(at)
    same = local.date() == timezone.localtime(other).date()
    return locale.clock(local) if same else locale.stamp(local)


def _stamp(at: datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%dT%H:%M}"


def _words(at: datetime) -> str:
    return unescape(strip_tags(moment(at)))


def _came_from(request: HttpRequest, found: Event) -> str:
    """The calendar as the person left it, else the month of the event."""
    for wanted in (request.GET.get("next", ""), request.POST.get("next", ""), _path(request)):
        if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}):
            return wanted
    return f"{reverse('web:calendar')}?{urlencode({'date': found.at.date().isoformat()})}"


def _path(request: HttpRequest) -> str:
    here = urlsplit(request.headers.get("HX-Current-URL", ""))
    return f"{here.path}?{here.query}" if here.query else here.path


@screen()
def check(request: HttpRequest, visit: Visit, key: str) -> HttpResponse:
    """What a move to `at` would mean, as JSON: {at: that time in words, no: why it cannot be, note: what clocks make of it,
    conflict: what is in the way, free: [{at, words}] the nearest free times}."""
    found = find(visit, key)
    form = MoveEventForm({"at": request.GET.get("at", ""), "version": found.version})
    if not form.is_valid():
        return _json({"no": " ".join(str(text) for text in form.errors.get("at", []))}, status=422)
    zone, wanted = zone_of_person(), form.to_local()
    try:
        at = recovery.slot(to_local=wanted, timezone=zone, now=visit.now)
    except Refused as error:
        return _json({"no": _said(error)})
    conflict, free = _beside(visit, key, at)
    return _json(
        {"at": _words(at), "note": moving.note(wanted, zone), "conflict": conflict, "free": list(map(asdict, free))}
    )


def _json(told: dict[str, Any], status: int = 200) -> JsonResponse:
    empty: dict[str, Any] = {"at": "", "no": "", "note": "", "conflict": "", "free": []}
    response = JsonResponse(empty | told, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _said(error: Refused) -> str:
    return " ".join(problem.message for problem in error.problems)


# ---- the move


@screen("POST")
def move(request: HttpRequest, visit: Visit, key: str) -> HttpResponse:
    """Move the event. A page with a calendar gets the parts that changed, any other is sent on. An undo is the same call, with
    what it needs in its address."""
    visit.require(Action.WRITE)
    form = MoveEventForm(_given(request))
    if not form.is_valid():
        problems = [Problem(field=name, message=str(text)) for name, texts in form.errors.items() for text in texts]
        return _refused(request, visit, key, form, Refused(problems))
    try:
        moved = moving.move(
            workspace=visit.workspace, key=key, to_local=form.to_local(), zone=zone_of_person(),
            version=form.cleaned_data["version"], scope=form.cleaned_data["scope"], actor=visit.actor, now=visit.now,
            person=visit.person,
        )  # fmt: skip
    except Refused as error:
        return _refused(request, visit, key, form, error)
    words, undo = _told(moved, visit.now, is_back=form.cleaned_data["back"]), _undo(moved, form)
    to = reverse("web:event", args=[moved.event.key])
    if not wants_part(request):
        back = next_url(request, to)
        return done(request, words, to if _is_of_event(back) else back, undo=undo)
    whole = moved.scope != "one" or moved.event.recurring or moved.accounts > 1
    detail = {"key": moved.event.key, "at": _stamp(moved.at), "whole": whole}
    return _answer(
        _redrawn(request, visit, form, [moved.old, moved.at, _was(form)], moved.event),
        toast={"text": words, "level": "success", "undo": undo},
        after={"moved": detail},
    )


def _given(request: HttpRequest) -> QueryDict:
    """The address holds what an undo needs, the form what a person says: the form goes before."""
    given = request.GET.copy()
    for name, values in request.POST.lists():
        given.setlist(name, values)
    return given


def _is_of_event(path: str) -> bool:
    """The page of an event, whose key may have changed with the move."""
    return urlsplit(path).path.startswith(reverse("web:calendar") + "e/")


def _was(form: MoveEventForm) -> datetime | None:
    was = form.cleaned_data.get("was")
    return timezone.make_aware(was) if was else None


def _told(moved: Moved, now: datetime, *, is_back: bool) -> str:
    names = {"title": moved.event.title, "at": _words(moved.at)}
    if is_back:
        first = _("Moved “%(title)s” back to %(at)s.") % names
    elif moved.scope == "following":
        first = _("Moved “%(title)s” to %(at)s, and all that follow with it.") % names
    elif moved.scope == "all":
        first = _("Moved “%(title)s” to %(at)s, and all its other times with it.") % names
    else:
        first = _("Moved “%(title)s” to %(at)s.") % names
    return " ".join(filter(None, [first, *_remarks(moved, now, is_back=is_back)]))


def _remarks(moved: Moved, now: datetime, *, is_back: bool) -> Iterable[str]:
    yield moved.note
    if moved.accounts > 1:
        yield ngettext("It moved on %(n)d account.", "It moved on all its %(n)d accounts.", moved.accounts) % {
            "n": moved.accounts
        }
    if moved.left_out:
        yield ngettext(
            "%(n)d time is left out, since its post went out already.",
            "%(n)d times are left out, since their posts went out already.",
            moved.left_out,
        ) % {"n": moved.left_out}
    if moved.back is None and not is_back:
        yield _why_no_way_back(moved, now)


def _why_no_way_back(moved: Moved, now: datetime) -> str:
    if moved.old <= now:
        return _("There is no undo, since its old time has passed.")
    if moved.scope == "following":
        return _("There is no undo, since they are a schedule of their own now.")
    return _("There is no undo: move it again instead.")


def _undo(moved: Moved, form: MoveEventForm) -> str:
    """The address that moves it back, with what the page shows, so that the answer fits it. Empty where there is no way back."""
    back = moved.back
    if back is None or form.cleaned_data["back"]:
        return ""
    anchor = form.cleaned_data["anchor"]
    values = {
        "at": f"{back.to_local:%Y-%m-%dT%H:%M:%S}",
        "fold": back.to_local.fold or "",
        "version": back.version,
        "scope": back.scope,
        "view": form.cleaned_data["view"],
        "anchor": anchor.isoformat() if anchor else "",
        "q": form.cleaned_data["q"],
        "back": 1,
    }
    kept = urlencode({name: value for name, value in values.items() if value != ""})
    return f"{reverse('web:event_move', args=[back.key])}?{kept}"


def _refused(request: HttpRequest, visit: Visit, key: str, form: MoveEventForm, error: Refused) -> HttpResponse:
    if not wants_part(request):
        found = find(visit, key)
        form.refuse(error.problems)
        return _show(request, visit, found, form, status=error.status)
    if any(problem.code == moving.NEEDS_SCOPE for problem in error.problems):
        return _answer("", status=422, after={"needsscope": {}})
    now_there = calendar.one(visit.workspace, key, zone=zone_of_person(), now=visit.now)
    times = [_was(form), now_there.at if now_there else None]
    is_stale = isinstance(error, StaleVersion) or any(problem.code == "gone" for problem in error.problems)
    return _answer(
        _redrawn(request, visit, form, times, now_there) if is_stale else "",
        status=error.status,
        toast={"text": _said(error), "level": "error", "undo": ""},
        after={"unmoved": {"key": key}},
    )


def _redrawn(
    request: HttpRequest, visit: Visit, form: MoveEventForm, times: Iterable[datetime | None], found: Event | None
) -> str:
    """The parts of the page's view in which these times stand, as they are now."""
    view, anchor, query = (form.cleaned_data.get(name) for name in ("view", "anchor", "q"))
    if anchor is None or not view:
        return ""
    shown: dict[str, Any] = {"view": view, "anchor": anchor, "query": query or ""}
    if view.startswith("tl-"):
        return lanes.touched(request, visit, account_id=found.account_id, pin=found.key, **shown) if found else ""
    local = [timezone.localtime(at) for at in times if at is not None]
    return parts.touched(
        request,
        visit,
        **shown,
        days={at.date() for at in local},
        hours={(at.date(), at.hour) for at in local},
        pin=found.key if found else "",
        with_tray=found is None or found.look == "draft",
        of=found,
    )


def _answer(
    html: str, *, after: dict[str, Any], toast: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    """Nothing of the page is replaced but the parts that say so themselves. What happened reaches the page's script as events."""
    response = HttpResponse(html, status=status)
    response.headers["HX-Reswap"] = "none"
    response.headers["Cache-Control"] = "no-store"
    response.headers["HX-Trigger-After-Swap"] = json.dumps(after)
    if toast:
        response.headers["HX-Trigger"] = toasts([toast])
    return response
