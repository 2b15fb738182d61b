"""LinkedIn: what is sent, what each error means, and no post twice wherever a call breaks off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alwrity_scheduler.core.http import Response
from platforms.adapters.linkedin.adapter import ADAPTER
from platforms.adapters.linkedin.api import error_of, made_at
from platforms.base import (
    Checks,
    Deletes,
    Edits,
    HasApps,
    HasBudgets,
    HasPostOptions,
    HasServices,
    Measures,
    Refreshes,
    SignsIn,
)
from platforms.contracts import Accepted, AccountRef, ClientApp, MediaRef, Publication, Published
from platforms.errors import AuthFailed, PlatformError, Rejected, UnknownOutcome
from tests.conftest import NOW
from tests.contract.killing import WAYS, Break, NeedsAPerson, settled
from tests.servers.double import Answer
from tests.servers.linkedin import LinkedInDouble, duplicate, problem

COMMENT = "The long version: https://example.org/long"


@pytest.fixture
def linked() -> Iterator[LinkedInDouble]:
    double = LinkedInDouble()
    yield double
    double.stop()


def account(double: LinkedInDouble, **options: Any) -> AccountRef:
    return AccountRef(
        id=1,
        public_id="a",
        platform="linkedin",
        name="Berg & Co",
        handle="berg-co",
        timezone="UTC",
        credentials={"access_token": double.TOKEN, "client_secret": double.SECRET},
        options={"author": double.COMPANY, "client_id": double.CLIENT, "api_url": double.url, **options},
    )


def post(double: LinkedInDouble, **values: Any) -> Publication:
    made: dict[str, Any] = {"text": "Guten Morgen", "scheduled_for": NOW, "account": account(double)}
    return Publication(key="k", **{**made, **values})


def file(tmp_path: Any, name: str, mime: str, content: bytes = b"0123456789", alt: str = "") -> MediaRef:
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


def member(double: LinkedInDouble) -> AccountRef:
    double.reads = False
    return account(double, author=double.PERSON)


def followed(publication: Publication) -> Published:
    result: Published | Accepted = ADAPTER.publish(publication, timeout=20)
    for _ in range(30):
        if isinstance(result, Published):
            return result
        result = ADAPTER.poll(publication.account, result.remote_state, timeout=20)
    raise AssertionError("never finished")


def sent(double: LinkedInDouble) -> dict[str, Any]:
    body: dict[str, Any] = next(
        item for item in double.requests if item.method == "POST" and item.path == "/rest/posts"
    ).json()
    return body


def test_it_offers_what_the_platform_has():
    for part in (
        HasServices,
        HasApps,
        HasBudgets,
        HasPostOptions,
        Checks,
        Deletes,
        Edits,
        Measures,
        Refreshes,
        SignsIn,
    ):
        assert isinstance(ADAPTER, part)


def test_the_body_and_the_headers_are_those_of_the_posts_api(linked):
    done = ADAPTER.publish(post(linked, hashtags=("news",), options={"visibility": "CONNECTIONS"}), timeout=5)

    assert sent(linked) == {
        "author": linked.COMPANY,
        "commentary": "Guten Morgen\n\n{hashtag|\\#|news}",
        "visibility": "CONNECTIONS",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }
    headers = linked.requests[0].headers
    assert (headers["linkedin-version"], headers["x-restli-protocol-version"]) == ("202607", "2.0.0")
    assert done.remote_id.startswith("urn:li:share:")
    assert done.url == f"https://www.linkedin.com/feed/update/{done.remote_id}/"


@pytest.mark.parametrize(
    "text",
    [
        "a (b) [c] {d} <e> f|g h\\i j*k l_m n~o p@q",
        "Price: 5 # only *today*",
        "Thanks @[Berg & Co](urn:li:organization:5515) and @nobody #über_uns (#2)",
        "See https://example.org/a_b_(c)#d~e?f=[g] #ok",
        "@[broken](http://x) #1 # ## a#b",
    ],
)
def test_no_text_is_cut_off(linked, text):
    ADAPTER.publish(post(linked, text=text), timeout=5)
    (made,) = linked.posts.values()
    assert made["commentary"] == sent(linked)["commentary"]  # the double cuts at the first unescaped character
    assert ADAPTER.find(post(linked, text=text), timeout=5) is not None


def test_a_link_is_an_article_with_a_title(linked):
    ADAPTER.publish(
        post(linked, link="https://example.org/", title="Why", options={"description": "Because"}), timeout=5
    )
    assert sent(linked)["content"] == {
        "article": {"source": "https://example.org/", "title": "Why", "description": "Because"}
    }


def test_one_image_with_its_description_and_the_link_in_the_words(linked, tmp_path):
    image = file(tmp_path, "a.png", "image/png", alt="A cat")
    followed(post(linked, media=(image,), link="https://example.org/a_b"))
    body = sent(linked)
    (urn,) = linked.assets
    assert body["content"] == {"media": {"id": urn, "altText": "A cat"}}
    assert body["commentary"] == "Guten Morgen\n\nhttps://example.org/a\\_b"
    assert linked.assets[urn]["parts"] == {0: b"0123456789"}
    assert linked.assets[urn]["owner"] == linked.COMPANY


def test_several_images_keep_their_order(linked, tmp_path):
    images = tuple(file(tmp_path, f"{n}.png", "image/png", content=b"x" * (n + 1), alt=f"No. {n}") for n in range(3))
    followed(post(linked, media=images))
    found = sent(linked)["content"]["multiImage"]["images"]
    assert [item["altText"] for item in found] == ["No. 0", "No. 1", "No. 2"]
    assert [linked.assets[item["id"]]["parts"][0] for item in found] == [b"x", b"xx", b"xxx"]


def test_a_document_has_a_title(linked, tmp_path):
    followed(post(linked, media=(file(tmp_path, "deck.pdf", "application/pdf"),), title="Our deck"))
    (urn,) = linked.assets
    assert sent(linked)["content"] == {"media": {"id": urn, "title": "Our deck"}}


def test_a_video_goes_in_parts_and_waits_until_it_is_available(linked, tmp_path):
    linked.slow = 2
    done = followed(post(linked, media=(file(tmp_path, "v.mp4", "video/mp4"),)))
    (made,) = linked.assets.values()
    assert made["parts"] == {0: b"0123", 4: b"4567", 8: b"89"}
    assert done.remote_id.startswith("urn:li:ugcPost:")


def test_a_part_whose_answer_is_lost_is_sent_again_and_the_others_are_not(linked, tmp_path):
    linked.drops, linked.drop = lambda asked: asked.path.endswith("/4"), 1
    result: Any = ADAPTER.publish(post(linked, media=(file(tmp_path, "v.mp4", "video/mp4"),)), timeout=20)
    assert isinstance(result, Accepted)
    while isinstance(result, Accepted):
        result = ADAPTER.poll(account(linked), result.remote_state, timeout=20)
    assert [asked.path.rpartition("/")[2] for asked in linked.requests if asked.method == "PUT"] == ["0", "4", "4", "8"]
    assert len(linked.posts) == 1


def test_a_members_video_is_posted_after_a_while_because_it_may_not_be_asked_about(linked, tmp_path):
    publication = post(linked, account=member(linked), media=(file(tmp_path, "v.mp4", "video/mp4"),))
    linked.misbehaves = lambda asked: asked.method == "GET" and asked.path.startswith("/rest/videos/")
    linked.next = [problem(403, "ACCESS_DENIED", "Not enough permissions") for _ in range(20)]
    assert followed(publication).remote_id in linked.posts


def test_an_upload_address_of_a_stranger_gets_neither_token_nor_file(linked, tmp_path):
    linked.next = [Answer(body={"value": {"uploadUrl": "https://evil.example/u", "image": "urn:li:image:1"}})]
    with pytest.raises(Rejected):
        ADAPTER.publish(post(linked, media=(file(tmp_path, "a.png", "image/png"),)), timeout=20)
    assert len(linked.requests) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "first"), [("text", 20), ("images", 20), ("document", 20), ("video", 20), ("images", 0), ("video", 0)]
)
def test_a_break_after_any_request_makes_no_second_post_and_loses_none(linked, tmp_path, monkeypatch, kind, first, way):
    media = {
        "text": (),
        "images": tuple(file(tmp_path, f"{n}.png", "image/png") for n in range(2)),
        "document": (file(tmp_path, "d.pdf", "application/pdf"),),
        "video": (file(tmp_path, "v.mp4", "video/mp4"),),
    }[kind]

    def run(at: int) -> int:
        linked.fresh()
        linked.slow = 1
        with monkeypatch.context() as patch:
            broken = Break(patch, at, way)
            publication = post(linked, media=media, options={"first_comment": COMMENT})
            done = settled(ADAPTER, publication, secrets=(linked.TOKEN, linked.SECRET), first=first)
        assert list(linked.posts) == [done.remote_id], at
        assert [text for texts in linked.comments.values() for text in texts] == [COMMENT], at
        assert done.notes == ()
        return broken.count

    for at in range(run(-1)):
        run(at)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["text", "video"])
def test_a_members_broken_call_is_left_to_a_person_and_never_doubled(linked, tmp_path, monkeypatch, kind, way):
    """Members' posts cannot be read; LinkedIn itself refuses the same post again, and names it."""
    media = (file(tmp_path, "v.mp4", "video/mp4"),) if kind == "video" else ()
    publication = post(linked, media=media, account=member(linked))
    asked: list[int] = []

    def run(at: int) -> int:
        linked.fresh()
        linked.reads, linked.duplicates = False, True
        with monkeypatch.context() as patch:
            broken = Break(patch, at, way)
            try:
                settled(ADAPTER, publication)
            except NeedsAPerson:
                asked.append(at)
        assert len(linked.posts) <= 1, at
        return broken.count

    for at in range(run(-1)):
        run(at)
    assert asked or way == "killed"


