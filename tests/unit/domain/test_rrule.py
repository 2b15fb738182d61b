"""RRULE and calendar blocks: what they give on the wall clock, and what is refused."""

from datetime import UTC, datetime

import pytest

from schedules.domain import ical
from schedules.domain.recurrence import Recurrence, RuleKind, RuleRefused, occurrences, validate

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def times(expression: str, start: str, count: int = 4, timezone: str = "Europe/Berlin") -> list[str]:
    rule = Recurrence(
        kind=RuleKind.RRULE,
        expression=expression,
        timezone=timezone,
        start_local=datetime.fromisoformat(start),
    )
    found = occurrences(rule, start=LONG_AGO, count=count)
    return [f"{one.nominal_local:%Y-%m-%d %H:%M}" for one in found]


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        ("FREQ=DAILY", "2026-12-30T09:00", ["2026-12-30 09:00", "2026-12-31 09:00", "2027-01-01 09:00"]),
        ("FREQ=MONTHLY", "2026-01-31T09:00", ["2026-01-31 09:00", "2026-03-31 09:00", "2026-05-31 09:00"]),
        ("FREQ=YEARLY", "2024-02-29T09:00", ["2024-02-29 09:00", "2028-02-29 09:00", "2032-02-29 09:00"]),
        # not in DTSTART's own week: the rule's days after it
        ("FREQ=WEEKLY;BYDAY=TU,TH", "2026-01-02T09:00", ["2026-01-06 09:00", "2026-01-08 09:00"]),
        ("FREQ=MONTHLY;BYDAY=3MO,WE", "2026-01-08T09:00", ["2026-01-14 09:00", "2026-01-19 09:00"]),
        ("FREQ=MONTHLY;BYDAY=1MO", "2026-09-01T09:00", ["2026-09-07 09:00", "2026-10-05 09:00"]),
        ("FREQ=YEARLY;BYWEEKNO=20", "2026-05-12T09:00", ["2026-05-12 09:00", "2027-05-18 09:00"]),
        ("FREQ=YEARLY;BYMONTHDAY=-1", "2026-01-31T09:00", ["2026-01-31 09:00", "2026-02-28 09:00"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-01-01T09:00", ["2026-01-30 09:00"]),
        # a week's set begins with WKST, not with DTSTART
        ("FREQ=WEEKLY;BYDAY=MO,TU,SU;BYSETPOS=1", "2026-01-06T09:00", ["2026-01-12 09:00"]),
        ("freq=daily;interval=2;", "2026-01-01T09:00", ["2026-01-01 09:00", "2026-01-03 09:00"]),
        ("FREQ=DAILY;UNTIL=20260102", "2026-01-01T09:00", ["2026-01-01 09:00", "2026-01-02 09:00"]),
        ("FREQ=DAILY;UNTIL=20260102T080000Z", "2026-01-01T09:00", ["2026-01-01 09:00", "2026-01-02 09:00"]),
        ("FREQ=DAILY;UNTIL=20260102T075959Z", "2026-01-01T09:00", ["2026-01-01 09:00"]),
        (
            "FREQ=MINUTELY;BYSECOND=60;BYMINUTE=0",
            "2026-01-01T09:00",
            ["2026-01-01 09:00", "2026-01-01 10:00"],
        ),
        ("FREQ=MINUTELY;INTERVAL=1501", "2026-01-01T09:00", ["2026-01-01 09:00", "2026-01-02 10:01"]),
    ],
)
def test_a_rule_gives_these_times(expression: str, start: str, expected: list[str]) -> None:
    assert times(expression, start, len(expected)) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=24",  # no month has so many weekdays
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;INTERVAL=2;BYHOUR=10",  # from 09:00 only odd hours are reached
        "FREQ=SECONDLY;INTERVAL=2;BYSECOND=1",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",  # from 2026 on never a leap year
    ],
)
def test_a_rule_that_never_fires_ends(expression: str) -> None:
    assert times(expression, "2026-01-01T09:00", 1) == []


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "COUNT: stands beside UNTIL"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL: '0' is no whole number from 1"),
        ("FREQ=DAILY;COUNT=0", "COUNT: '0' is no whole number from 1"),
        ("FREQ=FORTNIGHTLY", "FREQ: 'FORTNIGHTLY' is not known"),
        ("INTERVAL=2", "FREQ: is missing"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR: '24' is out of range; 0 to 23 is possible"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY: '0' is out of range; 1 to 31 or -31 to -1 is possible"),
        ("FREQ=DAILY;BYMONTH=+1", "BYMONTH: '+1' is out of range"),
        ("FREQ=WEEKLY;BYDAY=2MO", "BYDAY: a number before a weekday needs FREQ=MONTHLY or FREQ=YEARLY"),
        ("FREQ=MONTHLY;BYDAY=XX", "BYDAY: 'XX' cannot be read"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS: picks from what another BY part gives"),
        ("FREQ=DAILY;BYEASTER=0", "BYEASTER: is no part of a recurrence rule"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ: is given twice"),
        ("FREQ=DAILY;UNTIL=2027-01-01", "UNTIL: '2027-01-01' is no date; write 20261231"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL: '20270230' is no date"),
        ("FREQ=DAILY;;COUNT=2", "RRULE: '' is no part"),
        ("FREQ=DAILY;WKST=1", "WKST: '1' is no weekday"),
        ("", "expression: is empty"),
        ("RRULE:FREQ=DAILY\nDTEND:20260101T000000", "expression: 'DTEND:20260101T000000' is no line"),
        ("RRULE:FREQ=DAILY\nEXDATE:tomorrow", "EXDATE: 'tomorrow' cannot be read"),
        ("RRULE:FREQ=DAILY\nEXDATE;VALUE=DATE:20260101T090000", "EXDATE: '20260101T090000' cannot be read"),
        ("RRULE:FREQ=DAILY\nRDATE;TZID=Mars/X:20260101T090000", "timezone: 'Mars/X' is no IANA time zone"),
        (
            "DTSTART:20260102T090000\nRRULE:FREQ=DAILY",
            "DTSTART: says 2026-01-02T09:00:00, the schedule starts",
        ),
        (
            "DTSTART;TZID=UTC:20260101T090000\nRRULE:FREQ=DAILY",
            "DTSTART: is in UTC, the schedule in Europe/Berlin",
        ),
    ],
)
def test_a_refusal_names_the_part_and_the_remedy(expression: str, message: str) -> None:
    rule = Recurrence(
        kind=RuleKind.RRULE,
        expression=expression,
        timezone="Europe/Berlin",
        start_local=datetime(2026, 1, 1, 9),
    )

    with pytest.raises(RuleRefused) as refusal:
        validate(rule)

    assert message in str(refusal.value)


def test_a_block_joins_rules_and_dates_and_leaves_out_exceptions() -> None:
    block = (
        "DTSTART;TZID=Europe/Berlin:20260105T090000\r\n"
        "RRULE:FREQ=WEEKLY;COUNT=3\r\n"
        "RRULE:FREQ=MONTHLY;BYMON\r\n THDAY=7;COUNT=1\r\n"  # a folded line
        "RDATE;TZID=Europe/Berlin:20260106T170000,20260112T090000\r\n"  # the second is there already
        "EXDATE:20260119T080000Z\r\n"  # 09:00 in Berlin
    )

    assert times(block, "2026-01-05T09:00", 9) == [
        "2026-01-05 09:00",
        "2026-01-06 17:00",
        "2026-01-07 09:00",
        "2026-01-12 09:00",
    ]


def test_an_exception_rule_takes_its_times_out() -> None:
    block = "RRULE:FREQ=DAILY;COUNT=5\nEXRULE:FREQ=WEEKLY;BYDAY=TU,TH"

    assert times(block, "2026-01-05T09:00", 9) == ["2026-01-05 09:00", "2026-01-07 09:00", "2026-01-09 09:00"]


def test_a_date_without_a_time_means_the_hour_of_the_start() -> None:
    block = "RRULE:FREQ=WEEKLY;COUNT=2\nRDATE;VALUE=DATE:20260107\nEXDATE;VALUE=DATE:20260112"

    assert times(block, "2026-01-05T09:00", 9) == ["2026-01-05 09:00", "2026-01-07 09:00"]


def test_dates_alone_include_the_start() -> None:
    assert times("RDATE:20260110T120000", "2026-01-05T09:00", 9) == ["2026-01-05 09:00", "2026-01-10 12:00"]


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=WEEKLY;BYDAY=MO",
        "DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=DAILY\nEXDATE;VALUE=DATE:20260106",
        "RRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY\nRDATE:20260105T090000Z\nEXDATE;TZID=Asia/Tokyo:20260105T090000",
    ],
)
def test_a_block_is_written_back_as_it_was_read(text: str) -> None:
    assert str(ical.parse(text)) == text


def test_a_count_that_would_take_seconds_to_count_is_refused():
    with pytest.raises(RuleRefused, match="COUNT: is more than 100000"):
        validate(
            Recurrence(
                kind=RuleKind.RRULE,
                expression="FREQ=SECONDLY;COUNT=100000000",
                timezone="UTC",
                start_local=datetime(1990, 1, 1),
            )
        )
