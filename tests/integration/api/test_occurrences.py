"""Single times of a rule over the API; history, previews, copies; jobs that are moved."""

from __future__ import annotations

from typing import Any

import pytest

from schedules.models import Attempt, Job, Schedule, ScheduleException
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_account, make_schedule

DAILY = {"kind": "cron", "expression": "0 9 * * *", "timezone": "Europe/Berlin", "start": "2026-11-24T00:00:00"}


@pytest.fixture
def daily(api: Caller, body: dict[str, Any]) -> Schedule:
    """Active, every day at 9 in Berlin."""
    made = api.post("schedules/", {**body, "rule": DAILY, "state": "active"})
    return Schedule.objects.get(public_id=made.json()["id"])


def times(api: Caller, row: Schedule, **query: str) -> list[str]:
    shown = api.get(f"schedules/{row.public_id}/occurrences/", **query).json()["results"]
    return [item["local"][5:16] for item in shown]


def test_occurrences_of_a_span(api: Caller, daily: Schedule) -> None:
    span = {"since": "2026-12-30T00:00:00Z", "until": "2027-01-02T00:00:00Z"}
    assert times(api, daily, **span) == ["12-30T09:00", "12-31T09:00", "01-01T09:00"]
    assert times(api, daily, since=span["since"], count="1") == ["12-30T09:00"]
    where = f"schedules/{daily.public_id}/occurrences/"
    assert fields(api.get(where, since=span["until"], until=span["since"])) == {"until": "invalid"}
    assert fields(api.get(where, since="soon")) == {"since": "invalid"}


def test_one_time_is_left_out_moved_and_put_back(api: Caller, callers: dict[str, Caller], daily: Schedule) -> None:
    where = f"schedules/{daily.public_id}/occurrences/"
    skipped = api.post(f"{where}2026-11-25T09:00:00/skip/")

    assert skipped.status_code == 200, skipped.json()
    assert times(api, daily, count="2") == ["11-24T09:00", "11-26T09:00"]
    assert not Job.objects.filter(schedule=daily, occurrence__fires_at="2026-11-25T08:00:00Z", state="pending").exists()
    # by another clock: 12:00 in London is 13:00 in Berlin
    moved = api.post(
        f"{where}2026-11-24T09:00:00+01:00/move/", {"at": "2026-11-24T12:00:00", "timezone": "Europe/London"}
    )
    assert moved.status_code == 200
    assert times(api, daily, count="1") == ["11-24T13:00"]
    shown = api.get(f"schedules/{daily.public_id}/exceptions/").json()["results"]
    assert [(row["occurrence"], row["action"]) for row in shown] == [
        ("2026-11-24T09:00:00", "move"), ("2026-11-25T09:00:00", "skip"),
    ]  # fmt: skip
    assert shown[0]["moved_to"]["utc"] == "2026-11-24T12:00:00Z"
    assert api.post(f"{where}2026-11-25T09:00:00/restore/").status_code == 200
    assert times(api, daily, count="2") == ["11-24T13:00", "11-25T09:00"]
    assert fields(api.post(f"{where}2026-11-25T09:00:00/restore/")) == {"occurrence": "invalid"}
    assert fields(api.post(f"{where}2026-11-25T10:00:00/skip/")) == {"occurrence": "invalid"}
    assert fields(api.post(f"{where}2026-11-26T09:00:00/move/", {"at": "2026-11-01T09:00:00"})) == {"at": "invalid"}
    assert fields(api.post(f"{where}2026-11-26T09:00:00/move/", {"at": "0001-01-01T00:00:00"})) == {"at": "invalid"}
    for name in ("soon", "0001-01-01T00:00:00", "2026-13-01"):
        assert api.post(f"{where}{name}/skip/").status_code == 404
    assert callers["viewer"].post(f"{where}2026-11-26T09:00:00/skip/").status_code == 403
    assert callers["stranger"].post(f"{where}2026-11-26T09:00:00/skip/").status_code == 404
    assert ScheduleException.objects.count() == 1


