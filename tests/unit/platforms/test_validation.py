"""Content against capabilities: one row a rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from platforms.contracts import AccountRef, Capabilities, MediaRef, Publication
from platforms.validation import is_http_url, validate

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
