"""Lists as files, figures and reports over the API. The clock stands at Monday 23 November 2026, 8:00 UTC."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from schedules.models import Engagement, Job, Occurrence
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_account, make_schedule


@pytest.fixture
def ran(job: Job, after: Callable[..., datetime]) -> Callable[..., Job]:
    """Another run of the job's schedule, two hours ago unless told otherwise, that came to that state after so many seconds."""

    def make(state: str, *, seconds: int = 5, hours: int = -2, account: Any = None, error: str = "") -> Job:
        number = Job.objects.count()
        at = after(hours=hours, minutes=number)
        time = Occurrence.objects.create(
            schedule=job.schedule, nominal_at=at, nominal_local=at.replace(tzinfo=None), fires_at=at, tzdata_version="x"
        )
        return Job.objects.create(
            workspace=job.workspace, schedule=job.schedule, occurrence=time, account=account or job.account, state=state,
            scheduled_for=at, run_at=at, started_at=after(hours=hours, minutes=number, seconds=seconds),
            finished_at=after(hours=hours, minutes=number, seconds=seconds + 1), error_class=error,
            remote_id="1" if state == "completed" else "", created_at=at,
        )  # fmt: skip

    return make


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(answer))))


def test_schedules_as_a_file(
    api: Caller, callers: dict[str, Caller], people: People, account: Any, schedule: Any, after: Any
) -> None:
    make_schedule(people.workspace, [account], after(hours=2), state="draft", text="=1+1")
    answer = api.get("schedules/export/", format="csv")

    assert answer["Content-Disposition"] == 'attachment; filename="schedules-2026-11-23.csv"'
    assert [(row["state"], row["text"]) for row in table(answer)] == [("draft", "'=1+1"), ("active", "Hello")]
    [only] = json.loads(text(api.get("schedules/export/", format="json", state="active")))
    assert (only["id"], only["next_run_at"]) == (str(schedule.public_id), "2026-11-23T09:00:00Z")
    assert fields(api.get("schedules/export/", format="xlsx")) == {"format": "invalid_choice"}
    assert fields(api.get("schedules/export/", colour="red")) == {"colour": "unknown"}
    assert table(callers["foreign_token"].get("schedules/export/")) == []
    assert callers["nobody"].get("schedules/export/").status_code == 401
    plain = api.client.get("/api/v1/schedules/export/", HTTP_ACCEPT="text/csv")
    assert len(table(plain)) == 2


def test_jobs_as_a_file_in_a_constant_number_of_queries(
    api: Caller, callers: dict[str, Caller], job: Job, ran: Any, django_assert_num_queries: Any
) -> None:
    def rows(**query: str) -> list[dict[str, str]]:
        return table(api.get("jobs/export/", **query))

    rows()  # the token's last use is written once a minute
    with django_assert_num_queries(3):
        assert len(rows()) == 1
    for _number in range(30):
        ran("failed", error="rejected")
    with django_assert_num_queries(3):
        found = rows(state="failed", since="2026-11-23T00:00:00Z")
    assert len(found) == 30
    assert (found[0]["error_class"], found[0]["took_seconds"], found[0]["account"]) == ("rejected", "1.0", "News")
    assert json.loads(text(api.get("jobs/export/", format="json", state="pending")))[0]["id"] == str(job.public_id)
    assert table(callers["stranger"].get("jobs/export/")) == []


