"""Would this publish now? The answer for each account of a schedule, as a page and as a part of the schedule's page."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from schedules.reads import preflight as reading
from schedules.web.gate import Visit, screen, show
from schedules.web.views.schedules import find


@screen()
def preflight(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    schedule = find(visit, public_id)
    context = {
        "title": _("Would this publish now?"),
        "schedule": schedule,
        "preflight": reading.of_schedule(schedule, now=visit.now),
        "now": visit.now,
    }
    return show(request, "schedules/preflight.html", "schedules/partials/_preflight.html", context)
