"""The practice network's pages: who sees them, what they show and do."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from platforms.adapters.sandbox.models import SandboxComment, SandboxPost
from platforms.contracts import MediaRef, Publication
from platforms.models import PlatformAccount
from platforms.services import media, publishing
from tests.people import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(workspace, now):
    return make_account(workspace, now)


def post_to(account, now, key="k1", **values):
    values = {"text": "Hello <b>world</b>\nsecond line", "link": "https://example.com/a?b=1&c=2", **values}
    publication = Publication(key=key, account=publishing.account_ref(account), scheduled_for=now, **values)
    publishing.send(publication, timeout=1)
    return SandboxPost.objects.get(account=account, key=key)


@pytest.fixture
def post(account, now):
    return post_to(account, now, title="Title", hashtags=("news", "#tag"))


def address(post, verb=""):
    return f"/sandbox/{post.account.handle}/{post.remote_id}/{verb}"


@pytest.mark.parametrize("who", ["owner", "author", "viewer"])
def test_members_see_the_pages(client, people, post, who):
    client.force_login(getattr(people, who))
    for path in ("/sandbox/", "/sandbox/news/", address(post)):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "Hello &lt;b&gt;world" in answer.content.decode()


def test_strangers_get_404_and_nobody_is_sent_to_sign_in(client, people, post):
    client.force_login(people.stranger)
    assert "Hello" not in client.get("/sandbox/").content.decode()
    assert [client.get(path).status_code for path in ("/sandbox/news/", address(post))] == [404, 404]
    assert client.post(address(post, "like/")).status_code == 404
    client.logout()
    assert client.get("/sandbox/").status_code == 302
    assert client.post(address(post, "like/")).status_code == 302


def test_a_link_is_safe_to_click_or_not_clickable(client, people, account, now):
    client.force_login(people.owner)
    good = client.get(address(post_to(account, now, "good"))).content.decode()
    assert '<a class="link" href="https://example.com/a?b=1&amp;c=2" rel="nofollow noopener"' in good
    bad = client.get(address(post_to(account, now, "bad", link="javascript:alert(1)"))).content.decode()
    assert 'href="javascript' not in bad


def test_no_inline_script_or_style(client, people, post):
    client.force_login(people.owner)
    for path in ("/sandbox/", "/sandbox/news/", address(post)):
        body = client.get(path).content.decode()
        assert " style=" not in body
        assert "<style" not in body
        assert " onclick" not in body


def test_a_picture_is_shown_with_its_words(client, people, account, now, actor, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    target = io.BytesIO()
    Image.new("RGB", (4, 3)).save(target, "PNG")
    asset = media.store_upload(
        workspace=people.workspace, file=target, name="a.png", alt_text="A dot", actor=actor, now=now
    )
    gone = MediaRef(url="https://x.test/", mime="image/png", alt="", size=1, checksum="gone")
    made = post_to(account, now, media=(media.media_ref(asset, now), gone))
    client.force_login(people.owner)
    body = client.get(address(made)).content.decode()
    assert f'<img src="{media.media_path_of(asset)}" alt="A dot" width="4" height="3"' in body
    assert "no longer stored" in body
    assert "signature" not in body


def test_liking_works_with_and_without_htmx(client, people, post):
    client.force_login(people.author)
    assert client.post(address(post, "like/")).headers["Location"] == address(post)
    answer = client.post(address(post, "like/"), headers={"HX-Request": "true"})
    assert "2 likes" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert client.get(address(post, "like/")).status_code == 405


def test_commenting_keeps_the_words_and_escapes_them(client, people, post):
    client.force_login(people.author)
    answer = client.post(address(post, "comment/"), {"text": "<script>x</script>"}, headers={"HX-Request": "true"})
    assert "&lt;script&gt;" in answer.content.decode()
    assert SandboxComment.objects.get().author == "ben"
    empty = client.post(address(post, "comment/"), {"text": ""}, headers={"HX-Request": "true"})
    assert (empty.status_code, "required" in empty.content.decode()) == (422, True)


def test_a_viewer_looks_and_does_not_touch(client, people, post):
    client.force_login(people.viewer)
    assert [client.post(address(post, verb), {"text": "x"}).status_code for verb in ("like/", "comment/")] == [403, 403]
    assert client.post("/sandbox/news/faults/", {}).status_code == 403
    assert "<form" not in client.get(address(post)).content.decode().split('id="reactions"')[1].split("</main>")[0]


def faults(account, **values):
    return {"fault_mode": "slow", "fault_rate": 0.5, "fault_seconds": 2, "version": account.version, **values}


def test_who_keeps_accounts_switches_faults(client, people, account):
    client.force_login(people.author)
    assert "Practise faults" not in client.get("/sandbox/news/").content.decode()
    assert client.post("/sandbox/news/faults/", faults(account)).status_code == 403
    client.force_login(people.owner)
    assert client.post("/sandbox/news/faults/", faults(account)).status_code == 302
    account.refresh_from_db()
    assert account.options == {"fault_mode": "slow", "fault_rate": 0.5, "fault_seconds": 2.0}
    stale = client.post("/sandbox/news/faults/", faults(account, version=1))
    assert (stale.status_code, "meanwhile" in stale.content.decode()) == (409, True)
    assert client.post("/sandbox/news/faults/", faults(account, fault_mode="explode")).status_code == 422
    assert client.post("/sandbox/news/faults/", faults(account, fault_rate=2)).status_code == 422


def test_an_address_with_an_earlier_handle_leads_to_the_post(client, people, post):
    old = address(post)
    PlatformAccount.objects.update(handle="renamed")
    client.force_login(people.owner)
    assert client.get(old).headers["Location"] == f"/sandbox/renamed/{post.remote_id}/"


def test_a_handle_of_two_workspaces_means_ones_own(client, people, post, now):
    other = make_account(people.other_workspace, now)
    post_to(other, now, text="Secret of elsewhere")
    client.force_login(people.owner)
    assert "Secret" not in client.get("/sandbox/news/").content.decode()


def test_removed_posts_and_unknown_ones_are_404(client, people, post, now):
    client.force_login(people.owner)
    SandboxPost.objects.update(removed_at=now)
    assert client.get(address(post)).status_code == 404
    assert client.get("/sandbox/news/nonsense/").status_code == 404
    assert client.get("/sandbox/nobody/").status_code == 404


def test_the_feed_costs_the_same_for_one_post_and_for_twenty(
    client, people, account, now, django_assert_max_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.force_login(people.owner)

    def cost():
        with CaptureQueriesContext(connection) as queries:
            client.get("/sandbox/news/")
        return len(queries)

    post_to(account, now, "first")
    cost()  # the first request of a session may write
    one = cost()
    for number in range(19):
        post_to(account, now, f"k{number}")
    assert cost() == one


def test_pages_are_of_twenty(client, people, account, now):
    for number in range(21):
        post_to(account, now, f"k{number}", text=f"Post {number}.")
    client.force_login(people.owner)
    assert "Page 1 of 2" in client.get("/sandbox/news/").content.decode()
    assert client.get("/sandbox/news/?page=2").content.decode().count("<article") == 1


@pytest.mark.parametrize(("seconds", "unknown"), [(0.01, False), (5, True)])
def test_a_slow_sandbox_keeps_the_post_and_may_be_given_up_on(account, now, seconds, unknown):
    from platforms.errors import UnknownOutcome

    account.options = {"fault_mode": "slow", "fault_rate": 1, "fault_seconds": seconds}
    publication = Publication(key="slow", account=publishing.account_ref(account), text="x", scheduled_for=now)
    if unknown:
        with pytest.raises(UnknownOutcome):
            publishing.send(publication, timeout=0.02)
    else:
        assert publishing.send(publication, timeout=1).remote_id
    assert publishing.find(publication, timeout=1) is not None


def test_a_fault_rate_of_zero_spares_everything(account, now):
    account.options = {"fault_mode": "rejected", "fault_rate": 0}
    assert post_to(account, now).remote_id
