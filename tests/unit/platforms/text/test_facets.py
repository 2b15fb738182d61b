"""Bluesky's links, mentions and tags: the network's own rows where they lie beside the repository, and cases of our own."""

from __future__ import annotations

import pytest

from platforms.text.facets import facets
from tests.unit.platforms.text.rows import rows

ROWS = [row for part in ("detect", "tags", "cashtags", "more") for row in rows("bluesky_text.json", part)]


@pytest.mark.skipif(not ROWS, reason="../shared/platforms is not there")
def test_the_networks_own_rows():
    assert len(ROWS) > 100
    for row in ROWS:
        raw = row["text"].encode()
        found = [
            {
                "byteStart": item.byte_start,
                "byteEnd": item.byte_end,
                "slice": raw[item.byte_start : item.byte_end].decode(),
                "feature": item.kind,
                "value": item.value,
            }
            for item in facets(row["text"])
        ]
        assert found == row["facets"], row["text"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Größe #größe", [("tag", "#größe", "größe")]),
        ("see (example.org).", [("link", "example.org", "https://example.org")]),
        ("httpbin.org", [("link", "httpbin.org", "https://httpbin.org")]),  # an address without its scheme is refused
        ("HTTPS://EXAMPLE.COM", []),
        ("a\ufeff#b", [("tag", "#b", "b")]),  # a byte order mark is white space in ECMAScript
        ("a\x1f#b", []),  # and this one is not
        ("#" + "🦋" * 32, [("tag", "#" + "🦋" * 32, "🦋" * 32)]),
        ("#" + "🦋" * 33, []),  # 66 UTF-16 units
        ("#²", [("tag", "#²", "²")]),
        ("@me.example.com.", [("mention", "@me.example.com", "me.example.com")]),
        ("@me.exampleexample", []),
        ("$ab’s", [("tag", "$ab", "$AB")]),
        ("", []),
    ],
)
def test_own_cases(text, expected):
    raw = text.encode()
    assert [(item.kind, raw[item.byte_start : item.byte_end].decode(), item.value) for item in facets(text)] == expected
