"""Making up for past times of a schedule: choose the window, look at what would go out, confirm. Works without JavaScript."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from schedules.domain import localtime
from schedules.models import Schedule
from schedules.services import backfill as service
from schedules.web.backfill_form import BackfillForm
from schedules.web.gate import Visit, leave, screen, show
from schedules.web.views.schedules import find


@screen("GET", "HEAD", "POST")
def backfill(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """GET with a window shows what would be made; POST of the same window makes it, if it is still that."""
    row = find(visit, public_id)
    visit.require(Action.OPERATE, row.workspace)
    if request.method == "POST":
        return _make(request, visit, row)
    if "start_date" not in request.GET:
        return _show(request, row, BackfillForm(initial=_last_day(row, visit)))
    form = BackfillForm(request.GET)
    found = None
    if form.is_valid():
        try:
            found = service.look(schedule=row, **form.window(row.timezone), now=visit.now)
        except Refused as error:
            form.refuse(error.problems)
    return _show(request, row, form, found, status=422 if form.errors else 200)


def _make(request: HttpRequest, visit: Visit, row: Schedule) -> HttpResponse:
    form = BackfillForm(request.POST)
    if not form.is_valid():
        return _show(request, row, form, status=422)
    expected = form.cleaned_data["expected"]
    try:
        made = service.run(
            schedule=row, **form.window(row.timezone), expected=expected or 0, actor=visit.actor, now=visit.now
        )
    except Refused as error:
        form.refuse(error.problems)
        return _show(request, row, form, status=422)
    words = ngettext("%(n)d post goes out now.", "%(n)d posts go out from now on.", made.job_count)
    return leave(request, words % {"n": made.job_count}, reverse("web:schedule", args=[row.public_id]))


def _last_day(row: Schedule, visit: Visit) -> dict[str, object]:
    """The day up to now, on the schedule's wall clock."""
    end = localtime.wall_clock(visit.now, localtime.zone(row.timezone)).replace(second=0, microsecond=0)
    start = end - timedelta(days=1)
    return {
        "start_date": start.date(), "start_time": start.strftime("%H:%M"),
        "end_date": end.date(), "end_time": end.strftime("%H:%M"), "gap_minutes": 1,
    }  # fmt: skip


def _show(
    request: HttpRequest, row: Schedule, form: BackfillForm, found: service.Backfill | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "title": _("Make up for missed times"),
        "schedule": row,
        "form": form,
        "found": found,
        "problems": form.problems(),
    }
    return show(request, "schedules/backfill.html", "schedules/partials/_backfill.html", context, status=status)
