"""Bluesky, against its real server: records as they arrive, sessions, and what is out after a call that never came back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alwrity_scheduler.core import clock
from platforms.adapters.bluesky import client as bluesky_client
from platforms.adapters.bluesky import records
from platforms.adapters.bluesky.adapter import ADAPTER
from platforms.contracts import Accepted, MediaRef, Publication, Published
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, UnknownOutcome
from platforms.validation import check
from tests.conftest import NOW
from tests.contract.social import pds
from tests.servers import real
from tests.servers.double import Answer, Double, Request, route

pytestmark = [
    pytest.mark.xdist_group("network-bluesky"),
    pytest.mark.skipif(bool(real.missing("bluesky_pds")), reason=real.missing("bluesky_pds") or "-"),
]
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def server() -> pds.Pds:
    return pds.server()


@pytest.fixture
def relay(server: pds.Pds) -> Iterator[pds.Relay]:
    running = pds.Relay(server.url)
    yield running
    running.stop()


@pytest.fixture
def publication(server: pds.Pds, relay: pds.Relay, request: Any) -> Publication:
    """A post by the second account, with a key of its own."""
    account = server.signed_in(1, relay.url)
    return Publication(key=request.node.nodeid, account=account, text="Grüße 早上好", scheduled_for=NOW)


def value(server: pds.Pds, uri: str) -> dict[str, Any]:
    repo, collection, rkey = uri.removeprefix("at://").split("/")
    found = server.get("com.atproto.repo.getRecord", repo=repo, collection=collection, rkey=rkey)
    return found.get("value", found)


def file(tmp_path: Any, name: str = "a.png", mime: str = "image/png", content: bytes = PNG, **more: Any) -> MediaRef:
    path = tmp_path / name
    path.write_bytes(content)
    made = {"alt": "A dot", "width": 3, "height": 2, **more}
    return MediaRef(url="https://x.test/m", mime=mime, checksum="c", size=len(content), path=str(path), **made)


def thread(publication: Publication) -> Publication:
    return replace(publication, text="one\n---\ntwo\n---\nthree", content_type="thread")


def follow(account: Any, result: Any) -> Published:
    for _ in range(20):
        if isinstance(result, Published):
            return result
        result = ADAPTER.poll(account, result.remote_state, timeout=10)
    raise AssertionError("never finished")


def test_links_tags_and_mentions_are_marked_in_bytes(server, publication):
    post = replace(
        publication,
        text="Grüße @alice.test and @nobody.example.test: see https://example.com/ä",
        hashtags=("news",),
        options={"languages": "de, en", "label": "graphic-media"},
    )
    made = ADAPTER.publish(post, timeout=10)
    found = value(server, made.remote_id)
    text = found["text"].encode()
    marked = {
        text[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(): facet["features"][0]
        for facet in found["facets"]
    }
    assert marked == {
        "@alice.test": {"$type": "app.bsky.richtext.facet#mention", "did": server.people[0]["did"]},
        "https://example.com/ä": {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com/ä"},
        "#news": {"$type": "app.bsky.richtext.facet#tag", "tag": "news"},
    }
    assert (found["langs"], found["createdAt"]) == (["de", "en"], "2026-11-23T08:00:00.000Z")
    assert found["labels"]["values"] == [{"val": "graphic-media"}]
    assert made.url == f"https://bsky.app/profile/{server.people[1]['did']}/post/{records.record_key(post.key, 0)}"
    # the server's own headers: calls of our address, or points of the account
    assert made.rate.limit in (3000, 5000, 35000)
    assert 0 < made.rate.remaining < made.rate.limit


def test_pictures_have_alternative_texts_and_their_ratio(server, publication, tmp_path):
    made = ADAPTER.publish(replace(publication, media=(file(tmp_path), file(tmp_path, "b.png"))), timeout=10)
    embed = value(server, made.remote_id)["embed"]
    assert embed["$type"] == "app.bsky.embed.images"
    assert [(image["alt"], image["aspectRatio"]) for image in embed["images"]] == [
        ("A dot", {"width": 3, "height": 2})
    ] * 2
    assert embed["images"][0]["image"]["mimeType"] == "image/png"


def test_more_than_four_pictures_are_a_gallery(server, publication, tmp_path):
    made = ADAPTER.publish(replace(publication, media=tuple(file(tmp_path, f"{n}.png") for n in range(5))), timeout=10)
    embed = value(server, made.remote_id)["embed"]
    assert (embed["$type"], len(embed["items"])) == ("app.bsky.embed.gallery", 5)


def test_a_video_and_a_link_card(server, publication, tmp_path):
    video = file(tmp_path, "v.mp4", "video/mp4", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom")
    made = ADAPTER.publish(replace(publication, media=(video,)), timeout=10)
    assert value(server, made.remote_id)["embed"] | {"video": 0} == {
        "$type": "app.bsky.embed.video", "video": 0, "alt": "A dot", "aspectRatio": {"width": 3, "height": 2},
    }  # fmt: skip
    card = replace(
        publication, key=f"{publication.key}-card", link="https://www.example.com/a", options={"card_title": "Read"}
    )
    made = ADAPTER.publish(card, timeout=10)
    assert value(server, made.remote_id)["embed"]["external"] == {
        "uri": "https://www.example.com/a", "title": "Read", "description": "",
    }  # fmt: skip


def test_twice_is_one_post_with_one_cid_also_when_it_was_moved_in_time(server, publication):
    once = ADAPTER.publish(publication, timeout=10)
    first = server.get("com.atproto.repo.listRecords", repo=server.people[1]["did"], collection=records.COLLECTION)
    ADAPTER.publish(publication, timeout=10)
    again = server.get("com.atproto.repo.listRecords", repo=server.people[1]["did"], collection=records.COLLECTION)
    assert again["records"] == first["records"]
    moved = ADAPTER.publish(replace(publication, scheduled_for=NOW + timedelta(hours=3)), timeout=10)
    assert moved.remote_id == once.remote_id


def test_a_thread_answers_its_root_and_the_part_before(server, publication):
    made = ADAPTER.publish(thread(publication), timeout=10)
    uris = made.response["ids"]
    two, three = value(server, uris[1])["reply"], value(server, uris[2])["reply"]
    assert [two["root"]["uri"], two["parent"]["uri"]] == [uris[0], uris[0]]
    assert [three["root"]["uri"], three["parent"]["uri"]] == [uris[0], uris[1]]
    assert ADAPTER.publish(thread(publication), timeout=10).response["ids"] == uris


@pytest.mark.parametrize(("part", "trouble"), [(1, "drop"), (2, "drop"), (1, "limit"), (2, "down")])
def test_an_interrupted_thread_goes_on(server, relay, publication, part, trouble):
    seen: list[int] = []

    def at_part(request: Request) -> bool:
        if not request.path.endswith("putRecord") or len(seen) > part:
            return False
        seen.append(1)
        return len(seen) == part + 1

    if trouble == "drop":
        relay.drop, relay.drops = 1, at_part
    else:
        relay.misbehaves = at_part
        answer = (
            Answer(429, {"error": "RateLimitExceeded"})
            if trouble == "limit"
            else Answer(502, {"error": "UpstreamFailure"})
        )
        relay.next.append(answer)
    result = ADAPTER.publish(thread(publication), timeout=10)
    assert isinstance(result, Accepted)
    made = follow(publication.account, result)
    assert [value(server, uri)["text"] for uri in made.response["ids"]] == ["one", "two", "three"]
    assert [request.path.endswith("putRecord") for request in relay.requests].count(True) == 3 + (trouble != "drop")


def test_a_thread_of_which_a_part_is_out_is_found_as_such(server, publication):
    whole = ADAPTER.publish(thread(publication), timeout=10)
    ADAPTER.delete(publication.account, whole.response["ids"][2], timeout=10)
    found = ADAPTER.find(thread(publication), timeout=10)
    assert isinstance(found, Accepted)
    assert follow(publication.account, found).response["ids"] == whole.response["ids"]


def test_the_server_itself_refuses_what_is_too_long_in_words_of_its_own(publication):
    with pytest.raises(Rejected) as caught:
        ADAPTER.publish(replace(publication, text="😀" * 301), timeout=10)
    assert "grapheme" in caught.value.platform_message


def test_a_post_is_taken_down_and_one_that_is_gone_is_no_error(server, publication):
    made = ADAPTER.publish(publication, timeout=10)
    ADAPTER.delete(publication.account, made.remote_id, timeout=10)
    ADAPTER.delete(publication.account, made.remote_id, timeout=10)
    assert ADAPTER.find(publication, timeout=10) is None
    with pytest.raises(Rejected):
        ADAPTER.delete(publication.account, "https://bsky.app/x", timeout=10)


# sessions


def test_a_renewal_brings_a_session_and_the_next_one_follows_from_it(server):
    account = server.account(1)
    first = ADAPTER.refresh(account, timeout=10)
    assert timedelta(minutes=110) < first.expires_at - clock.now() <= timedelta(minutes=125)
    renewed = replace(account, credentials={**first.credentials})  # without the app password
    second = ADAPTER.refresh(renewed, timeout=10)
    assert second.credentials["refresh_jwt"] != first.credentials["refresh_jwt"]
    assert ADAPTER.verify(replace(renewed, credentials=second.credentials), timeout=10).identity == "bob.test"


def test_a_used_up_renewal_falls_back_to_the_app_password_and_a_wrong_one_needs_a_person(server):
    account = server.account(1)
    worn = replace(account, credentials={**account.credentials, "refresh_jwt": "worn.out.token"})
    assert ADAPTER.refresh(worn, timeout=10).credentials["did"] == server.people[1]["did"]
    wrong = replace(account, credentials={"identifier": "bob.test", "app_password": "wrong-wrong"})
    with pytest.raises(AuthFailed):
        ADAPTER.refresh(wrong, timeout=10)
    assert not ADAPTER.verify(wrong, timeout=10).ok


def test_an_account_without_a_session_makes_one_for_all_its_posts(relay, publication, monkeypatch):
    monkeypatch.setattr(bluesky_client, "_sessions", {})
    given = {name: publication.account.credentials[name] for name in ("identifier", "app_password")}
    post = replace(publication, account=replace(publication.account, credentials=given))
    for number in range(3):
        ADAPTER.publish(replace(post, key=f"{post.key}-{number}"), timeout=10)
    assert [request.path.endswith("createSession") for request in relay.requests].count(True) == 1


def test_a_token_that_is_refused_as_old_is_replaced_and_the_post_goes_out(relay, publication, monkeypatch):
    monkeypatch.setattr(bluesky_client, "_sessions", {})
    relay.misbehave("auth")
    relay.next[0] = Answer(400, {"error": "ExpiredToken", "message": "Token has expired"})
    made = ADAPTER.publish(publication, timeout=10)
    assert not made.already
    assert [request.path.rpartition(".")[2] for request in relay.requests] == [
        "putRecord",
        "createSession",
        "putRecord",
    ]


def test_a_sign_in_that_is_limited_waits_and_posts_nothing(relay, publication, monkeypatch):
    monkeypatch.setattr(bluesky_client, "_sessions", {})
    given = {name: publication.account.credentials[name] for name in ("identifier", "app_password")}
    relay.misbehaves = lambda request: request.path.endswith("createSession")
    headers = {
        "RateLimit-Limit": "30",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(int(clock.now().timestamp()) + 120),
    }
    relay.next.append(Answer(429, {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, headers))
    with pytest.raises(RateLimited) as caught:
        ADAPTER.publish(replace(publication, account=replace(publication.account, credentials=given)), timeout=10)
    assert caught.value.retry_after_seconds == pytest.approx(120, abs=5)


@pytest.mark.parametrize(
    ("path", "answer", "expected"),
    [
        ("putRecord", Answer(400, {"error": "InvalidRequest", "message": "m"}), "rejected"),
        ("putRecord", Answer(401, {"error": "AuthMissing"}), "auth"),
        ("putRecord", Answer(400, {"error": "AccountTakedown"}), "auth"),
        ("putRecord", Answer(403, {"error": "Forbidden"}), "auth"),
        ("putRecord", Answer(413, {"error": "PayloadTooLarge"}), "rejected"),
        ("putRecord", Answer(429, {"error": "RateLimitExceeded"}), "rate_limited"),
        ("putRecord", Answer(500, {"error": "InternalServerError"}), "unknown"),
        ("putRecord", Answer(502, b"<html>"), "unknown"),
        ("putRecord", Answer(200, {}), "unknown"),
        ("uploadBlob", Answer(500, {"error": "InternalServerError"}), "unavailable"),
        ("resolveHandle", Answer(502, {"error": "UpstreamFailure"}), "unavailable"),
    ],
)
def test_each_answer_has_its_class(relay, publication, tmp_path, path, answer, expected):
    relay.misbehaves = lambda request: request.path.endswith(path)
    relay.next.append(answer)
    post = replace(publication, text="for @alice.test", media=(file(tmp_path),) if path == "uploadBlob" else ())
    with pytest.raises(PlatformError) as caught:
        ADAPTER.publish(post, timeout=10)
    assert caught.value.error_class == expected


@pytest.mark.parametrize(
    "answer", [Answer(500, {}), Answer(401, {"error": "AuthMissing"}), Answer(400, {"error": "InvalidRequest"})]
)
def test_a_look_up_that_tells_nothing_is_unknown(relay, publication, answer):
    relay.misbehaves = lambda request: request.path.endswith("getRecord")
    relay.next += [answer] * 2
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(publication, timeout=10)


# without the server


class Network(Double):
    """The public parts of the network: handle, DID document, figures (docs.bsky.app; atproto.com/specs/did)."""

    @route("GET", "/xrpc/com.atproto.identity.resolveHandle")
    def handle(self, request: Request) -> Answer:
        return Answer(200, {"did": "did:plc:abc"})

    @route("GET", "/did:plc:abc")
    def document(self, request: Request) -> Answer:
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": f"{self.url}/own"}
        return Answer(200, {"id": "did:plc:abc", "service": [service]})

    @route("POST", "/own/xrpc/com.atproto.server.createSession")
    def session(self, request: Request) -> Answer:
        body = (
            base64.urlsafe_b64encode(json.dumps({"exp": clock.now().timestamp() + 7200}).encode()).decode().rstrip("=")
        )
        return Answer(
            200, {"did": "did:plc:abc", "handle": "own.example", "accessJwt": f"a.{body}.c", "refreshJwt": "r"}
        )

    @route("GET", "/xrpc/app.bsky.feed.getPosts")
    def posts(self, request: Request) -> Answer:
        return Answer(
            200, {"posts": [{"uri": request.query["uris"], "likeCount": 4, "repostCount": 0, "bookmarkCount": 1}]}
        )


def test_a_handle_of_an_own_domain_leads_to_its_home(server, monkeypatch):
    network = Network()
    monkeypatch.setattr(bluesky_client, "SERVICE_URL", network.url)
    monkeypatch.setattr(bluesky_client, "DIRECTORY_URL", network.url)
    account = replace(
        server.account(1), credentials={"identifier": "own.example", "app_password": "p" * 10}, options={}
    )
    made = ADAPTER.refresh(account, timeout=10)
    assert (made.credentials["pds"], made.credentials["did"]) == (f"{network.url}/own", "did:plc:abc")
    network.stop()


def test_figures_come_from_the_public_view(server):
    network = Network()
    account = replace(server.account(1), options={"appview_url": network.url})
    (found,) = ADAPTER.metrics(account, ["at://did:plc:abc/app.bsky.feed.post/3k"], timeout=10)
    assert found.values == {"likes": 4, "reposts": 0, "bookmarks": 1}
    network.stop()


def test_keys_of_records_follow_from_the_post_alone_and_are_in_order():
    keys = [records.record_key("k", number) for number in range(3)]
    assert keys == sorted(set(keys))
    assert keys[0] == records.record_key("k", 0) != records.record_key("l", 0)
    assert all(
        len(key) == 13 and set(key) <= set("234567abcdefghijklmnopqrstuvwxyz") and key[0] in "234567abcdefghij"
        for key in keys
    )
    assert records.tid(0, 0) == "2" * 13


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"options": {"languages": "en de fr it"}}, "languages"),
        ({"options": {"languages": "english!"}}, "languages"),
        (
            {
                "link": "https://example.com/",
                "media": (MediaRef(url="", mime="image/png", alt="a", size=1, checksum="c"),),
            },
            "card_and_media",
        ),
        (
            {"media": (MediaRef(url="", mime="image/gif", alt="a", size=1, checksum="c", animated=True),)},
            "gif_stands_still",
        ),
        ({"media": (MediaRef(url="", mime="image/png", alt="a", size=1, checksum="c"),) * 5}, "gallery_size"),
    ],
)
def test_what_bluesky_would_not_do_is_told_before(publication, words, code):
    assert code in [item.code for item in check(replace(publication, **words), ADAPTER, publication.account)]


def test_settings_that_make_no_sense_are_told_at_their_field():
    problems = ADAPTER.check_settings(
        {"service_url": "bsky", "languages": "?"}, {"identifier": "name", "app_password": "x"}
    )
    assert [name for name, _ in problems] == ["service_url", "languages", "identifier"]
