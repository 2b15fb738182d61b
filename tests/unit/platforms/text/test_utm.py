"""UTM parameters on addresses: added where they are missing, and nothing else changes."""

from __future__ import annotations

import pytest

from platforms.text.utm import filled, merged, tagged, tagged_text

SET = {"source": "x", "campaign": "autumn sale"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example", "https://a.example?utm_source=x&utm_campaign=autumn+sale"),
        ("https://a.example/?q=1", "https://a.example/?q=1&utm_source=x&utm_campaign=autumn+sale"),
        ("https://a.example/p#part", "https://a.example/p?utm_source=x&utm_campaign=autumn+sale#part"),
        ("https://a.example/?", "https://a.example/?utm_source=x&utm_campaign=autumn+sale"),
        # what the address says already wins, also under an odd spelling of its name
        ("https://a.example/?utm_source=mail", "https://a.example/?utm_source=mail&utm_campaign=autumn+sale"),
        ("https://a.example/?utm%5Fsource=mail", "https://a.example/?utm%5Fsource=mail&utm_campaign=autumn+sale"),
        # bytes that a parser would write otherwise stay as they are
        ("https://a.example/?q=a+b%2fc&x", "https://a.example/?q=a+b%2fc&x&utm_source=x&utm_campaign=autumn+sale"),
        ("HTTPS://a.example/A", "HTTPS://a.example/A?utm_source=x&utm_campaign=autumn+sale"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("https://[bad", "https://[bad"),
        ("", ""),
    ],
)
def test_an_address_gets_what_it_lacks(url, expected):
    assert tagged(url, SET) == expected


def test_adding_twice_adds_once():
    once = tagged("https://a.example/p?x=1#f", SET)
    assert tagged(once, SET) == once


def test_each_address_in_a_text_gets_them_and_the_words_stay():
    text = "See https://a.example/one, and (https://a.example/two). Not a.example: no address."
    assert tagged_text(text, {"source": "x"}) == (
        "See https://a.example/one?utm_source=x, and (https://a.example/two?utm_source=x). Not a.example: no address."
    )


def test_the_same_address_twice_is_tagged_in_both_places():
    assert tagged_text("https://a.example https://a.example", {"source": "x"}) == (
        "https://a.example?utm_source=x https://a.example?utm_source=x"
    )


def test_a_later_layer_wins_and_unknown_names_fall_out():
    assert merged({"source": "social", "medium": "post"}, {"utm_source": "x", "campaign": " ", "colour": "red"}) == {
        "source": "x",
        "medium": "post",
    }


def test_places_are_filled_and_what_comes_out_empty_is_left_out():
    places = {"platform": "mastodon", "account": "news", "campaign": ""}
    given = {"source": "{platform}", "content": "{account}-{unknown}", "campaign": "{campaign}"}
    assert filled(given, places) == {"source": "mastodon", "content": "news-{unknown}"}
