"""Rings, order, critical path and posts that stand too early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schedules.domain import planning

DAY = datetime(2026, 12, 7, tzinfo=UTC)


def at(**hours: int) -> dict[int, datetime]:
    """`at(p1=9)`: post 1 at nine o'clock."""
    return {int(name[1:]): DAY + timedelta(hours=hour) for name, hour in hours.items()}


@pytest.mark.parametrize(
    ("waits", "post", "waits_for", "found"),
    [
        ({}, 1, 2, []),
        ({1: [2]}, 1, 3, []),
        ({2: [1]}, 1, 2, [1, 2, 1]),
        ({3: [2], 2: [1]}, 1, 3, [1, 3, 2, 1]),
        ({4: [1], 2: [5, 1]}, 1, 2, [1, 2, 1]),
    ],
)
def test_a_ring_is_found_before_it_is_closed(waits, post, waits_for, found):
    assert planning.ring(waits, post, waits_for) == found


def test_a_ring_that_stands_already_ends_the_search():
    assert planning.ring({2: [3], 3: [2]}, 1, 2) == []


def test_each_post_comes_after_all_that_it_waits_for_and_rings_are_left_out():
    assert planning.ordered({3: [1, 2], 2: [1]}) == [1, 2, 3]
    assert planning.ordered({3: [1], 5: [6], 6: [5]}) == [1, 3]


def test_the_critical_path_goes_back_to_what_leaves_least_time():
    waits = {5: [3, 4], 4: [1], 3: [2]}
    times = at(p1=1, p2=6, p3=7, p4=3, p5=9)

    assert planning.critical_path(waits, times) == [2, 3, 5]
    assert planning.critical_path(waits, times | at(p4=8)) == [1, 4, 5]


def test_posts_without_a_time_are_not_on_the_path_and_nothing_waiting_is_no_path():
    assert planning.critical_path({2: [1]}, at(p2=4)) == []
    assert planning.critical_path({}, at(p1=4)) == []


def test_each_group_has_a_path_of_its_own_the_latest_last():
    assert planning.critical_paths({2: [1], 9: [8]}, at(p1=1, p2=20, p8=3, p9=4)) == [[8, 9], [1, 2]]


def test_a_post_at_the_same_time_or_before_is_too_early_unless_both_are_out():
    waits, times = {2: [1], 3: [1], 4: [1]}, at(p1=9, p2=9, p3=8, p4=10)

    assert planning.too_early(waits, times) == [(2, 1), (3, 1)]
    assert planning.too_early(waits, times, out={1, 3}) == [(2, 1)]
    assert planning.too_early({2: [7]}, times) == []
