"""One verb on many schedules by the API, and all times of one schedule shifted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from schedules.models import Schedule
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_schedule

NOWHERE = "019ab000-0000-7000-8000-000000000000"


def test_many_are_paused_and_each_refusal_is_told(
    api: Caller, callers: dict[str, Caller], schedule: Schedule, people: People, account: Any, now: datetime
) -> None:
    draft = make_schedule(people.workspace, [account], now, state="draft")
    body = {"verb": "pause", "ids": [str(schedule.public_id), str(draft.public_id), NOWHERE]}

    refused = {who: callers[who].post("schedules/bulk/", body).status_code for who in ("viewer", "nobody")}
    foreign = callers["stranger"].post("schedules/bulk/", body).json()
    answer = api.post("schedules/bulk/", body).json()

    assert refused == {"viewer": 403, "nobody": 401}
    assert (foreign["done_count"], foreign["refused_count"]) == (0, 3)
    assert {name: answer[name] for name in ("matched_count", "done_count", "refused_count", "left_count")} == {
        "matched_count": 3, "done_count": 1, "refused_count": 2, "left_count": 0,
    }  # fmt: skip
    by_id = {item["id"]: item for item in answer["results"]}
    assert by_id[str(schedule.public_id)] == {
        "id": str(schedule.public_id), "done": True, "state": "paused", "errors": [],
    }  # fmt: skip
    assert by_id[str(draft.public_id)]["errors"][0]["message"] == "It is “Draft”, and this cannot be done to it."
    assert by_id[NOWHERE]["errors"][0]["code"] == "not_found"


def test_a_filter_takes_all_that_match_up_to_the_most(
    api: Caller, schedule: Schedule, people: People, account: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schedules.services.bulk.MOST_AT_ONCE", 1)
    make_schedule(people.workspace, [account], now)

    labelled = api.post("schedules/bulk/", {"verb": "label", "label": "launch", "filter": {"state": "active"}}).json()
    cloned = api.post("schedules/bulk/", {"verb": "clone", "filter": {"label": "launch"}}).json()

    assert (labelled["matched_count"], labelled["done_count"], labelled["left_count"]) == (2, 1, 1)
    (made,) = cloned["results"]
    assert Schedule.objects.get(public_id=made["made"]).state == "draft"
    assert [row["id"] for row in api.get("schedules/", label="launch", state="draft").json()["results"]] == [
        made["made"]
    ]


def test_a_schedule_is_shifted(api: Caller, schedule: Schedule, after: Callable[..., datetime]) -> None:
    path = f"schedules/{schedule.public_id}/shift/"

    stale = api.post(path, {"by_seconds": 3600, "version": schedule.version + 1})
    answer = api.post(path, {"by_seconds": 3600, "version": schedule.version}).json()

    assert (stale.status_code, fields(stale)) == (409, {"version": "stale"})
    assert answer["next_run_at"] == f"{after(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    assert fields(api.post(path, {"by_seconds": 30})) == {"by": "invalid"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"verb": "pause"}, {"ids": "required"}),
        ({"verb": "delete", "filter": {}}, {"verb": "invalid_choice"}),
        ({"verb": "label", "filter": {}}, {"label": "required"}),
        ({"verb": "shift", "filter": {}}, {"by": "invalid"}),
        ({"verb": "pause", "filter": {"state": "gone"}}, {"filter.state": "invalid_choice"}),
        ({"verb": "pause", "filter": {"colour": "red"}}, {"filter.colour": "unknown"}),
    ],
)
def test_an_order_that_is_none_is_refused(api: Caller, body: dict[str, Any], expected: dict[str, str]) -> None:
    answer = api.post("schedules/bulk/", body)

    assert (answer.status_code, fields(answer)) == (422, expected)


def test_the_list_is_narrowed_by_what_schedules_have(
    api: Caller, schedule: Schedule, people: People, account: Any, now: datetime
) -> None:
    daily = make_schedule(
        people.workspace, [account], now, rule_kind="rrule", expression="FREQ=WEEKLY;BYDAY=FR", timezone="Asia/Tokyo",
        start_local=datetime(2026, 11, 23, 9), tags=("Größe",),
    )  # fmt: skip

    def found(**query: str) -> set[str]:
        answer = api.get("schedules/", **query)
        assert answer.status_code == 200, answer.content
        return {row["id"] for row in answer.json()["results"]}

    once, ruled = {str(schedule.public_id)}, {str(daily.public_id)}
    friday = {"runs_since": "2026-11-27T00:00:00Z", "runs_until": "2026-11-27T00:01:00Z"}
    assert found(kind="once") == once
    assert found(kind="recurring") == ruled
    assert found(tag="Größe") == ruled
    assert found(tag="Gr") == set()
    assert found(**friday) == ruled  # 9:00 in Tokyo is midnight in UTC
    assert found(runs_until="2026-11-23T10:00:00Z") == once
    assert found(platform="sandbox", content_type="post,article") == once | ruled
    assert found(needs_you="true") == set()
