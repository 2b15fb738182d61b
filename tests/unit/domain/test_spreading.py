"""Posts that waited go one after the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schedules.domain.spreading import gap, slots

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TWO = timedelta(seconds=2)


def seconds(times):
    return [(at - NOW).total_seconds() for at in times]


def test_they_leave_a_step_apart_in_the_order_given():
    assert seconds(slots([NOW - timedelta(hours=1)] * 3, NOW, TWO)) == [0, 2, 4]


def test_none_goes_before_its_own_time_and_those_behind_it_keep_their_distance():
    own = [NOW, NOW + timedelta(seconds=10), NOW, NOW + timedelta(minutes=1)]
    assert seconds(slots(own, NOW, TWO)) == [0, 10, 12, 60]


def test_accounts_of_one_service_start_apart():
    assert gap(TWO, 4) == timedelta(seconds=0.5)
    assert gap(TWO, 1000) == timedelta(seconds=0.1)
    assert gap(timedelta(), 4) == timedelta()
