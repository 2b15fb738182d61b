"""Backfill through the API: looked at first, then asked for; whoever may publish may (ENGINE R36)."""

from __future__ import annotations

from typing import Any

import pytest

from schedules.models import AuditLog, Job, Occurrence, Schedule
from tests.integration.api.callers import Caller, fields
from tests.people import make_schedule

WINDOW = {"start": "2026-11-23T05:00:00", "end": "2026-11-23T09:00:00+01:00", "gap_seconds": 30}


@pytest.fixture
def hourly(people: Any, account: Any, now: Any) -> Schedule:
    """Hourly in Berlin since 5 that morning, and none of the past times was ever planned."""
    from datetime import datetime, timedelta

    row: Schedule = make_schedule(
        people.workspace, [account], now - timedelta(hours=4), rule_kind="cron", expression="0 * * * *",
        timezone="Europe/Berlin", start_local=datetime(2026, 11, 23, 5),
    )  # fmt: skip
    Job.objects.filter(scheduled_for__lt=now).update(state="missed", reason="too_late")
    return row


def test_a_preview_is_the_default_and_makes_nothing(api: Caller, hourly: Schedule) -> None:
    answer = api.post(f"schedules/{hourly.public_id}/backfill/", WINDOW)

    assert answer.status_code == 200
    told = answer.json()
    assert (told["preview"], told["time_count"], told["job_count"], told["more"]) == (True, 4, 4, False)
    assert told["results"][0]["makes_up_for_local"] == "2026-11-23T05:00:00+01:00"
    assert [item["publish_at"] for item in told["results"][:2]] == ["2026-11-23T08:00:00Z", "2026-11-23T08:00:30Z"]
    assert not Occurrence.objects.filter(cause="backfill").exists()


def test_asked_for_it_is_made_once(api: Caller, hourly: Schedule) -> None:
    made = api.post(f"schedules/{hourly.public_id}/backfill/", {**WINDOW, "preview": False})
    again = api.post(f"schedules/{hourly.public_id}/backfill/", {**WINDOW, "preview": False})

    assert (made.status_code, made.json()["job_count"]) == (201, 4)
    assert (again.status_code, fields(again)) == (422, {"start": "empty"})
    assert Job.objects.filter(occurrence__cause="backfill", state="pending").count() == 4
    assert AuditLog.objects.get(action="schedule.backfilled").actor_label == "API token n8n"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"start": "required", "end": "required"}),
        ({**WINDOW, "gap_seconds": -1}, {"gap_seconds": "min_value"}),
        ({**WINDOW, "end": "2027-01-01T00:00:00"}, {"end": "invalid"}),
        ({**WINDOW, "until": "x"}, {"until": "unknown"}),
    ],
)
def test_a_wrong_request_says_what_is_wrong(api: Caller, hourly: Schedule, body: Any, wrong: dict[str, str]) -> None:
    answer = api.post(f"schedules/{hourly.public_id}/backfill/", body)

    assert (answer.status_code >= 400, fields(answer)) == (True, wrong)


@pytest.mark.parametrize(
    ("name", "status"), [("author", 200), ("viewer", 403), ("viewer_token", 403), ("stranger", 404), ("nobody", 401)]
)
def test_who_may(callers: dict[str, Caller], hourly: Schedule, name: str, status: int) -> None:
    assert callers[name].post(f"schedules/{hourly.public_id}/backfill/", WINDOW).status_code == status
