"""For machines that watch this one: alive, ready, and the figures. No page, no workspace."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from alwrity_scheduler.core import clock
from schedules.reads.alarms import Alarm, dead_mans_switch
from schedules.reads.engine import installation_status

DATABASE_DOWN = Alarm(
    name="database",
    words="The database does not answer.",
    remedy="Start it, or correct DATABASE_URL.",
    stops_publishing=True,
)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers and the database does; for load balancers and containers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The dead man's switch: 503 with the alarms while posts do not go out. Asks the database, not the loop (R40)."""
    try:
        alarms = dead_mans_switch(clock.database_now())
    except DatabaseError:
        alarms = [DATABASE_DOWN]
    told = [{"name": alarm.name, "words": alarm.words, "remedy": alarm.remedy} for alarm in alarms]
    answer = JsonResponse({"status": "alarm" if alarms else "ok", "alarms": told}, status=503 if alarms else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' figures, for whoever knows METRICS_TOKEN and for superusers; for others there is nothing here."""
    if not _may_scrape(request):
        raise Http404
    from schedules.web.metrics import exposition  # other processes that load this module need no Prometheus

    body, content_type = exposition(installation_status(now=clock.database_now()), request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type, headers={"Cache-Control": "no-store"})


def _may_scrape(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    wanted: str = settings.METRICS_TOKEN
    if wanted and scheme.lower() == "bearer" and constant_time_compare(given.strip(), wanted):
        return True
    return bool(request.user.is_authenticated and request.user.is_superuser)
