"""Telegram's adapter against its double: what is sent, each answer's class, threads that stop half way, changes afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from platforms.adapters.telegram.adapter import ADAPTER, TelegramAdapter
from platforms.contracts import MediaRef, Publication
from platforms.errors import PlatformError, Rejected, UnknownOutcome
from platforms.validation import check
from tests.conftest import NOW
from tests.contract.networks.telegram import account
from tests.servers import specs
from tests.servers.double import Answer
from tests.servers.telegram import SPEC, TOKEN, Telegram, refusal


@pytest.fixture
def there(settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    double = Telegram()
    yield double
    double.stop()
    assert double.wrong == []


def post(there, text="Hello", **values):
    made = {"key": "k", "account": account(there.url), "scheduled_for": NOW, "text": text}
    return Publication(**{**made, **values})


def file_of(path, mime, **values):
    path.write_bytes(b"not a real file")
    return MediaRef(
        url="https://x.test/f", mime=mime, alt="A cat", size=15, checksum="c", path=str(path), name=path.name, **values
    )


@pytest.mark.skipif(bool(specs.missing(SPEC)), reason=specs.missing(SPEC))
def test_a_request_with_an_unknown_field_would_be_seen():
    double = Telegram()
    double._check("sendMessage", {"chat_id": "@a", "txt": "x", "disable_notification": "yes"}, set())
    double.stop()
    assert double.wrong == [
        "sendMessage knows no txt",
        "sendMessage wants text",
        "sendMessage: disable_notification is 'yes'",
    ]


def test_a_text_goes_out_as_the_account_and_the_post_say(there):
    made = account(there.url, parse_mode="HTML", hide_previews=True, topic_id=5)
    publication = post(
        there,
        "<b>Now</b>",
        account=made,
        link="https://x.test/?a=1&b=2",
        hashtags=("new",),
        options={"silent": True, "protect": True},
    )
    published = ADAPTER.publish(publication, timeout=5)

    assert (published.remote_id, published.url) == ("-1001234567890:1", "https://t.me/newsroom/1")
    assert there.messages[1] == {
        "chat_id": "@newsroom", "message_thread_id": 5, "parse_mode": "HTML", "disable_notification": True, "protect_content": True,
        "link_preview_options": {"is_disabled": True}, "method": "sendMessage",
        "text": "<b>Now</b>\n\nhttps://x.test/?a=1&amp;b=2\n\n#new",
    }  # fmt: skip


def test_what_is_added_is_escaped_for_markdown(there):
    made = account(there.url, parse_mode="MarkdownV2")
    ADAPTER.publish(post(there, "*Now*", account=made, link="https://x.test/a-b", hashtags=("new",)), timeout=5)
    assert there.texts() == ["*Now*\n\nhttps://x\\.test/a\\-b\n\n\\#new"]


@pytest.mark.parametrize(
    ("mime", "method"),
    [
        ("image/png", "sendPhoto"), ("video/mp4", "sendVideo"), ("audio/mp4", "sendAudio"), ("image/gif", "sendAnimation"),
        ("application/pdf", "sendDocument"),
    ],
)  # fmt: skip
def test_each_kind_of_file_has_its_method(there, tmp_path, mime, method):
    item = file_of(tmp_path / "f.bin", mime, width=4, height=3, seconds=2.4)
    ADAPTER.publish(post(there, media=(item,)), timeout=5)
    (message,) = there.messages.values()
    assert (message["method"], message["caption"]) == (method, "Hello")
    assert b"not a real file" in there.requests[-1].body


def test_files_together_are_an_album_that_is_edited_and_deleted_as_one(there, tmp_path):
    media = (file_of(tmp_path / "a.png", "image/png"), file_of(tmp_path / "b.mp4", "video/mp4"))
    publication = post(there, media=media, content_type="carousel")
    published = ADAPTER.publish(publication, timeout=5)

    assert published.remote_id == "-1001234567890:1+2"
    assert [(item["type"], item["media"], item.get("caption")) for item in there.messages.values()] == [
        ("photo", "attach://file0", "Hello"), ("video", "attach://file1", None),
    ]  # fmt: skip
    ADAPTER.edit(replace(publication, text="Better"), published.remote_id, timeout=5)
    ADAPTER.edit(replace(publication, text="Better"), published.remote_id, timeout=5)
    assert there.messages[1]["caption"] == "Better"
    elsewhere = account(there.url, chat_id="@another")
    ADAPTER.delete(elsewhere, published.remote_id, timeout=5)
    assert there.requests[-1].json()["chat_id"] == "-1001234567890"
    ADAPTER.delete(publication.account, published.remote_id, timeout=5)
    assert there.messages == {}


def test_a_file_that_is_gone_sends_nothing(there, tmp_path):
    item = replace(file_of(tmp_path / "a.png", "image/png"), path=str(tmp_path / "gone.png"))
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(post(there, media=(item,)), timeout=5)
    assert (caught.value.error_class, there.requests) == ("unavailable", [])


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(400, "Bad Request: chat not found"), "rejected"),
        (refusal(400, "Bad Request: message is too long"), "rejected"),
        (refusal(400, "Bad Request: not enough rights to send text messages to the chat"), "auth"),
        (refusal(401, "Unauthorized"), "auth"),
        (refusal(403, "Forbidden: bot was kicked from the channel chat"), "auth"),
        (refusal(404, "Not Found"), "auth"),
        (refusal(413, "Request Entity Too Large"), "rejected"),
        (refusal(429, "Too Many Requests", retry_after=3), "rate_limited"),
        (refusal(500, "Internal Server Error"), "unknown"),
        (Answer(502, b"<html>Bad Gateway"), "unknown"),
        (Answer(200, b"<html>"), "unknown"),
        (Answer(200, {"ok": True, "result": {"chat": {}}}), "unknown"),
        (Answer(302, b"", {"Location": "https://elsewhere.test/"}), "rejected"),
    ],
)
def test_each_answer_has_its_class(there, answer, expected):
    there.next.append(answer)
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(post(there), timeout=5)
    assert caught.value.error_class == expected
    assert TOKEN not in f"{caught.value} {vars(caught.value)}"


def test_a_group_that_moved_gets_the_post_once_and_says_its_new_id(there):
    there.next.append(
        refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1009)
    )
    published = ADAPTER.publish(post(there), timeout=5)
    assert [item["chat_id"] for item in there.messages.values()] == ["-1009"]
    assert "-1009" in published.notes[0]


THREAD = "One\n---\nTwo\n---\nThree"


def test_a_thread_is_a_chain_of_replies(there):
    published = ADAPTER.publish(post(there, THREAD, content_type="thread"), timeout=5)
    assert published.remote_id == "-1001234567890:1,2,3"
    assert there.texts() == ["One", "Two", "Three"]
    assert [item.get("reply_parameters", {}).get("message_id") for item in there.messages.values()] == [None, 1, 2]


def test_a_thread_waits_a_short_limit_out(there):
    calls = iter([False, True, False, False])
    there.misbehaves = lambda request: next(calls)
    there.next.append(refusal(429, "Too Many Requests", retry_after=0))
    assert ADAPTER.publish(post(there, THREAD, content_type="thread"), timeout=5).remote_id == "-1001234567890:1,2,3"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (refusal(429, "Too Many Requests", retry_after=600), "part 2 was not sent"),
        (refusal(400, "Bad Request: can't parse entities"), "part 2 was not sent"),
        (refusal(502, "Bad Gateway"), "part 2 may be there or not"),
    ],
)
def test_a_thread_that_stops_is_left_to_a_person_who_is_told_what_is_out(there, trouble, words):
    calls = iter([False, True])
    there.misbehaves = lambda request: next(calls)
    there.next.append(trouble)
    with pytest.raises(UnknownOutcome) as caught:
        ADAPTER.publish(post(there, THREAD, content_type="thread"), timeout=5)
    assert "Part 1 is out (https://t.me/newsroom/1) of 3" in str(caught.value)
    assert words in str(caught.value)
    assert there.texts() == ["One"]


def test_killed_between_request_and_answer_it_is_never_sent_again(there):
    """The engine sends again only what it can look up or what the platform recognises: here neither."""
    there.drop = 1
    with pytest.raises(UnknownOutcome):
        ADAPTER.publish(post(there), timeout=5)
    can = ADAPTER.capabilities(account(there.url))
    assert (can.can_find, can.replays, there.texts()) == (False, False, ["Hello"])


def test_after_two_days_only_a_person_deletes(there):
    there.next.append(refusal(400, "Bad Request: message can't be deleted for everyone"))
    with pytest.raises(Rejected, match="48 hours"):
        ADAPTER.delete(account(there.url), "@newsroom:1", timeout=5)


@pytest.mark.parametrize(
    ("chat", "member", "expected"),
    [
        ({}, {}, True),
        ({}, {"can_post_messages": False}, False),
        ({"type": "supergroup"}, {"status": "member"}, True),
        ({"type": "supergroup"}, {"status": "restricted", "can_send_messages": False}, False),
        ({"type": "supergroup"}, {"status": "left"}, False),
    ],
)
def test_the_connection_test_asks_for_the_right_to_post(there, chat, member, expected):
    there.chat |= chat
    there.member |= member
    health = ADAPTER.verify(account(there.url), timeout=5)
    assert (health.ok, health.identity) == (expected, "@news_bot")
    assert bool(health.missing_scopes) is not expected


def test_a_wrong_token_or_chat_is_told(there):
    wrong = replace(account(there.url), credentials={"bot_token": "1:x"})
    assert "token" in ADAPTER.verify(wrong, timeout=5).message
    assert "chat not found" in ADAPTER.verify(account(there.url, chat_id="@nowhere"), timeout=5).message


@pytest.mark.parametrize(
    ("options", "credentials", "field"),
    [
        ({"chat_id": "newsroom"}, {"bot_token": TOKEN}, "chat_id"),
        ({"chat_id": "@newsroom"}, {"bot_token": "abc"}, "bot_token"),
        ({"chat_id": "-1001", "parse_mode": "Markdown"}, {"bot_token": TOKEN}, "parse_mode"),
        ({"chat_id": "-1001", "topic_id": "x"}, {"bot_token": TOKEN}, "topic_id"),
        ({"chat_id": "-1001", "api_url": "x"}, {"bot_token": TOKEN}, "api_url"),
    ],
)
def test_settings_are_checked_at_their_field(options, credentials, field):
    assert [name for name, _ in TelegramAdapter().check_settings(options, credentials)] == [field]


def test_an_album_of_what_does_not_go_together_and_too_long_a_thread_are_problems(there, tmp_path):
    def codes(publication):
        return [found.code for found in check(publication, ADAPTER, publication.account)]

    media = (file_of(tmp_path / "a.pdf", "application/pdf"), file_of(tmp_path / "b.png", "image/png"))
    assert codes(post(there, media=media)) == ["media_mixed"]
    assert codes(post(there, "\n---\n".join("abcdefghijklm"), content_type="thread")) == ["thread_too_long"]