def test_this_and_following_go_on_as_a_new_schedule(api: Caller, callers: dict[str, Caller], daily: Schedule) -> None:
    where = f"schedules/{daily.public_id}/occurrences/2026-11-27T09:00:00/following/"
    change = {
        "version": daily.version,
        "content": {"text": "From now on."},
        "rule": {**DAILY, "expression": "30 17 * * *"},
    }
    del change["rule"]["start"]
    assert callers["viewer"].post(where, change).status_code == 403
    assert fields(api.post(where, {**change, "version": 99})) == {"version": "stale"}
    made = api.post(where, change)

    assert made.status_code == 201, made.json()
    twin = Schedule.objects.get(public_id=made.json()["id"])
    assert (twin.split_from, twin.state, twin.content.text) == (daily, "active", "From now on.")
    assert times(api, daily) == ["11-24T09:00", "11-25T09:00", "11-26T09:00"]
    assert times(api, twin, count="2") == ["11-27T17:30", "11-28T17:30"]
    daily.content.refresh_from_db()
    assert daily.content.text == "We are live."
    only = api.post(
        f"schedules/{twin.public_id}/occurrences/2026-11-30T17:30:00/following/",
        {"version": twin.version, "tags": ["x"]},
    )
    assert only.status_code == 201
    assert times(api, Schedule.objects.get(public_id=only.json()["id"]), count="1") == ["11-30T17:30"]
    first = f"schedules/{daily.public_id}/occurrences/2026-11-24T09:00:00/following/"
    daily.refresh_from_db()
    assert fields(api.post(first, {"version": daily.version})) == {"occurrence": "invalid"}


def test_the_history_says_what_changed(api: Caller, callers: dict[str, Caller], daily: Schedule) -> None:
    api.patch(f"schedules/{daily.public_id}/", {"version": daily.version, "content": {"text": "We are here."}})
    where = f"schedules/{daily.public_id}/history/"
    rows = api.get(where).json()["results"]

    assert {row["action"] for row in rows} >= {"content.created", "content.edited", "schedule.created"}
    [edit] = [row for row in rows if row["action"] == "content.edited"]
    [change] = edit["changes"]
    assert (change["field"], change["before"], change["after"]) == ("text", "We are live.", "We are here.")
    assert [piece["text"] for piece in change["pieces"] if piece["kind"] == "added"] == ["here"]
    assert len(api.get(where, page_size="1").json()["results"]) == 1
    assert callers["viewer"].get(where).status_code == 200
    assert callers["stranger"].get(where).status_code == 404


def test_how_a_post_looks(api: Caller, callers: dict[str, Caller], people: People, daily: Schedule, now: Any) -> None:
    bird = make_account(
        people.workspace, now, platform="mastodon", name="Toot", options={"instance_url": "https://mastodon.example"},
        credentials={"access_token": "t"},
    )  # fmt: skip
    [card] = api.get(f"schedules/{daily.public_id}/preview/").json()["results"]
    assert (card["platform"], card["parts"], card["trouble"]) == ("sandbox", ["We are live."], "")
    asked = {
        "content": {"text": "y" * 501},
        "accounts": [{"id": str(bird.public_id)}, *card["accounts"]],
    }
    long, short = api.post("content/preview/", asked).json()["results"]
    assert (long["count"]["used"], long["count"]["limit"]) == (501, 500)
    assert [item["severity"] for item in long["problems"]] == ["error"]
    assert short["problems"] == []
    assert callers["stranger"].get(f"schedules/{daily.public_id}/preview/").status_code == 404
    assert fields(callers["foreign_token"].post("content/preview/", asked)).keys() == {"accounts.0.id", "accounts.1.id"}


def test_a_copy_goes_to_other_accounts(api: Caller, people: People, daily: Schedule, now: Any) -> None:
    other = make_account(people.workspace, now, name="Blog")
    where = f"schedules/{daily.public_id}/clone/"
    twin = api.post(where, {"accounts": [str(other.public_id)]}).json()

    assert ([row["name"] for row in twin["accounts"]], twin["state"]) == (["Blog"], "draft")
    assert [row["name"] for row in api.post(where).json()["accounts"]] == ["News"]
    before = Schedule.objects.count()
    assert fields(api.post(where, {"accounts": [str(people.workspace.public_id)]})) == {"accounts": "invalid"}
    assert fields(api.post(where, {"accounts": [str(other.public_id)] * 2})) == {"accounts": "invalid"}
    assert Schedule.objects.count() == before


