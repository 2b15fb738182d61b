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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("plain words", 11),
        ("see example.com.", 28),
        ("https://example.com/a-very-long-path?with=a&query=too", 23),
        ("node.js and README.md", 12 + 23),
        ("日本語example.com", 6 + 23),
        ("@example.com #example.com $example.com", 38),
        ("user@example.com", 16),
        ("http://t.co/abcdefghi/more", 23 + 5),
        ("x.co", 23),
        ("👩‍💻", 2),
        ("🧑‍💻", 5),  # came after Unicode 11: its parts count
        ("🇩🇪🇦🇦", 6),
        ("❤️❤", 4),
        ("1️⃣©️™", 6),
        ("\u1100\u1161", 2),  # one syllable in NFC
    ],
)
def test_own_cases_for_x(text, expected):
    assert weighted(text) == expected
    assert parse(text).length == expected


@pytest.mark.parametrize("text", ["", "a\ufeffb", "\ufffe", "x" * 281, "語" * 141])
def test_what_x_does_not_take(text):
    assert not parse(text).valid


@pytest.mark.parametrize(
    ("text", "unit", "weight", "expected"),
    [
        ("Hi https://example.com/very/long/address/indeed", "mastodon", None, 3 + 23),
        ("Hi https://example.com/very/long/address/indeed", "mastodon", 25, 3 + 25),
        ("Hi example.com", "mastodon", None, 14),
        ("example.com https://example.org", "mastodon", None, 12 + 23),
        ("@bob@mastodon.example hello", "mastodon", None, 10),
        ("me@example.com", "mastodon", None, 14),
        ("see https://example.com/@bob@mastodon.example", "mastodon", None, 4 + 23),
        (FAMILY, "mastodon", None, 1),
        (FAMILY, "threads", None, 25),
        ("a😀é", "threads", None, 6),
        ("©", "threads", None, 1),
        ("🇩🇪", "threads", None, 8),
        (FAMILY, "graphemes", None, 1),
        ("a\r\nb", "graphemes", None, 3),
        (FAMILY, "code_points", None, 7),
        (FAMILY, "utf16", None, 11),
        (FAMILY, "characters", None, 11),
        (FAMILY, "utf8_bytes", None, 25),
        ("😀 https://example.com/x", "code_points", 10, 12),
        ("bare example.com", "code_points", 10, 16),
    ],
)
def test_the_other_units(text, unit, weight, expected):
    assert count(text, unit, weight) == expected


def test_the_limit_that_is_exceeded_most_tells_how_much():
    rule = TextRule(max=300, unit="graphemes", also=((3000, "utf8_bytes"),))
    assert excess("x" * 300, rule) == 0
    assert excess("x" * 302, rule) == 2
    assert excess(FAMILY * 130, rule) == 130 * 25 - 3000
