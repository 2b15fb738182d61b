"""The list of schedules, and the verbs on one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.models import Job, Schedule
from schedules.reads import runs
from schedules.services import jobs as job_service
from schedules.services import lifecycle
from schedules.web.forms import ScheduleFilter
from schedules.web.gate import Visit, done, leave, next_url, refused, screen, show

PER_PAGE = 50


@screen()
def schedule_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    accounts = list(
        PlatformAccount.objects.filter(workspace=visit.workspace)
        .exclude(state="disconnected")
        .order_by("platform", "name", "id")
    )
    form = ScheduleFilter(request.GET, accounts=accounts)
    found = Schedule.objects.filter(workspace=visit.workspace)
    wanted = form.wanted()
    found = found.filter(state=wanted["state"]) if wanted["state"] else found.exclude(state="archived")
    if wanted["account"]:
        found = found.filter(targets__account__public_id=wanted["account"])
    if wanted["q"]:
        found = found.filter(
            Q(content__title__icontains=wanted["q"])
            | Q(content__text__icontains=wanted["q"])
            | Q(content__campaign__name__icontains=wanted["q"])
        )
    needing = (
        Job.objects.filter(schedule=OuterRef("pk"))
        .needing_a_person()
        .order_by()
        .values("schedule")
        .annotate(n=Count("pk"))
        .values("n")
    )
    found = (
        found.annotate(needs_you=Coalesce(Subquery(needing), 0))
        .select_related("content__campaign")
        .prefetch_related("targets__account", "exceptions")
        .order_by("-created_at", "-id")
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("Schedules"),
        "form": form,
        "page": page,
        "rows": runs.rows(page, now=visit.now),
        "filtered": any(wanted.values()),
        "has_accounts": bool(accounts),
        "now": visit.now,
    }
    return show(request, "schedules/list.html", "schedules/partials/_list.html", context)


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
        result = call(schedule=schedule, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, back)
    undo_url = reverse("web:schedule_act", args=[public_id, undo]) if undo else ""
    if verb == "clone":
        return leave(request, str(words) % {"name": name}, reverse("web:schedule_edit", args=[result.public_id]))
    return done(request, str(words) % {"name": name}, back, undo=undo_url)
