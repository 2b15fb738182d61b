"""Every answer an endpoint can give, as a table: value or error class."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from alwrity_scheduler.core.http import Response
from platforms.adapters.http import answers
from platforms.contracts import Accepted, Published
from platforms.errors import PlatformError

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
BASE = "https://api.test/publish"
POST = {"id": "7", "url": "https://api.test/7"}


def answer(status, body=None, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(
        status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=content
    )


def read(given, hosts=frozenset()):
    return answers.published(given, allowed_hosts=hosts, base_url=BASE, now=NOW)


@pytest.mark.parametrize(
    ("status", "body", "already"),
    [
        (200, POST, False),
        (201, POST, False),
        (201, {"id": 7, "url": "https://api.test/7"}, False),
        (409, POST, True),  # had it already
    ],
)
def test_a_post_with_an_id_is_published(status, body, already):
    assert read(answer(status, body)) == Published(
        remote_id="7",
        url="https://api.test/7",
        response={"status": status, "id": "7", "url": "https://api.test/7"},
        already=already,
    )


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (201, {"ok": True}, "unknown"),  # accepted, but as what?
        (200, b"<html>", "unknown"),
        (200, b"", "unknown"),
        (204, b"", "unknown"),
        (201, {"id": "", "url": ""}, "unknown"),
        (201, {"id": True}, "unknown"),
        (201, ["7"], "unknown"),
        (202, {}, "unknown"),
        (202, {"poll_url": "https://evil.test/poll"}, "unknown"),  # another host would get the token
        (202, {"poll_url": "http://api.test/poll"}, "unknown"),  # the token would travel in the clear
        (202, {"poll_url": "https://api.test:8443/poll"}, "unknown"),
        (301, b"", "rejected"),
        (302, b"", "rejected"),
        (400, {"detail": "no"}, "rejected"),
        (404, b"", "rejected"),
        (408, b"", "unknown"),  # the platform gave up waiting; what it had read it may have taken
        (409, {"detail": "conflict"}, "rejected"),
        (422, b"", "rejected"),
        (401, b"", "auth"),
        (403, b"", "auth"),
        (429, b"", "rate_limited"),
        (500, b"", "unknown"),
        (502, b"", "unknown"),
        (503, b"", "unknown"),  # with or without Retry-After
        (504, b"", "unknown"),
        (599, b"", "unknown"),
    ],
)
def test_every_other_answer_has_its_class(status, body, expected):
    with pytest.raises(PlatformError) as caught:
        read(answer(status, body, retry_after="3"))
    assert caught.value.error_class == expected
    assert caught.value.status_code == status


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Mon, 23 Nov 2026 08:02:00 GMT", 120.0),
        ("Mon, 23 Nov 2026 07:00:00 GMT", 0.0),  # past
        ("999999999", 86400.0),  # a platform cannot park an account for ever
        ("soon", None),
        ("-5", None),
        ("١٢", None),  # digits, but not ASCII
        ("", None),
    ],
)
def test_retry_after_has_two_forms(value, seconds):
    assert answers.retry_after(answer(429, b"", retry_after=value), NOW) == seconds


def test_a_poll_address_may_be_on_a_named_host():
    accepted = read(answer(202, {"poll_url": "https://jobs.test/1"}, retry_after="9"), hosts=frozenset({"jobs.test"}))
    assert accepted == Accepted(
        remote_state={"poll_url": "https://jobs.test/1"}, poll_after_seconds=9.0, response={"status": 202}
    )


def test_the_platforms_own_words_are_kept_cut_and_cleaned():
    with pytest.raises(PlatformError) as caught:
        read(answer(400, {"message": "bad\x00\x1b[31m " + "x" * 5000}))
    said = caught.value.platform_message
    assert said.startswith("bad")
    assert len(said) == 2000
    assert said.replace("…", "").isprintable()


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//x", 5, "https://" + "x" * 3000])
def test_an_address_that_is_not_one_is_dropped_but_the_post_stands(url):
    assert read(answer(201, {"id": "7", "url": url})).url == ""


@pytest.mark.parametrize("status", [401, 403, 408, 429, 500, 503, 302])
def test_a_poll_that_tells_nothing_is_asked_again_later_each_time(status):
    once = answers.polled(answer(status, b""), state={"poll_url": BASE}, now=NOW)
    assert once.remote_state == {"poll_url": BASE, "misses": 1}
    assert once.poll_after_seconds == 5
    assert answers.polled(answer(status, b""), state={"poll_url": BASE, "misses": 3}, now=NOW).poll_after_seconds == 40


def test_a_poll_that_never_tells_ends_unknown_and_a_4xx_is_the_last_word():
    with pytest.raises(PlatformError) as lost:
        answers.polled(answer(500, b""), state={"poll_url": BASE, "misses": 11}, now=NOW)
    with pytest.raises(PlatformError) as given_up:
        answers.polled(answer(410, {"detail": "transcoding failed"}), state={"poll_url": BASE}, now=NOW)
    assert lost.value.error_class == "unknown"
    assert (given_up.value.error_class, given_up.value.platform_message) == ("rejected", "transcoding failed")
