"""X: what is sent, what answers mean, and what is out after a call that never came back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alwrity_scheduler.core import clock
from platforms import chains
from platforms.adapters.x import steps as x_steps
from platforms.adapters.x import timeline
from platforms.adapters.x.adapter import ADAPTER, post_number
from platforms.contracts import Accepted, Budget, ClientApp, MediaRef, Publication, Published
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, UnknownOutcome
from platforms.validation import check
from tests.conftest import NOW
from tests.contract.networks.x import account_on
from tests.contract.social.x_double import ME, TOKEN, X, problem
from tests.servers.double import Answer

POSTING = ("POST", "/2/tweets")


@pytest.fixture
def x() -> Iterator[X]:
    double = X()
    yield double
    double.stop()
    assert double.violations == []


@pytest.fixture
def publication(x: X) -> Publication:
    return Publication(key="k", account=account_on(x.url), text="Grüße 早上好", scheduled_for=NOW)


def file(tmp_path: Any, name: str, mime: str, content: bytes = b"123", **more: Any) -> MediaRef:
    path = tmp_path / name
    path.write_bytes(content)
    size = len(content)
    return MediaRef(url="https://x.test/m", mime=mime, alt="", checksum="c", size=size, path=str(path), **more)


def bodies(x: X) -> list[dict[str, Any]]:
    return [request.json() for request in x.requests if (request.method, request.path) == POSTING]


def follow(account: Any, result: Any) -> Published:
    for _ in range(20):
        if isinstance(result, Published):
            return result
        result = ADAPTER.poll(account, result.remote_state, timeout=10)
    raise AssertionError("never finished")


def thread(publication: Publication, **more: Any) -> Publication:
    return replace(publication, text="one\n---\ntwo\n---\nthree", content_type="thread", **more)


def test_text_link_and_hashtags_are_one_text(x, publication):
    made = ADAPTER.publish(replace(publication, link="https://example.com/a", hashtags=("news",)), timeout=10)
    assert bodies(x) == [{"text": "Grüße 早上好\n\nhttps://example.com/a\n\n#news"}]
    assert made.url == f"https://x.com/news/status/{made.remote_id}"


def test_every_option_has_its_field(x, publication):
    quoted, answered = x.write("quoted"), x.write("answered")
    options = {
        "reply_settings": "following",
        "quote": f"https://x.com/somebody/status/{quoted}?s=20",
        "reply_to": answered,
        "community_id": "17",
        "made_with_ai": True,
        "paid_partnership": True,
    }
    ADAPTER.publish(replace(publication, options=options), timeout=10)
    poll = {"poll_options": "yes\n\n no ", "poll_minutes": 60}
    ADAPTER.publish(replace(publication, text="A poll?", options=poll), timeout=10)
    assert bodies(x) == [
        {
            "text": publication.text,
            "reply_settings": "following",
            "quote_tweet_id": quoted,
            "reply": {"in_reply_to_tweet_id": answered},
            "community_id": "17",
            "made_with_ai": True,
            "paid_partnership": True,
        },
        {"text": "A poll?", "poll": {"options": ["yes", "no"], "duration_minutes": 60}},
    ]


def test_a_picture_goes_up_in_one_request_with_its_alternative_text(x, publication, tmp_path):
    pictures = (
        replace(file(tmp_path, "a.png", "image/png", b"png"), alt="A cat"),
        file(tmp_path, "b.jpg", "image/jpeg", b"jpeg!"),
    )
    made = ADAPTER.publish(replace(publication, text="", media=pictures), timeout=10)
    first, second = x.media.values()
    assert first == {"size": 3, "category": "tweet_image", "ready": True, "alt": "A cat"}
    assert second == {"size": 5, "category": "tweet_image", "ready": True}
    assert bodies(x) == [{"media": {"media_ids": list(x.media)}}]
    assert made.notes == ()


def test_an_alternative_text_that_is_refused_is_told_and_the_post_goes_out(x, publication, tmp_path):
    picture = replace(file(tmp_path, "a.png", "image/png"), alt="A cat")
    x.misbehaves = lambda request: request.path == "/2/media/metadata"
    x.next.append(problem(400, "No alternative texts today."))
    made = ADAPTER.publish(replace(publication, media=(picture,)), timeout=10)
    assert made.notes == ("X did not take an alternative text: No alternative texts today.",)
    assert len(x.posts) == 1


def test_a_video_goes_up_in_pieces_and_is_waited_for(x, publication, tmp_path, monkeypatch):
    monkeypatch.setattr(x_steps, "CHUNK", 4)
    x.processing = ["pending", "in_progress", "succeeded"]
    video = file(tmp_path, "v.mp4", "video/mp4", b"0123456789")
    waiting = ADAPTER.publish(replace(publication, media=(video,)), timeout=10)
    assert isinstance(waiting, Accepted)
    assert (waiting.poll_after_seconds, len(x.posts)) == (2, 0)
    made = follow(publication.account, waiting)
    (media,) = x.media.values()
    assert (media["content"], media["category"]) == (b"0123456789", "tweet_video")
    assert x.posts[made.remote_id]["body"]["media"] == {"media_ids": list(x.media)}
    assert [request.path for request in x.requests].count("/2/media/upload/initialize") == 1


def test_a_moving_gif_is_no_picture(x, publication, tmp_path):
    gif = file(tmp_path, "a.gif", "image/gif", animated=True)
    ADAPTER.publish(replace(publication, media=(gif,)), timeout=10)
    assert [media["category"] for media in x.media.values()] == ["tweet_gif"]


def test_an_upload_stops_when_the_time_is_up_and_goes_on_in_the_poll(x, publication, tmp_path, monkeypatch):
    monkeypatch.setattr(x_steps, "CHUNK", 1)
    # the time is up as soon as two pieces are there
    left = chains.Deadline.left

    def until_two(self: chains.Deadline) -> float:
        if not x.later and any(len(media["pieces"]) == 2 for media in x.media.values()):
            raise chains.OutOfTime
        return left(self)

    x.later = False
    monkeypatch.setattr(chains.Deadline, "left", until_two)
    waiting = ADAPTER.publish(replace(publication, media=(file(tmp_path, "v.mp4", "video/mp4"),)), timeout=10)
    assert isinstance(waiting, Accepted)
    assert waiting.remote_state["files"][0]["segment"] == 2
    x.later = True
    follow(publication.account, waiting)
    assert [request.path.endswith("/append") for request in x.requests].count(True) == 3


def test_a_file_that_x_cannot_use_is_a_refusal(x, publication, tmp_path):
    x.processing = ["failed"]
    with pytest.raises(Rejected):
        ADAPTER.publish(replace(publication, media=(file(tmp_path, "v.mp4", "video/mp4"),)), timeout=10)
    assert not x.posts


def test_a_lost_answer_to_an_upload_is_no_unknown_outcome(x, publication, tmp_path):
    x.drops = lambda request: request.path == "/2/media/upload"
    x.drop = 1
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(replace(publication, media=(file(tmp_path, "a.png", "image/png"),)), timeout=10)
    assert caught.value.error_class == "unavailable"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (problem(400, "One or more parameters to your request was invalid."), "rejected"),
        (problem(401, "Unauthorized"), "auth"),
        (problem(402, "You have no credits left."), "auth"),
        (problem(403, "You are not permitted to perform this action."), "rejected"),
        (problem(403, "x", "https://api.twitter.com/2/problems/unsupported-authentication"), "auth"),
        (problem(403, "x", "https://api.twitter.com/2/problems/client-forbidden"), "auth"),
        (problem(403, "x", "https://api.twitter.com/2/problems/oauth1-permissions"), "auth"),
        (problem(403, "Your account is temporarily locked."), "auth"),
        (problem(403, "User has been suspended: [x]."), "auth"),
        (problem(429, "Usage cap exceeded", "https://api.twitter.com/2/problems/usage-capped"), "auth"),
        (Answer(400, {"errors": [{"message": "text is too long", "parameters": {}}]}), "rejected"),
        (Answer(400, ["not", "an object"]), "rejected"),
        (problem(404, "Not Found"), "rejected"),
        (problem(429, "Too Many Requests"), "rate_limited"),
        (Answer(302, None, {"Location": "https://elsewhere.test/"}), "rejected"),
        (problem(408, "Timeout"), "unknown"),
        (problem(500, "x"), "unknown"),
        (problem(503, "Over capacity"), "unknown"),
        (Answer(200, {"errors": [{"title": "Partial"}]}), "unknown"),
        (Answer(201, b"<html>"), "unknown"),
    ],
)
def test_each_answer_has_its_class(x, publication, answer, expected):
    x.next.append(answer)
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(publication, timeout=10)
    assert caught.value.error_class == expected
    if isinstance(answer.body, dict) and answer.body.get("detail"):
        assert caught.value.platform_message == answer.body["detail"]


def test_the_tightest_window_is_believed(x, publication):
    epoch = int(clock.now().timestamp())
    x.next.append(
        Answer(
            429,
            problem(429, "Too Many Requests").body,
            {
                "x-rate-limit-limit": "100",
                "x-rate-limit-remaining": "97",
                "x-rate-limit-reset": str(epoch + 60),
                "x-user-limit-24hour-limit": "17",
                "x-user-limit-24hour-remaining": "0",
                "x-user-limit-24hour-reset": str(epoch + 3600),
            },
        )
    )
    with pytest.raises(RateLimited) as caught:
        ADAPTER.publish(publication, timeout=10)
    assert caught.value.retry_after_seconds == pytest.approx(3600, abs=5)
    assert caught.value.rate.remaining == 0


# what is out already


def test_a_duplicate_that_is_ours_is_published_already(x, publication):
    there = x.write(publication.text)
    made = ADAPTER.publish(publication, timeout=10)
    assert (made.remote_id, made.already) == (there, True)


def test_a_duplicate_that_is_older_than_the_post_is_a_refusal(x, publication):
    later = replace(publication, scheduled_for=clock.now())
    x.write(publication.text, made=clock.now() - timedelta(minutes=5))
    with pytest.raises(Rejected, match="already"):
        ADAPTER.publish(later, timeout=10)
    assert ADAPTER.find(later, timeout=10) is None


def test_a_post_is_found_with_its_link_shortened_its_signs_escaped_and_its_picture_behind_it(x, publication, tmp_path):
    post = replace(
        publication,
        text="A & B < C, Cafe\u0301: https://example.com/a?b=1&c=2",
        media=(file(tmp_path, "a.png", "image/png"),),
    )
    made = ADAPTER.publish(post, timeout=10)
    assert "t.co" in x.posts[made.remote_id]["text"]
    assert ADAPTER.find(post, timeout=10).remote_id == made.remote_id


@pytest.mark.parametrize("unlike", ["text", "media", "reply", "retweet", "quote"])
def test_another_post_is_not_taken_for_ours(x, publication, unlike):
    words = {
        "media": {"attachments": {"media_keys": ["3_1"]}},
        "reply": {"referenced_tweets": [{"type": "replied_to", "id": "5"}]},
        "retweet": {"referenced_tweets": [{"type": "retweeted", "id": "5"}]},
        "quote": {"referenced_tweets": [{"type": "quoted", "id": "5"}]},
    }.get(unlike, {})
    x.write("something else" if unlike == "text" else publication.text, **words)
    options = {"quote": "6"} if unlike == "quote" else {}
    assert ADAPTER.find(replace(publication, options=options), timeout=10) is None


def test_a_server_that_knows_only_the_newest_names_is_asked_by_them(x, publication):
    made = ADAPTER.publish(thread(publication), timeout=10)
    x.names = "post"
    assert ADAPTER.find(thread(publication), timeout=10).remote_id == made.remote_id
    assert x.requests[-1].query["post.fields"].startswith("attachments,created_at")


def test_pages_are_read_to_the_end_and_too_many_are_unknown(x, publication):
    there = x.write(publication.text)
    for number in range(8):
        x.write(f"chatter {number}")
    x.page = 2
    assert ADAPTER.find(publication, timeout=10).remote_id == there
    x.page = 1
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(publication, timeout=10)


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_look_up_that_is_refused_is_unknown(x, publication, status):
    x.misbehaves = lambda request: request.path.endswith(f"/{ME['id']}/tweets")
    x.next.append(problem(status, "no"))
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(publication, timeout=10)


def test_after_an_earlier_call_it_looks_before_it_sends(x, publication):
    there = x.write(publication.text)
    made = ADAPTER.publish(replace(publication, earlier=True), timeout=10)
    assert (made.remote_id, made.already, bodies(x)) == (there, True, [])


# threads


def test_a_thread_is_a_chain_of_replies(x, publication):
    made = ADAPTER.publish(
        thread(publication, options={"reply_settings": "verified", "made_with_ai": True}), timeout=10
    )
    one, two, three = x.posts
    assert made.remote_id == one
    assert made.response["ids"] == [one, two, three]
    assert bodies(x) == [
        {"text": "one", "reply_settings": "verified", "made_with_ai": True},
        {"text": "two", "reply": {"in_reply_to_tweet_id": one}, "made_with_ai": True},
        {"text": "three", "reply": {"in_reply_to_tweet_id": two}, "made_with_ai": True},
    ]


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("trouble", ["drop", "limit", "down", "auth"])
def test_a_thread_that_was_interrupted_is_finished_and_no_part_is_sent_twice(x, publication, part, trouble):
    passed = []

    def at_part(request: Any) -> bool:
        if (request.method, request.path) != POSTING or x.next_done:
            return False
        passed.append(request)
        x.next_done = len(passed) == part + 1
        return x.next_done

    x.next_done = False
    if trouble == "drop":
        x.drop, x.drops = 1, at_part
    else:
        x.misbehaves = at_part
        x.next.append(problem({"limit": 429, "down": 503, "auth": 401}[trouble], "no"))
    result = ADAPTER.publish(thread(publication), timeout=10)
    assert isinstance(result, Accepted)
    assert len(result.remote_state["done"]) == part
    made = follow(publication.account, result)
    assert [post["sent"] for post in x.posts.values()] == ["one", "two", "three"]
    assert (made.remote_id, made.already) == (next(iter(x.posts)), False)


@pytest.mark.parametrize("out", [1, 2, 3])
def test_a_thread_whose_call_was_killed_is_found_as_far_as_it_is_out(x, publication, out):
    whole = ADAPTER.publish(thread(publication), timeout=10)
    for post in list(x.posts)[out:]:
        del x.posts[post]
    found = ADAPTER.find(thread(publication), timeout=10)
    assert isinstance(found, Published if out == 3 else Accepted)
    made = follow(publication.account, found)
    assert [post["sent"] for post in x.posts.values()] == ["one", "two", "three"]
    assert (made.remote_id, made.already) == (whole.remote_id, out == 3)


def test_a_poll_looks_first_because_another_may_have_sent_the_next_part(x, publication):
    ADAPTER.publish(thread(publication), timeout=10)
    state = ADAPTER._state(thread(publication))
    state["done"] = [{"id": next(iter(x.posts)), "url": "https://x.com/news/status/1"}]
    ADAPTER.poll(publication.account, state, timeout=10)
    assert len(x.posts) == 3


def test_a_part_that_is_refused_ends_the_thread_with_a_word_on_what_is_out(x, publication):
    x.misbehaves = lambda request: (request.method, request.path) == POSTING and b'"two"' in request.body
    x.next.append(problem(403, "This request looks like it might be automated."))
    result = ADAPTER.publish(thread(publication), timeout=10)
    assert isinstance(result, Accepted)
    with pytest.raises(Rejected) as caught:
        ADAPTER.poll(publication.account, result.remote_state, timeout=10)
    first = next(iter(x.posts))
    assert f"1 of 3 parts are out (https://x.com/news/status/{first})" in str(caught.value)
    assert caught.value.platform_message == "This request looks like it might be automated."
    assert len(x.posts) == 1


# keys, changes, figures, signing in


def test_keys_are_signed_for_the_address_that_is_really_called(x, publication, tmp_path):
    keys = {"api_key": "ck", "api_key_secret": "cs", "access_token": "2244994945-at", "access_token_secret": "ats"}
    account = replace(publication.account, credentials=keys, options={"api_url": x.url})
    ADAPTER.publish(replace(publication, account=account, media=(file(tmp_path, "a.png", "image/png"),)), timeout=10)
    ADAPTER.find(replace(publication, account=account), timeout=10)
    assert "/2/users/me" not in [request.path for request in x.requests]  # the token says whose it is
    for request in x.requests:
        assert _signature(request, x.url) == _sent_signature(request)


def _sent_signature(request: Any) -> str:
    from urllib.parse import unquote

    parts = dict(part.split("=", 1) for part in request.headers["authorization"].removeprefix("OAuth ").split(", "))
    return unquote(parts["oauth_signature"].strip('"'))


def _signature(request: Any, base: str) -> str:
    """RFC 5849 section 3.4, written out."""
    import base64
    import hashlib
    import hmac
    from urllib.parse import quote, unquote

    parts = dict(part.split("=", 1) for part in request.headers["authorization"].removeprefix("OAuth ").split(", "))
    given = {
        name: unquote(value.strip('"')) for name, value in parts.items() if name != "oauth_signature"
    } | request.query
    pairs = "&".join(
        f"{name}={value}" for name, value in sorted((quote(n, "~"), quote(v, "~")) for n, v in given.items())
    )
    text = "&".join(quote(part, "~") for part in (request.method, base + request.path, pairs))
    return base64.b64encode(hmac.new(b"cs&ats", text.encode(), hashlib.sha1).digest()).decode()


def test_a_post_is_taken_down_and_one_that_is_gone_is_no_error(x, publication):
    made = ADAPTER.publish(publication, timeout=10)
    ADAPTER.delete(publication.account, made.remote_id, timeout=10)
    ADAPTER.delete(publication.account, made.remote_id, timeout=10)
    assert not x.posts


def test_an_edit_is_a_new_version_and_done_twice_still_one(x, publication):
    made = ADAPTER.publish(publication, timeout=10)
    changed = replace(publication, text="Better")
    once = ADAPTER.edit(changed, made.remote_id, timeout=10)
    again = ADAPTER.edit(changed, made.remote_id, timeout=10)
    assert once.remote_id == again.remote_id != made.remote_id
    assert bodies(x)[1:] == [{"text": "Better", "edit_options": {"previous_post_id": made.remote_id}}]
    assert again.already


def test_figures_come_in_one_call(x, publication):
    ids = [x.write("a"), x.write("b"), "404"]
    found = ADAPTER.metrics(publication.account, ids, timeout=10)
    assert [item.remote_id for item in found] == ids[:2]
    assert found[0].values == {"likes": 3, "reposts": 1, "replies": 0, "quotes": 0, "impressions": 99}
    assert len(x.requests) == 1


def test_verify_names_the_account_and_says_what_is_wrong(x, publication):
    health = ADAPTER.verify(publication.account, timeout=10)
    assert (health.ok, health.identity, health.options) == (True, "@news", {"user_id": ME["id"]})
    bad = replace(publication.account, credentials={"access_token": "old"})
    assert "does not accept the sign-in" in ADAPTER.verify(bad, timeout=10).message


def test_signing_in_brings_an_account_that_can_renew_itself(x, publication):
    app = ClientApp(
        client_id="cid", client_secret="hush", redirect_uri="https://us.test/back", options={"api_url": x.url}
    )
    query = parse_qs(urlsplit(ADAPTER.authorize_url(app, state="s", challenge="c")).query)
    assert query["code_challenge_method"] == ["S256"]
    assert "offline.access" in query["scope"][0]
    grant = ADAPTER.exchange(app, code="good", verifier="v", timeout=10)
    (place,) = ADAPTER.places(app, grant, timeout=10)
    assert (place.handle, place.options["user_id"]) == ("news", ME["id"])
    account = replace(publication.account, credentials=place.credentials, options=place.options)
    assert ADAPTER.can_refresh(account)
    renewed = ADAPTER.refresh(account, timeout=10)
    assert renewed.credentials == {"access_token": TOKEN, "refresh_token": "next"}
    assert timedelta(minutes=119) < renewed.expires_at - clock.now() <= timedelta(hours=2)
    used = replace(account, credentials={**account.credentials, "refresh_token": "used"})
    with pytest.raises(AuthFailed):
        ADAPTER.refresh(used, timeout=10)


def test_limits_of_the_account_and_of_its_app(publication):
    account = replace(publication.account, options={"client_id": "cid"})
    assert (ADAPTER.app_of(account), ADAPTER.app_of(publication.account)) == ("cid", "")
    assert ADAPTER.budgets(account) == [
        Budget(scope="account", name="posts", capacity=100, period_seconds=900),
        Budget(scope="app", name="posts a day", capacity=10_000, period_seconds=86_400),
    ]
    keys = replace(account, options={}, credentials={"api_key": "consumer-key"})
    assert "consumer-key" not in ADAPTER.app_of(keys)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"text": "$ABC and $XYZ"}, "cashtags"),
        ({"options": {"poll_options": "one"}}, "poll_options"),
        ({"options": {"poll_options": f"a\n{'b' * 26}"}}, "poll_option_too_long"),
        ({"options": {"poll_options": "a\nb", "poll_minutes": 4}}, "poll_minutes"),
        ({"options": {"quote": "https://example.com/"}}, "quote"),
        ({"options": {"community_id": "news"}}, "community_id"),
        ({"text": "See https://example.com/"}, "link_price"),
        ({"link": "https://example.com/"}, "link_price"),
    ],
)
def test_what_x_would_refuse_or_charge_is_told_before(publication, words, code):
    found = {item.code: item.severity for item in check(replace(publication, **words), ADAPTER, publication.account)}
    assert found.get(code) == ("warning" if code == "link_price" else "error")


def test_a_plain_post_has_no_problems(publication):
    assert check(replace(publication, text="$5 for $ABC"), ADAPTER, publication.account) == []


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("https://x.com/a/status/12?s=1", "12"), ("https://twitter.com/a/statuses/12", "12"), (" 12 ", "12"),
        ("https://x.com/a", ""), ("12a", ""), ("", ""), ("１２", ""),
    ],
)  # fmt: skip
def test_a_post_is_named_by_address_or_number(value, number):
    assert post_number(value) == number


@pytest.mark.parametrize(("made", "expected"), [(NOW, True), (NOW - timedelta(seconds=1), False), ("?", False)])
def test_a_post_from_before_is_never_ours(made, expected):
    post = {"id": "1", "text": "same", "created_at": made if isinstance(made, str) else made.isoformat()}
    assert timeline.same(post, text="same", since=NOW, parent="", quoted="", media=0) is expected


def test_a_long_post_is_compared_whole():
    post = {"text": "The beginning…", "note_tweet": {"text": "The beginning and the end"}}
    assert timeline.said(post) == "The beginning and the end"


@pytest.mark.parametrize(
    ("options", "credentials", "field"),
    [
        ({"api_url": "ftp://x"}, {"access_token": "t"}, "api_url"),
        ({"user_id": "news"}, {"access_token": "t"}, "user_id"),
        ({}, {"access_token": "t", "api_key": "k"}, "api_key_secret"),
        ({}, {"access_token": "t", "refresh_token": "r"}, "client_id"),
        ({}, {"access_token": "t\n"}, "access_token"),
    ],
)
def test_settings_that_make_no_sense_are_told_at_their_field(options, credentials, field):
    assert field in [name for name, _ in ADAPTER.check_settings(options, credentials)]
