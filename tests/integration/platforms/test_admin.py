"""The admin of accounts and media: credentials go in and never come out, each action is a service call."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import Permission
from PIL import Image

from platforms.models import MediaAsset, PlatformAccount
from platforms.services import media, publishing
from tests.people import make_account

pytestmark = pytest.mark.django_db
URL = "/admin/platforms/platformaccount/"


@pytest.fixture
def account(workspace, now):
    options = {"publish_url": "http://127.0.0.1:1/"}
    return make_account(
        workspace, now, platform="http", name="Own", options=options, credentials={"bearer_token": "hush-hush"}
    )


@pytest.fixture
def staff(people, client):
    people.owner.is_staff = True
    people.owner.save()
    people.owner.user_permissions.set(Permission.objects.filter(content_type__app_label__in=("platforms", "sandbox")))
    client.force_login(people.owner)
    return people.owner


def fields(account, **values):
    import json

    return {
        "name": account.name,
        "handle": account.handle,
        "timezone": account.timezone,
        "options": json.dumps(account.options),
        "min_spacing_seconds": 0,
        "hourly_cap": "",
        "daily_cap": "",
        "new_credentials": "",
        **values,
    }


@pytest.mark.parametrize("page", ["platformaccount", "mediaasset", "ratewindow", "circuitstate"])
def test_every_list_opens(client, staff, account, page):
    assert client.get(f"/admin/platforms/{page}/").status_code == 200
    assert client.get("/admin/sandbox/sandboxpost/").status_code == 200


def test_stored_credentials_are_never_shown(client, staff, account):
    secret = publishing.account_ref(account).credentials["signing_secret"]
    body = client.get(f"{URL}{account.pk}/change/").content.decode()
    assert "new_credentials" in body
    assert "hush-hush" not in body
    assert secret not in body


def test_a_lost_key_breaks_neither_list_nor_form(client, staff, account, settings):
    from alwrity_scheduler.core import secrets

    settings.ENCRYPTION_KEYS = [secrets.generate_key()]
    assert client.get(URL).status_code == 200
    assert client.get(f"{URL}{account.pk}/change/").status_code == 200


def test_saving_changes_what_was_changed_and_keeps_the_secrets(client, staff, account):
    answer = client.post(f"{URL}{account.pk}/change/", fields(account, hourly_cap=7))
    assert answer.status_code == 302
    account.refresh_from_db()
    assert (account.hourly_cap, account.version) == (7, 2)
    assert publishing.account_ref(account).credentials["bearer_token"] == "hush-hush"


def test_new_credentials_are_stored_and_old_ones_kept(client, staff, account):
    before = publishing.account_ref(account).credentials
    client.post(f"{URL}{account.pk}/change/", fields(account, new_credentials='{"bearer_token": "fresh-one"}'))
    account.refresh_from_db()
    assert publishing.account_ref(account).credentials == {**before, "bearer_token": "fresh-one"}


@pytest.mark.parametrize(
    "values",
    [
        {"options": "{}"},
        {"new_credentials": "[1]"},
        {"new_credentials": '{"signing_secret": "whsec_!"}'},
        {"timezone": "Mars"},
    ],
)
def test_wrong_settings_stay_in_the_form(client, staff, account, values):
    assert client.post(f"{URL}{account.pk}/change/", fields(account, **values)).status_code == 200
    account.refresh_from_db()
    assert account.version == 1


def test_connecting_shows_the_made_secret_once(client, staff, people):
    values = {
        "workspace": people.workspace.pk,
        "platform": "http",
        "name": "New",
        "handle": "new",
        "timezone": "UTC",
        "options": '{"publish_url": "https://api.test/"}',
        "min_spacing_seconds": 0,
    }
    answer = client.post(f"{URL}add/", values, follow=True)
    made = PlatformAccount.objects.get(handle="new")
    secret = publishing.account_ref(made).credentials["signing_secret"]
    assert secret in answer.content.decode()
    assert secret not in client.get(f"{URL}{made.pk}/change/").content.decode()


def test_actions_pause_resume_and_test(client, staff, account, settings):
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]

    def act(action):
        return client.post(URL, {"action": action, "_selected_action": [account.pk]}, follow=True).content.decode()

    act("pause")
    account.refresh_from_db()
    assert account.state == "paused"
    act("resume")
    account.refresh_from_db()
    assert account.state == "active"
    assert "Nothing was sent" in act("test_connection")


def test_other_workspaces_are_not_there(client, staff, people, now):
    other = make_account(people.other_workspace, now, name="Elsewhere")
    for page in (URL, f"{URL}add/", "/admin/sandbox/sandboxpost/", "/admin/platforms/mediaasset/"):
        assert "Elsewhere" not in client.get(page).content.decode()
    assert client.get(f"{URL}{other.pk}/change/").status_code == 302


def test_an_account_cannot_be_connected_for_another_workspace(client, staff, people):
    values = {
        "workspace": people.other_workspace.pk,
        "platform": "sandbox",
        "name": "X",
        "handle": "x",
        "timezone": "UTC",
    }
    assert client.post(f"{URL}add/", {**values, "options": "{}", "min_spacing_seconds": 0}).status_code == 200
    assert not PlatformAccount.objects.exists()


def test_a_role_that_may_not_keep_accounts_only_looks(client, staff, people, account):
    people.owner.memberships.update(role="author")
    assert client.post(f"{URL}{account.pk}/change/", fields(account, name="Taken over")).status_code == 403
    client.post(URL, {"action": "pause", "_selected_action": [account.pk]})
    account.refresh_from_db()
    assert (account.name, account.state) == ("Own", "active")


def test_nobody_deletes_an_account_here(client, staff, account):
    assert client.post(f"{URL}{account.pk}/delete/", {"post": "yes"}).status_code == 403


def test_alt_text_is_edited_and_the_picture_previewed(client, staff, people, actor, now, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    target = io.BytesIO()
    Image.new("RGB", (4, 3)).save(target, "PNG")
    asset = media.store_upload(workspace=people.workspace, file=target, name="a.png", actor=actor, now=now)
    page = f"/admin/platforms/mediaasset/{asset.pk}/change/"
    assert f'<img src="{media.thumbnail_path_of(asset)}"' in client.get(page).content.decode()
    client.post(page, {"alt_text": "A dot"})
    assert MediaAsset.objects.get().alt_text == "A dot"
