"""Mastodon and a server that ignores keys: what is sent, what answers mean, and what is out after a call that never came back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alwrity_scheduler.core import clock
from platforms.adapters.mastodon import limits
from platforms.adapters.mastodon.adapter import ADAPTER
from platforms.adapters.mastodon.client import alike, compared, plain_text
from platforms.contracts import Accepted, MediaRef, Publication, Published
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, UnknownOutcome
from platforms.validation import check
from tests.conftest import NOW
from tests.contract.networks.mastodon import account_on
from tests.contract.social.mastodon_double import ME, TOKEN, Mastodon
from tests.servers.double import Answer

POSTING = ("POST", "/api/v1/statuses")


@pytest.fixture
def mastodon() -> Iterator[Mastodon]:
    double = Mastodon()
    yield double
    double.stop()


@pytest.fixture(params=[True, False], ids=["mastodon", "gotosocial"])
def either(request: Any, mastodon: Mastodon) -> Mastodon:
    """A server that keeps keys and one that ignores them."""
    mastodon.keeps_keys = request.param
    return mastodon


@pytest.fixture
def publication(mastodon: Mastodon) -> Publication:
    return Publication(key="k", account=account_on(mastodon.url), text="Grüße 早上好", scheduled_for=NOW)


def file(tmp_path: Any, name: str = "a.png", mime: str = "image/png", **more: Any) -> MediaRef:
    path = tmp_path / name
    path.write_bytes(b"12345")
    values = {"alt": "A cat", "name": name, **more}
    return MediaRef(url="https://x.test/m", mime=mime, checksum="c", size=5, path=str(path), **values)


def thread(publication: Publication, **more: Any) -> Publication:
    return replace(publication, text="one\n---\ntwo\n---\nthree", content_type="thread", **more)


def posted(mastodon: Mastodon) -> list[Any]:
    return [request for request in mastodon.requests if (request.method, request.path) == POSTING]


def follow(account: Any, result: Any) -> Published:
    for _ in range(20):
        if isinstance(result, Published):
            return result
        result = ADAPTER.poll(account, result.remote_state, timeout=10)
    raise AssertionError("never finished")


def test_every_option_has_its_field(mastodon, publication):
    options = {
        "visibility": "unlisted", "spoiler_text": " Food ", "sensitive": True, "language": "de",
        "poll_options": "yes\nno", "poll_minutes": 60, "poll_multiple": True,
    }  # fmt: skip
    made = ADAPTER.publish(replace(publication, hashtags=("news",), options=options), timeout=10)
    (request,) = posted(mastodon)
    assert request.json() == {
        "status": "Grüße 早上好\n\n#news", "visibility": "unlisted", "spoiler_text": "Food", "sensitive": True, "language": "de",
        "poll": {"options": ["yes", "no"], "expires_in": 3600, "multiple": True},
    }  # fmt: skip
    assert request.headers["idempotency-key"] == "k"
    assert made.url == f"{mastodon.url}/@news/{made.remote_id}"
    assert (made.rate.limit, made.rate.remaining) == (300, 298)
    assert made.rate.reset_seconds == pytest.approx(60, abs=5)


def test_what_the_account_says_holds_where_the_post_says_nothing(mastodon, publication):
    account = replace(
        publication.account, options={**publication.account.options, "visibility": "private", "language": "de"}
    )
    ADAPTER.publish(replace(publication, account=account, options={"language": "en"}), timeout=10)
    assert posted(mastodon)[0].json() == {"status": publication.text, "visibility": "private", "language": "en"}


def test_pictures_go_up_with_their_descriptions(mastodon, publication, tmp_path):
    media = (file(tmp_path), file(tmp_path, "b.png", alt=""))
    made = ADAPTER.publish(replace(publication, media=media), timeout=10)
    assert [(item["name"], item["size"], item["description"]) for item in mastodon.media.values()] == [
        ("a.png", 5, "A cat"), ("b.png", 5, None),
    ]  # fmt: skip
    assert mastodon.statuses[made.remote_id]["body"]["media_ids"] == list(mastodon.media)


def test_a_video_is_waited_for(mastodon, publication, tmp_path):
    mastodon.processing = 2
    waiting = ADAPTER.publish(replace(publication, media=(file(tmp_path, "v.mp4", "video/mp4"),)), timeout=10)
    assert isinstance(waiting, Accepted)
    assert not posted(mastodon)
    assert str(tmp_path) not in str(waiting.remote_state)
    made = follow(publication.account, waiting)
    assert (len(mastodon.media), made.already) == (1, False)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(400, {"error": "Bad Request: too long"}), "rejected"),
        (Answer(422, {"error": "Validation failed: Text can't be blank"}), "rejected"),
        (Answer(422, {"error": "Cannot attach files that have not finished processing."}), "unavailable"),
        (Answer(401, {"error": "The access token was revoked"}), "auth"),
        (Answer(403, {"error": "Your login is currently disabled"}), "auth"),
        (Answer(403, {"error": "This action is outside the authorized scopes"}), "auth"),
        (Answer(404, {"error": "Record not found"}), "rejected"),
        (Answer(410, {"error": "Gone"}), "rejected"),
        (Answer(413, b"<html>"), "rejected"),
        (Answer(301, None, {"Location": "https://elsewhere.test/"}), "rejected"),
        (Answer(429, {"error": "Too many requests"}), "rate_limited"),
        (Answer(408, {}), "unknown"),
        (Answer(500, {"error": "x"}), "unknown"),
        (Answer(503, {"error": "x"}), "unknown"),
        (Answer(200, {"error": "x"}), "unknown"),
        (Answer(200, b"<html>"), "unknown"),
    ],
)
def test_each_answer_has_its_class(mastodon, publication, answer, expected):
    mastodon.next.append(answer)
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(publication, timeout=10)
    assert caught.value.error_class == expected
    if isinstance(answer.body, dict) and answer.status >= 400:
        assert caught.value.platform_message == answer.body.get("error", "")


def test_a_lost_answer_to_a_file_is_no_unknown_outcome(mastodon, publication, tmp_path):
    mastodon.drops = lambda request: request.path == "/api/v2/media"
    mastodon.drop = 1
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(replace(publication, media=(file(tmp_path),)), timeout=10)
    assert caught.value.error_class == "unavailable"


# what is out already


def test_a_lost_answer_is_settled_and_after_it_nothing_is_sent_again(either, publication):
    either.misbehave("unknown")
    with pytest.raises(UnknownOutcome):
        ADAPTER.publish(publication, timeout=10)
    assert ADAPTER.find(publication, timeout=10).already
    assert ADAPTER.publish(replace(publication, earlier=True), timeout=10).already
    assert (len(either.statuses), len(posted(either))) == (1, 1)


@pytest.mark.parametrize("has_source", [True, False])
@pytest.mark.parametrize("text", ["A & B <c>\n\nhttps://example.com/a?b=1&c=2\nend", "  one   two "])
def test_a_post_is_found_by_its_source_and_without_one_by_what_it_shows(mastodon, publication, text, has_source):
    post = replace(publication, text=text, options={"spoiler_text": "A & B"})
    mastodon.has_source = has_source
    made = ADAPTER.publish(post, timeout=10)
    assert ADAPTER.find(post, timeout=10).remote_id == made.remote_id


def test_a_mention_that_is_shown_without_its_server_is_found_by_the_source(mastodon, publication):
    post = replace(publication, text="Hello @somebody@example.test")
    made = ADAPTER.publish(post, timeout=10)
    assert ADAPTER.find(post, timeout=10).remote_id == made.remote_id
    assert mastodon.requests[-1].path.endswith("/source")


@pytest.mark.parametrize("unlike", ["text", "files", "reply", "warning", "age"])
def test_another_status_is_not_taken_for_ours(mastodon, publication, unlike):
    words: dict[str, Any] = {
        "files": {"media_attachments": [{"id": "1"}]},
        "reply": {"in_reply_to_id": "5"},
        "warning": {"spoiler_text": "Food"},
        "age": {"made": NOW - timedelta(seconds=61)},
    }.get(unlike, {})
    mastodon.write("else" if unlike == "text" else publication.text, **words)
    assert ADAPTER.find(publication, timeout=10) is None


def test_pages_are_read_until_the_post_is_due_and_too_many_are_unknown(mastodon, publication):
    there = mastodon.write(publication.text)
    for number in range(50):
        mastodon.write(f"chatter {number}")
    assert ADAPTER.find(publication, timeout=10).remote_id == there["id"]
    for number in range(320):
        mastodon.write(f"more {number}")
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(publication, timeout=10)


def test_a_post_to_few_that_is_not_listed_is_only_absent_where_the_server_lists_them(mastodon, publication):
    post = replace(publication, options={"visibility": "direct"})
    assert ADAPTER.find(post, timeout=10) is None
    other = replace(post.account, options={**post.account.options, "limits": {"software": "gotosocial"}})
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(replace(post, account=other), timeout=10)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
def test_a_look_up_that_is_refused_is_unknown(mastodon, publication, status):
    mastodon.misbehaves = lambda request: request.path.endswith("/statuses") and request.method == "GET"
    mastodon.next.append(Answer(status, {"error": "no"}))
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(publication, timeout=10)


# threads


def test_a_thread_is_a_chain_of_replies_each_with_its_key(mastodon, publication, tmp_path):
    options = {"visibility": "unlisted", "sensitive": True}
    made = ADAPTER.publish(thread(publication, options=options, media=(file(tmp_path),)), timeout=10)
    one, two, _ = mastodon.statuses
    (media,) = mastodon.media
    assert made.remote_id == one
    assert [request.json() for request in posted(mastodon)] == [
        {"status": "one", "visibility": "unlisted", "sensitive": True, "media_ids": [media]},
        {"status": "two", "visibility": "unlisted", "in_reply_to_id": one},
        {"status": "three", "visibility": "unlisted", "in_reply_to_id": two},
    ]
    assert [request.headers["idempotency-key"] for request in posted(mastodon)] == ["k", "k-2", "k-3"]


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("trouble", ["drop", "limit", "down"])
def test_an_interrupted_thread_is_finished_and_no_part_is_sent_twice(either, publication, part, trouble):
    seen: list[int] = []

    def at_part(request: Any) -> bool:
        if (request.method, request.path) != POSTING or len(seen) > part:
            return False
        seen.append(1)
        return len(seen) == part + 1

    if trouble == "drop":
        either.drop, either.drops = 1, at_part
    else:
        either.misbehaves = at_part
        either.next.append(Answer({"limit": 429, "down": 503}[trouble], {"error": "no"}))
    result = ADAPTER.publish(thread(publication), timeout=10)
    assert isinstance(result, Accepted)
    made = follow(publication.account, result)
    assert [status["sent"] for status in either.statuses.values()] == ["one", "two", "three"]
    assert (made.remote_id, made.already) == (next(iter(either.statuses)), False)


@pytest.mark.parametrize("out", [1, 3])
def test_a_thread_whose_call_was_killed_is_found_as_far_as_it_is_out(either, publication, out):
    ADAPTER.publish(thread(publication), timeout=10)
    for status in list(either.statuses)[out:]:
        del either.statuses[status]
    either.keys.clear()
    found = ADAPTER.find(thread(publication), timeout=10)
    assert isinstance(found, Published if out == 3 else Accepted)
    follow(publication.account, found)
    assert [status["sent"] for status in either.statuses.values()] == ["one", "two", "three"]


def test_a_part_that_is_refused_ends_the_thread_with_a_word_on_what_is_out(either, publication):
    either.misbehaves = lambda request: (request.method, request.path) == POSTING and b'"two"' in request.body
    either.next.append(either.wrong("Validation failed: Text is rude"))
    result = ADAPTER.publish(thread(publication), timeout=10)
    assert isinstance(result, Accepted)
    with pytest.raises(Rejected, match="1 of 3 parts are out") as caught:
        ADAPTER.poll(publication.account, result.remote_state, timeout=10)
    assert f"{either.url}/@news/" in str(caught.value)
    assert caught.value.platform_message == "Validation failed: Text is rude"


# changes, figures, signing in


def test_an_edit_changes_the_status_and_may_be_done_twice(mastodon, publication, tmp_path):
    made = ADAPTER.publish(publication, timeout=10)
    changed = replace(
        publication, text="Better", options={"visibility": "private", "spoiler_text": "Now"}, media=(file(tmp_path),)
    )
    for _ in range(2):
        assert ADAPTER.edit(changed, made.remote_id, timeout=10).remote_id == made.remote_id
    body = mastodon.statuses[made.remote_id]["body"]
    media = list(mastodon.media)[-1]
    assert body == {
        "status": "Better", "spoiler_text": "Now", "media_ids": [media],
        "media_attributes": [{"id": media, "description": "A cat"}],
    }  # fmt: skip


def test_a_post_is_taken_down_and_one_that_is_gone_is_no_error(mastodon, publication):
    made = ADAPTER.publish(publication, timeout=10)
    ADAPTER.delete(publication.account, made.remote_id, timeout=10)
    ADAPTER.delete(publication.account, made.remote_id, timeout=10)
    assert not mastodon.statuses


def test_figures_leave_out_what_is_gone(mastodon, publication):
    made = ADAPTER.publish(publication, timeout=10)
    (found,) = ADAPTER.metrics(publication.account, [made.remote_id, "404"], timeout=10)
    assert (found.remote_id, found.values) == (made.remote_id, {"likes": 2, "reposts": 1, "replies": 0})


def test_an_app_is_registered_and_a_person_signs_in_with_the_limits_of_the_server(either):
    app = ADAPTER.register(redirect_uri="https://us.test/back", options={"instance_url": either.url}, timeout=10)
    assert either.requests[0].json()["scopes"] == "read:accounts read:statuses write:statuses write:media"
    url = urlsplit(ADAPTER.authorize_url(app, state="s", challenge="c"))
    assert url.path == "/oauth/authorize"
    assert parse_qs(url.query)["code_challenge_method"] == ["S256"]
    grant = ADAPTER.exchange(app, code="good", verifier="v", timeout=10)
    assert (grant.credentials, "write:media" in (grant.scopes or ())) == ({"access_token": TOKEN}, True)
    (place,) = ADAPTER.places(app, grant, timeout=10)
    host = urlsplit(either.url).netloc
    assert (place.handle, place.options["user_id"]) == (f"news@{host}", ME["id"])
    account = replace(account_on(either.url), options=place.options)
    can = ADAPTER.capabilities(account)
    assert (can.text.max, can.text.url_weight, can.max_media) == (5000, 25, 6)
    assert can.text.unit == ("mastodon" if either.keeps_keys else "characters")
    assert can.media_mimes == {"image/png"}
    assert can.media["image"].max_bytes == 1000
    with pytest.raises(AuthFailed):
        ADAPTER.exchange(app, code="used", verifier="v", timeout=10)


def test_verify_names_the_account_and_brings_the_limits(mastodon, publication):
    health = ADAPTER.verify(publication.account, timeout=10)
    assert (health.ok, health.identity) == (True, f"@news@{urlsplit(mastodon.url).netloc}")
    assert health.options["limits"]["max_characters"] == 5000
    bad = replace(publication.account, credentials={"access_token": "old"})
    assert "The access token is invalid" in ADAPTER.verify(bad, timeout=10).message


def test_a_limit_that_names_its_end_waits_for_it(mastodon, publication):
    mastodon.misbehave("rate_limited")
    with pytest.raises(RateLimited) as caught:
        ADAPTER.publish(publication, timeout=10)
    assert caught.value.retry_after_seconds == pytest.approx(7, abs=2)


# pure


def test_without_figures_of_the_server_mastodons_own_hold_and_a_person_may_say_more(publication):
    can = ADAPTER.capabilities(publication.account)
    assert (can.text.max, can.text.url_weight, can.max_media, can.replays) == (500, 23, 4, False)
    more = replace(publication.account, options={**publication.account.options, "max_characters": 2000})
    assert ADAPTER.capabilities(more).text.max == 2000


@pytest.mark.parametrize(
    "kept", [{"max_characters": "many"}, {"mimes": "all"}, {"unknown": 1}, {"max_media": True}, "nonsense", None]
)
def test_limits_that_make_no_sense_are_left_out(kept):
    assert limits.of({"limits": kept}) == limits.Limits()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"options": {"poll_options": "one"}}, "poll_options"),
        ({"options": {"poll_options": "a\na"}}, "poll_option_twice"),
        ({"options": {"poll_options": f"a\n{'b' * 51}"}}, "poll_option_too_long"),
        ({"options": {"poll_options": "a\nb", "poll_minutes": 1}}, "poll_minutes"),
        ({"options": {"language": "german!"}}, "language"),
        ({"text": "x" * 400, "options": {"spoiler_text": "y" * 101}}, "text_too_long"),
    ],
)
def test_what_the_server_would_refuse_is_told_before(publication, words, code):
    found = check(replace(publication, **words), ADAPTER, publication.account)
    assert [(item.code, item.severity) for item in found] == [(code, "error")]


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("<p>a<br />b</p><p>c</p>", "a\nb\n\nc"),
        ("<p>A &amp; B &lt;c&gt;</p>", "A & B <c>"),
        (
            '<p><a href="x"><span class="invisible">https://</span><span>example.com</span></a></p>',
            "https://example.com",
        ),
    ],
)
def test_html_is_read_as_it_was_written(shown, text):
    assert plain_text(shown) == text


@pytest.mark.parametrize(
    ("shown", "text", "expected"),
    [
        ("Hello @bob", "Hello @bob@example.test", True),
        ("Bold words here", "**Bold** words _here_", True),
        ("Something else", "Hello @bob@example.test", False),
        ("😀", "😀 😀", True),
    ],
)
def test_only_what_may_be_ours_is_asked_for_its_source(shown, text, expected):
    assert alike(shown, text) is expected


def test_texts_are_compared_in_one_form():
    assert compared("Cafe\u0301 \n x") == compared("Café x")


def test_settings_that_make_no_sense_are_told_at_their_field():
    problems = ADAPTER.check_settings({"max_characters": "many", "language": "?"}, {"access_token": "t\n"})
    assert [name for name, _ in problems] == ["instance_url", "max_characters", "language", "access_token"]
    assert ADAPTER.check_settings({"instance_url": "mastodon.social"}, {"access_token": "t"}) == []


def test_a_server_is_down_by_itself(publication):
    account = replace(publication.account, options={"instance_url": "Mastodon.Social"})
    assert ADAPTER.service_of(account) == "mastodon.social"


def test_posts_are_looked_for_from_a_minute_before_they_were_due(publication):
    state = ADAPTER._state(publication)
    assert state["since"] == (NOW - timedelta(seconds=60)).isoformat()
    assert clock.now() > NOW
