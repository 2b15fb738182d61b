"""Reading cron expressions: what is accepted, what it means, and what is refused with which words."""

from datetime import datetime
from itertools import islice

import pytest

from schedules.domain import cron
from schedules.domain.refusals import RuleRefused


def first_times(expression: str, start: datetime, count: int) -> list[str]:
    times = (
        midnight + offset
        for midnight, offsets in cron.parse(expression).batches(start)
        for offset in offsets
        if midnight + offset >= start
    )
    return [f"{time:%Y-%m-%d %H:%M}" for time in islice(times, count)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 9 * * 1-5", ["2026-01-01 09:00", "2026-01-02 09:00", "2026-01-05 09:00"]),
        ("*/20 9 * * *", ["2026-01-01 09:00", "2026-01-01 09:20", "2026-01-01 09:40"]),
        ("5/25 0 * * *", ["2026-01-01 00:05", "2026-01-01 00:30", "2026-01-01 00:55"]),
        ("0 9 * * FRI-mon", ["2026-01-02 09:00", "2026-01-03 09:00", "2026-01-04 09:00", "2026-01-05 09:00"]),
        ("0 9 * * 7", ["2026-01-04 09:00", "2026-01-11 09:00"]),
        ("0 9 * * Thursday", ["2026-01-01 09:00", "2026-01-08 09:00"]),
        ("0 0 1 nov-feb *", ["2026-01-01 00:00", "2026-02-01 00:00", "2026-11-01 00:00"]),
        ("0 9 L * *", ["2026-01-31 09:00", "2026-02-28 09:00"]),
        ("0 9 LW * *", ["2026-01-30 09:00", "2026-02-27 09:00", "2026-03-31 09:00"]),
        ("0 9 * * friL", ["2026-01-30 09:00", "2026-02-27 09:00"]),
        ("0 9 * * 5L", ["2026-01-30 09:00", "2026-02-27 09:00"]),
        ("0 9 * * 6L", ["2026-01-31 09:00", "2026-02-28 09:00"]),  # a Saturday that ends the month
        ("0 9 * * tue#2", ["2026-01-13 09:00", "2026-02-10 09:00"]),
        ("0 9 28-L * *", ["2026-01-28 09:00", "2026-01-29 09:00", "2026-01-30 09:00", "2026-01-31 09:00"]),
        ("0 9 ? * MON", ["2026-01-05 09:00", "2026-01-12 09:00"]),
        ("@monthly", ["2026-01-01 00:00", "2026-02-01 00:00"]),
        ("@WEEKLY", ["2026-01-04 00:00"]),
        ("59 23 31 12 *", ["2026-12-31 23:59", "2027-12-31 23:59"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
    ],
)
def test_an_expression_means_these_times(expression: str, expected: list[str]) -> None:
    assert first_times(expression, datetime(2026, 1, 1), len(expected)) == expected


@pytest.mark.parametrize(
    ("day", "month", "expected"),
    [
        ("15W", 8, "2026-08-14"),  # the 15th is a Saturday
        ("16W", 8, "2026-08-17"),  # the 16th is a Sunday
        ("1W", 8, "2026-08-03"),  # the 1st is a Saturday: not back into July
        ("31W", 5, "2026-05-29"),  # the 31st is a Sunday: not on into June
        ("31W", 10, "2026-10-30"),  # the 31st is a Saturday
        ("12W", 8, "2026-08-12"),  # a Wednesday stays
    ],
)
def test_w_is_the_nearest_weekday_within_the_month(day: str, month: int, expected: str) -> None:
    assert first_times(f"0 0 {day} {month} *", datetime(2026, 1, 1), 1) == [f"{expected} 00:00"]


def test_two_day_fields_mean_either_unless_one_begins_with_a_star() -> None:
    either = first_times("0 0 13 * 5", datetime(2026, 2, 1), 4)
    both = first_times("0 0 1-7 * */7", datetime(2026, 2, 1), 3)

    assert either == ["2026-02-06 00:00", "2026-02-13 00:00", "2026-02-20 00:00", "2026-02-27 00:00"]
    assert both == ["2026-02-01 00:00", "2026-03-01 00:00", "2026-04-05 00:00"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 9 * * mon#6", "day-of-week: 'mon#6': the number after # must be 1 to 5"),
        ("61 * * * *", "minute: '61' is out of range; 0 to 59 is possible"),
        ("0 24 * * *", "hour: '24' is out of range; 0 to 23 is possible"),
        ("0 9 0 * *", "day-of-month: '0' is out of range; 1 to 31 is possible"),
        ("0 9 * 13 *", "month: '13' is out of range; 1 to 12 is possible"),
        ("0 9 * * mon-fri/2x", "day-of-week: 'mon-fri/2x': after / stands how many to step by"),
        ("*/0 * * * *", "minute: '*/0': after / stands how many to step by"),
        ("5-1 * * * *", "minute: '5-1': the range runs backwards; write 1-5"),
        ("0 9 31 4 *", "day-of-month: no month named here has a day 31"),
        ("0 9 * * L", "day-of-week: 'L' needs a weekday in front"),
        ("² * * * *", "minute: '²' cannot be read"),
        ("٣ * * * *", "minute: '٣' cannot be read"),
        ("0 9 * * ſun", "day-of-week: 'ſun' cannot be read"),
        ("1,, * * * *", "minute: '' cannot be read"),
        ("1_0 * * * *", "minute: '1_0' cannot be read"),
        ("? * * * *", "minute: '?' cannot be read"),
        ("0 9 * * 5L/3", "day-of-week: '5L/3': '5L' cannot be read"),
        ("0 9 * *", "expression: has 4 fields; write five: minute hour day-of-month month day-of-week"),
        ("0 0 9 * * *", "a field for seconds or the year is not supported"),
        ("@reboot", "expression: '@reboot' names no time"),
        ("@fortnightly", "expression: '@fortnightly' is not known; known are @yearly"),
        ("", "expression: is empty"),
        ("* " * 600, "expression: is longer than 1000 characters"),
    ],
)
def test_a_refusal_names_the_field_and_the_remedy(expression: str, message: str) -> None:
    with pytest.raises(RuleRefused) as refusal:
        cron.parse(expression)

    assert message in str(refusal.value)


def test_every_bad_field_is_named_at_once() -> None:
    with pytest.raises(RuleRefused) as refusal:
        cron.parse("60 24 32 13 8")

    fields = [problem.field for problem in refusal.value.problems]
    assert fields == ["minute", "hour", "day-of-month", "month", "day-of-week"]


def test_a_rule_that_never_fires_ends_instead_of_searching_for_ever() -> None:
    # Both must match (a star in front), and the 1st is never a fourth Monday.
    assert first_times("1 1 */100 * MON#4", datetime(2026, 1, 1), 1) == []


def test_a_leap_day_on_a_given_weekday_is_found_decades_away() -> None:
    # */7 begins with a star, so both must match: 29 February on a Sunday.
    assert first_times("0 0 29 2 */7", datetime(2033, 1, 1), 1) == ["2060-02-29 00:00"]