def test_a_member_that_may_be_read_is_looked_up(linked):
    assert not ADAPTER.capabilities(member(linked)).can_find
    with pytest.raises(UnknownOutcome):
        ADAPTER.find(post(linked, account=member(linked)), timeout=5)
    reads = account(linked, author=linked.PERSON, reads_posts=True)
    linked.reads = True
    assert ADAPTER.capabilities(reads).can_find
    assert ADAPTER.find(post(linked, account=reads), timeout=5) is None


def test_a_duplicate_of_our_own_lost_call_is_taken_for_it(linked):
    linked.duplicates = True
    first = ADAPTER.publish(post(linked), timeout=5)
    again = ADAPTER.publish(post(linked), timeout=5)
    assert (again.remote_id, again.already) == (first.remote_id, True)


def test_a_duplicate_that_may_not_be_read_is_told_by_its_number(linked):
    linked.duplicates = True
    publication = post(linked, account=member(linked))
    first = ADAPTER.publish(publication, timeout=5)
    assert ADAPTER.publish(publication, timeout=5).remote_id == first.remote_id


def test_a_ghost_is_not_taken_for_a_post(linked):
    linked.misbehaves = lambda asked: asked.method == "POST"
    linked.next = [duplicate(f"urn:li:share:{linked.number()}")]
    with pytest.raises(Rejected) as caught:
        ADAPTER.publish(post(linked), timeout=5)
    assert "deleted" in str(caught.value)
    assert "duplicate of urn:li:share" in caught.value.platform_message


