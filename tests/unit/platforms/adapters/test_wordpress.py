"""WordPress: what is sent to a real site, what its answers mean, and what becomes of a post when the answer is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from platforms.adapters.wordpress import answers, content
from platforms.adapters.wordpress.adapter import WordPressAdapter
from platforms.contracts import AccountRef, Publication
from platforms.errors import AuthFailed, PlatformError, Rejected, Unavailable, UnknownOutcome
from platforms.outbound import Response
from tests.conftest import NOW
from tests.servers import real, wordpress
from tests.servers.double import Answer

adapter = WordPressAdapter()
on_the_site = [
    pytest.mark.xdist_group(wordpress.GROUP),
    pytest.mark.skipif(bool(real.missing("wordpress")), reason=real.missing("wordpress")),
]
ACCOUNT = AccountRef(
    id=1, public_id="a", platform="wordpress", name="B", handle="b", timezone="UTC",
    credentials={"application_password": "p w"}, options={"site_url": "https://blog.test", "username": "ana"},
)  # fmt: skip


def a_post(key, account=ACCOUNT, **values):
    given = {"title": "Grüße & mehr", "text": "# Hello\n\nWorld", "scheduled_for": NOW}
    return Publication(key=key, account=account, **{**given, **values})


@pytest.fixture
def site():
    running = wordpress.running()
    running.calm()
    return running


class TestOnTheSite:
    pytestmark = on_the_site

    def test_a_post_has_all_its_parts(self, site, picture):
        post = a_post(
            "wp-whole", site.account("admin"), media=(picture("red"), picture("blue"), picture("green")), link="https://l.test/?a=1&b=2",
            text="Hello **you**\n\n![put here](media:3)", hashtags=("coffee", "#tea"),
            options={
                "categories": "News & more, Uncategorized", "tags": "Launch, Coffee", "excerpt": "Short.", "slug": "My own",
                "format": "aside", "comment_status": "closed", "sticky": True,
            },
        )  # fmt: skip

        published = adapter.publish(post, timeout=20)

        row = site.rest("GET", f"posts/{published.remote_id}?context=edit")
        files = {item["slug"]: item for item in site.rest("GET", "media?per_page=100&context=edit")}
        red, blue, green = (files[content_slug(item)] for item in post.media)
        assert row["title"]["raw"] == "Grüße & mehr"
        block = (
            f'<!-- wp:image {{"id": {blue["id"]}}} --><figure class="wp-block-image"><img src="{blue["source_url"]}" '
            f'alt="A blue box" class="wp-image-{blue["id"]}"/></figure><!-- /wp:image -->'
        )
        link = '<p><a href="https://l.test/?a=1&amp;b=2">https://l.test/?a=1&amp;b=2</a></p>'
        assert row["content"]["raw"].split("\n\n") == [
            f'<p>Hello <strong>you</strong></p>\n<p><img src="{green["source_url"]}" alt="put here"></p>',
            block,
            f"<!-- wp:paragraph -->{link}<!-- /wp:paragraph -->",
        ]
        assert (row["featured_media"], red["alt_text"]) == (red["id"], "A red box")
        assert row["slug"] == "my-own-" + content.slug_of(post)[-12:]
        assert (row["status"], row["format"], row["comment_status"], row["sticky"]) == (
            "publish",
            "aside",
            "closed",
            True,
        )
        assert row["excerpt"]["raw"] == "Short."
        terms = [*site.rest("GET", "categories?per_page=100"), *site.rest("GET", "tags?per_page=100")]
        names = {item["id"]: item["name"] for item in terms}
        assert {names[number] for number in row["categories"]} == {"News &amp; more", "Uncategorized"}
        assert {names[number].casefold() for number in row["tags"]} == {"launch", "coffee", "tea"}
        assert published.notes == ()

    def test_what_the_user_has_no_right_to_is_told_and_the_rest_is_published(self, site):
        post = a_post("wp-author", site.account("author1"), options={"categories": "Only editors"})
        (note,) = adapter.publish(post, timeout=20).notes
        assert "“Only editors” is not there and this user may not make it" in note

    def test_terms_that_are_there_are_used_and_not_made_twice(self, site):
        for key in ("wp-terms-1", "wp-terms-2"):
            adapter.publish(a_post(key, site.account("admin"), options={"tags": "R & D, r & d"}), timeout=20)
        assert len([tag for tag in site.rest("GET", "tags?per_page=100") if tag["name"] == "R &amp; D"]) == 1

    def test_a_file_is_uploaded_once_however_often_it_is_sent(self, site, picture):
        for key in ("wp-file-1", "wp-file-2"):
            adapter.publish(a_post(key, site.account(), media=(picture("pink"),)), timeout=20)
        slugs = [item["slug"] for item in site.rest("GET", "media?per_page=100")]
        assert len([slug for slug in slugs if slug.startswith(content_slug(picture("pink")))]) == 1

    @pytest.mark.parametrize("lost", ["media", "posts"])
    def test_killed_between_request_and_answer_the_post_is_there_once(self, site, picture, lost):
        post = a_post(f"wp-lost-{lost}", site.account(), media=(picture("gold"),))
        site.proxy.drop = 1
        site.proxy.drops = lambda request: request.method == "POST" and request.path.endswith(f"/{lost}")

        with pytest.raises(PlatformError) as caught:
            adapter.publish(post, timeout=10)

        if lost == "media":  # no post can have come of it, so it is simply tried again
            assert caught.value.error_class == "unavailable"
            assert adapter.find(post, timeout=10) is None
        else:
            assert caught.value.error_class == "unknown"
            assert adapter.find(post, timeout=10).already
        again = adapter.publish(replace(post, earlier=True), timeout=10)
        assert again.already == (lost == "posts")
        assert len(site.with_slug(content.slug_of(post))) == 1
        uploaded = [item["slug"] for item in site.rest("GET", "media?per_page=100")]
        assert len([slug for slug in uploaded if slug.startswith(content_slug(picture("gold")))]) == 1

    def test_an_earlier_request_that_arrives_late_wins_and_the_second_post_goes_again(self, site):
        post = a_post("wp-late", site.account("admin"))
        late = content.payload(post, uploaded=[], categories=[], tags=[], is_new=True)

        def slow_one_arrives(request):
            if wordpress.is_the_post(request) and not made:
                made.append(site.rest("POST", "posts", late))
            return False

        made: list = []
        site.proxy.drops, site.proxy.drop = slow_one_arrives, 1
        original = site.proxy.answer
        try:
            site.proxy.answer = lambda request: (slow_one_arrives(request), original(request))[1]
            published = adapter.publish(post, timeout=10)
        finally:
            site.proxy.answer = original

        assert published.already
        assert published.remote_id == str(made[0]["id"])
        assert [row["id"] for row in site.with_slug(content.slug_of(post))] == [made[0]["id"]]

    @pytest.mark.parametrize("status", ["draft", "pending", "private"])
    def test_what_is_not_public_is_found_too(self, site, status):
        user = "contrib1" if status == "pending" else "admin"  # a contributor's pending post gets no slug at all
        post = a_post(f"wp-{status}", site.account(user), options={"status": status})
        published = adapter.publish(post, timeout=10)
        assert published.response["status"] == status
        found = adapter.find(post, timeout=10)
        assert (found.remote_id, found.already) == (published.remote_id, True)

    def test_a_post_in_the_trash_was_posted(self, site):
        post = a_post("wp-trash", site.account("admin"))
        published = adapter.publish(post, timeout=10)
        for _ in range(2):  # what is gone already is no error
            adapter.delete(post.account, published.remote_id, timeout=10)
        assert adapter.find(post, timeout=10).remote_id == published.remote_id
        gone = site.account("admin", delete_forever=True)
        adapter.delete(gone, published.remote_id, timeout=10)
        assert adapter.find(post, timeout=10) is None
        adapter.delete(gone, published.remote_id, timeout=10)

    def test_an_edit_changes_the_words_and_neither_address_nor_state(self, site, picture):
        post = a_post("wp-edit", site.account("admin"), options={"status": "draft", "tags": "Old"})
        published = adapter.publish(post, timeout=10)
        changed = replace(post, title="New", text="Other words", media=(picture("red"),), options={"slug": "other"})
        for _ in range(2):
            adapter.edit(changed, published.remote_id, timeout=10)
        row = site.rest("GET", f"posts/{published.remote_id}?context=edit")
        assert (row["title"]["raw"], row["content"]["raw"], row["tags"]) == ("New", "<p>Other words</p>", [])
        assert (row["slug"], row["status"]) == (content.slug_of(post), "draft")

    def test_comments_are_counted_and_unknown_posts_left_out(self, site):
        post = a_post("wp-metrics", site.account("admin"))
        remote_id = adapter.publish(post, timeout=10).remote_id
        site.rest(
            "POST",
            "comments",
            {
                "post": int(remote_id),
                "content": "Nice",
                "author_email": "bo@x.test",
                "author_name": "Bo",
                "status": "approved",
            },
        )
        found = adapter.metrics(post.account, [remote_id, "999999", "nonsense"], timeout=10)
        assert [(item.remote_id, dict(item.values)) for item in found] == [(remote_id, {"replies": 1})]

    def test_a_connection_test_names_the_missing_right(self, site):
        assert adapter.verify(site.account("author1"), timeout=10).ok
        health = adapter.verify(site.account("contrib1"), timeout=10)
        assert (health.ok, health.missing_scopes) == (False, ("publish_posts", "upload_files"))
        wrong = replace(site.account(), credentials={"application_password": "no"})
        assert not adapter.verify(wrong, timeout=10).ok

    def test_a_contributor_may_not_publish_and_is_told_what_helps(self, site):
        with pytest.raises(AuthFailed, match="Waiting for review") as caught:
            adapter.publish(a_post("wp-contrib", site.account("contrib1")), timeout=10)
        assert caught.value.platform_message.startswith("rest_cannot_publish: Sorry")

    def test_a_site_without_permalinks_is_reached_by_its_plain_address(self, site):
        original = site.proxy.answer

        def without_permalinks(request):
            return Answer(404, b"<h1>Not found</h1>") if request.path.startswith("/wp-json") else original(request)

        post = a_post("wp-plain", site.account("admin"), options={"tags": "Plain"})
        site.proxy.answer = without_permalinks
        try:
            published = adapter.publish(post, timeout=10)
            assert adapter.find(post, timeout=10).remote_id == published.remote_id
        finally:
            site.proxy.answer = original
        assert len(site.with_slug(content.slug_of(post))) == 1

    def test_nothing_is_sent_when_the_look_before_it_fails(self, site):
        site.proxy.next = [Answer(500, b"<h1>Critical error</h1>")]
        post = a_post("wp-dark", site.account())
        with pytest.raises(Unavailable):
            adapter.publish(post, timeout=10)
        assert [request.method for request in site.proxy.requests] == ["GET"]
        site.proxy.next = [Answer(502, b"")]
        with pytest.raises(UnknownOutcome, match="told nothing"):
            adapter.find(post, timeout=10)


def content_slug(item):
    from platforms.adapters.wordpress.site import media_slug

    return media_slug(item)


def answer(status, body=b"", **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers={name.replace("_", "-"): text for name, text in headers.items()}, body=raw)


def wp(code, message="No.", **data):
    return {"code": code, "message": message, "data": data}


@pytest.mark.parametrize(
    ("given", "before", "after"),
    [
        (answer(401, wp("rest_not_logged_in")), "auth", "auth"),
        (answer(401, wp("rest_cannot_create")), "auth", "auth"),
        (answer(401, b"<h1>401</h1>"), "auth", "auth"),
        (answer(403, wp("rest_cannot_publish")), "auth", "auth"),
        (answer(403, wp("rest_cannot_assign_sticky")), "rejected", "rejected"),
        (answer(403, b"<h1>Forbidden</h1>"), "unavailable", "unavailable"),  # a firewall: WordPress says it in JSON
        (answer(400, wp("rest_invalid_param", params={"status": "is none"})), "rejected", "rejected"),
        (answer(400, wp("rest_invalid_param", details={"status": {"code": "rest_forbidden_status"}})), "auth", "auth"),
        (answer(400, wp("empty_content")), "rejected", "rejected"),
        (answer(404, wp("rest_no_route")), "rejected", "rejected"),
        (answer(404, b"<h1>Not found</h1>"), "rejected", "rejected"),
        (answer(301, b"", location="https://www.blog.test/wp-json/"), "rejected", "rejected"),
        (answer(408), "unavailable", "unknown"),
        (answer(413, b"<h1>Too large</h1>"), "rejected", "rejected"),
        (answer(429, b"slow down", retry_after="7"), "rate_limited", "rate_limited"),
        (answer(500, wp("internal_server_error")), "unavailable", "unknown"),
        (answer(502, b"<h1>Bad gateway</h1>"), "unavailable", "unknown"),
        (answer(503, b"<h1>Briefly unavailable for scheduled maintenance.</h1>"), "unavailable", "unavailable"),
        (answer(503, b"<h1>Backend fetch failed</h1> Varnish", retry_after="5"), "unavailable", "unknown"),
        (answer(504), "unavailable", "unknown"),
    ],
)  # fmt: skip
def test_every_answer_has_its_class_before_and_after_the_post_is_sent(given, before, after):
    for sending, expected in ((False, before), (True, after)):
        found = answers.error_of(given, NOW, sending=sending)
        assert (found.error_class, found.status_code) == (expected, given.status)
        if given.status == 429:
            assert found.retry_after_seconds == 7


def test_the_sites_own_words_are_kept():
    given = answer(
        400, wp("rest_invalid_param", "Invalid &#8220;x&#8221;", params={"status": "status is not one of a, b."})
    )
    found = answers.error_of(given, NOW, sending=True)
    assert found.platform_message == "rest_invalid_param: Invalid “x” status: status is not one of a, b."
    page = answer(403, b"<html><head><title>t</title></head><script>x</script><h1>Blocked</h1> by &amp; wall</html>")
    assert answers.error_of(page, NOW, sending=True).platform_message == "Blocked by & wall"
    moved = answer(301, location="https://www.blog.test/wp-json/?token=x")
    assert "a redirect to https://www.blog.test, which" in str(answers.error_of(moved, NOW, sending=True))


def test_json_behind_a_sites_warnings_is_read():
    noisy = answer(201, b'<br />\n<b>Warning</b>: array [0] in x.php on line 3<br />\n{"id": 7, "slug": "a"}')
    assert answers.post_of(noisy) == {"id": 7, "slug": "a"}
    assert answers.post_of(answer(200, b"<html>{}</html>")) is None
    assert answers.post_of(answer(200, {"id": True})) is None


@pytest.mark.parametrize(
    ("options", "allow", "field"),
    [
        ({}, [], None),
        ({"site_url": "blog.test"}, [], "site_url"),
        ({"site_url": "https://ana:pw@blog.test"}, [], "site_url"),
        ({"site_url": "https://blog.test/wp-admin/"}, [], "site_url"),
        ({"site_url": "http://blog.test"}, [], "site_url"),  # the password would be read by everybody on the way
        ({"site_url": "http://blog.test"}, ["blog.test"], None),
        ({"site_url": "http://10.1.2.3:8080"}, ["10.0.0.0/8"], None),
        ({"site_url": "http://8.8.8.8"}, ["10.0.0.0/8"], "site_url"),
        ({"username": ""}, [], "username"),
        ({"username": "a:b"}, [], "username"),
    ],
)
def test_settings_are_checked_at_their_field(settings, options, allow, field):
    settings.OUTBOUND_ALLOW = allow
    found = adapter.check_settings({**ACCOUNT.options, **options}, ACCOUNT.credentials)
    assert [name for name, _ in found] == ([field] if field else [])


def test_a_missing_password_is_named():
    assert [name for name, _ in adapter.check_settings(ACCOUNT.options, {})] == ["application_password"]


@pytest.mark.parametrize(
    ("options", "mimes", "codes"),
    [
        ({}, ["image/png"], []),
        ({"featured_image": 2}, ["image/png"], ["featured_image"]),
        ({"featured_image": 0}, [], []),
        ({"featured_image": 1}, ["application/pdf"], ["featured_image"]),
        ({"featured_image": 0.5}, ["image/png"], ["featured_image"]),
        ({"featured_image": "x"}, ["image/png"], ["featured_image"]),
        ({"status": "future"}, [], ["status"]),
    ],
)
def test_options_that_wordpress_would_not_do_are_problems(options, mimes, codes):
    post = a_post("k", options=options, media=[SimpleNamespace(mime=mime) for mime in mimes])
    assert [found.code for found in adapter.check(post, ACCOUNT)] == codes


def test_the_first_image_is_the_featured_one_and_a_pdf_never():
    pdf, png = SimpleNamespace(mime="application/pdf"), SimpleNamespace(mime="image/png")
    assert content.featured_number(a_post("k", media=(pdf, png))) == 2
    assert content.featured_number(a_post("k", media=(pdf,), options={"featured_image": 1})) == 0
    assert content.featured_number(a_post("k", media=(png,), options={"featured_image": 0})) == 0


def test_a_remote_id_that_is_no_number_is_refused_before_a_call():
    with pytest.raises(Rejected):
        adapter.delete(ACCOUNT, "1/../../users/1", timeout=1)
