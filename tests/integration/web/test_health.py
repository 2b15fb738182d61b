"""For machines that watch: /healthz, /readyz (the dead man's switch, R40), /metrics; and the page Scheduler for operators."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.db import OperationalError
from django.urls import reverse
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from schedules.engine.figures import LATENESS, PASSES
from schedules.models import Duty, EngineControl, Job, Worker
from schedules.reads import engine as reads
from schedules.web.views import health
from tests.conftest import NOW
from tests.integration.web.conftest import HTMX

DEPLOY = Path(__file__).resolve().parents[3] / "alwrity_scheduler/deploy"
TOKEN = "a-token-of-prometheus"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def token(settings):
    settings.METRICS_TOKEN = TOKEN


def beating(name="w1", **values):
    values = {"host": "h", "pid": 1, "started_at": NOW, "beat_at": NOW - timedelta(seconds=4), **values}
    return Worker.objects.create(name=name, **values)


def late_job(team, seconds):
    Job.objects.filter(pk=team.jobs[-1].pk).update(state="pending", run_at=NOW - timedelta(seconds=seconds))


def test_alive_is_no_more_than_an_answer(client, db):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert client.post("/healthz").status_code == 405


def test_r40_ready_while_a_scheduler_beats_and_nothing_waits(client, db):
    beating()

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "alarms": []})
    assert answer.headers["Cache-Control"] == "no-store"


def test_r40_not_ready_names_the_alarm_and_what_to_do(client, team):
    beating()
    late_job(team, 61)

    answer = client.get("/readyz")

    (alarm,) = answer.json()["alarms"]
    assert (answer.status_code, answer.json()["status"], alarm["name"]) == (503, "alarm", "oldest_due")
    assert alarm["words"] == "The oldest due work has been waiting for 1 min 1 s."
    assert "runscheduler" in alarm["remedy"]


def test_r40_not_ready_without_a_scheduler(client, db):
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert [alarm["name"] for alarm in answer.json()["alarms"]] == ["no_scheduler"]


def test_not_ready_without_a_database(client, db, monkeypatch):
    def down(now):
        raise OperationalError("connection to postgres://ana:pa55@db refused")

    monkeypatch.setattr(health, "dead_mans_switch", down)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["alarms"][0]["name"]) == (503, "database")
    assert b"pa55" not in answer.content


def test_probes_are_not_sent_to_https(client, db, settings):
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/readyz").status_code == 503
    assert client.get("/app/").status_code == 301


def test_metrics_do_not_exist_for_strangers_nor_for_members(client, owner, token):
    wrong = {"Authorization": "Bearer something else"}

    answers = [client.get("/metrics"), client.get("/metrics", headers=wrong), owner.get("/metrics")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


@pytest.mark.parametrize("header", ["Bearer ", "Bearer", ""])
def test_an_empty_token_opens_nothing(client, db, settings, header):
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers={"Authorization": header}).status_code == 404


def test_the_token_or_a_superuser_opens_the_metrics(client, owner, team, token):
    with_token = client.get("/metrics", headers=BEARER)
    type(team.people.owner).objects.update(is_superuser=True)

    assert (with_token.status_code, owner.get("/metrics").status_code) == (200, 200)
    assert client.post("/metrics", headers=BEARER).status_code == 405


def filled(bounds, **at):
    counts = [0] * (len(bounds) + 1)
    for place, count in at.items():
        counts[int(place[1:])] = count
    return {"bounds": list(bounds), "counts": counts, "sum": 1.5}


def samples(families):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


ACCEPT = "application/openmetrics-text; version=1.0.0, text/plain;version=0.0.4;q=0.5"


@pytest.mark.parametrize(
    ("accept", "parse", "content_type"),
    [("", plain_text, "text/plain"), (ACCEPT, openmetrics, "application/openmetrics-text")],
)
def test_r40_the_figures_of_all_processes_in_both_formats(client, team, token, accept, parse, content_type):
    beating(claimed_count=7, completed_count=5, rescued_count=1, database_error_count=2, cpu_seconds=1.25,
            rss_bytes=90_000_000, clock_skew_ms=-2500, lateness=filled(LATENESS, b0=3, b11=1),
            passes={**filled(PASSES, b1=4), "worst": 0.002})  # fmt: skip
    beating("w2", stopped_at=NOW, completed_count=3, lateness=filled(LATENESS, b2=2))
    beating("long gone", beat_at=NOW - timedelta(minutes=16))
    Duty.objects.create(name="plan", every_seconds=30, next_at=NOW, last_run_at=NOW, last_duration_ms=12)
    late_job(team, 75)

    answer = client.get("/metrics", headers={**BEARER, "Accept": accept})
    found = samples(parse(answer.content.decode()))

    w1 = ("worker", "w1")
    assert answer.headers["Content-Type"].startswith(content_type)
    assert found["alwrity_workers", ("state", "alive")] == 1
    assert (found["alwrity_claimed_rows_total", w1], found["alwrity_finished_rows_total", w1]) == (7, 5)
    assert found["alwrity_finished_rows_total", ("worker", "w2")] == 3
    assert (found["alwrity_rescued_rows_total", w1], found["alwrity_database_errors_total", w1]) == (1, 2)
    assert found["alwrity_worker_cpu_seconds_total", w1] == 1.25
    assert found["alwrity_worker_resident_memory_bytes", w1] == 90_000_000
    assert found["alwrity_worker_clock_skew_seconds", w1] == -2.5
    assert found["alwrity_lateness_seconds_bucket", ("le", "0.005"), w1] == 3
    assert found["alwrity_lateness_seconds_bucket", ("le", "+Inf"), w1] == 4
    assert (found["alwrity_lateness_seconds_count", w1], found["alwrity_lateness_seconds_sum", w1]) == (4, 1.5)
    assert found["alwrity_pass_duration_seconds_bucket", ("le", "0.0025"), w1] == 4
    assert found["alwrity_pass_duration_worst_seconds", w1] == 0.002
    assert found["alwrity_oldest_due_age_seconds", ("kind", "publish")] == 75
    assert found["alwrity_queue_rows", ("kind", "publish"), ("state", "due")] == 1
    assert found["alwrity_duty_last_run_timestamp_seconds", ("duty", "plan")] == NOW.timestamp()
    assert (found["alwrity_alarm", ("alarm", "oldest_due")], found["alwrity_alarm", ("alarm", "no_scheduler")]) == (
        1,
        0,
    )
    assert found["alwrity_paused",] == 0
    assert not [key for key in found if ("worker", "long gone") in key]


def test_names_follow_the_conventions(client, db, token):
    beating()

    families = list(plain_text(client.get("/metrics", headers=BEARER).content.decode()))

    assert [family.name for family in families if not family.name.startswith("alwrity_")] == []
    assert [family.name for family in families if "ms" in family.name.split("_")] == []
    assert [sample.name for family in families if family.type == "counter" for sample in family.samples
            if not sample.name.endswith("_total")] == []  # fmt: skip


def test_the_example_alerts_name_only_figures_that_exist(client, team, token):
    import re

    beating()
    Duty.objects.create(name="plan", every_seconds=30, next_at=NOW, last_run_at=NOW)
    known = {name for name, *_ in samples(plain_text(client.get("/metrics", headers=BEARER).content.decode()))}
    rules = yaml.safe_load((DEPLOY / "prometheus-alerts.yaml").read_text())["groups"][0]["rules"]

    used = {name for rule in rules for name in re.findall(r"alwrity_\w+", rule["expr"])}

    assert len(rules) == 9
    assert used - known == set()
    assert (
        yaml.safe_load((DEPLOY / "prometheus-scrape.yaml").read_text())["scrape_configs"][0]["metrics_path"]
        == "/metrics"
    )


@pytest.fixture
def operator(team, browser_of):
    type(team.people.owner).objects.update(is_staff=True, is_superuser=True)
    team.people.owner.refresh_from_db()
    return browser_of(team.people.owner)


def test_the_page_is_there_for_those_who_run_the_installation_alone(owner, viewer, client, team):
    answers = [person.get(reverse("web:engine")).status_code for person in (owner, viewer, client)]

    assert answers == [404, 404, 302]
    assert b"/app/engine/" not in owner.get(reverse("web:today")).content


def test_the_page_shows_processes_duties_queue_and_alarms(operator, team, django_assert_max_num_queries):
    beating(rss_bytes=90_000_000, completed_count=1234)
    Duty.objects.create(name="plan", every_seconds=30, next_at=NOW, last_run_at=NOW, last_result="3 jobs planned")
    late_job(team, 125)

    with django_assert_max_num_queries(28):
        page = operator.get(reverse("web:engine")).content.decode()

    assert "The oldest due work has been waiting for 2 min 5 s." in page
    assert ("w1" in page, "1,234" in page, "3 jobs planned" in page) == (True, True, True)
    assert 'action="/app/pause-everything/"' in page
    assert page.count("<h1") == 1


def test_the_page_is_a_live_part_too(operator):
    part = operator.get(reverse("web:engine"), headers=HTMX)

    assert b"<html" not in part.content
    assert b'hx-get="/app/engine/"' in part.content


def test_while_everything_is_paused_the_page_offers_to_resume(operator):
    EngineControl.objects.create(pk=1, paused_at=NOW)

    page = operator.get(reverse("web:engine")).content.decode()

    assert 'action="/app/resume-everything/"' in page
    assert 'data-open="pause-all"' not in page
    assert "posts go out when they are due" not in page


def test_the_head_of_every_page_says_when_posts_are_late(owner, team):
    beating()
    calm = owner.get(reverse("web:schedules")).content
    late_job(team, 61)
    late = owner.get(reverse("web:schedules")).content

    assert (b"Scheduler running" in calm, b"Posts are late" in calm) == (True, False)
    assert (b"Scheduler running" in late, b"Posts are late" in late) == (False, True)


def test_the_head_and_the_figures_agree_on_who_is_alive(operator, team):
    beating(beat_at=NOW - reads.SILENT_AFTER)

    page = operator.get(reverse("web:engine")).content

    assert b"Scheduler silent" in page
    assert b"No scheduler has been heard of in the last 90 seconds" in page
