"""Discord's adapter against its double: what is sent, each answer's class, look-ups, threads that stop, changes afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alwrity_scheduler.core import clock
from platforms.adapters.discord.adapter import ADAPTER
from platforms.adapters.discord.lookup import nonce_of, time_of
from platforms.contracts import Accepted, MediaRef, Publication, Published
from platforms.errors import PlatformError, Rejected, UnknownOutcome
from platforms.validation import check
from tests.conftest import NOW
from tests.contract.networks import discord, discord_webhook
from tests.servers import specs
from tests.servers.discord import CHANNEL, GUILD, SPEC, TOKEN, WEBHOOK, Discord, refusal, snowflake
from tests.servers.double import Answer


@pytest.fixture
def there(settings, monkeypatch):
    """The double, and the product's clock, both at NOW."""
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    monkeypatch.setattr(clock, "now", lambda: NOW)
    double = Discord(lambda: NOW)
    yield double
    double.stop()
    assert double.wrong == []


def post(there, text="Hello", webhook=False, **values):
    made = discord_webhook.account(there.url) if webhook else discord.account(there.url)
    return Publication(**{"key": "k", "account": made, "scheduled_for": NOW, "text": text, **values})


def failing(double, *answers):
    """Let the first message through and answer the next ones with these."""
    turns = iter([False, *[True] * len(answers)])
    double.misbehaves = lambda request: request.method == "POST" and next(turns, False)
    double.next = list(answers)


@pytest.mark.skipif(bool(specs.missing(SPEC)), reason=specs.missing(SPEC))
def test_a_body_that_the_description_forbids_would_be_seen():
    double = Discord()
    double._check(
        "/channels/{channel_id}/messages", "post", {"content": "x" * 4001, "nonce": "n" * 26, "mentions": []}, []
    )
    double.stop()
    assert len(double.wrong) == 3


def test_by_a_bot_with_a_nonce_and_nobody_rung(there):
    published = ADAPTER.publish(
        post(there, link="https://x.test/", hashtags=("new",), options={"silent": True}), timeout=5
    )
    (message,) = there.messages
    assert published.remote_id == f"{CHANNEL}:{message['id']}"
    assert published.url == f"https://discord.com/channels/{GUILD}/{CHANNEL}/{message['id']}"
    assert message["_body"] == {
        "content": "Hello\n\nhttps://x.test/\n\n#new", "allowed_mentions": {"parse": []}, "flags": 4096,
        "nonce": nonce_of("k", 0), "enforce_nonce": True,
    }  # fmt: skip


def test_by_a_webhook_under_another_name_into_a_forum(there):
    made = discord_webhook.account(
        there.url, username="Desk", avatar_url="https://x.test/a.png", forum=True, mentions="users"
    )
    publication = post(there, "One\n---\nTwo", account=made, title="Monday", content_type="thread")
    published = ADAPTER.publish(publication, timeout=5)

    first, second = there.messages
    assert first["_body"] == {
        "content": "One", "allowed_mentions": {"parse": ["users"]}, "username": "Desk", "avatar_url": "https://x.test/a.png",
        "thread_name": "Monday",
    }  # fmt: skip
    assert second["channel_id"] == first["channel_id"] != CHANNEL
    assert published.remote_id == f"{first['channel_id']}:{first['id']},{second['id']}"
    ADAPTER.delete(made, published.remote_id, timeout=5)
    assert there.messages == []
    assert there.requests[-1].query == {"thread_id": first["channel_id"]}


def test_files_go_along_with_their_descriptions(there, tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    item = MediaRef(
        url="", mime="image/png", alt="A cat", size=7, checksum="c", path=str(tmp_path / "a.png"), name="cat.png"
    )
    ADAPTER.publish(post(there, media=(item,)), timeout=5)
    (message,) = there.messages
    assert message["attachments"] == ["files[0]"]
    assert message["_body"]["attachments"] == [{"id": "0", "filename": "cat.png", "description": "A cat"}]
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(post(there, media=(replace(item, path="/nowhere"),)), timeout=5)
    assert caught.value.error_class == "unavailable"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(400, 50035, "Invalid Form Body"), "rejected"),
        (refusal(400, 50006, "Cannot send an empty message"), "rejected"),
        (refusal(413, 40005, "Request entity too large"), "rejected"),
        (refusal(404, 10003, "Unknown Channel"), "rejected"),
        (refusal(404, 10015, "Unknown Webhook"), "auth"),
        (refusal(401, 50027, "Invalid Webhook Token"), "auth"),
        (refusal(401, 0, "401: Unauthorized"), "auth"),
        (refusal(403, 50001, "Missing Access"), "auth"),
        (refusal(403, 50013, "Missing Permissions"), "auth"),
        (refusal(429, 0, "You are being rate limited.", retry_after=0.25), "rate_limited"),
        (Answer(429, b"<html>", {"Retry-After": "9"}), "rate_limited"),
        (refusal(400, 20016, "This action cannot be performed due to slowmode rate limit"), "rate_limited"),
        (refusal(403, 20028, "The write action on the channel has hit the write rate limit"), "rate_limited"),
        (Answer(500, b""), "unknown"),
        (Answer(502, b"<html>"), "unknown"),
        (Answer(200, b"<html>"), "unknown"),
        (Answer(200, {}), "unknown"),
    ],
)
@pytest.mark.parametrize("webhook", [False, True])
def test_each_answer_has_its_class(there, answer, expected, webhook):
    there.next.append(answer)
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(post(there, webhook=webhook), timeout=5)
    assert caught.value.error_class == expected
    assert TOKEN not in f"{caught.value} {vars(caught.value)}"


