"""When a sign-in is renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from platforms.refresh import refresh_at

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lifetime", "ahead"),
    [
        (timedelta(hours=2), timedelta(minutes=24)),  # a fifth
        (timedelta(minutes=30), timedelta(minutes=10)),  # at least ten minutes
        (timedelta(days=60), timedelta(hours=24)),  # at most a day
        (timedelta(minutes=8), timedelta(minutes=4)),  # half-way, where ten minutes are more than there are
        (timedelta(0), timedelta(0)),
    ],
)
def test_a_fifth_of_the_lifetime_ahead_within_bounds(lifetime, ahead):
    assert refresh_at(NOW + lifetime, NOW) == NOW + lifetime - ahead


def test_what_has_run_out_is_renewed_at_once():
    assert refresh_at(NOW - timedelta(hours=1), NOW) == NOW
