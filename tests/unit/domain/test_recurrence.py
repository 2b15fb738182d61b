"""Occurrences in a window: changes of clocks, bounds, edits, and that no instant comes twice."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from schedules.domain.recurrence import (
    EditAction,
    OccurrenceEdit,
    Recurrence,
    RuleKind,
    RuleRefused,
    occurrences,
    validate,
)


def rule(expression: str, start: str, timezone: str = "Europe/Berlin", **more: object) -> Recurrence:
    kind = RuleKind.RRULE if "=" in expression else RuleKind.CRON if expression else RuleKind.ONCE
    return Recurrence(
        kind=kind,
        expression=expression,
        timezone=timezone,
        start_local=datetime.fromisoformat(start),
        **more,  # type: ignore[arg-type]
    )


def moved(nominal: str, to: str) -> OccurrenceEdit:
    return OccurrenceEdit(
        nominal_local=datetime.fromisoformat(nominal),
        action=EditAction.MOVE,
        moved_to_local=datetime.fromisoformat(to),
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fires(of: Recurrence, start: str, end: str) -> list[str]:
    return [f"{one.fires_at:%m-%d %H:%M}" for one in occurrences(of, start=utc(start), end=utc(end))]


@pytest.mark.parametrize(
    ("expression", "timezone", "day", "expected"),
    [
        # a fixed time in the gap: once, right after it (cron) or moved on by it (RRULE)
        ("30 2 * * *", "Europe/Berlin", "2026-03-29", ["03-29 01:00"]),
        ("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "Europe/Berlin", "2026-03-29", ["03-29 01:30"]),
        # in the fold: once, the first
        ("30 2 * * *", "Europe/Berlin", "2026-10-25", ["10-25 00:30"]),
        ("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "Europe/Berlin", "2026-10-25", ["10-25 00:30"]),
        # two times of the gap onto one that is there: one occurrence (R11)
        ("0,30 2,3 * * *", "Europe/Berlin", "2026-03-29", ["03-29 01:00", "03-29 01:30"]),
        ("FREQ=DAILY;BYHOUR=2,3;BYMINUTE=30", "Europe/Berlin", "2026-03-29", ["03-29 01:30"]),
        # half an hour
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-04", ["10-03 15:30"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-05", ["04-04 14:45"]),
        # midnight that does not exist
        ("0 0 * * *", "America/Santiago", "2026-09-06", ["09-06 04:00"]),
        ("0 0 * * *", "Africa/Cairo", "2026-04-24", ["04-23 22:00"]),
        # midnight that exists twice: Havana goes back from 01:00 to 00:00
        ("0 0 * * *", "America/Havana", "2026-11-01", ["11-01 04:00"]),
    ],
)
def test_a_fixed_time_fires_exactly_once_a_day(expression: str, timezone: str, day: str, expected: list[str]) -> None:
    daily = rule(expression, "2026-01-01T00:00", timezone)

    that_day = [
        f"{one.fires_at:%m-%d %H:%M}"
        for one in occurrences(daily, start=utc("2026-01-01"), end=utc("2026-12-31"))
        if f"{one.nominal_local:%Y-%m-%d}" == day
    ]

    assert that_day == expected


@pytest.mark.parametrize("expression", ["0 * * * *", "FREQ=HOURLY"])
def test_hourly_rules_keep_their_distance_over_both_changes(expression: str) -> None:
    hourly = rule(expression, "2026-01-01T00:00")

    spring = fires(hourly, "2026-03-28T23:00", "2026-03-29T04:00")
    autumn = fires(hourly, "2026-10-24T22:00", "2026-10-25T03:00")

    assert spring == ["03-28 23:00", "03-29 00:00", "03-29 01:00", "03-29 02:00", "03-29 03:00"]
    assert autumn == ["10-24 22:00", "10-24 23:00", "10-25 00:00", "10-25 01:00", "10-25 02:00"]


def test_every_half_hour_is_neither_missing_nor_doubled_in_the_fold() -> None:
    half_hourly = rule("*/30 * * * *", "2026-01-01T00:00")

    shown = [
        (f"{one.nominal_local:%H:%M}", one.nominal_local.fold, one.shift)
        for one in occurrences(half_hourly, start=utc("2026-10-25T00:00"), end=utc("2026-10-25T02:01"))
    ]

    assert shown == [
        ("02:00", 0, "fold"),
        ("02:30", 0, "fold"),
        ("02:00", 1, "fold"),
        ("02:30", 1, "fold"),
        ("03:00", 0, ""),
    ]


def test_an_occurrence_tells_its_nominal_time_and_why_it_moved() -> None:
    found = next(occurrences(rule("30 2 * * *", "2026-03-29T00:00"), start=utc("2026-03-28T12:00")))

    assert found.nominal_local == datetime(2026, 3, 29, 2, 30)
    assert found.nominal_at == found.fires_at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert (found.shift, found.edited) == ("gap", False)


def test_a_single_time_fires_once_and_its_second_pass_on_request() -> None:
    first = rule("", "2026-10-25T02:30")
    second = rule("", "2026-10-25T02:30", fold=1)

    assert fires(first, "2026-10-01", "2026-11-01") == ["10-25 00:30"]
    assert fires(second, "2026-10-01", "2026-11-01") == ["10-25 01:30"]


def test_a_window_begins_at_its_start_and_ends_before_its_end() -> None:
    daily = rule("0 9 * * *", "2026-06-01T00:00")

    assert fires(daily, "2026-06-01T07:00", "2026-06-03T07:00") == ["06-01 07:00", "06-02 07:00"]


def test_start_until_and_limit_are_counted_on_the_wall_clock() -> None:
    bounded = rule("0 9 * * *", "2026-06-01T09:00", until_local=datetime(2026, 6, 3, 9))
    limited = rule("0 9 * * *", "2026-06-01T09:01", limit=2)

    assert fires(bounded, "2026-05-01", "2026-07-01") == ["06-01 07:00", "06-02 07:00", "06-03 07:00"]
    assert fires(limited, "2026-05-01", "2026-07-01") == ["06-02 07:00", "06-03 07:00"]
    # counted from the rule's start, wherever the window lies
    assert fires(limited, "2026-06-03", "2026-07-01") == ["06-03 07:00"]


def test_what_is_left_out_still_counts() -> None:
    skip = OccurrenceEdit(nominal_local=datetime(2026, 6, 2, 9), action=EditAction.SKIP)
    skipped = rule("0 9 * * *", "2026-06-01T09:00", limit=3, edits=(skip,))
    excepted = rule("RRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260602T090000", "2026-06-01T09:00")

    assert fires(skipped, "2026-05-01", "2026-07-01") == ["06-01 07:00", "06-03 07:00"]
    assert fires(excepted, "2026-05-01", "2026-07-01") == ["06-01 07:00", "06-03 07:00"]


def test_a_moved_occurrence_comes_in_the_window_of_its_new_time() -> None:
    weekly = rule("0 9 * * 1", "2026-06-01T00:00", edits=(moved("2026-06-08T09:00", "2026-07-20T10:00"),))

    in_july = list(occurrences(weekly, start=utc("2026-07-19"), end=utc("2026-07-21")))

    assert fires(weekly, "2026-06-01", "2026-06-16") == ["06-01 07:00", "06-15 07:00"]
    assert [f"{one.fires_at:%H:%M} {one.nominal_local:%m-%d} {one.edited}" for one in in_july] == [
        "07:00 07-20 False",
        "08:00 06-08 True",
    ]


def test_an_occurrence_moved_ahead_of_others_keeps_the_order() -> None:
    daily = rule("0 9 * * *", "2026-06-01T00:00", edits=(moved("2026-06-04T09:00", "2026-06-02T08:00"),))

    found = list(occurrences(daily, start=utc("2026-06-01"), end=utc("2026-06-06")))

    assert [f"{one.fires_at:%d %H}" for one in found] == ["01 07", "02 06", "02 07", "03 07", "05 07"]


def test_moving_onto_another_occurrence_makes_one_of_both() -> None:
    daily = rule("0 9 * * *", "2026-06-01T00:00", edits=(moved("2026-06-02T09:00", "2026-06-03T09:00"),))

    found = list(occurrences(daily, start=utc("2026-06-01"), end=utc("2026-06-05")))

    assert [f"{one.fires_at:%d %H} {one.edited}" for one in found] == [
        "01 07 False",
        "03 07 False",
        "04 07 False",
    ]


def test_an_edit_of_a_time_the_rule_no_longer_has_is_void() -> None:
    ghost = moved("2026-06-02T08:59", "2026-06-10T12:00")

    assert fires(rule("0 9 * * *", "2026-06-01T00:00", edits=(ghost,)), "2026-06-10", "2026-06-11") == ["06-10 07:00"]


def test_a_moved_occurrence_of_a_counted_rule_is_found_again() -> None:
    counted = rule("FREQ=DAILY;COUNT=3", "2026-06-01T09:00", edits=(moved("2026-06-03T09:00", "2026-08-01T09:00"),))
    beyond = rule("FREQ=DAILY;COUNT=3", "2026-06-01T09:00", edits=(moved("2026-06-04T09:00", "2026-08-01T09:00"),))

    assert fires(counted, "2026-06-01", "2026-09-01") == ["06-01 07:00", "06-02 07:00", "08-01 07:00"]
    assert fires(beyond, "2026-07-01", "2026-09-01") == []


def test_only_the_pass_that_was_meant_is_skipped_in_the_fold() -> None:
    second = OccurrenceEdit(nominal_local=datetime(2026, 10, 25, 2, 0, fold=1), action=EditAction.SKIP)
    hourly = rule("0 * * * *", "2026-01-01T00:00", edits=(second,))

    assert fires(hourly, "2026-10-25T00:00", "2026-10-25T03:00") == ["10-25 00:00", "10-25 02:00"]


def test_a_window_far_away_is_reached_without_walking_there() -> None:
    every_second = rule("FREQ=SECONDLY", "1990-01-01T00:00", "America/New_York")

    found = list(islice(occurrences(every_second, start=utc("2090-05-05T05:05:05.5")), 2))

    assert [f"{one.fires_at:%Y-%m-%d %H:%M:%S}" for one in found] == [
        "2090-05-05 05:05:06",
        "2090-05-05 05:05:07",
    ]


def test_the_end_of_the_calendar_is_the_end_of_the_rule() -> None:
    last_day = list(occurrences(rule("0 22 31 12 *", "9998-01-01T00:00", "America/New_York"), start=utc("9998-06-01")))

    assert [one.nominal_local.year for one in last_day] == [9998]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (rule("0 9 * * *", "2026-06-01T09:00", "Mars/X"), "timezone: 'Mars/X' is no IANA time zone"),
        (
            rule("0 9 * * *", "2026-06-01T09:00+02:00"),
            "start_local: must be a wall-clock time without an offset",
        ),
        (rule("0 9 * * *", "1066-06-01T09:00"), "start_local: must lie in the years 1900 to 9998"),
        (rule("0 9 * * *", "2026-06-01T09:00", limit=0), "limit: must be 1 to 100000"),
        (rule("", "2026-06-01T09:00", fold=2), "fold: is 0 for the first"),
        (
            rule("0 9 * * *", "2026-06-01T09:00", until_local=datetime(2026, 5, 1)),
            "until_local: lies before the start",
        ),
        (rule("1 1 */100 * MON#4", "2026-06-01T09:00"), "expression: never fires from its start on"),
        (rule("FREQ=DAILY;UNTIL=20260101", "2026-06-01T09:00"), "expression: never fires from its start on"),
        (
            rule(
                "0 9 * * *",
                "2026-06-01T09:00",
                edits=(OccurrenceEdit(nominal_local=datetime(2026, 6, 2, 9), action=EditAction.MOVE),),
            ),
            "edits: 2026-06-02 09:00 is to be moved; say where to",
        ),
        (
            rule("0 9 * * *", "2026-06-01T09:00", edits=(moved("2026-06-02T09:00", "2026-06-03T10:00"),) * 2),
            "edits: change the same occurrence twice",
        ),
        (
            Recurrence(
                kind=RuleKind.ONCE,
                expression="0 9 * * *",
                timezone="UTC",
                start_local=datetime(2026, 6, 1),
            ),
            "expression: a single time has no rule",
        ),
    ],
)
def test_a_broken_rule_is_refused_in_words(broken: Recurrence, message: str) -> None:
    with pytest.raises(RuleRefused) as refusal:
        validate(broken)

    assert message in str(refusal.value)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(RuleRefused) as refusal:
        validate(rule("0 99 * * *", "2026-06-01T09:00", "Mars/X", limit=0))

    assert [problem.field for problem in refusal.value.problems] == ["limit", "timezone", "hour"]


def test_an_unreadable_rule_is_refused_before_the_first_occurrence_is_taken() -> None:
    for edits in ((), (moved("2026-06-03T09:00", "2026-06-04T09:00"),)):
        with pytest.raises(RuleRefused, match="hour: "):
            occurrences(rule("0 99 * * *", "2026-06-01T09:00", edits=edits), start=utc("2026-06-01"))
