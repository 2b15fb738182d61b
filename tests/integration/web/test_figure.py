"""The figure of executions: the same numbers as its table, plotly.js out of its wheel, and the one page it may style."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from schedules.analytics import figures
from schedules.models import Attempt, Job
from tests.conftest import NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def tried(team):
    """Two jobs of yesterday: one published by its second attempt, one refused. Their titles hold markup."""
    first, second = team.jobs[:2]
    start = NOW - timedelta(days=1)
    Job.objects.filter(pk__in=[first.pk, second.pk]).update(scheduled_for=start, run_at=start, attempt_count=1)
    team.daily.content.title = "Tea <b>& cake</b>"
    team.daily.content.save()
    for job, no, outcome in ((first, 1, "unavailable"), (first, 2, "published"), (second, 1, "rejected")):
        at = start + no * 60 * SECOND
        Attempt.objects.create(
            job=job,
            no=no,
            idempotency_key="k",
            worker="w",
            started_at=at,
            called_at=at,
            finished_at=at + 3 * SECOND,
            outcome=outcome,
        )
    return first, second


def test_the_figure_holds_the_numbers_of_the_table(owner, stranger, team, tried):
    page = owner.get(reverse("web:jobs_runs"))
    body = page.content.decode()
    assert body.count('<tr><td class="num">') == 3
    assert "3 attempts" in body
    assert "Last 7 days" in body

    answer = owner.get(reverse("web:jobs_figure"))

    assert answer["Content-Type"] == "application/json"
    made = json.loads(answer.content)
    traces = {trace["meta"]: trace for trace in made["data"]}
    assert {name: len(trace["x"]) for name, trace in traces.items()} == {"good": 1, "failed": 1, "again": 1}
    good = traces["good"]
    # 09:02 in Berlin: the reader's wall clock, without a zone
    assert good["base"] == ["2026-11-22T09:02:00"]
    assert good["x"] == [3000]
    assert good["customdata"] == [reverse("web:job", args=[tried[0].public_id])]
    assert good["text"][0].startswith("Tea &lt;b&gt;&amp; cake&lt;/b&gt;<br>Harbour<br>09:02:00<br>Succeeded · 3 s")
    assert "color" not in json.dumps(made["data"])
    assert made["layout"]["yaxis"]["ticktext"] == ["Harbour · Sandbox"]
    assert json.loads(owner.get(reverse("web:jobs_figure") + "?q=nothing").content)["data"] == []
    assert json.loads(stranger.get(reverse("web:jobs_figure")).content)["data"] == []


def test_only_this_page_may_have_plotlys_styles(owner, tried):
    policy = owner.get(reverse("web:jobs_runs"))["Content-Security-Policy"]
    assert f"style-src 'self' {' '.join(figures.STYLE_HASHES)};" in policy + ";"
    for name in ("web:jobs", "web:jobs_schedules", "web:today"):
        assert "sha256" not in owner.get(reverse(name))["Content-Security-Policy"]
        assert b"plotly" not in owner.get(reverse(name)).content


def test_the_hashes_are_those_of_the_installed_plotly():
    """Plotly writes an empty <style> and that of its maps. When this fails, look in a browser at what a new one writes."""
    source = figures.script().decode()
    found = re.search(r"""(["'`])(\.maplibregl-map\{.*?)\1[,;)]""", source, re.DOTALL)
    assert found is not None
    styles = ("", found.group(2))
    hashes = [base64.b64encode(hashlib.sha256(words.encode()).digest()).decode() for words in styles]
    assert tuple(f"'sha256-{name}'" for name in hashes) == figures.STYLE_HASHES


def test_plotly_is_served_once_for_ever(client, owner, tried):
    address = reverse("web:plotly", args=[figures.script_digest()])
    assert f'data-script="{address}"' in owner.get(reverse("web:jobs_runs")).content.decode()

    zipped = client.get(address, headers={"Accept-Encoding": "gzip, br"})
    plain = client.get(address)

    assert zipped["Cache-Control"] == "public, max-age=31536000, immutable"
    assert zipped["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.content) == plain.content
    assert len(zipped.content) < 1_700_000
    assert plain["Content-Type"].startswith("text/javascript")
    assert client.get(reverse("web:plotly", args=["0" * 12])).status_code == 404


def test_the_page_asks_a_known_number_of_queries_and_stays_small(owner, team, tried, django_assert_max_num_queries):
    job = tried[0]
    Attempt.objects.bulk_create(
        Attempt(
            job=job,
            no=number,
            idempotency_key="k",
            worker="w",
            started_at=NOW - number * SECOND,
            finished_at=NOW,
            outcome="unavailable",
        )
        for number in range(3, 603)
    )
    with django_assert_max_num_queries(14):
        page = owner.get(reverse("web:jobs_runs"))

    assert page.content.count(b'<tr><td class="num">') == 500
    assert "The newest 500 are shown." in page.content.decode()
    assert len(gzip.compress(page.content)) < 40_000
