"""The queue's next free time, on the wall clock of the account's zone."""

from __future__ import annotations

from datetime import UTC, datetime, time

from schedules.domain.slots import next_free

NINE_DAILY = [(day, time(9)) for day in range(7)]


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_the_next_time_is_today_if_it_lies_ahead_and_else_tomorrow():
    assert next_free(NINE_DAILY, zone="Europe/Berlin", after=at(2026, 11, 23, 7, 59), taken=()) == at(2026, 11, 23, 8)
    assert next_free(NINE_DAILY, zone="Europe/Berlin", after=at(2026, 11, 23, 8), taken=()) == at(2026, 11, 24, 8)


def test_a_taken_time_is_passed_over_also_when_it_is_some_seconds_off():
    taken = {at(2026, 11, 23, 8, 0, 30), at(2026, 11, 24, 8)}
    assert next_free(NINE_DAILY, zone="Europe/Berlin", after=at(2026, 11, 22, 12), taken=taken) == at(2026, 11, 25, 8)


def test_the_wall_clock_counts_over_a_change_of_clocks():
    assert next_free(NINE_DAILY, zone="Europe/Berlin", after=at(2027, 3, 27, 9), taken=()) == at(2027, 3, 28, 7)


def test_a_time_that_does_not_exist_that_day_is_passed_over():
    half_past_two = [(6, time(2, 30))]  # Sundays; on 28 March 2027 the clocks go from two to three
    assert next_free(half_past_two, zone="Europe/Berlin", after=at(2027, 3, 27, 9), taken=()) == at(2027, 4, 4, 0, 30)


def test_the_day_is_the_zones_own():
    monday = [(0, time(0, 15))]
    assert next_free(monday, zone="Pacific/Auckland", after=at(2026, 11, 22, 0), taken=()) == at(2026, 11, 22, 11, 15)


def test_without_times_or_without_a_free_one_there_is_none():
    assert next_free([], zone="UTC", after=at(2026, 11, 23), taken=()) is None
    every = {at(2026, 11, 23, 9).replace(year=year, month=month, day=day) for year, month, day in _mondays()}
    assert next_free([(0, time(9))], zone="UTC", after=at(2026, 11, 23), taken=every) is None


def _mondays() -> list[tuple[int, int, int]]:
    from datetime import timedelta

    first = datetime(2026, 11, 23, tzinfo=UTC)
    days = [first + timedelta(days=7 * week) for week in range(30)]
    return [(day.year, day.month, day.day) for day in days]
