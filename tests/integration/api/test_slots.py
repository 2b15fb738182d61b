"""Posting times, the queue, free times and conflicts over the API. The clock stands at Monday 23 November 2026, 8:00 UTC."""

from __future__ import annotations

from typing import Any

import pytest

from schedules.models import Job, PostingSlot, Schedule
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_account, make_schedule

TIMES = [{"weekday": 0, "time": "10:00"}, {"weekday": 2, "time": "17:30"}]


def test_posting_times_are_replaced_and_filled(
    api: Caller, callers: dict[str, Caller], account: Any, body: dict[str, Any]
) -> None:
    where = f"accounts/{account.public_id}/"
    put = callers["owner"].put(f"{where}posting-times/", {"times": TIMES})

    assert (put.status_code, put.json()["times"], put.json()["next_at_local"]) == (
        200,
        TIMES,
        "2026-11-23T10:00:00+01:00",
    )
    assert api.get(f"{where}posting-times/").json() == put.json()
    # as it was shown, it can be sent back
    assert callers["owner"].put(f"{where}posting-times/", put.json()).status_code == 200
    wrong = {"times": [{"weekday": 7, "time": "25:00"}]}
    assert fields(callers["owner"].put(f"{where}posting-times/", wrong)).keys() == {"times.0.weekday", "times.0.time"}

    def coming() -> list[str]:
        return [row["at_local"] for row in api.get(f"{where}slots/", count="3").json()["results"]]

    assert coming() == ["2026-11-23T10:00:00+01:00", "2026-11-25T17:30:00+01:00", "2026-11-30T10:00:00+01:00"]
    queued = api.post("queue/", {"content": body["content"], "accounts": body["accounts"], "tags": ["q"]})
    assert queued.status_code == 201
    [made] = queued.json()["schedules"]
    assert (made["state"], made["tags"]) == ("active", ["q"])
    assert Job.objects.get().scheduled_for.isoformat() == "2026-11-23T09:00:00+00:00"
    assert coming() == ["2026-11-25T17:30:00+01:00", "2026-11-30T10:00:00+01:00", "2026-12-02T17:30:00+01:00"]
    stored = {"content": {"id": made["content"]["id"]}, "accounts": body["accounts"]}
    assert api.post("queue/", stored).json()["schedules"][0]["next_run_at_local"] == "2026-11-25T17:30:00+01:00"


def test_the_queue_refuses_what_it_cannot_place(
    api: Caller, callers: dict[str, Caller], account: Any, body: dict[str, Any]
) -> None:
    post = {"content": body["content"], "accounts": body["accounts"]}

    assert fields(api.post("queue/", post)) == {"accounts": "invalid"}
    assert fields(api.post("queue/", {**post, "accounts": []})) == {"accounts": "required"}
    assert fields(api.post("queue/", {**post, "rule": body["rule"]})) == {"rule": "unknown"}
    assert callers["viewer"].post("queue/", post).status_code == 403
    assert not Schedule.objects.exists()
    assert not PostingSlot.objects.exists()


def test_free_times_keep_away_from_what_is_planned(
    api: Caller, callers: dict[str, Caller], people: People, account: Any, schedule: Any, now: Any
) -> None:
    """`schedule` goes out at 9:00 UTC."""
    other = make_account(people.workspace, now, name="Blog", min_spacing_seconds=1800)
    both = [str(account.public_id), str(other.public_id)]

    def found(**more: Any) -> list[str]:
        asked = {"accounts": both, "timezone": "UTC", "count": 3, "step_minutes": 30, **more}
        return [row["at"][11:16] for row in api.post("slots/find/", asked).json()["results"]]

    assert found() == ["08:00", "08:30", "09:30"]
    assert found(gap_seconds=3600) == ["08:00", "10:00", "10:30"]
    assert found(gap_seconds=3600, but=[str(schedule.public_id)]) == ["08:00", "08:30", "09:00"]
    assert found(opens="17:00", closes="18:00", after="2026-11-23T12:00:00", weekdays=[1]) == ["17:00", "17:30"]
    asked = {"accounts": both, "after": "2026-11-23T12:00:00Z", "before": "2027-11-23T12:00:00Z"}
    assert fields(api.post("slots/find/", asked)) == {"before": "invalid"}
    assert fields(api.post("slots/find/", {"accounts": [str(people.workspace.public_id)]})) == {
        "accounts.0": "not_found"
    }
    assert fields(callers["foreign_token"].post("slots/find/", asked)) == {
        "accounts.0": "not_found", "accounts.1": "not_found",
    }  # fmt: skip
    assert fields(api.post("slots/find/", {**asked, "after": "0001-01-01T00:00:00"})).keys() <= {"after", "before"}


def test_conflicts_are_listed_in_pairs(
    api: Caller, callers: dict[str, Caller], people: People, account: Any, schedule: Any, after: Any,
    django_assert_num_queries: Any,
) -> None:  # fmt: skip
    span = {"since": "2026-11-23T00:00:00Z", "until": "2026-11-24T00:00:00Z"}
    assert api.get("conflicts/", **span).json()["results"] == []
    make_schedule(people.workspace, [account], after(hours=1, seconds=30), text="Too close")
    with django_assert_num_queries(6):
        shown = api.get("conflicts/", **span).json()

    [pair] = shown["results"]
    assert (pair["apart_seconds"], pair["wanted_seconds"], shown["count"]) == (30, 60, 1)
    assert pair["first"]["schedule"] == str(schedule.public_id)
    assert pair["account"]["id"] == str(account.public_id)
    for number in range(20):
        make_schedule(people.workspace, [account], after(hours=1, seconds=31 + number), text="Closer")
    with django_assert_num_queries(6):
        assert api.get("conflicts/", **span).json()["count"] == 21
    assert api.get("conflicts/", **span, account=str(account.public_id)).json()["count"] == 21
    assert fields(api.get("conflicts/", **span, account=str(people.workspace.public_id))) == {"account": "not_found"}
    assert callers["stranger"].get("conflicts/", **span).json()["results"] == []
    assert fields(api.get("conflicts/", since=span["since"], until=span["since"])) == {"until": "invalid"}


@pytest.mark.parametrize(
    ("at", "clear", "free"),
    [
        ("2026-11-23T09:00:20Z", False, ["08:55", "09:05"]),
        ("2026-11-23T12:00:00Z", True, []),
    ],
)
def test_a_time_is_checked_on_accounts(
    api: Caller, account: Any, schedule: Any, at: str, clear: bool, free: list[str]
) -> None:
    asked = {"at": at, "accounts": [str(account.public_id)]}
    answer = api.post("conflicts/check/", asked).json()

    assert (answer["clear"], answer["past"]) == (clear, False)
    [row] = answer["accounts"]
    assert [item["schedule"] for item in row["conflicts"]] == ([] if clear else [str(schedule.public_id)])
    assert [item["at"][11:16] for item in answer["free"]] == free
    assert api.post("conflicts/check/", {**asked, "but": [str(schedule.public_id)]}).json()["clear"] is True