def test_the_platforms_words_name_the_field(there):
    with pytest.raises(Rejected) as caught:
        ADAPTER.publish(post(there, "x" * 2001), timeout=5)
    assert caught.value.platform_message == "50035: Invalid Form Body (content: Must be 2000 or fewer in length.)"


def test_what_is_left_of_the_quota_is_believed(there):
    there.next.append(
        refusal(
            429, 0, "Slow down", retry_after=1.5, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Scope": "shared"}
        )
    )
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(post(there), timeout=5)
    assert (caught.value.retry_after_seconds, caught.value.rate.remaining, caught.value.rate.scope) == (1.5, 0, "app")


def test_killed_between_request_and_answer_a_bot_finds_it_and_the_nonce_keeps_it_single(there):
    there.drop = 1
    with pytest.raises(UnknownOutcome):
        ADAPTER.publish(post(there), timeout=5)
    found = ADAPTER.find(post(there), timeout=5)
    again = ADAPTER.publish(post(there), timeout=5)
    assert found.already
    assert found.remote_id == again.remote_id
    assert there.texts() == ["Hello"]
    assert ADAPTER.find(post(there, key="another"), timeout=5) is None


def test_killed_between_request_and_answer_a_webhook_leaves_it_to_a_person(there):
    there.drop = 1
    publication = post(there, webhook=True)
    with pytest.raises(UnknownOutcome):
        ADAPTER.publish(publication, timeout=5)
    can = ADAPTER.capabilities(publication.account)
    assert (can.can_find, can.replays, there.texts()) == (False, False, ["Hello"])
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(publication, timeout=5)


@pytest.mark.parametrize(
    ("ago", "number", "expected"),
    [
        (timedelta(minutes=2), 1, "found"),
        (timedelta(minutes=2), 2, "unsure"),
        (timedelta(hours=1), 1, "unsure"),
        (timedelta(days=8), 1, None),
    ],
)
def test_without_nonces_only_one_message_of_that_time_with_these_words_is_believed(there, ago, number, expected):
    for _ in range(number):
        there.say("Hello", NOW - ago)
    there.say("Hello", NOW, author="900000000000000009")
    if expected == "unsure":
        with pytest.raises(UnknownOutcome):
            ADAPTER.find(post(there), timeout=5)
    else:
        found = ADAPTER.find(post(there), timeout=5)
        assert bool(found) is (expected == "found")


def test_a_post_that_a_person_sent_days_early_is_found_by_its_nonce(there):
    there.say("Hello", NOW - timedelta(days=2), nonce=nonce_of("k", 0))
    there.messages += [{"id": snowflake(NOW), "author": {"id": "9"}, "content": "chat"} for _ in range(250)]
    assert ADAPTER.find(post(there, scheduled_for=NOW + timedelta(days=5)), timeout=5).already


def test_a_channel_that_cannot_be_read_back_far_enough_tells_nothing(there):
    there.messages = [{"id": snowflake(NOW), "author": {"id": "9"}, "content": "chat"} for _ in range(1001)]
    with pytest.raises(UnknownOutcome, match="busy"):
        ADAPTER.find(post(there), timeout=5)


@pytest.mark.parametrize(
    "answer", [refusal(403, 50001, "Missing Access"), refusal(429, 0, "Slow", retry_after=1), Answer(500, b"")]
)
def test_a_look_up_that_fails_is_unknown(there, answer):
    there.next.append(answer)
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(post(there), timeout=5)


THREAD = {"text": "One\n---\nTwo\n---\nThree", "content_type": "thread"}


def test_a_thread_is_a_chain_of_replies(there):
    published = ADAPTER.publish(post(there, **THREAD), timeout=5)
    ids = [item["id"] for item in there.messages]
    assert published.remote_id == f"{CHANNEL}:{','.join(ids)}"
    assert [item["_body"].get("message_reference", {}).get("message_id") for item in there.messages] == [None, *ids[:2]]


def test_a_thread_that_waits_goes_on_without_doubling_a_part(there):
    failing(there, refusal(429, 0, "Slow", retry_after=60))
    accepted = ADAPTER.publish(post(there, **THREAD), timeout=5)
    assert isinstance(accepted, Accepted)
    assert accepted.poll_after_seconds == 60
    assert TOKEN not in str(accepted.remote_state)

    # the poll's own answer is lost after it was carried out, hours later
    there.forgets_nonces = True
    there.drop = 1
    accepted = ADAPTER.poll(post(there).account, accepted.remote_state, timeout=5)
    assert isinstance(accepted, Accepted)
    published = ADAPTER.poll(post(there).account, accepted.remote_state, timeout=5)
    assert isinstance(published, Published)
    assert there.texts() == ["One", "Two", "Three"]


