"""Slack's adapter against its double: what is sent, each answer's class, look-ups, files, threads, changes afterwards, sign-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from alwrity_scheduler.core import clock
from platforms.adapters.slack import mrkdwn
from platforms.adapters.slack.adapter import ADAPTER
from platforms.contracts import Accepted, ClientApp, MediaRef, Publication, Published
from platforms.errors import AuthFailed, PlatformError, Rejected, UnknownOutcome
from tests.conftest import NOW
from tests.contract.networks import slack, slack_webhook
from tests.servers import specs
from tests.servers.double import Answer
from tests.servers.slack import CHANNEL, SPEC, TOKEN, WEBHOOK, Slack, error


@pytest.fixture
def there(settings, monkeypatch):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    monkeypatch.setattr(clock, "now", lambda: NOW)
    double = Slack()
    double.now = int(NOW.timestamp())
    yield double
    double.stop()
    assert double.wrong == []


def post(there, text="Hello", webhook=False, **values):
    made = slack_webhook.account(there.url) if webhook else slack.account(there.url)
    return Publication(**{"key": "k", "account": made, "scheduled_for": NOW, "text": text, **values})


def is_posting(request):
    return request.path == "/chat.postMessage"


def failing(double, *answers):
    """Let the first message through and answer the next ones with these."""
    turns = iter([False, *[True] * len(answers)])
    double.misbehaves = lambda request: is_posting(request) and next(turns, False)
    double.next = list(answers)


@pytest.mark.skipif(bool(specs.missing(SPEC)), reason=specs.missing(SPEC))
def test_a_field_that_the_description_forbids_would_be_seen():
    double = Slack()
    double._check("chat.postMessage", "POST", {"text": ["x"], "silent": True})
    double.stop()
    assert len(double.wrong) == 3


def test_the_text_is_escaped_and_carries_the_key(there):
    published = ADAPTER.publish(
        post(there, "Tom & <!channel>", link="https://x.test/?a=1&b", hashtags=("new",)), timeout=5
    )
    (message,) = there.messages.values()
    assert message["text"] == "Tom &amp; &lt;!channel&gt;\n\nhttps://x.test/?a=1&amp;b\n\n#new"
    assert message["metadata"]["event_payload"] == {"key": "k", "part": "0"}
    assert published.remote_id == f"{CHANNEL}:{message['ts']}"
    assert published.url.startswith(f"https://acme.slack.com/archives/{CHANNEL}/p")


def test_by_a_webhook_it_is_the_text_alone(there):
    publication = post(there, "a < b", webhook=True, options={"no_preview": True})
    published = ADAPTER.publish(publication, timeout=5)
    assert there.requests[0].json() == {"text": "a &lt; b", "unfurl_links": False, "unfurl_media": False}
    assert (published.remote_id, published.url) == ("webhook:k", "")
    assert ADAPTER.offers(publication.account) == frozenset()
    with pytest.raises(Rejected):
        ADAPTER.delete(publication.account, published.remote_id, timeout=5)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        *(
            (error(name), "auth")
            for name in ("invalid_auth", "token_revoked", "account_inactive", "missing_scope", "not_in_channel")
        ),
        *(
            (error(name), "rejected")
            for name in ("channel_not_found", "is_archived", "no_text", "msg_too_long", "something_new")
        ),
        *((error(name), "unknown") for name in ("internal_error", "fatal_error")),
        (error("ratelimited"), "rate_limited"),
        (Answer(429, b"", {"Retry-After": "30"}), "rate_limited"),
        (Answer(500, b""), "unknown"),
        (Answer(503, b"<html>"), "unknown"),
        (Answer(200, b"<html>"), "unknown"),
        (Answer(200, {"ok": True}), "unknown"),
        (Answer(302, b""), "rejected"),
        (Answer(400, {"response_metadata": "odd"}), "rejected"),
        (Answer(400, {"error": None, "response_metadata": {"messages": None}}), "rejected"),
    ],
)
def test_each_answer_has_its_class(there, answer, expected):
    there.next.append(answer)
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(post(there), timeout=5)
    assert caught.value.error_class == expected
    assert TOKEN not in f"{caught.value} {vars(caught.value)}"


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (400, b"invalid_payload", "rejected"),
        (403, b"action_prohibited", "auth"),
        (403, b"invalid_token", "auth"),
        (404, b"no_service", "auth"),
        (404, b"channel_not_found", "rejected"),
        (410, b"channel_is_archived", "rejected"),
        (429, b"", "rate_limited"),
        (500, b"rollup_error", "unknown"),
        (200, b"hm", "unknown"),
    ],
)
def test_each_answer_of_a_webhook_has_its_class(there, status, words, expected):
    there.next.append(Answer(status, words))
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(post(there, webhook=True), timeout=5)
    assert caught.value.error_class == expected


def test_killed_between_request_and_answer_a_bot_finds_it_by_its_key(there):
    there.drop = 1
    with pytest.raises(UnknownOutcome):
        ADAPTER.publish(post(there), timeout=5)
    found = ADAPTER.find(post(there), timeout=5)
    assert found.already
    assert found.remote_id == f"{CHANNEL}:{next(iter(there.messages))}"
    # the same words under another key are another post
    assert ADAPTER.find(post(there, key="another"), timeout=5) is None


def test_killed_between_request_and_answer_a_webhook_leaves_it_to_a_person(there):
    there.drop = 1
    publication = post(there, webhook=True)
    with pytest.raises(UnknownOutcome):
        ADAPTER.publish(publication, timeout=5)
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(publication, timeout=5)
    can = ADAPTER.capabilities(publication.account)
    assert (can.can_find, can.replays, there.texts()) == (False, False, ["Hello"])


def test_a_post_sent_days_early_is_found_on_a_later_page(there):
    there.now -= 2 * 86_400
    ADAPTER.publish(post(there), timeout=5)
    for _ in range(250):
        there.on_chat_postMessage({"channel": CHANNEL, "text": "chat"})
    assert ADAPTER.find(post(there, scheduled_for=NOW + timedelta(days=5)), timeout=5).already


def test_a_channel_that_cannot_be_read_back_far_enough_tells_nothing(there):
    for _ in range(2_001):
        there.on_chat_postMessage({"channel": CHANNEL, "text": "chat"})
    with pytest.raises(UnknownOutcome, match="busy"):
        ADAPTER.find(post(there), timeout=10)


@pytest.mark.parametrize("answer", [error("missing_scope"), error("ratelimited"), Answer(500, b"")])
def test_a_look_up_that_fails_is_unknown(there, answer):
    there.next.append(answer)
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(post(there), timeout=5)


def media(tmp_path, *names):
    found = []
    for name in names:
        (tmp_path / name).write_bytes(b"content of " + name.encode())
        mime = "image/png" if name.endswith("png") else "application/pdf"
        found.append(
            MediaRef(url="", mime=mime, alt="A cat", size=1, checksum="c", path=str(tmp_path / name), name=name)
        )
    return tuple(found)


def test_images_are_blocks_with_alternative_texts_and_other_files_links(there, tmp_path):
    published = ADAPTER.publish(post(there, media=media(tmp_path, "a.png", "b.pdf")), timeout=5)
    (message,) = there.messages.values()
    first, second = there.files
    assert there.files[first]["body"] == b"content of a.png"
    assert [block["type"] for block in message["blocks"]] == ["section", "section", "image"]
    assert message["blocks"][2] == {"type": "image", "slack_file": {"id": first}, "alt_text": "A cat"}
    assert message["text"].endswith(f"<https://acme.slack.com/files/U1/{second}|b.pdf>")

    better = post(there, "Better", media=media(tmp_path, "a.png", "b.pdf"))
    ADAPTER.edit(better, published.remote_id, timeout=5)
    assert message["text"] == "Better"
    assert [block["type"] for block in message["blocks"]] == ["section", "image"]


def test_an_image_that_is_not_ready_is_shown_a_little_later(there, tmp_path):
    there.busy = 1
    publication = post(there, media=media(tmp_path, "a.png"))
    accepted = ADAPTER.publish(publication, timeout=5)
    assert isinstance(accepted, Accepted)
    assert isinstance(ADAPTER.poll(publication.account, accepted.remote_state, timeout=5), Published)
    assert len(there.messages) == 1


@pytest.mark.parametrize("trouble", [Answer(500, b""), Answer(200, b"<html>")])
def test_an_upload_that_fails_has_posted_nothing(there, tmp_path, trouble):
    there.next.append(trouble)
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(post(there, media=media(tmp_path, "a.png")), timeout=5)
    assert (caught.value.error_class, there.messages) == ("unavailable", {})


def test_files_go_to_slacks_own_hosts_only(there, tmp_path):
    there.on_files_getUploadURLExternal = lambda fields: Answer(
        200, {"ok": True, "upload_url": "http://localhost:1/", "file_id": "F"}
    )
    with pytest.raises(PlatformError, match="not its own"):
        ADAPTER.publish(post(there, media=media(tmp_path, "a.png")), timeout=5)


THREAD = {"text": "One\n---\nTwo\n---\nThree", "content_type": "thread"}


def test_a_thread_is_a_message_with_replies(there):
    published = ADAPTER.publish(post(there, **THREAD), timeout=5)
    root = next(iter(there.messages))
    assert [item.get("thread_ts") for item in there.messages.values()] == [None, root, root]
    assert published.remote_id == f"{CHANNEL}:{','.join(there.messages)}"


def test_a_thread_that_waits_goes_on_without_doubling_a_part(there):
    failing(there, Answer(429, b"", {"Retry-After": "60"}))
    accepted = ADAPTER.publish(post(there, **THREAD), timeout=5)
    assert isinstance(accepted, Accepted)
    assert accepted.poll_after_seconds == 60
    assert TOKEN not in str(accepted.remote_state)
    there.drop, there.drops = 1, is_posting
    accepted = ADAPTER.poll(post(there).account, accepted.remote_state, timeout=5)
    assert isinstance(accepted, Accepted)
    assert isinstance(ADAPTER.poll(post(there).account, accepted.remote_state, timeout=5), Published)
    assert there.texts() == ["One", "Two", "Three"]


def test_a_short_limit_is_waited_out(there):
    failing(there, Answer(429, b"", {"Retry-After": "0"}))
    assert isinstance(ADAPTER.publish(post(there, **THREAD), timeout=5), Published)


def test_found_in_part_it_is_finished_and_tried_again_it_looks_first(there):
    failing(there, error("fatal_error"))
    ADAPTER.publish(post(there, **THREAD), timeout=5)
    partly = ADAPTER.find(post(there, **THREAD), timeout=5)
    assert isinstance(partly, Accepted)
    there.next.append(error("is_archived"))
    there.misbehaves = is_posting
    with pytest.raises(Rejected, match="Part 1 is out of 3; part 2 was not sent"):
        ADAPTER.poll(post(there).account, partly.remote_state, timeout=5)
    assert isinstance(ADAPTER.publish(post(there, earlier=True, **THREAD), timeout=5), Published)
    assert there.texts() == ["One", "Two", "Three"]


def test_edit_figures_and_delete(there):
    publication = post(there, **THREAD)
    published = ADAPTER.publish(publication, timeout=5)
    for _ in range(2):
        ADAPTER.edit(replace(publication, text="1\n---\n2\n---\n3 & 4"), published.remote_id, timeout=5)
    assert there.texts() == ["1", "2", "3 &amp; 4"]
    with pytest.raises(Rejected, match="parts"):
        ADAPTER.edit(post(there), published.remote_id, timeout=5)
    first = next(iter(there.messages.values()))
    first |= {"reactions": [{"name": "tada", "count": 2}, {"name": "eyes", "count": 1}], "reply_count": 5}
    (figures,) = ADAPTER.metrics(publication.account, [published.remote_id, f"{CHANNEL}:1.1", "odd"], timeout=5)
    assert figures.values == {"likes": 3, "replies": 3}
    for _ in range(2):
        ADAPTER.delete(publication.account, published.remote_id, timeout=5)
    assert there.messages == {}


@pytest.mark.parametrize(
    ("scopes", "channel", "expected", "missing"),
    [
        (None, {}, True, ()),
        ("chat:write,channels:read,channels:history,files:write,reactions:read", {}, True, ()),
        ("chat:write,channels:read", {}, True, ("channels:history", "files:write", "reactions:read")),
        ("channels:read", {}, False, ("chat:write", "channels:history", "files:write", "reactions:read")),
        ("chat:write,groups:history,files:write,reactions:read", {}, True, ()),
        (None, {"is_member": False}, False, ()),
        (None, {"is_archived": True}, False, ()),
    ],
)
def test_the_connection_test_names_what_is_missing(there, scopes, channel, expected, missing):
    there.scopes = scopes
    there.channel |= channel
    health = ADAPTER.verify(slack.account(there.url), timeout=5)
    assert (health.ok, health.missing_scopes, health.identity) == (expected, missing, "newsbot in Acme")


def test_signing_in_brings_the_channels_and_renews(there):
    app = ClientApp(
        client_id="1.2", client_secret="hush hush", redirect_uri="https://me.test/back", options={"api_url": there.url}
    )
    query = parse_qs(urlsplit(ADAPTER.authorize_url(replace(app, options={}), state="s", challenge="")).query)
    assert query["scope"] == [",".join(ADAPTER.scopes)]
    with pytest.raises(Rejected):
        ADAPTER.exchange(app, code="bad", verifier="", timeout=5)
    grant = ADAPTER.exchange(app, code="good", verifier="", timeout=5)
    assert grant.expires_at == NOW + timedelta(hours=12)
    assert frozenset(ADAPTER.scopes) == grant.scopes
    first, second = ADAPTER.places(app, grant, timeout=5)
    assert (first.name, second.kind) == ("#news", "private channel")
    assert ADAPTER.check_settings(first.options, first.credentials) == []

    account = replace(slack.account(there.url), credentials=dict(first.credentials), options=dict(first.options))
    assert ADAPTER.can_refresh(account)
    assert ADAPTER.refresh(account, timeout=5).credentials["bot_token"] == TOKEN
    used = replace(account, credentials={**account.credentials, "refresh_token": "xoxe-1-used"})
    with pytest.raises(AuthFailed):
        ADAPTER.refresh(used, timeout=5)


@pytest.mark.parametrize(
    ("options", "credentials", "field"),
    [
        ({}, {}, "bot_token"),
        ({"channel_id": CHANNEL}, {"bot_token": TOKEN, "webhook_url": WEBHOOK}, "bot_token"),
        ({"channel_id": "#news"}, {"bot_token": TOKEN}, "channel_id"),
        ({"channel_id": CHANNEL}, {"bot_token": "secret"}, "bot_token"),
        ({}, {"webhook_url": "https://evil.test/services/T0/B0/XXXXXXXX"}, "webhook_url"),
        ({"channel_id": CHANNEL}, {"bot_token": TOKEN, "refresh_token": "r"}, "client_id"),
    ],
)
def test_settings_are_checked_at_their_field(options, credentials, field):
    assert [name for name, _ in ADAPTER.check_settings(options, credentials)] == [field]


@pytest.mark.parametrize("text", ["", "short", "word " * 2_000, "x" * 7_000, "x" * 2_998 + "&" * 10])
def test_sections_hold_the_whole_text_within_their_limit(text):
    found = [block["text"]["text"] for block in mrkdwn.sections(text)]
    assert all(0 < len(piece) <= 3_000 for piece in found)
    assert "".join("".join(found).split()) == "".join(mrkdwn.escaped(text).split())
    assert all(piece.count("&") == piece.count(";") for piece in found)
