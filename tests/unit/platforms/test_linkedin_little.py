"""The little text format: what is escaped, what stays a mention or a hashtag, and the way back."""

from __future__ import annotations

import pytest

from platforms.adapters.linkedin.little import little, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("", ""),
        ("\\ | { } @ [ ] ( ) < > # * _ ~", "\\\\ \\| \\{ \\} \\@ \\[ \\] \\( \\) \\< \\> \\# \\* \\_ \\~"),
        ("#news", "{hashtag|\\#|news}"),
        ("#a_b!", "{hashtag|\\#|a\\_b}!"),
        ("#2026 plan", "\\#2026 plan"),  # a number alone is no hashtag
        ("#2026plan", "{hashtag|\\#|2026plan}"),
        ("C# is", "C\\# is"),
        ("(#über)", "\\({hashtag|\\#|über}\\)"),
        ("#日本語", "{hashtag|\\#|日本語}"),
        ("https://x.org/a_b#c", "https://x.org/a\\_b\\#c"),
        ("@[Berg (Co)](urn:li:organization:5)", "@[Berg \\(Co\\)](urn:li:organization:5)"),
        ("@[x](urn:li:fsd_profile:5)", "\\@\\[x\\]\\(urn:li:fsd\\_profile:5\\)"),
        ("me@x.org", "me\\@x.org"),
        ("a\n#b\n", "a\n{hashtag|\\#|b}\n"),
    ],
)
def test_escaping(text, expected):
    assert little(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a (b) #c_d",
        "\\#x \\\\ {y}",
        "@[Berg (Co)](urn:li:organization:5) hi",
        "#a #b\n\nhttps://x.org/_a_(b)",
        "~*_|<>",
    ],
)
def test_the_way_back_gives_the_words(text):
    assert plain(little(text)) == " ".join(text.split())


@pytest.mark.parametrize("given", ["#news", "\\#news", "{hashtag|#|news}", "{hashtag|\\#|news}"])
def test_linkedin_may_give_a_hashtag_back_in_any_form(given):
    assert plain(given) == "#news"