def test_a_job_is_moved_and_its_attempts_are_listed(
    api: Caller, callers: dict[str, Caller], schedule: Schedule, job: Job, now: Any
) -> None:
    where = f"jobs/{job.public_id}/move/"
    assert callers["viewer"].post(where, {"at": "2026-12-01T09:00:00"}).status_code == 403
    assert callers["stranger"].post(where, {"at": "2026-12-01T09:00:00"}).status_code == 404
    assert fields(api.post(where, {"at": "2026-11-01T09:00:00"})) == {"at": "invalid"}
    assert fields(api.post(where, {"at": "2026-12-01T09:00:00", "version": 77})) == {"version": "stale"}
    moved = api.post(where, {"at": "2026-11-24T09:00:00", "timezone": "Europe/Berlin"})

    assert (moved.status_code, moved.json()["at"]) == (200, "2026-11-24T08:00:00Z")
    schedule.refresh_from_db()
    assert schedule.start_local.isoformat() == "2026-11-24T08:00:00"
    left = Job.objects.get(schedule=schedule, state="pending")
    Attempt.objects.bulk_create(
        Attempt(job=left, no=number, worker="w", started_at=now, idempotency_key="k") for number in (1, 2, 3)
    )
    attempts = f"jobs/{left.public_id}/attempts/"
    assert [row["no"] for row in api.get(attempts).json()["results"]] == [3, 2, 1]
    assert callers["foreign_token"].get(attempts).status_code == 404


def test_drafts_whose_time_has_gone_by(
    api: Caller, callers: dict[str, Caller], people: People, account: Any, after: Any
) -> None:
    late = make_schedule(people.workspace, [account], after(hours=-3), state="draft", text="Too late")
    make_schedule(people.workspace, [account], after(hours=3), state="draft")

    [row] = api.get("schedules/unscheduled/").json()["results"]
    assert (row["schedule"], row["at"]) == (str(late.public_id), "2026-11-23T05:00:00Z")
    assert callers["stranger"].get("schedules/unscheduled/").json()["results"] == []


def test_a_link_card_never_looks_into_private_networks(api: Caller, callers: dict[str, Caller]) -> None:
    card = api.post("link-cards/", {"url": "http://127.0.0.1:1/"}).json()

    assert (card["title"], bool(card["trouble"])) == ("", True)
    assert callers["viewer"].post("link-cards/", {"url": "http://127.0.0.1:1/"}).status_code == 403


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00", "9999-12-31T23:59:59", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"]
)
def test_times_that_no_zone_can_tell_are_refused(api: Caller, account: Any, daily: Schedule, at: str) -> None:
    """Never an error of ours, whatever is asked for."""
    accounts = [str(account.public_id)]
    name = at.replace("+", "%2B")
    answers = [
        api.post("conflicts/check/", {"accounts": accounts, "at": at}),
        api.post("slots/find/", {"accounts": accounts, "after": at}),
        api.post("slots/find/", {"accounts": accounts, "before": at}),
        api.get(f"schedules/{daily.public_id}/occurrences/", since=at),
        api.get("analytics/executions/", since=at),
        api.get("reports/activity/", until=at),
        api.get("conflicts/", since=at, until="2026-12-01T00:00:00Z"),
        api.get("calendar/export/", since="2026-12-01T00:00:00Z", until=at),
        api.post(f"schedules/{daily.public_id}/occurrences/2026-11-24T09:00:00/move/", {"at": at}),
        api.post(f"jobs/{Job.objects.first().public_id}/move/", {"at": at}),
    ]
    assert [answer.status_code for answer in answers] == [422] * len(answers)
    assert api.post(f"schedules/{daily.public_id}/occurrences/{name}/skip/").status_code in (404, 422)
    imported = api.post("imports/", {"rows": [{"text": "x", "accounts": accounts, "at": at}]}).json()
    assert imported["fits_count"] == 0
