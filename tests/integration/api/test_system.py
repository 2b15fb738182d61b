"""The history, the engine's figures, the form of problems, paging, and the number of queries of each list."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from schedules.engine.figures import LATENESS
from schedules.models import Attempt, Duty, EngineControl, Job, Schedule, Worker
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_account, make_schedule


def test_the_history_of_one_thing(api: Caller, schedule: Schedule) -> None:
    api.post(f"schedules/{schedule.public_id}/pause/")

    rows = api.get("audit/", object_type="schedule", object_id=str(schedule.public_id)).json()["results"]

    assert [row["action"] for row in rows] == ["schedule.paused", "schedule.created"]
    assert (rows[0]["before"], rows[0]["after"]) == ({"state": "active"}, {"state": "paused"})
    assert rows[0]["actor"]["label"] == "API token n8n"
    assert (rows[0]["at"], rows[0]["at_local"]) == ("2026-11-23T08:00:00Z", "2026-11-23T09:00:00+01:00")


def test_the_history_holds_the_requests_id(api: Caller, schedule: Schedule) -> None:
    api.client.post(f"/api/v1/schedules/{schedule.public_id}/pause/", HTTP_X_REQUEST_ID="my-request-1")

    assert api.get("audit/", action="schedule.paused").json()["results"][0]["request_id"] == "my-request-1"


def test_the_status_counts_what_one_may_see(
    callers: dict[str, Caller],
    people: People,
    job: Job,
    account: Any,
    after: Callable[..., datetime],
    now: datetime,
) -> None:
    make_schedule(people.workspace, [account], now)
    Job.objects.exclude(pk=job.pk).update(run_at=after(seconds=-90))
    Worker.objects.create(name="a", host="h", pid=1, started_at=now, beat_at=after(seconds=-5), in_flight=2)
    Worker.objects.create(name="b", host="h", pid=2, started_at=now, beat_at=after(seconds=-91))
    Worker.objects.create(name="c", host="h", pid=3, started_at=now, beat_at=now, stopped_at=now)

    shown = callers["token"].get("status/").json()

    assert shown["queue"] == {"pending": 2, "due": 1, "running": 0, "oldest_due_age_seconds": 90.0}
    assert [(row["name"], row["alive"]) for row in shown["workers"]] == [
        ("c", False),
        ("a", True),
        ("b", False),
    ]
    assert (shown["workers"][1]["beat_at"], shown["workers"][1]["beat_age_seconds"]) == (
        "2026-11-23T07:59:55Z",
        5.0,
    )
    assert (shown["running"], shown["paused"], shown["timezone"]) == (True, False, "Europe/Berlin")
    assert callers["stranger"].get("status/").json()["queue"] == {
        "pending": 0,
        "due": 0,
        "running": 0,
        "oldest_due_age_seconds": None,
    }


def test_the_status_says_when_everything_is_paused(api: Caller, people: People, now: datetime) -> None:
    EngineControl.objects.create(pk=1, paused_at=now)

    shown = api.get("status/").json()

    assert (shown["running"], shown["paused"], shown["paused_at"]) == (False, True, "2026-11-23T08:00:00Z")


def test_r40_the_status_tells_alarms_histograms_and_duties(
    api: Caller, people: People, after: Callable[..., datetime], now: datetime
) -> None:
    counts = [3, 1] + [0] * (len(LATENESS) - 1)
    Worker.objects.create(
        name="a", host="h", pid=1, started_at=now, beat_at=after(seconds=-5), clock_skew_ms=2500, claimed_count=4,
        lateness={"bounds": list(LATENESS), "counts": counts, "sum": 0.02},
    )  # fmt: skip
    Duty.objects.create(name="plan", every_seconds=30, next_at=now, last_run_at=after(seconds=-120))

    shown = api.get("status/").json()

    assert [(alarm["name"], alarm["stops_publishing"]) for alarm in shown["alarms"]] == [
        ("planner_behind", False),
        ("clock_skew", False),
    ]
    assert all(alarm["words"] and alarm["remedy"] for alarm in shown["alarms"])
    assert (shown["lateness"]["count"], shown["lateness"]["sum_seconds"]) == (4, 0.02)
    assert (shown["lateness"]["buckets"]["0.005"], shown["lateness"]["buckets"]["+Inf"]) == (3, 4)
    assert shown["passes"]["p99_seconds"] is None
    assert shown["duties"][0]["last_run_at"] == "2026-11-23T07:58:00Z"
    assert (shown["duties"][0]["late"], shown["workers"][0]["claimed_count"]) == (True, 4)
    assert shown["held"] == {"blocked": 0, "unconfirmed": 0, "processing": 0}


def test_the_queue_of_the_installation_is_for_superusers(
    callers: dict[str, Caller], people: People, schedule: Schedule
) -> None:
    member = callers["owner"].get("status/").json()["kinds"]
    people.stranger.is_superuser = True
    people.stranger.save()

    everything = callers["stranger"].get("status/").json()

    assert member == {}
    assert set(everything["kinds"]) == {"publish", "check", "refresh", "read", "deliver"}
    assert everything["kinds"]["publish"] == everything["queue"]
    assert everything["queue"]["pending"] > 0


# method, address, status, type
ODD = (
    ("get", "nowhere/", 404, "not-found"),
    ("get", "jobs", 404, "not-found"),
    ("get", "jobs/7/", 404, "not-found"),
    ("get", "jobs/0193b3a4-0000-7000-8000-000000000000/", 404, "not-found"),
    ("get", "", 404, "not-found"),
    ("post", "jobs/", 405, "method-not-allowed"),
    ("get", "rules/preview/", 405, "method-not-allowed"),
    ("get", "jobs/?cursor=nonsense", 404, "not-found"),
)


@pytest.mark.parametrize(("method", "path", "status", "kind"), ODD)
def test_whatever_goes_wrong_is_a_problem(
    api: Caller, people: People, method: str, path: str, status: int, kind: str
) -> None:
    answer = api.call(method, path)

    assert answer.status_code == status
    assert fields(answer) == {}
    assert answer.json()["type"] == f"urn:alwrity:problem:{kind}"
    assert answer.json()["detail"]
    assert answer.json()["request_id"] == answer["X-Request-ID"]


def test_a_forgotten_slash_is_told(api: Caller, people: People) -> None:
    assert "end with a slash" in api.get("jobs").json()["detail"]


def test_a_body_that_cannot_be_read_is_a_problem(api: Caller, people: People) -> None:
    broken = api.client.post("/api/v1/content/", '{"text": ', content_type="application/json")
    form = api.client.post("/api/v1/content/", "text=Hi", content_type="application/x-www-form-urlencoded")

    assert (broken.status_code, broken.json()["type"]) == (400, "urn:alwrity:problem:malformed")
    assert (form.status_code, form.json()["type"]) == (415, "urn:alwrity:problem:unsupported-media-type")


def test_a_body_that_is_too_large_is_not_read(api: Caller, people: People, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = api.post("content/", {"text": "x" * 1001})

    assert (answer.status_code, answer.json()["type"]) == (413, "urn:alwrity:problem:too-large")


def test_an_unforeseen_error_tells_nothing_of_itself(
    api: Caller, schedule: Schedule, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from schedules.services import content

    def broken(**_: Any) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(content, "create_content", broken)

    answer = api.post("content/", {"text": "Hi"})

    assert (answer.status_code, answer.json()["type"]) == (500, "urn:alwrity:problem:internal")
    assert "hunter2" not in answer.content.decode()
    assert "hunter2" in caplog.text


def test_lists_are_cut_by_cursor(api: Caller, people: People) -> None:
    ids = [api.post("content/", {"text": f"No. {number}"}).json()["id"] for number in range(5)][::-1]

    first = api.get("content/", page_size=2).json()
    arrived = api.post("content/", {"text": "Meanwhile"}).json()["id"]
    second = api.client.get(first["next"]).json()
    third = api.client.get(second["next"]).json()

    seen = [[row["id"] for row in page["results"]] for page in (first, second, third)]
    assert seen == [ids[:2], ids[2:4], ids[4:]]
    assert (first["previous"], third["next"]) == (None, None)
    assert arrived == api.get("content/").json()["results"][0]["id"]


def test_a_page_has_two_hundred_rows_at_most(api: Caller, people: People, account: Any) -> None:
    from schedules.api.paging import NewestFirst

    assert (NewestFirst.page_size, NewestFirst.max_page_size, NewestFirst.ordering) == (50, 200, "-id")


def _grow(people: People, now: datetime, names: list[str]) -> None:
    for name in names:
        account = make_account(people.workspace, now, name=name)
        row = make_schedule(people.workspace, [account], now, rule_kind="cron", expression="0 9 * * *")
        job = row.jobs.first()
        Attempt.objects.create(job=job, no=1, idempotency_key="k", worker="w", started_at=now)


# the queries of each list with a token: the token, the rows, and what is prefetched
QUERIES = {"accounts/": 3, "content/": 4, "schedules/": 7, "jobs/": 2, "audit/": 3}


@pytest.mark.parametrize(("path", "count"), QUERIES.items())
def test_more_rows_ask_no_more_queries(api: Caller, people: People, now: datetime, path: str, count: int) -> None:
    api.get(path)
    seen = {}
    for names in (["A"], ["B", "C", "D"]):
        _grow(people, now, names)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = api.get(path)
        seen[len(answer.json()["results"])] = len(queries)

    assert len(seen) == 2
    assert set(seen.values()) == {count}, json.dumps([query["sql"] for query in queries], indent=1)
