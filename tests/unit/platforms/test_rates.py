"""What headers say about quotas, as platforms really write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from platforms.contracts import RateInfo
from platforms.rates import rate_of, retry_after

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("headers", "limit", "remaining", "reset_seconds"),
    [
        # draft-ietf-httpapi-ratelimit-headers, present form
        ({"ratelimit": '"default";r=50;t=30', "ratelimit-policy": '"default";q=100;w=60'}, 100, 50, 30),
        # of several, the tightest
        ({"ratelimit": '"hour";r=7;t=900, "day";r=3;t=40000', "ratelimit-policy": '"day";q=9;w=86400'}, 9, 3, 40000),
        ({"ratelimit": '"a,b";r=1;t=2'}, None, 1, 2),  # a comma in a name
        ({"ratelimit": '"x";r=0'}, None, 0, None),
        # the form before
        ({"ratelimit": "limit=100, remaining=0, reset=50"}, 100, 0, 50),
        ({"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "4", "ratelimit-reset": "12"}, 100, 4, 12),
        # Bluesky: the same names with an epoch
        ({"ratelimit-limit": "3000", "ratelimit-remaining": "2", "ratelimit-reset": str(EPOCH + 90)}, 3000, 2, 90),
        # GitHub: epoch seconds
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH + 120)}, None, 0, 120),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str((EPOCH + 120) * 1000)}, None, 0, 120),  # milliseconds
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": str(EPOCH - 5)}, None, 1, 0),  # past
        # Reddit: decimals, and seconds to go
        ({"x-ratelimit-remaining": "98.0", "x-ratelimit-reset": "342"}, None, 98, 342),
        # Mastodon: a time
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "2026-11-23T08:05:00.000000Z"}, None, 5, 300),
        # Discord: both, of which the difference needs no clock
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(EPOCH), "x-ratelimit-reset-after": "1.5"},
            None,
            0,
            1.5,
        ),
        # X
        (
            {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "3", "x-rate-limit-reset": str(EPOCH + 60)},
            100,
            3,
            60,
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999"}, None, 0, 86400),  # nobody is parked for ever
        ({"x-ratelimit-remaining": "-3"}, None, 0, None),
        ({"x-ratelimit-remaining": "2", "x-ratelimit-reset": "soon"}, None, 2, None),
    ],
)
def test_what_is_left_and_until_when(headers, limit, remaining, reset_seconds):
    assert rate_of(headers, NOW) == RateInfo(limit=limit, remaining=remaining, reset_seconds=reset_seconds)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-limit": "100"},  # says nothing of what is left
        {"x-ratelimit-remaining": "many"},
        {"x-ratelimit-remaining": ""},
        {"x-ratelimit-remaining": "١٢"},
        {"x-ratelimit-remaining": "9" * 40},
        {"ratelimit": '";;;===,,,"'},
        {"ratelimit": "nonsense"},
        {"ratelimit": '"default";t=30'},
        {"ratelimit-remaining": "nan", "ratelimit-reset": "inf"},
    ],
)
def test_garbage_is_ignored(headers):
    assert rate_of(headers, NOW) is None


@pytest.mark.parametrize(
    ("word", "scope"), [("global", "app"), ("shared", "app"), ("user", "account"), ("", "account")]
)
def test_a_quota_of_all_is_told_from_one_of_the_account(word, scope):
    assert rate_of({"x-ratelimit-remaining": "1", "x-ratelimit-scope": word}, NOW).scope == scope


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("Mon, 23 Nov 2026 08:02:00 GMT", 120.0),
        ("Monday, 23-Nov-26 08:02:00 GMT", 120.0),  # the obsolete form of RFC 850
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0.0),
        ("999999999", 86400.0),
        ("1.5", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert retry_after(value, NOW) == seconds
