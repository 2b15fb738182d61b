"""Each code of the Graph API has its class; the usage headers are read as percent."""

from __future__ import annotations

import json

import pytest

from alwrity_scheduler.core.http import Response
from platforms.adapters.facebook.codes import CODES as FACEBOOK
from platforms.adapters.instagram.codes import CODES as INSTAGRAM
from platforms.adapters.instagram.codes import of_status
from platforms.meta_graph import Graph, error_of, usage


def answer(status=400, headers=None, **error):
    return Response(status=status, headers=headers or {}, body=json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    ("code", "subcode", "expected"),
    [
        (1, None, "unknown"), (2, None, "unknown"),  # a fault of Meta's own, in the middle of it
        (4, None, "rate_limited"), (17, None, "rate_limited"), (32, None, "rate_limited"), (341, None, "rate_limited"),
        (613, None, "rate_limited"), (80001, None, "rate_limited"), (80002, None, "rate_limited"), (368, None, "rate_limited"),
        (190, None, "auth"), (190, 458, "auth"), (190, 459, "auth"), (190, 460, "auth"), (190, 463, "auth"), (190, 464, "auth"),
        (190, 467, "auth"), (102, None, "auth"), (10, None, "auth"), (200, None, "auth"), (283, None, "auth"), (299, None, "auth"),
        (100, None, "rejected"), (100, 33, "auth"), (506, None, "rejected"), (300, None, "rejected"), (None, None, "rejected"),
        (1609005, None, "rejected"), (1609008, None, "rejected"), (100, 1609005, "rejected"), (1390008, None, "rate_limited"),
        (368, 1390008, "rate_limited"), (1346003, None, "rejected"), (1404102, None, "rejected"), (1363047, None, "unavailable"),
        (1609010, None, "unavailable"), (1404078, None, "auth"), (1366046, None, "rejected"), (1366051, None, "rejected"),
        ("190", "463", "auth"), (True, None, "rejected"),
    ],
)  # fmt: skip
def test_every_code_of_facebook(code, subcode, expected):
    error = error_of(answer(code=code, error_subcode=subcode, message="Their words"), FACEBOOK, "Facebook")
    assert error.error_class == expected
    assert error.platform_message == "Their words"
    assert str(error).startswith("Facebook: ")


@pytest.mark.parametrize(
    ("code", "subcode", "expected"),
    [
        (1, 2207001, "unavailable"), (-2, 2207003, "unavailable"), (9004, 2207052, "unavailable"), (36000, 2207004, "rejected"),
        (36001, 2207005, "rejected"), (36003, 2207009, "rejected"), (36003, None, "rejected"), (36004, 2207010, "rejected"),
        (352, 2207026, "rejected"), (9, 2207042, "rate_limited"), (25, 2207050, "auth"), (4, 2207051, "rejected"),
        (24, 2207006, "rejected"), (24, 2207008, "rejected"), (9007, 2207027, "unavailable"), (-1, 2207053, "unavailable"),
        (190, 463, "auth"), (2, None, "unknown"),
    ],
)  # fmt: skip
def test_every_code_of_instagram(code, subcode, expected):
    assert error_of(answer(code=code, error_subcode=subcode), INSTAGRAM, "Instagram").error_class == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (500, "unknown"),
        (502, "unknown"),
        (408, "unknown"),
        (302, "unknown"),
        (429, "rate_limited"),
        (401, "auth"),
        (403, "rejected"),
    ],
)
def test_without_a_code_the_status_decides(status, expected):
    bare = Response(status=status, headers={}, body=b"<html>")
    assert error_of(bare, {}, "Meta").error_class == expected


def test_a_transient_error_of_no_known_code_is_unknown():
    assert error_of(answer(code=7777, is_transient=True), {}, "Meta").error_class == "unknown"


def test_the_words_for_users_come_first_and_nothing_is_said_twice():
    error = error_of(
        answer(code=100, error_user_title="Too long", error_user_msg="Cut it.", message="Cut it."), {}, "Meta"
    )
    assert error.platform_message == "Too long Cut it."
    assert error.response == {"code": 100}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-app-usage": '{"call_count":28,"total_time":95,"total_cputime":25}'}, (5, 3600, "app")),
        ({"x-page-usage": '{"call_count":100}'}, (0, 3600, "account")),
        (
            {"x-business-use-case-usage": '{"1":[{"type":"pages","call_count":9,"estimated_time_to_regain_access":12}]}'},
            (0, 720, "account"),
        ),
        (
            {
                "x-business-use-case-usage": '{"1":[{"call_count":9,"estimated_time_to_regain_access":0}]}',
                "x-app-usage": '{"call_count":4}',
            },
            (91, 3600, "account"),
        ),
        (
            {"x-business-use-case-usage": '{"1":[{"call_count":100,"estimated_time_to_regain_access":999999}]}'},
            (0, 86400, "account"),
        ),
    ],
)  # fmt: skip
def test_usage_is_what_is_left_of_a_hundred(headers, expected):
    rate = usage(headers)
    assert (rate.remaining, rate.reset_seconds, rate.scope) == expected


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"1":[5]}', '{"call_count":true}', '{"call_count":-4}', "null"])
def test_garbage_in_a_usage_header_is_nothing(text):
    assert usage({"x-app-usage": text, "x-page-usage": text, "x-business-use-case-usage": text}) is None


def test_a_rate_limit_waits_as_long_as_the_header_says():
    header = '{"1":[{"call_count":100,"estimated_time_to_regain_access":3}]}'
    error = error_of(answer(code=32, headers={"x-business-use-case-usage": header}), {}, "Meta")
    assert error.retry_after_seconds == 180


def test_the_token_is_in_no_repr():
    assert "hush" not in repr(Graph(base="https://x", token="hush-hush", app_secret="hush-too"))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("Error: Media upload has failed with error code 2207026", 2207026),
        ("2207053", 2207053),
        ("Finished", None),
        ("122070261", None),
    ],
)
def test_a_containers_status_holds_its_code(status, code):
    assert of_status(status) == code
