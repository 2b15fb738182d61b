"""The calendar of the API: what stands in a span, asking about a time, and moving."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.integration.api.callers import Caller, fields
from tests.people import make_schedule

SPAN = {"since": "2026-11-20T00:00:00Z", "until": "2026-12-20T00:00:00Z"}


def make(people: Any, account: Any, now: datetime, day: int = 1, **plan: Any) -> Any:
    start = datetime(2026, 12, day, 9)
    return make_schedule(people.workspace, [account], now, timezone="Europe/Berlin", start_local=start, **plan)


def test_a_span_shows_posts_in_order_and_is_narrowed(api: Caller, people: Any, account: Any, now: datetime) -> None:
    make(people, account, now, 3)
    first = make(people, account, now, 1)

    answer = api.get("calendar/", **SPAN, timezone="Europe/Berlin").json()

    times = [row["at_local"] for row in answer["results"]]
    assert times == ["2026-12-01T09:00:00+01:00", "2026-12-03T09:00:00+01:00"]
    row = answer["results"][0]
    assert (row["schedule"], row["account"]["id"]) == (str(first.public_id), str(account.public_id))
    assert (row["look"], row["movable"], row["job"], row["conflicts_with"]) == ("scheduled", True, None, None)
    assert api.get("calendar/", **SPAN, look="failed,missed").json()["results"] == []
    assert len(api.get("calendar/", **SPAN, account=str(account.public_id)).json()["results"]) == 2
    for wrong, field in (
        ({"look": "nice"}, "look"), ({"until": "2027-12-01T00:00:00Z"}, "until"), ({"account": "x"}, "account"),
        ({"timezone": "Mars/Base"}, "timezone"), ({"until": "2026-11-01T00:00:00Z"}, "until"), ({"colour": "x"}, "colour"),
    ):  # fmt: skip
        answer = api.get("calendar/", **{**SPAN, **wrong})
        assert (answer.status_code, list(fields(answer))) == (422, [field]), wrong
    assert fields(api.get("calendar/")) == {"since": "required", "until": "required"}


def test_a_post_is_asked_about_and_moved(callers: Any, api: Caller, people: Any, account: Any, now: datetime) -> None:
    make(people, account, now, 1)
    moved = make(people, account, now, 3)
    first, key = (row["key"] for row in api.get("calendar/", **SPAN).json()["results"])
    there = {"at": "2026-12-01T09:00:00", "timezone": "Europe/Berlin"}

    asked = api.post(f"calendar/{key}/check/", there).json()
    assert [row["key"] for row in asked["conflicts"]] == [first]
    assert [item["at"] for item in asked["free"]] == ["2026-12-01T07:55:00Z", "2026-12-01T08:05:00Z"]

    body = {"at": "2026-12-02T10:30:00+02:00", "timezone": "Europe/Berlin", "version": moved.version}
    assert callers["viewer"].post(f"calendar/{key}/move/", body).status_code == 403
    assert callers["stranger"].post(f"calendar/{key}/move/", body).status_code == 404
    assert callers["nobody"].post(f"calendar/{key}/move/", body).status_code == 401
    assert api.post("calendar/j99/move/", body).status_code == 404
    answer = api.post(f"calendar/{key}/move/", body).json()
    assert (answer["at"], answer["was_at"]) == ("2026-12-02T08:30:00Z", "2026-12-03T08:00:00Z")
    moved.refresh_from_db()
    assert moved.start_local == datetime(2026, 12, 2, 9, 30)
    stale = api.post(f"calendar/{answer['key']}/move/", body)
    assert (stale.status_code, fields(stale)) == (409, {"version": "stale"})
    past = api.post(
        f"calendar/{answer['key']}/move/", {**body, "at": "2026-01-01T00:00:00", "version": answer["version"]}
    )
    assert fields(past) == {"at": "invalid"}


def test_a_time_of_a_rule_wants_to_know_which(api: Caller, people: Any, account: Any, now: datetime) -> None:
    rule = make(people, account, now, 1, rule_kind="rrule", expression="FREQ=DAILY")
    row = api.get("calendar/", **SPAN).json()["results"][1]
    body = {"at": "2026-12-02T15:00:00", "timezone": "Europe/Berlin", "version": rule.version}

    asked = api.post(f"calendar/{row['key']}/move/", body)
    assert fields(asked) == {"scope": "needs_scope"}
    assert api.post(f"calendar/{row['key']}/move/", {**body, "scope": "one"}).status_code == 200
    times = [item["at"][11:16] for item in api.get("calendar/", **SPAN).json()["results"]]
    assert times[:3] == ["08:00", "14:00", "08:00"]
