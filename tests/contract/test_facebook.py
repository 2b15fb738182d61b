"""Facebook pages: what is sent, what each error means, and no post twice wherever a call breaks off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from platforms.adapters.facebook.adapter import ADAPTER
from platforms.base import (
    Checks,
    Deletes,
    Edits,
    HasApps,
    HasPostOptions,
    HasServices,
    Measures,
    SignsIn,
)
from platforms.contracts import Accepted, AccountRef, ClientApp, MediaRef, Publication, Published
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from tests.conftest import NOW
from tests.contract.killing import WAYS, Break, NeedsAPerson, settled
from tests.servers.double import Answer
from tests.servers.facebook import VERSION, FacebookDouble, fields_of, graph_error

COMMENT = "More of it: https://example.org/more"


@pytest.fixture
def page() -> Iterator[FacebookDouble]:
    double = FacebookDouble()
    yield double
    double.stop()


def account(double: FacebookDouble, **options: Any) -> AccountRef:
    return AccountRef(
        id=1,
        public_id="a",
        platform="facebook",
        name="Our Page",
        handle="ourpage",
        timezone="UTC",
        credentials={"access_token": double.TOKEN, "app_secret": double.SECRET},
        options={"page_id": double.PAGE, "app_id": double.APP, "api_url": double.url, **options},
    )


def post(double: FacebookDouble, **values: Any) -> Publication:
    made: dict[str, Any] = {"text": "Guten Morgen", "scheduled_for": NOW}
    return Publication(key="k", account=account(double), **{**made, **values})


def file(tmp_path: Any, name: str, mime: str, content: bytes = b"0123456789abcdef", alt: str = "") -> MediaRef:
    path = tmp_path / name
    path.write_bytes(content)
    return MediaRef(
        url=f"https://media.example.org/{name}",
        mime=mime,
        alt=alt,
        size=len(content),
        checksum=name,
        path=str(path),
        name=name,
    )


def sent(double: FacebookDouble, ending: str) -> dict[str, str]:
    asked = next(item for item in double.requests if item.method == "POST" and item.path.endswith(ending))
    return {name: value for name, value in fields_of(asked).items() if name not in ("access_token", "appsecret_proof")}


def followed(publication: Publication) -> Published:
    result: Published | Accepted = ADAPTER.publish(publication, timeout=20)
    for _ in range(30):
        if isinstance(result, Published):
            return result
        result = ADAPTER.poll(publication.account, result.remote_state, timeout=20)
    raise AssertionError("never finished")


def test_it_offers_what_the_platform_has():
    for part in (HasServices, HasApps, HasPostOptions, Checks, Deletes, Edits, Measures, SignsIn):
        assert isinstance(ADAPTER, part)


def test_words_and_link_go_to_the_feed(page):
    done = ADAPTER.publish(post(page, link="https://example.org/", hashtags=("news",)), timeout=5)

    assert sent(page, "/feed") == {"message": "Guten Morgen\n\n#news", "link": "https://example.org/"}
    assert done.url == f"https://www.facebook.com/{done.remote_id}"


def test_the_proof_goes_with_the_token_and_a_wrong_secret_is_refused(page):
    ADAPTER.publish(post(page), timeout=5)
    assert len(fields_of(page.requests[0])["appsecret_proof"]) == 64

    wrong = replace(account(page), credentials={"access_token": page.TOKEN, "app_secret": "another"})
    with pytest.raises(Rejected):
        ADAPTER.publish(replace(post(page), account=wrong), timeout=5)


def test_one_photo_goes_with_its_words_and_its_description(page, tmp_path):
    image = file(tmp_path, "a.jpg", "image/jpeg", alt="A cat on a mat")
    followed(post(page, media=(image,), link="https://example.org/", content_type="image"))

    assert sent(page, "/photos") == {
        "message": "Guten Morgen\n\nhttps://example.org/", "alt_text_custom": "A cat on a mat", "published": "true",
    }  # fmt: skip
    (photo,) = page.photos.values()
    assert photo["bytes"] == b"0123456789abcdef"


def test_several_photos_are_uploaded_unseen_and_published_together_in_order(page, tmp_path):
    images = tuple(file(tmp_path, f"{n}.png", "image/png", content=b"x" * (n + 1), alt=f"No. {n}") for n in range(3))
    done = followed(post(page, media=images, content_type="carousel"))

    made = page.posts[done.remote_id]
    assert [page.photos[photo]["bytes"] for photo in made["photos"]] == [b"x", b"xx", b"xxx"]
    assert [page.photos[photo]["alt"] for photo in made["photos"]] == ["No. 0", "No. 1", "No. 2"]
    assert len(page.posts) == 1


def test_a_video_goes_piece_by_piece_and_is_out_when_facebook_has_processed_it(page, tmp_path):
    video = file(tmp_path, "v.mp4", "video/mp4")
    done = followed(post(page, media=(video,), content_type="video", title="A title"))

    (made,) = page.videos.values()
    assert made["bytes"] == b"0123456789abcdef"
    assert (made["title"], made["description"]) == ("A title", "Guten Morgen")
    assert done.remote_id == made["post_id"]
    assert done.url.startswith("https://www.facebook.com/reel/")


@pytest.mark.parametrize("kind", ["reel", "story"])
def test_reels_and_video_stories_go_through_the_upload_address(page, tmp_path, kind):
    done = followed(post(page, media=(file(tmp_path, "v.mp4", "video/mp4"),), content_type=kind))

    (made,) = page.videos.values()
    assert made["bytes"] == b"0123456789abcdef"
    assert made["edge"] == ("video_reels" if kind == "reel" else "video_stories")
    assert done.remote_id in page.posts


def test_an_upload_address_of_a_stranger_gets_neither_token_nor_file(page, tmp_path):
    page.next = [Answer(body={"video_id": "1", "upload_url": "https://evil.example/rupload"})]
    with pytest.raises(Rejected):
        ADAPTER.publish(post(page, media=(file(tmp_path, "v.mp4", "video/mp4"),), content_type="reel"), timeout=20)
    assert len(page.requests) == 1


def test_a_large_file_whose_upload_breaks_off_is_gone_on_with_and_not_begun_again(page, tmp_path):
    page.drops, page.drop = lambda asked: asked.path.startswith("/rupload"), 1
    reel = post(page, media=(file(tmp_path, "v.mp4", "video/mp4"),), content_type="reel")
    result: Any = ADAPTER.publish(reel, timeout=20)
    assert isinstance(result, Accepted)
    while isinstance(result, Accepted):
        result = ADAPTER.poll(account(page), result.remote_state, timeout=20)
    assert len(page.videos) == len(page.posts) == 1


def test_a_photo_story(page, tmp_path):
    done = followed(post(page, media=(file(tmp_path, "a.jpg", "image/jpeg"),), content_type="story"))
    assert "story" in page.posts[done.remote_id]


def test_when_the_time_runs_out_the_rest_is_for_the_next_call(page, tmp_path):
    images = tuple(file(tmp_path, f"{n}.png", "image/png") for n in range(3))
    result = ADAPTER.publish(post(page, media=images), timeout=0)  # no time for a step
    assert isinstance(result, Accepted)
    assert page.posts == {}

    polls = [result]
    while isinstance(polls[-1], Accepted):
        polls.append(ADAPTER.poll(account(page), polls[-1].remote_state, timeout=20))
    assert len(page.posts) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "first"),
    [
        *((kind, 20) for kind in ("post", "image", "carousel", "video", "reel", "story", "video_story")),
        *((kind, 0) for kind in ("carousel", "video", "reel", "story", "video_story")),  # all of it by polls
    ],
)
def test_a_break_after_any_request_makes_no_second_post_and_loses_none(page, tmp_path, monkeypatch, kind, first, way):
    files = {
        "post": (),
        "image": (file(tmp_path, "a.jpg", "image/jpeg"),),
        "carousel": tuple(file(tmp_path, f"{n}.png", "image/png") for n in range(2)),
        "story": (file(tmp_path, "a.jpg", "image/jpeg"),),
    }.get(kind, (file(tmp_path, "v.mp4", "video/mp4"),))
    content_type = "story" if kind == "video_story" else kind
    options = {} if "story" in kind else {"first_comment": COMMENT}
    secrets = (page.TOKEN, page.SECRET)

    def run(at: int) -> int:
        page.fresh()
        with monkeypatch.context() as patch:
            broken = Break(patch, at, way)
            publication = post(page, media=files, content_type=content_type, options=options)
            try:
                done = settled(ADAPTER, publication, secrets=secrets, first=first)
            except NeedsAPerson:
                assert "story" in kind, "only stories cannot be looked up"
                assert len(page.posts) <= 1
                return broken.count
        assert list(page.posts) == [done.remote_id], at
        said = [item["message"] for items in page.comments.values() for item in items]
        assert (said, done.notes) == ([COMMENT] if options else [], ()), at
        return broken.count

    for at in range(run(-1)):
        run(at)


def test_a_refused_first_comment_leaves_the_post_out_and_says_so(page):
    page.misbehaves = lambda asked: asked.path.endswith("/comments")
    page.next = [graph_error(200, "(#200) Permissions error")]
    done = ADAPTER.publish(post(page, options={"first_comment": COMMENT}), timeout=5)
    assert isinstance(done, Published)
    assert "refused its first comment" in done.notes[0]
    assert "(#200) Permissions error" in done.notes[0]


def test_a_comment_that_cannot_be_made_now_is_made_later_and_once(page):
    page.misbehaves = lambda asked: asked.path.endswith("/comments")
    page.next = [graph_error(4)]
    result = ADAPTER.publish(post(page, options={"first_comment": COMMENT}), timeout=5)
    assert isinstance(result, Accepted)
    assert result.poll_after_seconds == 3600
    done = ADAPTER.poll(account(page), result.remote_state, timeout=5)
    assert isinstance(done, Published)
    assert [len(items) for items in page.comments.values()] == [1]


def test_a_duplicate_of_our_own_lost_call_is_found(page):
    page.duplicates = True
    first = ADAPTER.publish(post(page), timeout=5)
    again = ADAPTER.publish(post(page), timeout=5)
    assert (again.remote_id, again.already) == (first.remote_id, True)
    assert len(page.posts) == 1


def test_a_duplicate_of_an_older_post_is_refused(page):
    page.duplicates = True
    page.now -= 3600
    ADAPTER.publish(post(page), timeout=5)
    with pytest.raises(Rejected) as caught:
        ADAPTER.publish(post(page), timeout=5)
    assert caught.value.response["code"] == 506


def test_a_look_up_takes_no_older_post_with_the_same_words(page):
    page.now -= 3600
    ADAPTER.publish(post(page), timeout=5)
    assert ADAPTER.find(post(page), timeout=5) is None


def test_what_words_cannot_tell_apart_is_left_to_a_person(page, tmp_path):
    image = file(tmp_path, "a.jpg", "image/jpeg")
    wordless = post(page, text="", media=(image,))
    assert ADAPTER.find(wordless, timeout=5) is None  # none at all: certainly not this one
    ADAPTER.publish(wordless, timeout=20)
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(wordless, timeout=5)


def test_a_link_without_words_is_found_by_its_address(page):
    linked = post(page, text="", link="https://example.org/a")
    done = ADAPTER.publish(linked, timeout=5)
    assert ADAPTER.find(linked, timeout=5).remote_id == done.remote_id
    assert ADAPTER.find(replace(linked, link="https://example.org/b"), timeout=5) is None


@pytest.mark.parametrize("code", [190, 4, 100, 2, 1])
def test_a_failed_look_up_tells_nothing(page, code):
    page.next = [graph_error(code)]
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(post(page), timeout=5)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(2, Unavailable), (190, AuthFailed), (4, RateLimited), (1366046, Rejected)],
)
def test_an_error_before_anybody_sees_it_says_that_nothing_was_posted(page, tmp_path, code, expected):
    page.next = [graph_error(code, status=500 if code == 2 else 400)]
    images = tuple(file(tmp_path, f"{n}.png", "image/png") for n in range(2))
    with pytest.raises(expected):
        ADAPTER.publish(post(page, media=images), timeout=20)
    assert page.posts == {}


def test_a_video_that_facebook_cannot_process_is_refused(page, tmp_path):
    result = ADAPTER.publish(post(page, media=(file(tmp_path, "v.mp4", "video/mp4"),), content_type="reel"), timeout=20)
    status = {"video_status": "error", "processing_phase": {"errors": [{"code": 1363024, "message": "Bad codec"}]}}
    page.next = [Answer(body={"id": "1", "status": status})]
    with pytest.raises(Rejected) as caught:
        ADAPTER.poll(account(page), result.remote_state, timeout=5)
    assert caught.value.platform_message == "Bad codec"


def test_edit_and_delete_and_a_second_delete(page):
    done = ADAPTER.publish(post(page), timeout=5)
    ADAPTER.edit(post(page, text="Guten Abend"), done.remote_id, timeout=5)
    assert page.posts[done.remote_id]["message"] == "Guten Abend"
    ADAPTER.delete(account(page), done.remote_id, timeout=5)
    ADAPTER.delete(account(page), done.remote_id, timeout=5)
    assert page.posts == {}


def test_figures_leave_out_what_facebook_does_not_know(page):
    done = ADAPTER.publish(post(page), timeout=5)
    (told,) = ADAPTER.metrics(account(page), [done.remote_id, "1001_0"], timeout=5)
    assert told.remote_id == done.remote_id
    assert dict(told.values) == {"likes": 5, "replies": 2, "reposts": 1, "reach": 77}


def test_verify_names_the_page_and_the_permissions_that_are_missing(page):
    assert ADAPTER.verify(account(page), timeout=5).identity == "Our Page"
    page.scopes.remove("pages_manage_posts")
    health = ADAPTER.verify(account(page), timeout=5)
    assert not health.ok
    assert health.missing_scopes == ("pages_manage_posts",)

    ended = replace(account(page), credentials={"access_token": "old"})
    health = ADAPTER.verify(ended, timeout=5)
    assert not health.ok
    assert page.TOKEN not in health.message


def test_signing_in_gives_the_pages_one_may_publish_to(page):
    app = ClientApp(
        client_id=page.APP,
        client_secret=page.SECRET,
        redirect_uri="https://us.example/back",
        options={"api_url": page.url},
    )
    assert "state=abc" in ADAPTER.authorize_url(app, state="abc", challenge="")
    grant = ADAPTER.exchange(app, code="good-code", verifier="", timeout=5)
    (place,) = ADAPTER.places(app, grant, timeout=5)

    assert grant.scopes == frozenset(page.scopes)
    assert (place.name, place.kind, place.options["page_id"]) == ("Our Page", "page", page.PAGE)
    assert place.credentials["access_token"] == page.TOKEN
    assert page.SECRET not in repr(place) + repr(grant)
    assert ADAPTER.check_settings(place.options, place.credentials) == []
    with pytest.raises(PlatformError):
        ADAPTER.exchange(app, code="used-code", verifier="", timeout=5)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"link": "https://www.facebook.com/x"}, "facebook_link"),
        ({"content_type": "story"}, "story_text"),
        ({"options": {"first_comment": "x" * 8001}}, "comment_too_long"),
    ],
)
def test_what_facebook_would_refuse_is_told_before(page, values, code):
    assert code in [found.code for found in ADAPTER.check(post(page, **values), account(page))]
    assert ADAPTER.check(post(page, link="https://example.org/"), account(page)) == []


def test_the_address_can_be_another_version(page):
    asked = replace(post(page), account=account(page, api_version="v24.0"))
    with pytest.raises(Rejected):  # the double serves v25.0 only
        ADAPTER.publish(asked, timeout=5)
    assert page.requests[0].path.startswith("/v24.0/")
    assert VERSION == "/v25.0"
