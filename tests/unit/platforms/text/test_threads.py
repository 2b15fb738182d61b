"""A long text as a chain: nothing is lost, torn or too long."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from platforms.contracts import Capabilities, TextRule
from platforms.text import counting, links
from platforms.text.message import all_hashtags, message
from platforms.text.threads import parts


@dataclass
class Post:
    text: str
    link: str = ""
    hashtags: tuple[str, ...] = ()
    content_type: str = "thread"
    title: str = ""
    media: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


def can(rule, **values):
    return Capabilities(
        content_types=frozenset({"post", "thread"}),
        media_mimes=frozenset(),
        max_media=0,
        can_find=True,
        replays=False,
        consistency_delay_seconds=0,
        text=rule,
        **{"threads": True, "link_in_text": True, "hashtags_in_text": True, **values},
    )


X = TextRule(max=280, unit="twitter_weighted")
SHORT = TextRule(max=40, unit="graphemes", also=((120, "utf8_bytes"),))


def test_what_the_author_wrote_stays():
    assert parts(Post("One\n---\nTwo\n --- \nThree"), can(X)) == ["One", "Two", "Three"]
    assert parts(Post("---\nOne\n---\n\n---\nTwo\n---"), can(X)) == ["One", "Two"]
    assert parts(Post("a --- b"), can(X)) == ["a --- b"]
    assert parts(Post("One\n---\nTwo", content_type="post"), can(X)) == ["One\n---\nTwo"]
    assert parts(Post("One\n---\nTwo"), can(X, threads=False)) == ["One\n---\nTwo"]
    assert parts(Post(""), can(X)) == [""]


def test_link_and_hashtags_come_last():
    post = Post("One\n---\nTwo", link="https://example.com/", hashtags=("#a", "b"))
    assert parts(post, can(X)) == ["One", "Two\n\nhttps://example.com/\n\n#a #b"]
    full = Post(f"One\n---\n{'x' * 279}", hashtags=("a",))
    assert parts(full, can(X)) == ["One", "x" * 279, "#a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "A first one here.\n\nAnd then the second one follows.",
            ["A first one here.", "And then the second one follows."],
        ),
        (
            "It is said in a sentence. And in another one, too.",
            ["It is said in a sentence.", "And in another one, too."],
        ),
        ("word " * 12, ["word word word word word word word word", "word word word word"]),
        ("e" * 90, ["e" * 40, "e" * 40, "e" * 10]),
        ("これは日本語の文章です。" * 4, ["これは日本語の文章です。" * 3, "これは日本語の文章です。"]),
        ("See https://example.com/a/rather/long/address/that/stays/whole ok", None),
        ("👨‍👩‍👧‍👦" * 5, ["👨‍👩‍👧‍👦" * 4, "👨‍👩‍👧‍👦"]),
    ],
)
def test_where_it_is_cut(text, expected):
    if expected is None:
        expected = ["See", "https://example.com/a/rather/long/address/that/stays/whole", "ok"]
    assert parts(Post(text), can(SHORT)) == expected


def test_numbers_are_within_the_limit():
    found = parts(Post("word " * 40, options={"number_parts": True}), can(SHORT))
    assert [part.rpartition(" ")[2] for part in found] == [f"{at}/{len(found)}" for at in range(1, len(found) + 1)]
    assert max(map(len, found)) <= 40
    assert parts(Post("\n---\n".join(found), options={"number_parts": True}), can(SHORT)) == found
    assert parts(Post("Fill it to 1/2", options={"number_parts": True}), can(SHORT)) == ["Fill it to 1/2"]


WORDS = some.sampled_from(
    ["a", "word", "Sentence.", "Why?", "https://example.com/p(a)?q=1", "example.org", "@bob@mastodon.example", "#größe", "语言",
     "👨‍👩‍👧‍👦", "🇩🇪", "e\u0301", "x" * 30, "。", "\n", "\n\n", "\n---\n", "กำ", "$AAPL", "ab" * 50]
)  # fmt: skip
TEXTS = some.lists(WORDS, max_size=60).map(" ".join)
RULES = some.sampled_from([X, SHORT, TextRule(max=60, unit="mastodon"), TextRule(max=70, unit="threads")])


@given(text=TEXTS, rule=RULES, numbers=some.booleans())
def test_nothing_is_lost_torn_or_too_long(text, rule, numbers):
    post = Post(text, options={"number_parts": numbers})
    found = parts(post, can(rule))
    plain = [
        re.sub(rf" {at}/{len(found)}\Z", "", part) if numbers and len(found) > 1 else part
        for at, part in enumerate(found, 1)
    ]
    assert squeezed("".join(plain)) == squeezed(re.sub(r"^[ \t]*---[ \t]*$", "", text, flags=re.MULTILINE))
    for part, bare in zip(found, plain, strict=True):
        assert counting.fits(part, rule) or " " not in bare.strip()  # one address or name that is too long stays whole
    whole = {item.url for item in links.found(text)}
    assert whole == {item.url for part in plain for item in links.found(part)}
    assert parts(post, can(rule)) == found
    assert parts(Post("\n---\n".join(found), options={"number_parts": numbers}), can(rule)) == found


def squeezed(text):
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        (Post("Hi", link="https://e.org/a"), "Hi\n\nhttps://e.org/a"),
        (Post("Hi https://e.org/a.", link="https://e.org/a"), "Hi https://e.org/a."),
        (Post("Hi https://e.org/abc", link="https://e.org/a"), "Hi https://e.org/abc\n\nhttps://e.org/a"),
        (Post("Hi #Tea, now", hashtags=("tea", "#coffee", "coffee")), "Hi #Tea, now\n\n#coffee"),
        (Post(" ", hashtags=("tea",)), "#tea"),
    ],
)
def test_the_message_as_sent(post, expected):
    post.content_type = "post"
    assert message(post, can(X)) == expected
    assert message(post, can(X, link_in_text=False, hashtags_in_text=False)) == post.text.strip()


def test_hashtags_of_field_and_text_are_counted_once():
    post = Post("#Tea and #milk, not C#sharp, a#b or #1", hashtags=("tea", "#sugar"))
    assert sorted(tag.lower() for tag in all_hashtags(post)) == ["milk", "sugar", "tea"]
