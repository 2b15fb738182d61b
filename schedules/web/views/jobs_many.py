"""Many jobs at once: retry or cancel them, and take them away as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alwrity_scheduler.workspaces.roles import Action
from schedules.domain.recovery import Verb
from schedules.models import AuditLog, Job
from schedules.reads import executions
from schedules.reads.spreadsheet import BYTE_ORDER_MARK, cell
from schedules.services import recovery
from schedules.web.gate import Visit, done, next_url, screen
from schedules.web.job_forms import ManyForm
from schedules.web.monitor import Wish
from schedules.web.templatetags.ui import job_word, platform_name

MOST_EXPORTED = 50_000
TOGETHER = 500
NAMED = 50  # jobs of a batch that are named with why they were left
RESULT_SHOWN_FOR = timedelta(minutes=15)
RESULT_KEY = "jobs_result"


@screen("POST")
def act_on_many(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Retry or cancel the ticked jobs, or all that match; those that were left are named with why."""
    visit.require(Action.OPERATE)
    wish = Wish(visit, _query_of(request))
    form = ManyForm(request.POST)
    if not form.is_valid():
        words = " ".join(str(words) for errors in form.errors.values() for words in errors)
        return done(request, words, wish.address(), level=messages.ERROR)
    if request.POST.get("all"):
        chosen = wish.matching
    else:
        chosen = Job.objects.filter(workspace=visit.workspace, public_id__in=form.cleaned_data["job"])
    newest = AuditLog.objects.visible_to(visit.person).values_list("pk", flat=True).order_by("-pk").first() or 0
    order = recovery.Order(verb=form.wanted)
    result = recovery.many(order=order, chosen=chosen, actor=visit.actor, now=visit.now)
    _keep(request, visit, result)
    undo = reverse("web:recovery_undo_many", args=[visit.actor.request_id, newest]) if result.done_count else ""
    level = messages.SUCCESS if result.done_count == result.matched_count else messages.WARNING
    return done(request, _said(result), wish.address(), undo=undo, level=level)


def _query_of(request: HttpRequest) -> QueryDict:
    """The query of the monitor's address from which the form came."""
    wanted = urlsplit(request.POST.get("next", ""))
    return QueryDict(wanted.query if wanted.path == reverse("web:jobs") else "")


def _said(result: recovery.Result) -> str:
    numbers = {"done": result.done_count, "all": result.matched_count}
    if result.verb is Verb.RETRY:
        counted = ngettext(
            "%(done)d of %(all)d job is tried again at once.",
            "%(done)d of %(all)d jobs are tried again at once.",
            result.matched_count,
        )
    else:
        counted = ngettext(
            "%(done)d of %(all)d job was cancelled.", "%(done)d of %(all)d jobs were cancelled.", result.matched_count
        )
    said = [counted % numbers]
    if result.left_count:
        said.append(_("%(n)d more were too many for one go: do it again for them.") % {"n": result.left_count})
    return " ".join(said)


def _keep(request: HttpRequest, visit: Visit, result: recovery.Result) -> None:
    """Keep the jobs that were left in the session, until they are read: a toast is too short for them."""
    left = [item for item in result.outcomes if not item.done]
    request.session.pop(RESULT_KEY, None)
    if left:
        request.session[RESULT_KEY] = {
            "workspace": visit.workspace.pk,
            "at": visit.now.isoformat(),
            "said": _said(result),
            "count": len(left),
            "left": [
                {
                    "id": str(item.job.public_id),
                    "name": str(item.job.schedule)[:120],
                    "account": item.job.account.name,
                    "why": item.problems[0].message,
                }
                for item in left[:NAMED]
            ],
        }


def last_result(request: HttpRequest, visit: Visit) -> dict[str, Any] | None:
    kept: dict[str, Any] | None = request.session.get(RESULT_KEY)
    if kept is None or kept["workspace"] != visit.workspace.pk:
        return None
    return kept if visit.now - datetime.fromisoformat(kept["at"]) < RESULT_SHOWN_FOR else None


@screen("POST")
def result_read(request: HttpRequest, visit: Visit) -> HttpResponse:
    request.session.pop(RESULT_KEY, None)
    return done(request, _("Dismissed."), next_url(request, reverse("web:jobs")))


# ---- export


@screen()  # type: ignore[arg-type]  # a stream is answered as any other response
def export(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """The list as it is filtered, as CSV: times in ISO 8601 with the reader's offset, at most MOST_EXPORTED rows."""
    wish = Wish(visit, request.GET)
    keys = list(wish.listing.keys(MOST_EXPORTED))
    name = f"jobs-{wish.shown.tab.name}-{timezone.localdate(visit.now)}.csv"
    return StreamingHttpResponse(
        _parts(keys, visit.now),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _parts(keys: list[int], now: datetime) -> Iterator[str]:
    """The file piece by piece. The reader's zone and language are held fast: they are gone when the pieces are asked for."""
    zone, language = timezone.get_current_timezone(), translation.get_language()

    def piece(make: Callable[[], list[list[Any]]]) -> str:
        with timezone.override(zone), translation.override(language):
            held = io.StringIO()
            csv.writer(held).writerows([cell(value) for value in row] for row in make())
            return held.getvalue()

    def rows() -> Iterator[str]:
        yield BYTE_ORDER_MARK + piece(lambda: [_head()])
        for start in range(0, len(keys), TOGETHER):
            part = keys[start : start + TOGETHER]
            yield piece(lambda part=part: [_cells(line) for line in executions.lines(_jobs(part), now)])  # type: ignore[misc]

    return rows()


def _jobs(keys: list[int]) -> list[Job]:
    found = Job.objects.with_names().in_bulk(keys)
    return [found[key] for key in keys if key in found]


def _head() -> list[str]:
    return [
        _("Status"), _("Post"), _("Account"), _("Platform"), _("Kind of post"), _("Due"), _("Started"), _("Ended"),
        _("Took (seconds)"), _("Attempts"), _("Attempts at most"), _("Next attempt"), _("Kind of error"), _("Message"),
        _("Address"), _("Job"),
    ]  # fmt: skip


def _cells(line: executions.Line) -> list[Any]:
    job, account = line.job, line.job.account
    content = job.schedule.content
    return [
        job_word(job.state), str(job.schedule), account.name, platform_name(account.platform), content.content_type,
        iso(job.scheduled_for), iso(job.started_at), iso(job.finished_at),
        f"{line.took.total_seconds():.3f}" if line.took is not None else "", job.attempt_count, job.schedule.max_attempts,
        iso(line.next_at), job.error_class, job.error_message, job.remote_url, job.public_id,
    ]  # fmt: skip


def iso(value: datetime | None) -> str:
    return timezone.localtime(value).isoformat(timespec="seconds") if value else ""
