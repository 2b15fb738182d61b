"""The bucket: never more than its capacity in any period, and no token lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforms.limits import Bucket

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def at(seconds):
    return NOW + timedelta(seconds=seconds)


def test_a_full_bucket_gives_all_its_tokens_at_once_and_then_says_how_long():
    bucket, state = Bucket.per(3, 3600), ()
    for _ in range(3):
        state, wait = bucket.take(state, NOW)
        assert wait == 0
    state, wait = bucket.take(state, at(600))
    assert wait == pytest.approx(3000, abs=0.01)
    assert bucket.left(state, at(600)) == 0


def test_each_token_comes_back_one_period_after_it_was_taken():
    bucket, state = Bucket.per(2, 3600), ()
    state, _ = bucket.take(state, at(0))
    state, _ = bucket.take(state, at(1800))
    assert bucket.left(state, at(3601)) == 1
    assert bucket.left(state, at(5401)) == 2


def test_giving_back_undoes_the_latest_take():
    bucket = Bucket.per(2, 3600)
    state, _ = bucket.take((), NOW)
    both, _ = bucket.take(state, NOW)
    assert bucket.give_back(both) == state
    assert bucket.give_back(state) == ()
    assert bucket.give_back(()) == ()


def test_a_lowered_cap_waits_until_enough_came_back():
    wide, state = Bucket.per(5, 3600), ()
    for second in range(5):
        state, _ = wide.take(state, at(second * 60))
    _, wait = Bucket.per(2, 3600).take(state, at(300))
    assert wait == pytest.approx(3600 + 180 - 300, abs=0.01)  # the fourth of five must be back


def test_a_clock_set_back_gives_nothing_away():
    bucket = Bucket.per(1, 60)
    state, _ = bucket.take((), NOW)
    _, wait = bucket.take(state, at(-3600))
    assert wait > 3600


def test_a_large_bucket_keeps_a_small_state():
    bucket, state = Bucket.per(5000, 86400), ()
    for second in range(3000):
        state, _ = bucket.take(state, at(second * 20))
    assert len(state) <= 1001


@settings(max_examples=60, deadline=None)
@given(
    capacity=st.integers(1, 12),
    gaps=st.lists(st.floats(0, 900, allow_nan=False), min_size=1, max_size=60),
)
def test_no_period_ever_sees_more_than_the_capacity(capacity, gaps):
    bucket, state, moment, taken = Bucket.per(capacity, 3600), (), 0.0, []
    for gap in gaps:
        moment += gap
        state, wait = bucket.take(state, at(moment))
        if wait:
            assert bucket.take(state, at(moment + wait + 0.002))[1] == 0  # the promise is kept
        else:
            taken.append(moment)
    for first in taken:
        assert sum(first <= other < first + 3600 for other in taken) <= capacity


def test_the_platforms_word_takes_tokens_away_until_its_reset():
    bucket, state = Bucket.per(10, 3600), ()
    state, _ = bucket.take(state, NOW)
    lowered = bucket.at_most(state, 2, NOW, 600)
    assert bucket.left(lowered, NOW) == 2
    assert bucket.left(lowered, at(599)) == 2
    assert bucket.left(lowered, at(601)) == 9  # what was really taken stays out for its hour


def test_the_platforms_word_never_gives_tokens():
    bucket, state = Bucket.per(2, 3600), ()
    for _ in range(2):
        state, _ = bucket.take(state, NOW)
    assert bucket.at_most(state, 50, NOW, 10) == state


def test_a_reset_beyond_the_period_holds_for_the_period():
    bucket = Bucket.per(2, 60)
    lowered = bucket.at_most((), 0, NOW, 86_400)
    assert bucket.left(lowered, at(59)) == 0
    assert bucket.left(lowered, at(61)) == 2
    _, wait = bucket.take(lowered, NOW)
    assert wait == pytest.approx(60, abs=0.01)
