"""Addresses in a text, by X's rules."""

from __future__ import annotations

import pytest

from platforms.text.links import found, urls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words. And more.", []),
        ("http://example.com/a_(b)_(c), and", ["http://example.com/a_(b)_(c)"]),
        ("(see example.co.uk/x?a=b&c#d)", ["example.co.uk/x?a=b&c#d"]),
        ("example.com?x=1 example.com:80", ["example.com", "example.com"]),  # without a path nothing more belongs to it
        ("http://example.com:80?x=1", ["http://example.com:80?x=1"]),
        ("日本語example.com日本語", ["example.com"]),
        ("日本語.com http://日本語.com", ["http://日本語.com"]),  # without a scheme only ASCII
        ("example.みんな http://例え.みんな/x", ["example.みんな", "http://例え.みんな/x"]),
        ("me@example.com @example.com #example.com $example.com", []),
        ("/example.com -example.com .example.com _example.com", []),
        ("😀example.com @😀example.com", ["example.com", "example.com"]),
        (
            "sub_domain.example.com http://sub_domain.example.com",
            ["domain.example.com", "http://sub_domain.example.com"],
        ),
        (
            "$AAPL😀-a.com",
            ["-a.com"],
        ),  # X reads UTF-16: half of the emoji stands before the address, the other half in it
        (f"@👨‍👩‍👧🇦🇦{'あ' * 30}goo.gl/x", []),  # and so this label is too long in Punycode
        ("ex_ample.com http://ex_ample.com", []),
        ("example.communal example.com-x example.com_x", ["example.com"]),
        ("a.b.example.com.", ["a.b.example.com"]),
        ("http://t.co/abc/def http://t.co/abc?d=e", ["http://t.co/abc", "http://t.co/abc?d=e"]),
        (f"http://t.co/{'a' * 41}", []),
        (f"{'a' * 63}.com {'b' * 64}.com", [f"{'a' * 63}.com"]),
        ("HTTP://EXAMPLE.COM/A", ["HTTP://EXAMPLE.COM/A"]),
        ("http://xn--80ak6aa92e.com xn--fiqs8s.xn--fiqs8s", ["http://xn--80ak6aa92e.com", "xn--fiqs8s.xn--fiqs8s"]),
        ("\u202ahttp://example.com\u202c", ["http://example.com"]),
        (
            "http://example.com/@user/ http://example.com/@user",
            ["http://example.com/@user/", "http://example.com/@user"],
        ),
        ("ftp://example.com mailto:a@example.com", []),
        ("gone.onion new.music old.guardian", ["gone.onion", "old.guardian"]),  # X's list is of 2021
    ],
)
def test_what_x_makes_a_link_of(text, expected):
    assert [link.url for link in found(text)] == expected
    for link in found(text):
        assert text[link.start : link.end] == link.url


def test_with_a_scheme_only():
    text = "example.com https://example.com/a"
    assert [link.url for link in found(text, bare=False)] == ["https://example.com/a"]
    assert urls(text + "). See http://localhost:8000/x!") == ["https://example.com/a", "http://localhost:8000/x"]


def test_the_longest_address():
    most = 4096 - len("https://")  # the scheme counts twice
    address = f"https://example.com/{'a' * (most - len('https://example.com/'))}"
    assert [link.url for link in found(address)] == [address]
    assert found(address + "a") == []