def test_a_duplicate_of_an_older_post_is_refused(linked):
    old = f"urn:li:share:{linked.number(linked.now_ms - 86_400_000)}"
    linked.next = [duplicate(old)]
    with pytest.raises(Rejected) as caught:
        ADAPTER.publish(post(linked), timeout=5)
    assert old in str(caught.value)
    assert len(linked.requests) == 1


def test_a_look_up_takes_no_older_post_with_the_same_words(linked):
    linked.now_ms -= 3_600_000
    ADAPTER.publish(post(linked), timeout=5)
    assert ADAPTER.find(post(linked), timeout=5) is None


def answer(status: int, headers: dict[str, str] | None = None, **body: Any) -> Response:
    return Response(status=status, headers=headers or {}, body=json.dumps(body).encode())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer(401, serviceErrorCode=65602), "auth"),
        (answer(401), "auth"),
        (answer(403, message="Not enough permissions to access"), "auth"),
        (answer(403, message="This resource is forbidden"), "unavailable"),
        (answer(400, message="bad"), "rejected"),
        (answer(404), "rejected"),
        (answer(422, message="ERROR :: too long"), "rejected"),
        (answer(422, message="Content is a duplicate of urn:li:share:7141"), "rejected"),
        (answer(426, message="Requested version is not active"), "auth"),
        (answer(429), "rate_limited"),
        (answer(400, message="Unable to obtain activity: urn:li:activity:1"), "unknown"),
        (answer(500), "unknown"),
        (answer(503), "unknown"),
        (answer(408), "unknown"),
        (answer(302), "unknown"),
    ],
)
def test_every_answer_has_its_class(given, expected):
    assert error_of(given, NOW).error_class == expected


def test_a_daily_quota_waits_until_midnight_utc():
    at = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
    assert error_of(answer(429), at).retry_after_seconds == 5400
    assert error_of(answer(429, {"retry-after": "9"}), at).retry_after_seconds == 9


def test_a_sunset_version_says_what_to_do(linked):
    with pytest.raises(AuthFailed) as caught:
        ADAPTER.publish(post(linked, account=account(linked, api_version="202410")), timeout=5)
    assert "newer" in str(caught.value)


def test_the_number_of_a_post_tells_when_it_was_made():
    assert made_at(f"urn:li:share:{1_795_420_805_123 << 22}") == 1_795_420_805.123
    assert made_at("urn:li:share:7141") is None
    assert made_at("urn:li:share:x") is None


def test_a_refused_comment_leaves_the_post_out(linked):
    linked.misbehaves = lambda asked: asked.path.endswith("/comments")
    linked.next = [problem(403, "ACCESS_DENIED", "No comments here")]
    done = ADAPTER.publish(post(linked, options={"first_comment": COMMENT}), timeout=5)
    assert "No comments here" in done.notes[0]


