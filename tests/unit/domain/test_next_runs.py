"""The questions behind `manage.py next_runs`: shapes of answers, refusals in words, the command itself."""

import io
import json
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.core.management.base import CommandError

from schedules.domain.next_runs import answer_line, next_times
from schedules.domain.refusals import RuleRefused
from schedules.management.commands import next_runs


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        # strictly after the start, unless it is inclusive
        (
            {"cron": "0 9 * * *", "timezone": "Europe/Berlin", "start": "2026-01-01T09:00:00+01:00"},
            "2026-01-02T09:00:00+01:00",
        ),
        (
            {
                "cron": "0 9 * * *",
                "timezone": "Europe/Berlin",
                "start": "2026-01-01T08:00:00Z",
                "inclusive": True,
            },
            "2026-01-01T09:00:00+01:00",
        ),
        # the zone's own offset, whatever the start's was
        (
            {"expression": "30 2 * * *", "tz": "Europe/Berlin", "start": "2026-03-28T12:00:00-05:00"},
            "2026-03-29T03:00:00+02:00",
        ),
        # no zone: naive for naive, and by the start's own clock where it has an offset
        ({"cron": "0 0 * * *", "timezone": None, "start": "2026-01-01T09:00:00"}, "2026-01-02T00:00:00"),
        ({"cron": "0 0 * * *", "start": "2026-01-01T09:00:00+05:00"}, "2026-01-02T00:00:00+05:00"),
        # a rule counts from DTSTART, itself included
        (
            {"rrule": "FREQ=DAILY", "tzid": "Europe/Berlin", "dtstart": "2026-03-29T02:30:00"},
            "2026-03-29T03:30:00+02:00",
        ),
        ({"rrule": "FREQ=DAILY", "tzid": None, "dtstart": "2026-03-29T02:30:00"}, "2026-03-29T02:30:00"),
        ({"rrule": "FREQ=DAILY", "dtstart": "2026-03-29T02:30:00Z"}, "2026-03-29T02:30:00Z"),
        ({"rrule": "FREQ=DAILY", "dtstart": "2026-03-29"}, "2026-03-29"),
        (
            {"rrule": None, "ical": "DTSTART;TZID=Asia/Tokyo:20260329T023000\nRRULE:FREQ=DAILY"},
            "2026-03-29T02:30:00+09:00",
        ),
        ({"ical": "DTSTART;VALUE=DATE:20260329\nRRULE:FREQ=DAILY"}, "2026-03-29"),
    ],
)
def test_the_answer_has_the_shape_of_the_question(asked: dict[str, object], expected: str) -> None:
    assert next_times({**asked, "count": 1}) == [expected]


