"""The list of jobs by what became of them, one job with all its attempts, and the verbs on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.domain.states import JobState
from schedules.models import AuditLog, Job
from schedules.services import afterwards
from schedules.services import jobs as job_service
from schedules.web.forms import ConfirmForm, JobFilter
from schedules.web.gate import Visit, done, next_url, refused, screen, show
from schedules.web.history import entries

PER_PAGE = 50
EARLIER_AND_LATER = 3


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    title: str | Promise
    states: tuple[str, ...]
    order: tuple[str, str] = ("-run_at", "-id")
    bad: bool = False


TABS = (
    Tab("failed", gettext_lazy("Failed"), ("failed",), bad=True),
    Tab("attention", gettext_lazy("Needs you"), ("unconfirmed", "missed", "blocked"), bad=True),
    Tab("running", gettext_lazy("Running"), ("running", "processing")),
    Tab("pending", gettext_lazy("Pending"), ("pending",), ("run_at", "id")),
    Tab("done", gettext_lazy("Done"), ("completed", "cancelled", "superseded")),
)


@screen()
def job_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    accounts = list(PlatformAccount.objects.filter(workspace=visit.workspace).order_by("platform", "name", "id"))
    form = JobFilter(request.GET, accounts=accounts)
    wanted = form.wanted()
    jobs = Job.objects.filter(workspace=visit.workspace)
    if wanted["account"]:
        jobs = jobs.filter(account__public_id=wanted["account"])
    if wanted["q"]:
        jobs = jobs.filter(
            Q(schedule__content__title__icontains=wanted["q"]) | Q(schedule__content__text__icontains=wanted["q"])
        )
    counts = dict(jobs.order_by().values_list("state").annotate(Count("pk")))
    tabs = [(tab, sum(counts.get(state, 0) for state in tab.states)) for tab in TABS]
    current = next((tab for tab, _n in tabs if tab.name == request.GET.get("tab")), None)
    current = current or next((tab for tab, number in tabs if number), TABS[3])
    found = jobs.filter(state__in=current.states).with_names().order_by(*current.order)
    context = {
        "title": _("Jobs"),
        "form": form,
        "tabs": tabs,
        "tab": current,
        "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
        "filtered": any(wanted.values()),
        "now": visit.now,
    }
    return show(request, "schedules/jobs.html", "schedules/partials/_jobs.html", context)


def find(visit: Visit, public_id: UUID) -> Job:
    row: Job = get_object_or_404(Job.objects.visible_to(visit.person).with_names(), public_id=public_id)
    return row


@screen()
def job(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    return _show_job(request, visit, find(visit, public_id), ConfirmForm())


def _show_job(request: HttpRequest, visit: Visit, row: Job, form: ConfirmForm, status: int = 200) -> HttpResponse:
    runs = Job.objects.filter(schedule=row.schedule_id, account=row.account_id)
    earlier = list(runs.filter(run_at__lt=row.run_at).order_by("-run_at", "-id")[:EARLIER_AND_LATER])
    later = list(runs.filter(run_at__gt=row.run_at).order_by("run_at", "id")[:EARLIER_AND_LATER])
    history = AuditLog.objects.visible_to(visit.person).of("job", row.public_id)[:50]
    readings = afterwards.readings(row) if row.state == JobState.COMPLETED else []
    context = {
        "title": str(row.schedule),
        "job": row,
        "attempts": list(row.attempts.order_by("-id")),
        "earlier": earlier[::-1],
        "later": later,
        "history": entries(history),
        "form": form,
        "abilities": afterwards.abilities(row),
        "figures": next((item for item in readings if item.values), None),
        "readings": readings,
        "is_changed": row.content_version != row.schedule.content.version,
        "may_operate": visit.may(Action.OPERATE, row.workspace),
        "now": visit.now,
    }
    return show(request, "schedules/job.html", "schedules/partials/_job.html", context, status=status)


Verb = tuple[Callable[..., Any], Any]

VERBS: dict[str, Verb] = {
    "retry": (job_service.retry, gettext_lazy("“%(name)s” on %(account)s will be tried again at once.")),
    "run-now": (job_service.run_now, gettext_lazy("“%(name)s” goes out on %(account)s now.")),
    "cancel": (job_service.cancel, gettext_lazy("Cancelled “%(name)s” on %(account)s.")),
    "publish-again": (job_service.publish_again, gettext_lazy("“%(name)s” will be published on %(account)s again.")),
    "take-down": (afterwards.take_down, gettext_lazy("“%(name)s” was deleted on %(account)s.")),
    "amend": (afterwards.amend, gettext_lazy("“%(name)s” was updated on %(account)s.")),
    "dismiss": (job_service.dismiss, gettext_lazy("Marked “%(name)s” on %(account)s as not published.")),
}

NO_WAY_BACK = ("run-now", "take-down", "amend")


@screen("POST")
def figures(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """Ask the platform now how the post is doing."""
    row = find(visit, public_id)
    visit.require(Action.OPERATE, row.workspace)
    back = reverse("web:job", args=[public_id])
    try:
        told = afterwards.refresh_figures(jobs=[row], now=visit.now)
    except Refused as error:
        return refused(request, error, back)
    words = (
        _("The figures are fresh.")
        if told or afterwards.latest(row)
        else _("The platform told no figures of this post.")
    )
    return done(request, words, back)


@screen("POST")
def act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    if verb not in VERBS:
        raise Http404
    row = find(visit, public_id)
    visit.require(Action.OPERATE, row.workspace)
    call, words = VERBS[verb]
    back = next_url(request, reverse("web:job", args=[public_id]))
    try:
        call(job=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, back)
    undo = "" if verb in NO_WAY_BACK else reverse("web:recovery_undo", args=[public_id])
    return done(request, str(words) % {"name": row.schedule, "account": row.account.name}, back, undo=undo)


@screen("POST")
def confirm(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """An unconfirmed post is there: the person gives its address."""
    row = find(visit, public_id)
    visit.require(Action.OPERATE, row.workspace)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _show_job(request, visit, row, form, status=422)
    try:
        job_service.confirm(job=row, remote_url=form.cleaned_data["remote_url"], actor=visit.actor, now=visit.now)
    except Refused as error:
        form.refuse(error.problems)
        return _show_job(request, visit, row, form, status=422)
    return done(request, _("Marked as published."), reverse("web:job", args=[public_id]))
