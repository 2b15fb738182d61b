"""How a rule may be written, is refused, and when it fires. It is Monday 23 November 2026, 08:00 UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from schedules.models import Schedule, ScheduleException
from tests.integration.api.callers import Caller, fields

BERLIN = "Europe/Berlin"


def times(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.json()
    return [(row["local"], row["utc"]) for row in answer.json()["results"]]


def once(at: Any = None, timezone: str | None = BERLIN, **parts: Any) -> dict[str, Any]:
    return _said(kind="once", at=at, timezone=timezone, **parts)


def cron(expression: str | None = None, timezone: str | None = BERLIN, **parts: Any) -> dict[str, Any]:
    return _said(kind="cron", expression=expression, timezone=timezone, **parts)


def rrule(text: str, timezone: str | None = BERLIN, **parts: Any) -> dict[str, Any]:
    return _said(kind="rrule", rrule=text, timezone=timezone, **parts)


def _said(**parts: Any) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value is not None}


# rule -> its first time in its zone and in UTC
READ: tuple[tuple[dict[str, Any], str, str], ...] = (
    (once("2026-12-01T09:00:00"), "2026-12-01T09:00:00+01:00", "2026-12-01T08:00:00Z"),
    (once("2026-12-01 09:00"), "2026-12-01T09:00:00+01:00", "2026-12-01T08:00:00Z"),
    # an offset is an instant: the zone says on which wall clock it lives
    (once("2026-12-01T09:00:00Z"), "2026-12-01T10:00:00+01:00", "2026-12-01T09:00:00Z"),
    (once("2026-12-01T09:00:00-05:00"), "2026-12-01T15:00:00+01:00", "2026-12-01T14:00:00Z"),
    # without a zone: that of the token's workspace
    (once("2026-12-01T09:00:00+00:00", timezone=None), "2026-12-01T10:00:00+01:00", "2026-12-01T09:00:00Z"),
    # DST gap: an hour later; fold: the first unless the offset says the second
    (once("2027-03-28T02:30:00"), "2027-03-28T03:30:00+02:00", "2027-03-28T01:30:00Z"),
    (once("2027-10-31T02:30:00"), "2027-10-31T02:30:00+02:00", "2027-10-31T00:30:00Z"),
    (once("2027-10-31T02:30:00+01:00"), "2027-10-31T02:30:00+01:00", "2027-10-31T01:30:00Z"),
    # a cron rule without a start begins now; 09:00 in Berlin is right now
    (cron("0 9 * * *"), "2026-11-23T09:00:00+01:00", "2026-11-23T08:00:00Z"),
    (cron("0 0 29 2 *", timezone="UTC"), "2028-02-29T00:00:00+00:00", "2028-02-29T00:00:00Z"),
    (cron("0 9 * * *", start="2027-01-01"), "2027-01-01T09:00:00+01:00", "2027-01-01T08:00:00Z"),
    (rrule("FREQ=WEEKLY;BYDAY=MO", start="2026-01-05T18:00:00"), "2026-11-23T18:00:00+01:00", "2026-11-23T17:00:00Z"),
    (rrule("RRULE:FREQ=DAILY", start="2027-07-01T09:00:00Z"), "2027-07-01T11:00:00+02:00", "2027-07-01T09:00:00Z"),
)


@pytest.mark.parametrize(("rule", "local", "utc"), READ, ids=lambda value: str(value)[:50])
def test_a_rule_is_read(api: Caller, people: Any, rule: dict[str, Any], local: str, utc: str) -> None:
    assert times(api.post("rules/preview/", {"rule": rule, "count": 1})) == [(local, utc)]


@pytest.mark.parametrize(("rule", "local", "utc"), READ, ids=lambda value: str(value)[:50])
def test_a_schedule_keeps_its_rule(
    api: Caller, body: dict[str, Any], rule: dict[str, Any], local: str, utc: str
) -> None:
    """What is shown of the rule, sent back, fires at the same time."""
    made = api.post("schedules/", {**body, "rule": rule}).json()
    assert (made["next_run_at_local"], made["next_run_at"]) == (local, utc)

    again = api.patch(f"schedules/{made['id']}/", {"version": 1, "rule": made["rule"]}).json()
    assert (again["next_run_at_local"], again["rule"]) == (local, made["rule"])


# rule -> fields at fault with their codes
REFUSED: tuple[tuple[dict[str, Any], dict[str, str]], ...] = (
    (once(), {"rule.at": "required"}),
    (once("next week"), {"rule.at": "invalid"}),
    (once("2026-13-01T09:00:00"), {"rule.at": "invalid"}),
    (once("2026-02-29T09:00:00"), {"rule.at": "invalid"}),
    (once("2026-12-01"), {"rule.at": "date"}),
    (once(1796115600), {"rule.at": "invalid"}),
    (once("0001-01-01T00:00:00+14:00", timezone="America/New_York"), {"rule.at": "invalid"}),
    (once("9999-12-31T23:59:59", timezone="America/New_York"), {"rule.at": "invalid"}),
    (once("1776-07-04T12:00:00", timezone="UTC"), {"rule.at": "invalid"}),
    (once("2026-12-01T09:00:00", timezone=None), {"rule.timezone": "required"}),
    (once("2026-12-01T09:00:00", timezone="Mars/Olympus"), {"rule.timezone": "timezone"}),
    (once("2026-12-01T09:00:00", timezone="../etc/passwd"), {"rule.timezone": "timezone"}),
    (once("2026-12-01T09:00:00", expression="0 9 * * *"), {"rule.expression": "unknown"}),
    (once("2026-12-01T09:00:00", count=3), {"rule.count": "unknown"}),
    (cron(), {"rule.expression": "required"}),
    (cron("0 9 * * *", timezone=None), {"rule.timezone": "required"}),
    (cron("0 9 * *"), {"rule.expression": "invalid"}),
    (cron("99 9 * * 1-9"), {"rule.expression": "invalid"}),
    (cron("0 0 31 2 *"), {"rule.expression": "invalid"}),
    (cron("0 9 * * *", start="soon"), {"rule.start": "invalid"}),
    (cron("0 9 * * *", until="2020-01-01"), {"rule.until": "invalid"}),
    (cron("0 9 * * *", count=0), {"rule.count": "min_value"}),
    (cron(expresion="0 9 * * *"), {"rule.expresion": "unknown"}),
    (rrule("FREQ=DAILY"), {"rule.start": "required"}),
    (rrule("FREQ=HOURLYISH;BYDAY=XX", start="2026-12-01T09:00"), {"rule.rrule": "invalid"}),
    (rrule("BEGIN:VEVENT", start="2026-12-01T09:00"), {"rule.rrule": "invalid"}),
)


@pytest.mark.parametrize(("rule", "expected"), REFUSED, ids=lambda value: str(value)[:80])
def test_a_refused_rule_names_the_part(
    api: Caller, body: dict[str, Any], rule: dict[str, Any], expected: dict[str, str]
) -> None:
    """The preview and the schedule refuse alike."""
    for answer in (
        api.post("rules/preview/", {"rule": rule}),
        api.post("schedules/", {**body, "rule": rule}),
    ):
        assert answer.status_code == 422
        assert fields(answer) == expected


def test_a_cron_field_at_fault_is_named_in_the_sentence(api: Caller, people: Any) -> None:
    answer = api.post("rules/preview/", {"rule": {"kind": "cron", "expression": "99 9 * * 1-9", "timezone": "UTC"}})

    assert [item["message"].split(":")[0] for item in answer.json()["errors"]] == ["minute", "day-of-week"]


def test_a_past_time_is_refused_when_it_would_be_active(api: Caller, body: dict[str, Any]) -> None:
    past = {"kind": "once", "at": "2026-11-22T09:00:00", "timezone": BERLIN}

    assert fields(api.post("schedules/", {**body, "rule": past, "state": "active"})) == {"rule.at": "past"}
    ended = {
        "kind": "cron",
        "expression": "0 9 * * *",
        "timezone": BERLIN,
        "start": "2026-01-01",
        "until": "2026-02-01",
    }
    assert fields(api.post("schedules/", {**body, "rule": ended, "state": "active"})) == {"rule.start": "past"}


def test_an_offset_without_a_zone_lives_in_the_accounts_zone(
    api: Caller, body: dict[str, Any], people: Any, now: datetime
) -> None:
    from tests.people import make_account

    there = make_account(people.workspace, now, name="Tokyo", timezone="Asia/Tokyo")
    rule = {"kind": "once", "at": "2026-12-01T09:00:00Z"}

    made = api.post("schedules/", {**body, "accounts": [str(there.public_id)], "rule": rule}).json()
    mixed = api.post("schedules/", {**body, "accounts": [*body["accounts"], str(there.public_id)], "rule": rule}).json()

    assert made["rule"] == {"kind": "once", "at": "2026-12-01T18:00:00", "timezone": "Asia/Tokyo"}
    assert mixed["rule"]["timezone"] == BERLIN


def test_a_preview_says_the_rule_in_words(api: Caller, people: Any) -> None:
    rule = {"kind": "cron", "expression": "0 9 * * 1-5", "timezone": BERLIN, "count": 2}

    answer = api.post("rules/preview/", {"rule": rule})

    assert times(answer) == [
        ("2026-11-23T09:00:00+01:00", "2026-11-23T08:00:00Z"),
        ("2026-11-24T09:00:00+01:00", "2026-11-24T08:00:00Z"),
    ]
    assert answer.json()["description"]
    assert answer.json()["timezone"] == BERLIN


def test_a_preview_is_five_times_unless_it_is_said(api: Caller, people: Any) -> None:
    rule = {"kind": "cron", "expression": "* * * * *", "timezone": "UTC"}

    assert len(times(api.post("rules/preview/", {"rule": rule}))) == 5
    assert len(times(api.post("rules/preview/", {"rule": rule, "count": 100}))) == 100
    assert fields(api.post("rules/preview/", {"rule": rule, "count": 101})) == {"count": "max_value"}


def test_the_preview_of_a_person_is_in_the_persons_zone(callers: dict[str, Caller]) -> None:
    rule = {"kind": "once", "at": "2026-12-01T09:00:00Z"}

    assert callers["owner"].post("rules/preview/", {"rule": rule}).json()["timezone"] == BERLIN
    assert (
        callers["stranger"].post("rules/preview/", {"rule": rule, "workspace": "elsewhere"}).json()["timezone"] == "UTC"
    )


def test_the_occurrences_of_a_schedule_show_its_edits(api: Caller, body: dict[str, Any]) -> None:
    rule = {"kind": "cron", "expression": "0 9 * * *", "timezone": BERLIN, "start": "2026-12-01"}
    made = api.post("schedules/", {**body, "rule": rule}).json()
    row = Schedule.objects.get(public_id=made["id"])
    ScheduleException.objects.create(schedule=row, nominal_local=datetime(2026, 12, 1, 9), action="skip")
    ScheduleException.objects.create(
        schedule=row,
        nominal_local=datetime(2026, 12, 2, 9),
        action="move",
        moved_to_local=datetime(2026, 12, 2, 17),
    )

    answer = api.get(f"schedules/{made['id']}/occurrences/", count=2)

    assert times(answer) == [
        ("2026-12-02T17:00:00+01:00", "2026-12-02T16:00:00Z"),
        ("2026-12-03T09:00:00+01:00", "2026-12-03T08:00:00Z"),
    ]
    first = answer.json()["results"][0]
    assert (first["edited"], first["nominal_local"], first["timezone"]) == (
        True,
        "2026-12-02T09:00:00",
        BERLIN,
    )


@pytest.mark.parametrize("count", ["0", "101", "many", "-1", "²"])
def test_a_count_that_is_none_is_refused(api: Caller, schedule: Schedule, count: str) -> None:
    assert fields(api.get(f"schedules/{schedule.public_id}/occurrences/", count=count)) == {"count": "invalid"}
