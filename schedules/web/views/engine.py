"""The page Scheduler, for those who run the installation: processes, queue, lateness, duties, alarms."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from alwrity_scheduler.core import clock
from schedules.engine.figures import Histogram
from schedules.reads.alarms import LATE_AFTER, spoken
from schedules.reads.engine import age_of, installation_status, of_posts
from schedules.web.context import shell_of
from schedules.web.gate import Visit, screen, show
from schedules.web.templatetags.ui import duration


@screen()
def engine(request: HttpRequest, visit: Visit) -> HttpResponse:
    """It counts the posts of every workspace, so that it is no page of a workspace's members."""
    if not shell_of(request).may_watch:
        raise Http404
    status = installation_status(now=clock.database_now())
    oldest = max((age_of(kind, status.now) or 0.0 for kind in of_posts(status.kinds)), default=0.0)
    context = {
        "title": _("Scheduler"),
        "status": status,
        "oldest": spoken(oldest) if oldest else _("nothing"),
        "late": any(alarm.name == "oldest_due" for alarm in status.alarms) or oldest > LATE_AFTER.total_seconds(),
        "lateness": _spread(status.lateness),
        "passes": _spread(status.passes),
    }
    return show(request, "engine/engine.html", "engine/partials/_engine.html", context)


def _spread(figures: Histogram) -> dict[str, str]:
    """Half of them, and 99 of 100, took at most so long."""
    return {"middle": duration(figures.quantile(0.5)), "high": duration(figures.quantile(0.99))}