def test_the_calendar_as_a_file(api: Caller, callers: dict[str, Caller], schedule: Any, job: Job) -> None:
    span = {"since": "2026-11-23T00:00:00Z", "until": "2026-11-24T00:00:00Z"}
    lines = text(api.get("calendar/export/", **span)).split("\r\n")

    assert (lines[0], lines[-2]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    assert {"DTSTART:20261123T090000Z", "SUMMARY:A title", "DESCRIPTION:Scheduled · Sandbox · News"} <= set(lines)
    [row] = table(api.get("calendar/export/", **span, format="csv", timezone="Asia/Tokyo"))
    assert (row["key"], row["at_local"]) == (f"j{job.pk}", "2026-11-23T18:00:00+09:00")
    assert json.loads(text(callers["stranger"].get("calendar/export/", **span, format="json"))) == []


def test_executions_by_hour(api: Caller, people: People, ran: Any, now: Any) -> None:
    other = make_account(people.workspace, now, name="Blog")
    for state, seconds in (("completed", 1), ("completed", 3), ("failed", 20)):
        ran(state, seconds=seconds)
    ran("missed", hours=-5, account=other)
    asked = {
        "since": "2026-11-23T00:00:00Z",
        "until": "2026-11-23T08:00:00Z",
        "bucket": "hour",
        "timezone": "Asia/Kolkata",
    }
    shown = api.get("analytics/executions/", **asked).json()

    assert [(row["at_local"][11:16], row["due_count"], row["published_count"]) for row in shown["results"]] == [
        ("08:00", 1, 0), ("11:00", 3, 2),
    ]  # fmt: skip
    last = shown["results"][-1]
    assert (last["success_rate"], last["delay_p50_seconds"], last["delay_p95_seconds"]) == (0.6667, 3.0, 20.0)
    only = api.get("analytics/executions/", **asked, account=str(other.public_id)).json()["results"]
    assert [(row["missed_count"], row["due_count"]) for row in only] == [(1, 1)]
    assert fields(api.get("analytics/executions/", bucket="year")) == {"bucket": "invalid_choice"}
    assert fields(api.get("analytics/executions/", since="2026-01-01T00:00:00Z", until="2026-11-01T00:00:00Z")) == {
        "until": "invalid"
    }


def test_accounts_posts_and_the_summary(
    api: Caller, callers: dict[str, Caller], people: People, ran: Any, now: Any, django_assert_num_queries: Any
) -> None:
    make_account(people.workspace, now, name="Blog")
    out = ran("completed", seconds=2)
    ran("failed", error="auth")
    Engagement.objects.create(job=out, measured_at=now, values={"likes": 1})
    Engagement.objects.create(job=out, measured_at=now.replace(hour=9), values={"likes": 4})
    blog, news = api.get("analytics/accounts/").json()["results"]

    assert (news["published_count"], news["failed_count"], news["error_classes"]) == (1, 1, {"auth": 1})
    assert (blog["success_rate"], blog["published_count"]) == (None, 0)
    [post] = api.get("analytics/posts/").json()["results"]
    assert (post["job"], post["figures"], post["finished_at"]) == (
        str(out.public_id), {"likes": 4}, "2026-11-23T06:01:03Z",
    )  # fmt: skip
    with django_assert_num_queries(3):
        api.get("analytics/posts/")
    for _number in range(30):
        ran("completed")
    with django_assert_num_queries(3):
        assert len(api.get("analytics/posts/").json()["results"]) == 31
    summary = api.get("analytics/summary/").json()
    assert (summary["published_in_7_days_count"], summary["failed_in_7_days_count"]) == (31, 1)
    assert (summary["load"][0]["planned_count"], len(summary["load"])) == (1, 14)
    assert callers["foreign_token"].get("analytics/accounts/").json()["results"] == []
    assert callers["stranger"].get("analytics/posts/").json()["results"] == []


def test_the_report_of_a_span(api: Caller, people: People, ran: Any, now: Any) -> None:
    other = make_account(people.workspace, now, name="Blog")
    for state in ("completed", "completed", "failed"):
        ran(state)
    # half past midnight in Berlin is the day before in UTC
    ran("completed", hours=-9, account=other)
    asked = {"since": "2026-11-22T00:00:00Z", "until": "2026-11-23T08:00:00Z", "timezone": "Europe/Berlin"}
    report = api.get("reports/activity/", **asked).json()

    assert (report["published_count"], report["failed_count"], report["success_rate"]) == (3, 1, 0.75)
    assert {(row["day"], row["account"], row["published_count"]) for row in report["results"]} == {
        ("2026-11-23", "News", 2), ("2026-11-23", "Blog", 1),
    }  # fmt: skip
    rows = table(api.get("reports/activity/", **asked, format="csv"))
    assert sorted((row["account"], row["failed_count"]) for row in rows) == [("Blog", "0"), ("News", "1")]