def test_edit_and_delete_and_figures(linked):
    done = ADAPTER.publish(post(linked), timeout=5)
    ADAPTER.edit(post(linked, text="Guten Abend (neu)"), done.remote_id, timeout=5)
    assert linked.posts[done.remote_id]["commentary"] == "Guten Abend \\(neu\\)"

    (told,) = ADAPTER.metrics(account(linked), [done.remote_id, "urn:li:share:1"], timeout=5)
    assert dict(told.values) == {"impressions": 90, "reach": 60, "clicks": 8, "likes": 5, "replies": 2}
    assert ADAPTER.metrics(member(linked), [done.remote_id], timeout=5) == []

    ADAPTER.delete(account(linked), done.remote_id, timeout=5)
    ADAPTER.delete(account(linked), done.remote_id, timeout=5)
    assert linked.posts == {}


def test_verify_names_the_person_and_the_rights_that_are_missing(linked):
    assert ADAPTER.verify(account(linked), timeout=5).identity == "Ana Berg"
    linked.scope = "openid,profile,w_member_social"
    assert ADAPTER.verify(account(linked), timeout=5).missing_scopes == (
        "w_organization_social",
        "r_organization_social",
    )
    other = ADAPTER.verify(account(linked, author="urn:li:person:somebody"), timeout=5)
    assert not other.ok
    assert linked.PERSON in other.message


def test_signing_in_gives_the_member_and_the_organisations(linked):
    app = ClientApp(
        client_id=linked.CLIENT,
        client_secret=linked.SECRET,
        redirect_uri="https://us.example/back",
        options={"api_url": linked.url, "organisations": True},
    )
    assert "w_organization_social" in ADAPTER.authorize_url(app, state="s", challenge="")
    plain = replace(app, options={})
    assert ADAPTER.authorize_url(plain, state="s", challenge="").startswith("https://www.linkedin.com/oauth/v2/auth")
    assert "w_organization_social" not in ADAPTER.authorize_url(plain, state="s", challenge="")

    grant = ADAPTER.exchange(app, code="good-code", verifier="", timeout=5)
    person, company = ADAPTER.places(app, grant, timeout=5)
    assert (person.name, person.options["author"]) == ("Ana Berg", linked.PERSON)
    assert (company.name, company.handle, company.options["author"]) == ("Berg & Co", "berg-co", linked.COMPANY)
    assert linked.TOKEN not in repr(person) + repr(grant)
    assert ADAPTER.check_settings(company.options, company.credentials) == []


def test_only_a_sign_in_with_a_refresh_token_is_renewed(linked):
    assert not ADAPTER.can_refresh(account(linked))
    linked.refresh_token = "renew-me-please"
    partner = replace(account(linked), credentials={**account(linked).credentials, "refresh_token": "renew-me-please"})
    assert ADAPTER.can_refresh(partner)
    answer = ADAPTER.refresh(partner, timeout=5)
    assert answer.credentials == {"access_token": linked.TOKEN, "refresh_token": "renew-me-please"}
    assert answer.expires_at is not None
    revoked = replace(partner, credentials={**partner.credentials, "refresh_token": "gone"})
    with pytest.raises(PlatformError) as caught:
        ADAPTER.refresh(revoked, timeout=5)
    assert caught.value.error_class == "auth"


def test_the_grant_says_when_it_ends(linked):
    from alwrity_scheduler.core import clock

    app = ClientApp(
        client_id=linked.CLIENT, client_secret=linked.SECRET, redirect_uri="https://us.example/", options={"api_url": linked.url}
    )  # fmt: skip
    grant = ADAPTER.exchange(app, code="good-code", verifier="", timeout=5)
    assert timedelta(days=59) < grant.expires_at - clock.now() <= timedelta(days=60)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"author": "urn:li:member:5"}, "author"),
        ({"api_version": "202613"}, "api_version"),
        ({"api_version": "v2"}, "api_version"),
        ({"api_url": "linkedin.com"}, "api_url"),
    ],
)
def test_settings_that_make_no_sense_are_told_at_their_field(linked, options, field):
    found = ADAPTER.check_settings({**account(linked).options, **options}, account(linked).credentials)
    assert [name for name, _ in found] == [field]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"options": {"visibility": "CONNECTIONS"}}, "visibility"),
        ({"options": {"first_comment": "x" * 1251}}, "comment_too_long"),
        ({"link": "https://example.org/"}, "link_title"),
    ],
)
def test_what_linkedin_would_refuse_is_told_before(linked, values, code):
    assert [found.code for found in ADAPTER.check(post(linked, **values), account(linked))] == [code]
    assert list(ADAPTER.check(post(linked), account(linked))) == []
