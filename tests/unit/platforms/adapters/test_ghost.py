"""Ghost: what is sent, what its answers mean, and that a post and its mail go out once when answers are lost."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from platforms.adapters.ghost import answers, content, site
from platforms.adapters.ghost.adapter import GhostAdapter
from platforms.contracts import Accepted, Publication, Published
from platforms.errors import PlatformError, Rejected, UnknownOutcome
from platforms.outbound import Response
from tests.conftest import NOW
from tests.servers.double import Answer
from tests.servers.ghost import KEY_ID, SECRET, Ghost, problem

adapter = GhostAdapter()


@pytest.fixture
def ghost():
    double = Ghost()
    yield double
    double.stop()


def a_post(key, account, **values):
    given = {"title": "Frisch geröstet", "text": "Hello **you**", "scheduled_for": NOW}
    return Publication(key=key, account=account, **{**given, **values})


def mailed(key, account, **options):
    return a_post(key, account, options={"newsletter": "weekly", "email_segment": "status:free", **options})


def finished(result, account):
    for _ in range(5):
        if isinstance(result, Published):
            return result
        result = adapter.poll(account, result.remote_state, timeout=5)
    raise AssertionError("never finished")


def test_a_post_has_all_its_parts(ghost, picture):
    menu = picture("black", mime="application/pdf", name="menu.pdf", alt="")
    post = a_post(
        "whole",
        ghost.account(),
        text="Hello **you**\n\n![here](media:2)",
        media=(picture("red"), picture("blue"), picture("green"), menu),
        link="https://l.test/",
        hashtags=("#coffee",),
        options={
            "tags": "News, Coffee", "excerpt": "Short.", "visibility": "members", "featured": True, "slug": "Mein Name",
            "canonical_url": "https://first.test/a",
        },
    )  # fmt: skip
    published = adapter.publish(post, timeout=5)

    (row,) = ghost.posts.values()
    where = f"{ghost.url}/content"
    names = {name.split("-", 1)[0]: f"{where}/{door}/{name}" for door, name, _ in ghost.files}
    assert row["html"] == (
        f'<p>Hello <strong>you</strong></p>\n<p><img src="{names["blue"]}" alt="here"></p>\n'
        f'<figure class="kg-card kg-image-card"><img src="{names["green"]}" class="kg-image" alt="A green box"></figure>\n'
        f'<p><a href="{names["menu"]}">menu.pdf</a></p>\n<p><a href="https://l.test/">https://l.test/</a></p>'
    )
    tag = f"#{content.tag_of('whole')}"
    assert [item["name"] for item in row["tags"]] == ["News", "Coffee", tag]
    assert (row["feature_image"], row["feature_image_alt"]) == (names["red"], "A red box")
    kept = ("status", "visibility", "featured", "custom_excerpt", "canonical_url")
    assert [row[name] for name in kept] == ["published", "members", True, "Short.", "https://first.test/a"]
    assert row["slug"].startswith("mein-name-")
    assert [door for door, _, _ in ghost.files] == ["images", "images", "images", "files"]
    assert published.url == f"{ghost.url}/{row['slug']}/"


@pytest.mark.parametrize("change", ["nothing", "slug", "tags"])
def test_killed_between_request_and_answer_the_post_is_there_once(ghost, change):
    post = a_post("lost", ghost.account())
    ghost.drop = 1
    with pytest.raises(UnknownOutcome):
        adapter.publish(post, timeout=5)
    (row,) = ghost.posts.values()
    if change == "slug":  # somebody edits the post before it is looked for
        row["slug"] = "another"
    if change == "tags":
        row["tags"] = []
    assert adapter.find(post, timeout=5).remote_id == row["id"]
    assert adapter.publish(replace(post, earlier=True), timeout=5).already
    assert len(ghost.posts) == 1


def test_an_earlier_request_that_arrives_late_wins_and_the_second_post_goes_again(ghost):
    post = a_post("late", ghost.account())
    original = ghost.answer

    def slow_one_arrives(request):
        if ghost.drops(request) and not ghost.posts:
            original(request)
        return original(request)

    ghost.answer = slow_one_arrives
    published = adapter.publish(post, timeout=5)
    assert published.already
    assert [row["slug"] for row in ghost.posts.values()] == [content.slug_of(post)]
    assert published.remote_id in ghost.posts


def test_a_newsletter_is_a_draft_first_and_then_mailed(ghost):
    post = mailed("mail", ghost.account())
    published = adapter.publish(post, timeout=5)
    assert ghost.mails == [(published.remote_id, "weekly", "status:free")]
    assert ghost.posts[published.remote_id]["status"] == "published"
    created = next(request for request in ghost.requests if ghost.drops(request))
    assert created.json()["posts"][0]["status"] == "draft"


def test_by_mail_only(ghost):
    published = adapter.publish(mailed("only", ghost.account(), email_only=True), timeout=5)
    assert published.response["status"] == "sent"
    assert len(ghost.mails) == 1


@pytest.mark.parametrize("lost", ["POST", "PUT"])
def test_killed_anywhere_on_the_way_a_newsletter_is_mailed_once(ghost, lost):
    post = mailed("crash", ghost.account())
    ghost.drop, ghost.drops = 1, lambda request: request.method == lost
    if lost == "POST":
        with pytest.raises(UnknownOutcome):
            adapter.publish(post, timeout=5)
    else:
        assert isinstance(adapter.publish(post, timeout=5), Accepted)

    found = adapter.find(post, timeout=5)
    assert isinstance(found, Accepted if lost == "POST" else Published)
    state = {"id": next(iter(ghost.posts)), "newsletter": "weekly", "segment": "status:free"}
    for result in (found, Accepted(remote_state=state, poll_after_seconds=1)):
        assert finished(result, post.account).remote_id == state["id"]
    assert len(ghost.mails) == len(ghost.posts) == 1


def test_a_draft_that_somebody_changes_at_the_same_moment_is_mailed_all_the_same(ghost):
    post = mailed("collide", ghost.account())
    ghost.misbehaves = lambda request: request.method == "PUT"
    ghost.next = [problem(409, "UpdateCollisionError", "Saving failed!"), Answer(503, b"<h1>down</h1>")]
    result = adapter.publish(post, timeout=5)
    assert isinstance(result, Accepted)
    assert result.poll_after_seconds == 5.0
    result = adapter.poll(post.account, result.remote_state, timeout=5)
    assert result.poll_after_seconds == 10.0
    finished(result, post.account)
    assert len(ghost.mails) == 1


def test_a_newsletter_that_is_not_there_is_refused_and_the_draft_stays(ghost):
    post = mailed("none", ghost.account(), newsletter="no-such")
    with pytest.raises(Rejected, match="The draft is there") as caught:
        adapter.publish(post, timeout=5)
    assert "doesn't match any active newsletter" in caught.value.platform_message
    # corrected, the same post goes on with the draft
    again = mailed("none", ghost.account())
    finished(adapter.publish(again, timeout=5), post.account)
    assert len(ghost.posts) == len(ghost.mails) == 1


def test_a_draft_that_is_gone_or_never_told_of_ends(ghost):
    state = {"id": "0" * 24, "newsletter": "weekly", "segment": "all"}
    with pytest.raises(Rejected, match="deleted the draft"):
        adapter.poll(ghost.account(), state, timeout=5)
    ghost.next = [Answer(500)]
    with pytest.raises(UnknownOutcome, match="12 times"):
        adapter.poll(ghost.account(), {**state, "misses": 11}, timeout=5)


def test_an_edit_takes_the_newest_version_and_once_more_when_somebody_was_faster(ghost):
    post = a_post("edit", ghost.account(), options={"status": "draft"})
    remote_id = adapter.publish(post, timeout=5).remote_id
    ghost.misbehaves = lambda request: request.method == "PUT"
    ghost.next = [problem(409, "UpdateCollisionError", "Saving failed!")]
    for _ in range(2):
        adapter.edit(replace(post, title="New", options={"slug": "x"}), remote_id, timeout=5)
    row = ghost.posts[remote_id]
    assert (row["title"], row["status"], row["slug"]) == ("New", "draft", content.slug_of(post))

    ghost.next = [problem(409, "UpdateCollisionError", "Saving failed!")] * 2
    with pytest.raises(Rejected) as caught:
        adapter.edit(post, remote_id, timeout=5)
    assert caught.value.status_code == 409


def test_a_post_is_deleted_and_its_absence_is_no_error(ghost):
    post = a_post("delete", ghost.account())
    remote_id = adapter.publish(post, timeout=5).remote_id
    for _ in range(2):
        adapter.delete(post.account, remote_id, timeout=5)
    assert ghost.posts == {}
    with pytest.raises(Rejected):
        adapter.delete(post.account, "../site", timeout=5)
    ghost.next = [Answer(404, b"<h1>Not found</h1>")]  # not Ghost's words: nobody knows what that page means
    with pytest.raises(Rejected):
        adapter.delete(post.account, remote_id, timeout=5)


def test_figures_of_mail_and_post(ghost):
    account = ghost.account()
    mail = adapter.publish(mailed("m", account), timeout=5).remote_id
    plain = adapter.publish(a_post("p", account), timeout=5).remote_id
    found = {
        item.remote_id: dict(item.values) for item in adapter.metrics(account, [mail, plain, "f" * 24, "x"], timeout=5)
    }
    assert found == {
        mail: {"recipients": 40, "opens": 12, "clicks": 5, "likes": 2},
        plain: {"clicks": 5, "likes": 2},
    }


def test_a_connection_test_names_the_site(ghost):
    assert adapter.verify(ghost.account(), timeout=5).identity == "Kaffee"
    stranger = replace(ghost.account(), credentials={"admin_api_key": f"{KEY_ID}:{'00' * 32}"})
    health = adapter.verify(stranger, timeout=5)
    assert not health.ok
    assert "Admin API key" in health.message


def test_a_failed_look_up_proves_nothing_and_nothing_is_sent_after_it(ghost):
    post = a_post("dark", ghost.account())
    for answer in (Answer(500), Answer(429), Answer(401), Answer(200, b"<html>"), Answer(200, {"posts": 3})):
        ghost.next = [answer]
        with pytest.raises(UnknownOutcome):
            adapter.find(post, timeout=5)
        ghost.next = [answer]
        with pytest.raises(PlatformError) as caught:
            adapter.publish(post, timeout=5)
        assert caught.value.error_class != "unknown"
    assert ghost.posts == {}


def test_the_token_is_new_each_time_and_the_key_is_in_no_request(ghost):
    adapter.publish(a_post("token", ghost.account()), timeout=5)
    assert ghost.requests
    for request in ghost.requests:
        assert SECRET not in f"{request.path}{request.query}{request.headers}{request.body!r}"
    with pytest.raises(Rejected, match="not complete"):
        site.token_of("nonsense")


@pytest.mark.parametrize(
    ("status", "kind", "before", "after"),
    [
        (401, "UnauthorizedError", "auth", "auth"),
        (403, "NoPermissionError", "auth", "auth"),
        (403, "HostLimitError", "rejected", "rejected"),
        (403, "", "unavailable", "unavailable"),
        (404, "NotFoundError", "rejected", "rejected"),
        (404, "", "rejected", "rejected"),
        (301, "", "rejected", "rejected"),
        (400, "BadRequestError", "rejected", "rejected"),
        (406, "RequestNotAcceptableError", "rejected", "rejected"),
        (408, "", "unavailable", "unknown"),
        (409, "UpdateCollisionError", "rejected", "rejected"),
        (413, "RequestEntityTooLargeError", "rejected", "rejected"),
        (422, "ValidationError", "rejected", "rejected"),
        (429, "TooManyRequestsError", "rate_limited", "rate_limited"),
        (500, "InternalServerError", "unavailable", "unknown"),
        (502, "", "unavailable", "unknown"),
        (503, "MaintenanceError", "unavailable", "unavailable"),
        (503, "", "unavailable", "unknown"),
    ],
)
def test_every_answer_has_its_class_before_and_after_the_post_is_sent(status, kind, before, after):
    body = {"errors": [{"type": kind, "message": "No.", "context": "Because.", "property": "title"}]} if kind else {}
    given = Response(
        status=status, headers={"retry-after": "7"}, body=json.dumps(body).encode() if body else b"<h1>x</h1>"
    )
    for sending, expected in ((False, before), (True, after)):
        found = answers.error_of(given, NOW, sending=sending)
        assert (found.error_class, found.status_code) == (expected, status)
        if kind:
            assert found.platform_message == f"{kind}: No. Because."


@pytest.mark.parametrize(
    ("options", "key", "field"),
    [
        ({}, f"{KEY_ID}:{SECRET}", None),
        ({}, f" {KEY_ID}:{SECRET}\n", None),
        ({}, SECRET, "admin_api_key"),
        ({}, f"{KEY_ID}:{'b1' * 8}", "admin_api_key"),
        ({"site_url": "blog.test"}, f"{KEY_ID}:{SECRET}", "site_url"),
        ({"site_url": "https://blog.test/ghost/"}, f"{KEY_ID}:{SECRET}", "site_url"),
        ({"site_url": "http://blog.test"}, f"{KEY_ID}:{SECRET}", "site_url"),
        ({"site_url": "http://127.0.0.1:2368"}, f"{KEY_ID}:{SECRET}", None),
    ],
)
def test_settings_are_checked_at_their_field(options, key, field):
    found = adapter.check_settings({"site_url": "https://blog.test/news", **options}, {"admin_api_key": key})
    assert [name for name, _ in found] == ([field] if field else [])


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ({}, []),
        ({"options": {"excerpt": "x" * 301}}, ["excerpt_too_long"]),
        ({"options": {"canonical_url": "here"}}, ["canonical_url"]),
        ({"options": {"featured_image": 3}}, ["featured_image"]),
        ({"options": {"email_only": True}}, ["newsletter_missing"]),
        ({"content_type": "newsletter"}, ["newsletter_missing"]),
        ({"content_type": "newsletter", "options": {"newsletter": "weekly"}}, []),
    ],
)
def test_options_that_ghost_would_not_do_are_problems(values, codes):
    post = a_post("k", None, **values)
    assert [found.code for found in adapter.check(post, None)] == codes
