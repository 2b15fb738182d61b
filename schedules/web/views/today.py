"""Today: what needs a person first, then what is next, then what was done."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from schedules.reads.board import board
from schedules.web.gate import Visit, screen, show


@screen()
def today(request: HttpRequest, visit: Visit) -> HttpResponse:
    day_start = timezone.localtime(visit.now).replace(hour=0, minute=0, second=0, microsecond=0)
    found = board(visit.workspace, now=visit.now, day_start=day_start)
    context = {"title": _("Today"), "board": found, "now": visit.now, "zone": timezone.get_current_timezone_name()}
    return show(request, "schedules/today.html", "schedules/partials/_today.html", context)