def test_ten_times_come_where_no_count_is_given() -> None:
    assert len(next_times({"cron": "* * * * *", "start": "2026-01-01T00:00:00"})) == 10


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"\xff", "line: is not valid JSON in UTF-8"),
        (b"{", "line: is not valid JSON in UTF-8"),
        (b"[" * 100_000, "line: is not valid JSON in UTF-8"),
        (b'{"id": NaN}', "line: is not valid JSON in UTF-8"),
        (b"[1]", "line: is no JSON object"),
        (b'{"id": 7}', "line: asks for exactly one of cron, rrule and ical"),
        (b'{"id": 7, "cron": "* * * * *", "rrule": "FREQ=DAILY"}', "line: asks for exactly one of"),
        (b'{"id": 7, "cron": "* * * * *"}', "start: is missing"),
        (b'{"id": 7, "rrule": "FREQ=DAILY"}', "dtstart: is missing"),
        (b'{"id": 7, "cron": "* * * * *", "start": 5}', "start: '5' is no text"),
        (b'{"id": 7, "cron": "* * * * *", "start": "soon"}', "start: 'soon' is no time"),
        (
            b'{"id": 7, "cron": "* * * * *", "start": "0001-01-01"}',
            "start: '0001-01-01' lies outside the years",
        ),
        (
            b'{"id": 7, "cron": "* * * * *", "start": "2026-01-01", "tz": "Mars"}',
            "timezone: 'Mars' is no IANA",
        ),
        (
            b'{"id": 7, "cron": "* * * * *", "start": "2026-01-01", "count": 0}',
            "count: '0' is no whole number",
        ),
        (
            b'{"id": 7, "cron": "* * * * *", "start": "2026-01-01", "count": true}',
            "count: 'True' is no whole number",
        ),
        (
            b'{"id": 7, "cron": "* * * * *", "start": "2026-01-01", "count": 100001}',
            "count: '100001' is no whole",
        ),
        (
            b'{"id": 7, "cron": "* * * * *", "start": "2026-01-01", "inclusive": "no"}',
            "inclusive: is true or false",
        ),
        (
            b'{"id": 7, "cron": "0 9 * * mon#6", "start": "2026-01-01"}',
            "day-of-week: 'mon#6': the number after #",
        ),
        (
            b'{"id": 7, "rrule": "FREQ=DAILY", "dtstart": "2026-01-01T00:00+05:00"}',
            "dtstart: '2026-01-01T00:00+05:00'",
        ),
    ],
)
def test_a_bad_line_gets_an_error_that_names_the_field(line: bytes, error: str) -> None:
    reply = json.loads(answer_line(line))

    assert error in reply["error"]
    assert reply["id"] in (None, 7)


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: bytes = b"") -> list[str]:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
    command = next_runs.Command(stdout=out)
    options = vars(command.create_parser("manage.py", "next_runs").parse_args(arguments))
    command.handle(**options)
    return out.getvalue().splitlines()


def test_the_command_prints_one_time_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = run_command(
        monkeypatch,
        *("--cron", "30 2 * * *", "--tz", "Europe/Berlin"),
        *("--start", "2026-03-28T12:00", "--count", "2"),
    )

    assert printed == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]


def test_the_command_answers_every_line_of_a_stream_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = b'{"id": 1, "cron": "@yearly", "start": "2026-01-01", "count": 1}\n\nrubbish\n{"id": 3}\n'

    replies = [json.loads(line) for line in run_command(monkeypatch, "--stdin", stdin=lines)]

    assert replies[0] == {"id": 1, "times": ["2027-01-01T00:00:00"]}
    assert [reply["id"] for reply in replies] == [1, None, 3]
    assert ["error" in reply for reply in replies] == [False, True, True]


def test_the_command_ends_with_two_and_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"^hour: '25' is out of range; 0 to 23 is possible$") as refusal:
        run_command(monkeypatch, "--cron", "0 25 * * *", "--start", "2026-01-01")

    assert refusal.value.returncode == 2


def test_a_rule_that_never_fires_again_has_no_times() -> None:
    assert next_times({"cron": "1 1 */100 * MON#4", "start": "2026-01-01"}) == []
    assert next_times({"rrule": "FREQ=DAILY;UNTIL=20200101", "dtstart": "2026-01-01"}) == []


def test_a_zone_that_contradicts_the_block_is_refused() -> None:
    with pytest.raises(RuleRefused, match="DTSTART: is in Asia/Tokyo, the schedule in Europe/Berlin"):
        next_times({"ical": "DTSTART;TZID=Asia/Tokyo:20260329T023000\nRRULE:FREQ=DAILY", "tz": "Europe/Berlin"})


def test_without_a_start_it_is_asked_from_now_on():
    now = datetime(2026, 11, 23, 8, 0, 30, tzinfo=UTC)

    weekdays = {"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin", "count": 2}
    assert next_times(weekdays, now) == ["2026-11-24T09:00:00+01:00", "2026-11-25T09:00:00+01:00"]
    assert next_times({"cron": "0 9 * * *", "count": 1}, now) == ["2026-11-23T09:00:00+00:00"]
    daily = {"rrule": "FREQ=DAILY", "timezone": "Europe/Berlin", "count": 1}
    assert next_times(daily, now) == ["2026-11-23T09:00:00+01:00"]
    with pytest.raises(RuleRefused, match="start: is missing"):
        next_times(weekdays)
