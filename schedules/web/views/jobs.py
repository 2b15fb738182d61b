"""The list of jobs by what became of them, one job with all its attempts, and the verbs on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from schedules.domain.states import JobState
from schedules.models import Attempt, AuditLog, Job
from schedules.reads import executions
from schedules.services import afterwards, moving, recovery
from schedules.services import jobs as job_service
from schedules.web.forms import ConfirmForm
from schedules.web.gate import Visit, done, leave, next_url, refused, screen, show
from schedules.web.history import entries
from schedules.web.job_forms import ERROR_WORDS, NewTimeForm
from schedules.web.monitor import Wish, count_words, frame
from schedules.web.templatetags.ui import duration, job_word, platform_name
from schedules.web.views.jobs_many import iso, last_result

PER_PAGE = 50
EARLIER_AND_LATER = 3


@screen()
def job_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    wish = Wish(visit, request.GET)
    pages = Paginator[Job](wish.listing, PER_PAGE)  # type: ignore[arg-type]  # it asks for slices only
    page: Page[Job] = pages.get_page(request.GET.get("page"))
    context = {
        **frame(wish, "list"),
        "tabs": wish.tabs,
        "tab": wish.shown.tab,
        "number": wish.count,
        "number_words": count_words(wish.count),
        "page": page,
        "lines": executions.lines(page.object_list, visit.now),
        "may_operate": visit.may(Action.OPERATE),
        "most": recovery.MOST_AT_ONCE,
        "result": last_result(request, visit),
    }
    return show(request, "schedules/jobs.html", "schedules/partials/_jobs.html", context)


def find(visit: Visit, public_id: UUID) -> Job:
    row: Job = get_object_or_404(Job.objects.visible_to(visit.person).with_names(), public_id=public_id)
    return row


@screen()
def job(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    return _show_job(request, visit, find(visit, public_id), ConfirmForm())


def _show_job(
    request: HttpRequest,
    visit: Visit,
    row: Job,
    form: ConfirmForm,
    status: int = 200,
    new_time: NewTimeForm | None = None,
) -> HttpResponse:
    runs = Job.objects.filter(schedule=row.schedule_id, account=row.account_id)
    earlier = list(runs.filter(run_at__lt=row.run_at).order_by("-run_at", "-id")[:EARLIER_AND_LATER])
    later = list(runs.filter(run_at__gt=row.run_at).order_by("run_at", "id")[:EARLIER_AND_LATER])
    history = AuditLog.objects.visible_to(visit.person).of("job", row.public_id)[:50]
    readings = afterwards.readings(row) if row.state == JobState.COMPLETED else []
    attempts = list(row.attempts.order_by("-id"))
    context = {
        "title": str(row.schedule),
        "job": row,
        "line": executions.lines([row], visit.now)[0],
        "attempts": attempts,
        "summary": _summary(row, attempts),
        "earlier": earlier[::-1],
        "later": later,
        "history": entries(history),
        "form": form,
        "new_time": new_time,
        "can_move": row.state in MOVABLE,
        "error_words": ERROR_WORDS.get(row.error_class, ""),
        "abilities": afterwards.abilities(row),
        "figures": next((item for item in readings if item.values), None),
        "readings": readings,
        "is_changed": row.content_version != row.schedule.content.version,
        "may_operate": visit.may(Action.OPERATE, row.workspace),
        "now": visit.now,
    }
    return show(request, "schedules/job.html", "schedules/partials/_job.html", context, status=status)


def _summary(row: Job, attempts: list[Attempt]) -> str:
    """The job as plain text, for a message to somebody who helps."""
    facts = [
        (_("Post"), str(row.schedule)),
        (_("Account"), f"{row.account.name} ({platform_name(row.account.platform)})"),
        (_("Status"), job_word(row.state)),
        (_("Due"), iso(row.scheduled_for)),
        (_("Started"), iso(row.started_at)),
        (_("Ended"), iso(row.finished_at)),
        (_("Message"), row.error_message),
        (_("Address"), row.remote_url),
        (_("Key"), row.idempotency_key),
        (_("Job"), str(row.public_id)),
    ]
    said = [f"{name}: {value}" for name, value in facts if value]
    return "\n".join(said + [_spoken(attempt) for attempt in reversed(attempts)])


def _spoken(attempt: Attempt) -> str:
    took = attempt.finished_at - attempt.started_at if attempt.finished_at else None
    parts = [
        iso(attempt.started_at),
        attempt.get_purpose_display(),
        str(attempt.no),
        attempt.outcome or _("under way"),
        duration(took) if took is not None else "",
        f"HTTP {attempt.status_code}" if attempt.status_code else "",
        executions.request_id_of(attempt.response),
        attempt.message,
    ]
    return " · ".join(part for part in parts if part)


# the states in which a person may give the job another time; one that waits for its time moves with its other accounts
ALONE = (JobState.FAILED, JobState.MISSED, JobState.BLOCKED)
MOVABLE = (*ALONE, JobState.PENDING)


@screen("POST")
def new_time(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """Give the job another time, on the wall clock of its schedule's zone."""
    row = find(visit, public_id)
    visit.require(Action.OPERATE, row.workspace)
    form = NewTimeForm(request.POST)
    if not form.is_valid():
        return _show_job(request, visit, row, ConfirmForm(), 422, form)
    try:
        words, to, undo = (_give_time if row.state in ALONE else _move)(visit, row, form)
    except Refused as error:
        form.refuse(error.problems)
        return _show_job(request, visit, row, ConfirmForm(), 422, form)
    return leave(request, words, to, undo=undo)


