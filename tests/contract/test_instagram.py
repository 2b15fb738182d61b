"""Instagram: containers are asked before anything is published, and no post appears twice wherever a call breaks off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from platforms.adapters.instagram.adapter import ADAPTER, is_private
from platforms.adapters.instagram.captions import hashtags, mentions
from platforms.base import Checks, Deletes, HasApps, HasPostOptions, HasServices, Measures, Refreshes, SignsIn
from platforms.contracts import Accepted, AccountRef, ClientApp, MediaRef, Publication, Published
from platforms.errors import PlatformError, RateLimited, Rejected, UnknownOutcome
from tests.conftest import NOW
from tests.contract.killing import WAYS, Break, settled
from tests.servers.double import Answer
from tests.servers.facebook import graph_error
from tests.servers.instagram import InstagramDouble

COMMENT = "Link in the profile"


def image(name: str = "a", **values: Any) -> MediaRef:
    made: dict[str, Any] = {"alt": f"Alt of {name}", "width": 1080, "height": 1080}
    return MediaRef(
        url=f"https://media.example.org/{name}.jpg", mime="image/jpeg", size=9, checksum=name, **{**made, **values}
    )


def video(name: str = "v") -> MediaRef:
    return MediaRef(
        url=f"https://media.example.org/{name}.mp4", mime="video/mp4", alt="", size=9, checksum=name, seconds=9.0
    )


@pytest.fixture
def gram() -> Iterator[InstagramDouble]:
    double = InstagramDouble()
    yield double
    double.stop()


def account(double: InstagramDouble, **options: Any) -> AccountRef:
    return AccountRef(
        id=1,
        public_id="a",
        platform="instagram",
        name="Our Brand",
        handle="our.brand",
        timezone="UTC",
        credentials={"access_token": double.TOKEN},
        options={"user_id": double.USER, "login": "instagram", "app_id": "4242", "api_url": double.url, **options},
    )


def post(double: InstagramDouble, *media: MediaRef, **values: Any) -> Publication:
    made: dict[str, Any] = {"text": "Guten Morgen", "scheduled_for": NOW, "content_type": "post"}
    return Publication(key="k", account=account(double), media=media or (image(),), **{**made, **values})


def prepared(publication: Publication) -> Accepted:
    result = ADAPTER.publish(publication, timeout=20)
    assert isinstance(result, Accepted)
    return result


def followed(publication: Publication) -> Published:
    result: Published | Accepted = prepared(publication)
    for _ in range(30):
        if isinstance(result, Published):
            return result
        result = ADAPTER.poll(publication.account, result.remote_state, timeout=20)
    raise AssertionError("never finished")


def sent(double: InstagramDouble, ending: str) -> list[dict[str, str]]:
    asked = [item.form() for item in double.requests if item.method == "POST" and item.path.endswith(ending)]
    return [{name: value for name, value in form.items() if name != "access_token"} for form in asked]


def test_it_offers_what_the_platform_has():
    for part in (HasServices, HasApps, HasPostOptions, Checks, Deletes, Measures, Refreshes, SignsIn):
        assert isinstance(ADAPTER, part)


def test_publishing_makes_a_container_that_nobody_sees(gram):
    result = prepared(post(gram, hashtags=("news",), options={"collaborators": "@ana, ben", "location_id": "77"}))

    assert sent(gram, "/media") == [
        {
            "image_url": "https://media.example.org/a.jpg", "caption": "Guten Morgen\n\n#news", "alt_text": "Alt of a",
            "collaborators": '["ana", "ben"]', "location_id": "77",
        }
    ]  # fmt: skip
    assert gram.media == {}
    done = ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    (made,) = gram.media.values()
    assert (done.remote_id, done.url) == (made["id"], made["permalink"])


def test_a_reel(gram):
    gram.slow = 2
    followed(post(gram, video(), content_type="reel", options={"share_to_feed": False, "thumb_offset": 1500}))
    assert sent(gram, "/media") == [
        {
            "video_url": "https://media.example.org/v.mp4", "media_type": "REELS", "caption": "Guten Morgen",
            "share_to_feed": "false", "thumb_offset": "1500",
        }
    ]  # fmt: skip


def test_a_story_has_no_words(gram):
    done = followed(post(gram, content_type="story", options={"first_comment": COMMENT}))
    assert sent(gram, "/media") == [{"image_url": "https://media.example.org/a.jpg", "media_type": "STORIES"}]
    assert gram.media[done.remote_id]["edge"] == "stories"
    assert gram.comments == {}


def test_a_carousel_waits_for_its_videos_and_keeps_its_order(gram):
    gram.slow = 2
    followed(post(gram, image("a"), video("v"), image("b"), content_type="carousel"))

    first, second, third, parent = sent(gram, "/media")
    assert first == {
        "image_url": "https://media.example.org/a.jpg",
        "is_carousel_item": "true",
        "alt_text": "Alt of a",
    }
    assert second == {
        "video_url": "https://media.example.org/v.mp4", "is_carousel_item": "true", "media_type": "VIDEO"
    }  # fmt: skip
    assert third["image_url"].endswith("/b.jpg")
    children = [name for name, made in gram.containers.items() if made["fields"].get("is_carousel_item")]
    assert parent == {"media_type": "CAROUSEL", "children": ",".join(children), "caption": "Guten Morgen"}
    assert len(gram.media) == 1


def test_a_carousel_goes_on_in_the_next_call_when_the_time_is_over(gram):
    result: Any = ADAPTER.publish(post(gram, image("a"), image("b")), timeout=0)
    assert isinstance(result, Accepted)
    assert gram.containers == {}
    while isinstance(result, Accepted):
        result = ADAPTER.poll(account(gram), result.remote_state, timeout=20)
    assert len(gram.media) == 1
    assert len(gram.containers) == 3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "first"), [("image", 20), ("reel", 20), ("carousel", 20), ("story", 20), ("carousel", 0)]
)
def test_a_break_after_any_request_makes_no_second_post_and_loses_none(gram, monkeypatch, kind, first, way):
    media = {"reel": (video(),), "carousel": (image("a"), video(), image("b"))}.get(kind, (image(),))
    comment = "" if kind == "story" else COMMENT

    def run(at: int) -> int:
        gram.fresh()
        gram.slow, gram.hidden = 1, 1
        with monkeypatch.context() as patch:
            broken = Break(patch, at, way)
            publication = post(gram, *media, content_type=kind, options={"first_comment": comment})
            done = settled(ADAPTER, publication, secrets=(gram.TOKEN,), first=first)
        assert list(gram.media) == [done.remote_id], at
        assert [text for texts in gram.comments.values() for text in texts] == ([comment] if comment else []), at
        assert done.notes == ()
        return broken.count

    for at in range(run(-1)):
        run(at)


def test_a_lost_publishing_is_seen_by_the_container_and_not_published_again(gram):
    result = prepared(post(gram))
    gram.drops, gram.drop = lambda asked: asked.path.endswith("/media_publish"), 1
    again = ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    assert isinstance(again, Accepted)
    done = ADAPTER.poll(account(gram), again.remote_state, timeout=5)
    assert done.already
    assert len(sent(gram, "/media_publish")) == 1
    assert done.remote_id in gram.media


def test_a_container_that_looks_unpublished_for_a_while_is_not_published_twice(gram):
    result = prepared(post(gram))
    gram.drops, gram.drop = lambda asked: asked.path.endswith("/media_publish"), 1
    again = ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    stale = {"id": result.remote_state["container"], "status_code": "FINISHED", "status": "Finished"}
    gram.next = [Answer(body=stale)]
    done = ADAPTER.poll(account(gram), again.remote_state, timeout=5)
    assert isinstance(done, Published)
    assert list(gram.media) == [done.remote_id]


def test_a_published_post_that_is_never_listed_is_out_all_the_same(gram):
    result: Any = prepared(post(gram))
    gram.hidden, gram.drops, gram.drop = 99, lambda asked: asked.path.endswith("/media_publish"), 1
    for _ in range(9):
        if isinstance(result, Accepted):
            result = ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    assert result.remote_id.startswith("container:")
    assert "out" in result.notes[0]
    assert len(gram.media) == 1


@pytest.mark.parametrize(
    ("status", "number", "words"),
    [
        ("EXPIRED", "", "24 hours"),
        ("ERROR", "2207026", "video's format"),
        ("ERROR", "2207009", "ratio"),
        ("ERROR", "2207051", "breach"),
        ("ERROR", "unheard-of", "could not process"),
    ],
)
def test_a_container_that_failed_is_refused_with_words(gram, status, number, words):
    gram.status, gram.words = status, number
    result = prepared(post(gram))
    with pytest.raises(Rejected) as caught:
        ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    assert words in str(caught.value)
    assert gram.media == {}


def test_a_file_that_could_not_be_fetched_is_tried_in_a_new_container_at_most_twice(gram):
    gram.status, gram.words = "ERROR", "2207052"
    done = followed(post(gram))
    assert len(gram.containers) == 2
    assert list(gram.media) == [done.remote_id]

    gram.fresh()
    result: Any = prepared(post(gram))
    gram.words = "2207052"
    for _ in range(4):  # refused, made anew, refused, made anew
        for made in gram.containers.values():
            made["status"] = "ERROR"
        result = ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    for made in gram.containers.values():
        made["status"] = "ERROR"
    with pytest.raises(Rejected):
        ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    assert len(gram.containers) == 3


def test_a_used_up_day_is_told_before_anything_is_made(gram):
    gram.used = 50
    with pytest.raises(RateLimited) as caught:
        ADAPTER.publish(post(gram), timeout=5)
    assert caught.value.retry_after_seconds == 3600
    assert gram.containers == {}


def test_a_poll_that_is_refused_the_sign_in_says_in_the_end_that_nothing_is_out(gram):
    result: Any = prepared(post(gram))
    gram.next = [graph_error(190, error_subcode=463) for _ in range(20)]
    for _ in range(11):
        result = ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    with pytest.raises(Rejected) as caught:
        ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    assert "nothing was published" in str(caught.value)


def test_a_refused_comment_leaves_the_post_out(gram):
    result = prepared(post(gram, options={"first_comment": COMMENT}))
    gram.misbehaves = lambda asked: asked.path.endswith("/comments")
    gram.next = [graph_error(10, "Not allowed")]
    done = ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    assert "refused its first comment" in done.notes[0]
    assert len(gram.media) == 1


def test_a_look_up_goes_by_caption_and_time(gram):
    assert ADAPTER.find(post(gram), timeout=5) is None
    done = followed(post(gram))
    assert ADAPTER.find(post(gram), timeout=5).remote_id == done.remote_id
    assert ADAPTER.find(post(gram, text="Another"), timeout=5) is None
    gram.media[done.remote_id]["timestamp"] = "2026-11-22T08:00:00+0000"
    assert ADAPTER.find(post(gram), timeout=5) is None


@pytest.mark.parametrize("kind", ["image", "story"])
def test_posts_without_a_caption_cannot_be_told_apart(gram, kind):
    wordless = post(gram, text="", content_type=kind)
    assert ADAPTER.find(wordless, timeout=5) is None  # none at all: certainly not this one
    followed(wordless)
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(wordless, timeout=5)


def test_one_of_several_without_a_caption_is_out_though_nobody_knows_which(gram):
    followed(post(gram, text=""))
    result = prepared(post(gram, text=""))
    gram.drops, gram.drop = lambda asked: asked.path.endswith("/media_publish"), 1
    again = ADAPTER.poll(account(gram), result.remote_state, timeout=5)
    done = ADAPTER.poll(account(gram), again.remote_state, timeout=5)
    assert done.remote_id.startswith("container:")
    assert len(gram.media) == 2


def test_delete_twice_and_figures(gram):
    done = followed(post(gram))
    (told,) = ADAPTER.metrics(account(gram), [done.remote_id, "0"], timeout=5)
    assert dict(told.values) == {
        "views": 7, "reach": 7, "bookmarks": 7, "likes": 7, "replies": 7, "reposts": 7
    }  # fmt: skip
    ADAPTER.delete(account(gram), done.remote_id, timeout=5)
    ADAPTER.delete(account(gram), done.remote_id, timeout=5)
    assert gram.media == {}


def test_verify_says_who_it_is_and_how_much_of_the_day_is_used(gram):
    health = ADAPTER.verify(account(gram), timeout=5)
    assert (health.ok, health.identity) == (True, "our.brand")
    assert "3 of 50" in health.message
    other = ADAPTER.verify(account(gram, user_id="5"), timeout=5)
    assert not other.ok
    assert gram.USER in other.message


def test_signing_in_and_renewing(gram):
    app = ClientApp(
        client_id="9", client_secret=gram.SECRET, redirect_uri="https://us.example/back", options={"api_url": gram.url}
    )
    assert ADAPTER.authorize_url(app, state="s", challenge="").startswith("https://www.instagram.com/oauth/authorize?")
    grant = ADAPTER.exchange(app, code="good-code#_", verifier="", timeout=5)
    (place,) = ADAPTER.places(app, grant, timeout=5)
    assert (place.handle, place.options["user_id"]) == ("our.brand", gram.USER)
    assert gram.TOKEN not in repr(place) + repr(grant)
    assert ADAPTER.check_settings(place.options, place.credentials) == []

    assert ADAPTER.can_refresh(account(gram))
    assert ADAPTER.refresh(account(gram), timeout=5).credentials == {"access_token": gram.TOKEN}
    assert not ADAPTER.can_refresh(account(gram, login="facebook"))
    with pytest.raises(PlatformError) as caught:
        ADAPTER.refresh(replace(account(gram), credentials={"access_token": "revoked"}), timeout=5)
    assert caught.value.error_class == "auth"


@pytest.mark.parametrize(
    ("values", "code", "severity"),
    [
        ({"text": " ".join(f"#t{n}" for n in range(31))}, "too_many_hashtags", "error"),
        ({"text": " ".join(f"@t{n}" for n in range(21))}, "too_many_mentions", "error"),
        ({"link": "https://example.org/"}, "link_not_clickable", "warning"),
        ({"content_type": "story"}, "story_text", "warning"),
        ({"media": (image(width=1080, height=1920),)}, "image_ratio", "error"),
        ({"media": (replace(image(), url="http://127.0.0.1:8000/media/a.jpg"),)}, "media_not_public", "error"),
        ({"media": (replace(image(), url="http://scheduler.local/a.jpg"),)}, "media_not_public", "error"),
        ({"options": {"collaborators": "a,b,c,d"}}, "too_many_collaborators", "error"),
    ],
)
def test_what_instagram_would_refuse_is_told_before(gram, values, code, severity):
    live = replace(account(gram), options={"user_id": "1"})
    found = {item.code: item.severity for item in ADAPTER.check(replace(post(gram), **values), live)}
    assert found == {code: severity}
    assert list(ADAPTER.check(post(gram), live)) == []
    if code == "media_not_public":  # a gateway of one's own may well reach it
        assert [item.severity for item in ADAPTER.check(replace(post(gram), **values), account(gram))] == ["warning"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://media.example.org/a.jpg", False), ("https://8.8.8.8/a", False), ("http://10.1.2.3/a", True),
        ("http://[::1]/a", True),
        ("http://localhost:8000/a", True), ("http://web/a", True), ("http://x.internal/a", True), ("http://192.168.1.4/a", True),
        ("https://[2606:4700::1]/a", False), ("http://[bad", True),
    ],
)  # fmt: skip
def test_addresses_that_instagram_cannot_reach(url, expected):
    assert is_private(url) is expected


def test_hashtags_and_mentions_are_counted_as_instagram_does():
    assert hashtags("#a #b,#c a#d #ü ##e") == 4
    assert mentions("@ana @ben.b me@example.org @@c") == 2
