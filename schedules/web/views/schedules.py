"""The list of schedules, how it is arranged, its exports, and the verbs on one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from alwrity_scheduler.workspaces.services import arrange
from platforms.models import PlatformAccount
from schedules.models import SavedView, Schedule
from schedules.reads import bulk as bulk_reads
from schedules.services import bulk as bulk_service
from schedules.services import jobs as job_service
from schedules.services import lifecycle
from schedules.web import listing, listing_export, locale
from schedules.web.gate import Visit, done, leave, next_url, refused, screen, show


@screen()
def schedule_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    wish = listing.read(request.GET, visit.workspace)
    arranged = listing.arrangement(visit.person)
    found = wish.of(request, Schedule.objects.within(visit.workspace))
    context = {
        "title": _("Schedules"),
        "form": wish.form,
        "wish": wish,
        "chips": listing.chips(wish.form, request.GET),
        "page": listing.page_of(found, wish, now=visit.now),
        "heads": listing.heads(wish, arranged),
        "arranged": arranged,
        "columns": listing.COLUMNS,
        "shown": dict.fromkeys(arranged.columns, True),
        "filtered": wish.filtered,
        "now": visit.now,
        "may_operate": visit.may(Action.OPERATE),
        "may_write": visit.may(Action.WRITE),
        "query": request.GET.urlencode(),
        "most": locale.number(bulk_service.MOST),
        **_Around(visit).context(),
    }
    return show(request, "schedules/list.html", "schedules/partials/_list.html", context)


class _Around:
    """What stands around the table, asked for only where it is shown."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit

    def context(self) -> dict[str, Any]:
        workspace, person = self.visit.workspace, self.visit.person
        return {
            "campaigns": lambda: listing.campaigns(workspace),
            "views": lambda: SavedView.objects.of(person, workspace, "list"),
            "unfinished": lambda: bulk_reads.unfinished(person, workspace),
            "has_accounts": lambda: PlatformAccount.objects.within(workspace).exists(),
        }


@screen("POST")
def arrange_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Keep which columns this person wants to see, and how close the rows stand. `reset` goes back to how it comes."""
    if request.POST.get("reset"):
        arrange(person=visit.person, page="list", values={"columns": None, "density": None})
    else:
        wanted = set(request.POST.getlist("columns"))
        names = [column.name for column in listing.COLUMNS if column.name in wanted or column.fixed]
        density = request.POST.get("density", "")
        values = {"columns": names, "density": density if density in listing.DENSITIES else None}
        arrange(person=visit.person, page="list", values=values)
    return done(request, _("The list is arranged as you wish."), next_url(request, reverse("web:schedules")))


@screen()
def export(request: HttpRequest, visit: Visit, kind: str) -> HttpResponse:
    """Exactly what the list shows with these filters, on all its pages and in its order."""
    if kind not in listing_export.KINDS:
        raise Http404
    wish = listing.read(request.GET, visit.workspace)
    found = wish.ordered(wish.of(request, Schedule.objects.within(visit.workspace)))
    answer: Any = listing_export.response(list(found.values_list("pk", flat=True)), kind, now=visit.now)
    response: HttpResponse = answer
    return response


Verb = tuple[Callable[..., Any], Any, str]

# verb -> what is called, what is said, and the verb that undoes it
VERBS: dict[str, Verb] = {
    "activate": (lifecycle.activate, gettext_lazy("“%(name)s” is active."), "pause"),
    "pause": (lifecycle.pause, gettext_lazy("Paused “%(name)s”. What is being published now finishes."), "resume"),
    "resume": (lifecycle.resume, gettext_lazy("Resumed “%(name)s”."), "pause"),
    "archive": (
        lifecycle.archive,
        gettext_lazy("Archived “%(name)s”. Its open jobs are cancelled, its history stays."),
        "restore",
    ),
    "restore": (lifecycle.restore, gettext_lazy("Brought “%(name)s” back from the archive."), ""),
    "clone": (lifecycle.clone, gettext_lazy("Cloned “%(name)s”: the copy is a draft."), ""),
    "publish-now": (job_service.publish_now, gettext_lazy("“%(name)s” is going out now."), ""),
}


def find(visit: Visit, public_id: UUID) -> Schedule:
    rows = Schedule.objects.visible_to(visit.person).select_related("workspace", "content")
    row: Schedule = get_object_or_404(rows, public_id=public_id)
    return row


@screen("POST")
def act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    """One verb on one schedule. Clone opens the copy; every other verb goes back to where the person was."""
    if verb not in VERBS:
        raise Http404
    schedule = find(visit, public_id)
    visit.require(Action.WRITE if verb == "clone" else Action.OPERATE, schedule.workspace)
    call, words, undo = VERBS[verb]
    back = next_url(request, reverse("web:schedules"))
    name = str(schedule)
    try:
        own = {"person": visit.person} if verb == "clone" else {}
        result = call(schedule=schedule, actor=visit.actor, now=visit.now, **own)
    except Refused as error:
        return refused(request, error, back)
    undo_url = reverse("web:schedule_act", args=[public_id, undo]) if undo else ""
    if verb == "clone":
        return leave(request, str(words) % {"name": name}, reverse("web:schedule_edit", args=[result.public_id]))
    return done(request, str(words) % {"name": name}, back, undo=undo_url)