def test_a_short_limit_is_waited_out(there):
    failing(there, refusal(429, 0, "Slow", retry_after=0))
    assert isinstance(ADAPTER.publish(post(there, webhook=True, **THREAD), timeout=5), Published)
    assert there.texts() == ["One", "Two", "Three"]


def test_found_in_part_it_is_finished(there):
    failing(there, Answer(500, b""))
    ADAPTER.publish(post(there, **THREAD), timeout=5)
    partly = ADAPTER.find(post(there, **THREAD), timeout=5)
    assert isinstance(partly, Accepted)
    assert isinstance(ADAPTER.poll(post(there).account, partly.remote_state, timeout=5), Published)
    assert there.texts() == ["One", "Two", "Three"]


def test_a_thread_tried_again_looks_first(there):
    failing(there, refusal(400, 50035, "Invalid Form Body"))
    accepted = ADAPTER.publish(post(there, **THREAD), timeout=5)
    there.next.append(refusal(400, 50035, "Invalid Form Body"))
    there.misbehaves = lambda request: request.method == "POST"
    with pytest.raises(Rejected, match="Part 1 is out of 3; part 2 was not sent"):
        ADAPTER.poll(post(there).account, accepted.remote_state, timeout=5)
    there.forgets_nonces = True
    assert isinstance(ADAPTER.publish(post(there, earlier=True, **THREAD), timeout=5), Published)
    assert there.texts() == ["One", "Two", "Three"]


def test_a_webhooks_thread_that_stops_is_left_to_a_person(there):
    failing(there, Answer(500, b""))
    with pytest.raises(UnknownOutcome, match="Part 1 is out of 3; part 2 may be there or not"):
        ADAPTER.publish(post(there, webhook=True, **THREAD), timeout=5)
    with pytest.raises(UnknownOutcome):
        ADAPTER.poll(post(there, webhook=True).account, {"ids": ["1"]}, timeout=5)
    assert there.texts() == ["One"]


@pytest.mark.parametrize("webhook", [False, True])
def test_edit_figures_and_delete(there, webhook):
    publication = post(there, webhook=webhook)
    published = ADAPTER.publish(publication, timeout=5)
    for _ in range(2):
        ADAPTER.edit(replace(publication, text="Better"), published.remote_id, timeout=5)
    assert there.texts() == ["Better"]
    there.messages[0]["reactions"] = [{"count": 2, "emoji": {}}, {"count": 3, "emoji": {}}]
    gone = f"{CHANNEL}:{snowflake(NOW)}"
    (figures,) = ADAPTER.metrics(publication.account, [published.remote_id, gone, "odd"], timeout=5)
    assert figures.values == {"likes": 5}
    for _ in range(2):
        ADAPTER.delete(publication.account, published.remote_id, timeout=5)
    assert there.messages == []
    with pytest.raises(Rejected):
        ADAPTER.edit(publication, published.remote_id, timeout=5)
    with pytest.raises(Rejected, match="not known"):
        ADAPTER.delete(publication.account, "https://discord.com/1", timeout=5)


def test_the_connection_test_names_whom_it_found(there):
    assert ADAPTER.verify(discord.account(there.url), timeout=5).identity == "newsbot"
    assert ADAPTER.verify(discord_webhook.account(there.url), timeout=5).identity == "Newsroom"
    lost = ADAPTER.verify(discord.account(there.url, channel_id="123456"), timeout=5)
    assert (lost.ok, "10003" in lost.message) == (False, True)


@pytest.mark.parametrize(
    ("options", "credentials", "field"),
    [
        ({}, {}, "webhook_url"),
        ({"channel_id": CHANNEL}, {"webhook_url": WEBHOOK, "bot_token": TOKEN}, "webhook_url"),
        ({}, {"webhook_url": "https://evil.test/api/webhooks/1/abc"}, "webhook_url"),
        ({"channel_id": "news"}, {"bot_token": TOKEN}, "channel_id"),
        ({"channel_id": CHANNEL}, {"bot_token": "Bot x"}, "bot_token"),
        ({"forum": True, "thread_id": CHANNEL}, {"webhook_url": WEBHOOK}, "forum"),
        ({"mentions": "dogs"}, {"webhook_url": WEBHOOK}, "mentions"),
        ({"username": "x" * 81}, {"webhook_url": WEBHOOK}, "username"),
        ({"avatar_url": "x"}, {"webhook_url": WEBHOOK}, "avatar_url"),
    ],
)
def test_settings_are_checked_at_their_field(options, credentials, field):
    assert field in [name for name, _ in ADAPTER.check_settings(options, credentials)]


def test_files_that_are_too_large_together_are_a_problem(there):
    item = MediaRef(url="", mime="image/png", alt="A", size=10_000_000, checksum="c")
    codes = [found.code for found in check(post(there, media=(item,) * 3), ADAPTER, discord.account(there.url))]
    assert codes == ["media_too_large"]


def test_a_snowflake_tells_its_time():
    assert abs(time_of(snowflake(NOW)) - NOW) < timedelta(seconds=1)
