"""Content against capabilities: one row a rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from platforms.contracts import AccountRef, Capabilities, MediaRef, MediaRule, Publication, TextRule, TypeRule
from platforms.validation import is_http_url, measure, validate

ACCOUNT = AccountRef(id=1, public_id="a", platform="x", name="n", handle="n", timezone="UTC")
GOOD = Publication(key="k", account=ACCOUNT, text="Hello", scheduled_for=datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
CAN = Capabilities(
    content_types=frozenset({"post", "image"}),
    media_mimes=frozenset({"image/png"}),
    max_media=2,
    can_find=True,
    replays=True,
    consistency_delay_seconds=1,
    max_text=10,
    max_title=5,
    max_media_bytes=100,
    max_hashtags=2,
)


def picture(**values):
    return MediaRef(
        **{"url": "https://x.test/1", "mime": "image/png", "alt": "A cat", "size": 1, "checksum": "c", **values}
    )


@pytest.mark.parametrize(
    ("changes", "code", "severity", "field"),
    [
        ({"text": "x" * 11}, "text_too_long", "error", "text"),
        ({"title": "x" * 6}, "title_too_long", "error", "title"),
        ({"text": " \n", "title": ""}, "empty", "error", "text"),
        ({"content_type": "story"}, "content_type", "error", "content_type"),
        ({"hashtags": ("a", "b", "c")}, "too_many_hashtags", "error", "hashtags"),
        ({"link": "javascript:alert(1)"}, "link", "error", "link"),
        ({"link": "example.com"}, "link", "error", "link"),
        ({"media": (picture(),) * 3}, "too_many_media", "error", "media"),
        ({"media": (picture(mime="image/gif"),)}, "media_type", "error", "media"),
        ({"media": (picture(size=101),)}, "media_too_large", "error", "media"),
        ({"media": (picture(alt=" "),)}, "alt_missing", "warning", "media"),
    ],
)
def test_each_rule(changes, code, severity, field):
    (problem,) = validate(replace(GOOD, **changes), CAN)
    assert (problem.code, problem.severity, problem.field) == (code, severity, field)
    assert problem.message
    assert problem.remedy


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text": "x" * 10},
        {"text": "", "media": (picture(),)},
        {"text": "", "link": "https://x.test/"},
        {"hashtags": ("a", "b")},
    ],
)
def test_what_fits_has_no_problem(changes):
    assert validate(replace(GOOD, **changes), CAN) == []


def test_a_title_can_be_needed():
    (problem,) = validate(GOOD, replace(CAN, title_required=True))
    assert problem.code == "title_missing"


def test_all_problems_come_at_once_and_no_limit_means_none():
    bad = replace(GOOD, text="x" * 11, title="x" * 6, link="ftp://x")
    assert {problem.code for problem in validate(bad, CAN)} == {"text_too_long", "title_too_long", "link"}
    assert validate(replace(bad, link=""), replace(CAN, max_text=None, max_title=None)) == []


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://example.com/a?b=c#d", True),
        ("http://127.0.0.1:8000/", True),
        ("https://", False),
        ("https://a b", False),
        ("https://[::1", False),
        ("https://x\n.test", False),
        ("data:text/html,x", False),
        ("", False),
    ],
)
def test_what_a_web_address_is(url, good):
    assert is_http_url(url) is good


X = replace(
    CAN,
    content_types=frozenset({"post", "thread", "carousel"}),
    max_text=None,
    max_title=None,
    max_media=4,
    text=TextRule(max=280, unit="twitter_weighted", recommended=100),
    link_in_text=True,
    hashtags_in_text=True,
    threads=True,
    mixes=False,
    media={
        "image": MediaRule(
            mimes=frozenset({"image/jpeg", "image/png"}), max_count=3, max_bytes=5_000_000, max_width=4096, max_height=4096,
            min_width=32, min_ratio=0.5, max_ratio=2, max_alt=20,
        ),
        "video": MediaRule(mimes=frozenset({"video/mp4"}), max_count=1, max_bytes=1_000_000, min_seconds=1, max_seconds=140),
    },
    types={"carousel": TypeRule(min_media=2, max_media=3, kinds=frozenset({"image"}), title_required=True)},
)  # fmt: skip


def film(**values):
    return MediaRef(
        **{"url": "u", "mime": "video/mp4", "alt": "", "size": 1, "checksum": "c", "seconds": 3.0, **values}
    )


def found(**changes):
    return [(item.code, item.severity) for item in validate(replace(GOOD, **changes), X)]


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"text": "語" * 141}, "text_too_long", "The text has 282 of 280 characters."),
        (
            {"text": "x" * 260, "link": "https://example.com/long/and/longer"},
            "text_too_long",
            "The text has 285 of 280 characters, links count 23.",
        ),
        ({"text": "x" * 278, "hashtags": ("a", "b")}, "text_too_long", "The text has 285 of 280 characters."),
        (
            {"content_type": "thread", "text": f"One\n---\n{'https://example.com/' + 'a' * 5000}"},
            "part_too_long",
            "Part 2 of 2 has 5,020 of 280 characters.",
        ),
        (
            {"text": "#a #b", "hashtags": ("c",)},
            "too_many_hashtags",
            "The post has 3 hashtags, those in the text included; this account takes 2.",
        ),
        ({"media": (film(mime="video/quicktime"),)}, "media_type", "Video 1 is MOV; this account takes MP4."),
        ({"media": (film(size=2_000_000),)}, "media_too_large", "Video 1 has 1.9 MiB; this account takes 977 KiB."),
        (
            {"media": (film(seconds=141.5),)},
            "media_too_long",
            "Video 1 plays 141.5 seconds; this account takes at most 140.",
        ),
        (
            {"media": (film(seconds=0.4),)},
            "media_too_short",
            "Video 1 plays 0.4 seconds; this account takes at least 1.",
        ),
        ({"media": (film(), film())}, "too_many_media", "The post has 2 videos; this account takes 1."),
        ({"media": (picture(),) * 4}, "too_many_media", "The post has 4 images; this account takes 3."),
        ({"media": (picture(), film())}, "media_mix", "This account does not take images and videos in one post."),
        (
            {"media": (picture(mime="image/gif", animated=True),)},
            "media_kind",
            "This account takes no animated GIFs, but images or videos.",
        ),
        (
            {"media": (picture(width=31, height=40),)},
            "media_too_narrow",
            "Image 1 is 31 × 40 pixels; this account takes at least 32 × any.",
        ),
        (
            {"media": (picture(width=900, height=400),)},
            "media_ratio",
            "Image 1 has a ratio of width to height of 2.25; this account takes 0.50 to 2.00.",
        ),
        (
            {"media": (picture(alt="x" * 21),)},
            "alt_too_long",
            "The alternative text of image 1 has 21 of 20 characters.",
        ),
        (
            {"content_type": "carousel", "title": "T", "media": (picture(),)},
            "media_missing",
            "A post of type carousel needs at least 2 files here; it has 1.",
        ),
        ({"content_type": "carousel", "media": (picture(),) * 2}, "title_missing", "This account needs a title."),
    ],
)
def test_each_rule_of_a_real_platform(changes, code, message):
    (problem,) = [item for item in validate(replace(GOOD, **changes), X) if item.severity == "error"]
    assert (problem.code, problem.message) == (code, message)
    assert problem.remedy


def test_a_carousel_takes_no_video_and_not_too_many():
    assert ("media_kind", "error") in found(content_type="carousel", title="T", media=(film(), film()))
    assert ("too_many_media", "error") in found(content_type="carousel", title="T", media=(picture(),) * 4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mime": "image/webp"}, "Image 1 will be converted to JPEG or PNG for this account."),
        ({"mime": "image/gif"}, "Image 1 will be converted to JPEG or PNG for this account."),
        ({"size": 6_000_000}, "Image 1 will be made smaller than 4.8 MiB for this account."),
        ({"width": 8192, "height": 6000}, "Image 1 will be resized to 4096 × 3000 for this account."),
    ],
)
def test_what_a_copy_mends_is_no_error(values, message):
    (problem,) = validate(replace(GOOD, media=(picture(**values),)), X)
    assert (problem.code, problem.severity, problem.message) == ("media_converted", "warning", message)


def test_a_picture_that_is_too_small_once_it_is_small_enough_is_not_taken():
    narrow = replace(X, media={"image": replace(X.media["image"], min_ratio=None, max_ratio=None)})
    problems = validate(replace(GOOD, media=(picture(width=100, height=40_000),)), narrow)
    assert "media_too_narrow" in {item.code for item in problems}


def test_sides_and_times_that_nobody_knows_are_no_problem():
    assert found(media=(picture(),)) == []
    assert found(media=(film(seconds=None),)) == []


def test_a_long_text_is_worth_a_warning_where_people_see_less():
    assert found(text="x" * 100) == []
    assert found(text="x" * 101) == [("text_long", "warning")]


def test_captions_hold_where_there_are_files():
    telegram = replace(X, text=TextRule(max=50), caption=TextRule(max=10))
    assert validate(replace(GOOD, text="x" * 11), telegram) == []
    (problem,) = validate(replace(GOOD, text="x" * 11, media=(picture(),)), telegram)
    assert problem.message == "The text has 11 of 10 characters."


def test_bytes_are_called_bytes():
    bluesky = replace(X, text=TextRule(max=300, unit="graphemes", also=((3000, "utf8_bytes"),)))
    (problem,) = validate(replace(GOOD, text="👨‍👩‍👧‍👦" * 121), bluesky)
    assert problem.message == "The text has 3,025 of 3,000 bytes."
    assert problem.remedy.startswith("Shorten it by 25 bytes.")


def test_the_count_beside_the_text():
    count = measure(replace(GOOD, text="Hi", link="https://example.com/a/long/one/that/counts"), X)
    assert (count.used, count.limit, count.left, count.words) == (27, 280, 253, "27 of 280, links count 23")
    chain = measure(replace(GOOD, text="One\n---\nThree", content_type="thread"), X)
    assert [item.used for item in chain.parts] == [3, 5]
    assert (chain.used, chain.text, chain.words) == (5, "Three", "5 of 280")
    assert measure(GOOD, replace(CAN, max_text=None)).words == "5"
    mastodon = replace(X, text=TextRule(max=500, unit="mastodon"))
    assert measure(replace(GOOD, options={"spoiler_text": "Food"}), mastodon).used == 9
