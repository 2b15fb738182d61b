"""Lengths in each platform's unit: X's own rows where they lie beside the repository, and cases of our own."""

from __future__ import annotations

import pytest

from platforms.contracts import TextRule
from platforms.text.counting import count, excess, parse, weighted
from platforms.text.links import found
from tests.unit.platforms.text.rows import rows

X = "x_weighted_length.json"
CASES, EXTRA, URLS = rows(X, "cases"), rows(X, "extra_cases_v3"), rows(X, "url_extraction")
GRAPHEMES = [
    row for part in ("detect", "tags", "cashtags", "graphemes", "more") for row in rows("bluesky_text.json", part)
]
beside = pytest.mark.skipif(not CASES, reason="../shared/platforms is not there")
FAMILY = "👨‍👩‍👧‍👦"


@beside
def test_xs_own_cases():
    for row in CASES:
        found_, expected = parse(row["text"], emoji=row["config"] == 3), row["expected"]
        assert {
            "weightedLength": found_.length,
            "valid": found_.valid,
            "permillage": found_.permillage,
            "displayRangeStart": found_.display_start,
            "displayRangeEnd": found_.display_end,
            "validRangeStart": found_.valid_start,
            "validRangeEnd": found_.valid_end,
        } == expected, row["description"]
        v3 = parse(row["text"])
        assert (v3.length, v3.valid) == (row["weightedLength_v3"], row["valid_v3"]), row["description"]
        assert weighted(row["text"]) == row["weightedLength_v3"], row["description"]


@beside
def test_more_of_xs_cases():
    for row in EXTRA:
        seen = parse(row["text"])
        assert (seen.length, seen.valid) == (row["weightedLength"], row["valid"]), row["name"]
        assert weighted(row["text"]) == row["weightedLength"], row["name"]


@beside
def test_the_addresses_that_x_finds():
    assert len(URLS) > 80
    for row in URLS:
        assert [link.url for link in found(row["text"])] == row["expected"], row["description"]


@beside
def test_blueskys_graphemes_and_bytes():
    assert len(GRAPHEMES) > 100
    for row in GRAPHEMES:
        assert count(row["text"], "graphemes") == row["graphemes"], row["text"]
        assert count(row["text"], "utf8_bytes") == row["utf8_bytes"], row["text"]