def _give_time(visit: Visit, row: Job, form: NewTimeForm) -> tuple[str, str, str]:
    """The words, the address to go to, and the one that takes it back."""
    at = form.instant(row.schedule.timezone, visit.now)
    recovery.reslot(job=row, at=at, actor=visit.actor, now=visit.now)
    words = _("“%(name)s” goes out on %(account)s at its new time.")
    words %= {"name": row.schedule, "account": row.account.name}
    return words, reverse("web:job", args=[row.public_id]), reverse("web:recovery_undo", args=[row.public_id])


def _move(visit: Visit, row: Job, form: NewTimeForm) -> tuple[str, str, str]:
    moved = moving.move(
        workspace=row.workspace,
        key=f"j{row.pk}",
        to_local=form.cleaned_data["at"],
        zone=row.schedule.timezone,
        version=form.cleaned_data["version"] or row.schedule.version,
        scope="one",
        actor=visit.actor,
        now=visit.now,
        person=visit.person,
    )
    words = ngettext(
        "“%(name)s” has a new time.", "“%(name)s” has a new time on all its %(n)d accounts.", moved.accounts
    )
    said = " ".join(filter(None, (words % {"name": row.schedule, "n": moved.accounts}, moved.note)))
    to = reverse("web:job" if moved.event.is_job else "web:schedule", args=[moved.event.public_id])
    undo = ""
    if moved.back and row.workspace == visit.workspace:
        at = f"{moved.back.to_local:%Y-%m-%dT%H:%M:%S}"
        values = {"key": moved.back.key, "at": at, "zone": row.schedule.timezone, "version": moved.back.version}
        undo = f"{reverse('web:jobs_move_back')}?{urlencode(values)}"
    return said, to, undo


@screen("POST")
def move_back(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Undo a move: the address names what is moved, and to when."""
    visit.require(Action.OPERATE)
    form, key = NewTimeForm(request.GET), request.GET.get("key", "")[:100]
    back = next_url(request, reverse("web:jobs"))
    if not form.is_valid():
        raise Http404
    try:
        moved = moving.move(
            workspace=visit.workspace,
            key=key,
            to_local=form.cleaned_data["at"],
            zone=request.GET.get("zone", "UTC"),
            version=form.cleaned_data["version"] or 0,
            scope="one",
            actor=visit.actor,
            now=visit.now,
            person=visit.person,
        )
    except Refused as error:
        return refused(request, error, back)
    to = reverse("web:job" if moved.event.is_job else "web:schedule", args=[moved.event.public_id])
    return leave(request, _("“%(name)s” is as it was before.") % {"name": moved.event.title}, to)


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
