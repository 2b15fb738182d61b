"""Histograms: buckets, quantiles, and what other processes wrote."""

from __future__ import annotations

from math import inf

import pytest

from schedules.engine.figures import Histogram

BOUNDS = (0.1, 1.0)


def filled(*seconds: float) -> Histogram:
    made = Histogram(BOUNDS)
    for value in seconds:
        made.observe(value)
    return made


def test_a_value_on_a_bound_counts_below_it():
    assert filled(0.1, 0.2, 1.0, 1.5).counts == [1, 2, 1]


def test_cumulative_counts_end_with_all_of_them():
    assert list(filled(0.05, 0.5, 0.6, 9.0).cumulative()) == [(0.1, 1), (1.0, 3), (inf, 4)]


# observations, share, seconds
QUANTILES = (
    ((), 0.5, None),
    ((0.05, 0.05), 0.5, 0.05),  # half of the first bucket
    ((0.5,) * 10, 0.5, 0.55),  # the middle of the second one
    ((0.05, 5.0), 0.99, 1.0),  # above every bound: the last bound is all one knows
    ((5.0, 5.0), 0.5, 1.0),
    ((0.05,), 1.0, 0.1),
)


@pytest.mark.parametrize(("seconds", "share", "expected"), QUANTILES)
def test_quantiles_are_those_of_prometheus(seconds, share, expected):
    found = filled(*seconds).quantile(share)

    assert found == expected if expected is None else found == pytest.approx(expected)


def test_what_was_stored_is_read_again():
    again = Histogram.from_json(filled(0.05, 0.5).as_json(), BOUNDS)

    assert (again.counts, again.sum) == ([1, 1, 0], 0.55)


@pytest.mark.parametrize("stored", [{}, {"5": 3, "more": 1}, {"bounds": [0.1], "counts": [1, 2], "sum": 3}])
def test_another_releases_figures_read_as_none(stored):
    assert Histogram.from_json(stored, BOUNDS).count == 0


def test_merging_adds_every_bucket():
    whole = Histogram.merged([filled(0.05), filled(0.5, 5.0)], BOUNDS)

    assert (whole.counts, whole.sum) == ([1, 1, 1], 5.55)
