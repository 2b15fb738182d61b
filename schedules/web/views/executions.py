"""Single attempts on a time axis, as a table and as a figure; and the last runs of each recurring schedule."""

from __future__ import annotations

from csp.decorators import csp_update
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from schedules.analytics import figures
from schedules.reads import executions
from schedules.reads.executions import Ending
from schedules.web import locale
from schedules.web.gate import Visit, screen, show
from schedules.web.monitor import Wish, frame
from schedules.web.templatetags.ui import duration, platform_name


def _of_a_span(visit: Visit, request: HttpRequest) -> Wish:
    """Attempts are looked at in a span of time: the last seven days, where none is chosen."""
    query = request.GET.copy()
    if not query.get("range"):
        query["range"] = "7d"
    return Wish(visit, query)


ENDINGS: dict[Ending, str | Promise] = {
    Ending.GOOD: gettext_lazy("Succeeded"),
    Ending.FAILED: gettext_lazy("Failed"),
    Ending.AGAIN: gettext_lazy("Not sent, tried again"),
    Ending.UNSURE: gettext_lazy("No clear answer"),
    Ending.UNDER_WAY: gettext_lazy("Under way"),
}


@csp_update({"style-src": list(figures.STYLE_HASHES)})
@screen()
def runs(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Every attempt in a span of time: the table, and the figure of the same numbers."""
    wish = _of_a_span(visit, request)
    found = executions.bars(wish.source.jobs, visit.now)
    context = {
        **frame(wish, "runs"),
        "bars": [(bar, ENDINGS[bar.ending]) for bar in found],
        "sums": _sums(found),
        "most": executions.MOST_BARS,
        "full": len(found) == executions.MOST_BARS,
        "figure_at": wish.address("web:jobs_figure"),
        "script_at": reverse("web:plotly", args=[figures.script_digest()]),
    }
    return show(request, "schedules/jobs_runs.html", "schedules/partials/_jobs_runs.html", context)


def _sums(bars: list[executions.Bar]) -> list[tuple[str, str | Promise, int]]:
    return [
        (ending.value, words, number)
        for ending, words in ENDINGS.items()
        if (number := sum(1 for bar in bars if bar.ending == ending))
    ]


@screen()
def figure(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The figure of `runs` as plotly.js takes it, on the reader's wall clock."""
    found = executions.bars(_of_a_span(visit, request).source.jobs, visit.now)
    accounts = sorted({bar.job.account for bar in found}, key=lambda account: (account.platform, account.name))
    made = figures.spans(
        [_plotted(bar) for bar in found],
        lanes={str(row.public_id): f"{row.name} · {platform_name(row.platform)}" for row in accounts},
        groups={ending.value: str(words) for ending, words in ENDINGS.items()},
        time_title=_("Times in %(zone)s") % {"zone": timezone.get_current_timezone_name()},
    )
    return JsonResponse(made, headers={"Cache-Control": "no-store"})


def _plotted(bar: executions.Bar) -> figures.Bar:
    local = timezone.localtime(bar.start)
    return figures.Bar(
        lane=str(bar.job.account.public_id),
        group=bar.ending.value,
        start=local.replace(tzinfo=None),
        milliseconds=max(1, round(bar.took.total_seconds() * 1000)),
        words=(
            str(bar.job.schedule)[:80],
            bar.job.account.name,
            locale.clock_seconds(local),
            f"{ENDINGS[bar.ending]} · {duration(bar.took)}",
        ),
        link=reverse("web:job", args=[bar.job.public_id]),
    )


def plotly(request: HttpRequest, digest: str) -> HttpResponse:
    """plotly.js out of its wheel. Its address holds its digest, so a browser may keep it for ever."""
    if digest != figures.script_digest():
        raise Http404
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(
        figures.script_gzipped() if zipped else figures.script(),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


@screen()
def by_schedule(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The last runs of each recurring schedule."""
    context = {
        **frame(Wish(visit, QueryDict()), "schedules"),
        "strips": executions.strips(visit.workspace),
        "most": executions.MOST_STRIPS,
    }
    return show(request, "schedules/jobs_schedules.html", "schedules/partials/_jobs_schedules.html", context)
