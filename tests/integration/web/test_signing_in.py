"""Connecting accounts by signing in, as pages: who may, what is checked, where people are sent; and no secret on any page."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from platforms.base import FieldSpec
from platforms.contracts import AccountHealth, Grant, Place
from platforms.models import AccountGroup, PlatformAccount, PlatformApp, SignInAttempt
from platforms.oauth2 import authorize_url
from platforms.services import accounts, apps, groups
from schedules.models import AuditLog
from tests import engine
from tests.conftest import NOW
from tests.engine import ScriptedAdapter
from tests.people import ACTOR, make_account

HUSH = {"app": "hush-app-secret", "token": "hush-token-1234", "refresh": "hush-refresh-1234", "code": "hush-code-1234"}
HOST = "posts.test"


class Plaza(ScriptedAdapter):
    """Signed in to, or connected by a token; tells who one is."""

    scopes = ("post", "read")
    uses_pkce = True
    sign_in_fields = ("server",)

    def __init__(self):
        super().__init__(
            key="plaza",
            label="Plaza",
            description="A square",
            credential_fields=(FieldSpec(name="token", label="Access token", secret=True, required=True),),
            option_fields=(FieldSpec(name="server", label="Server", kind="url", required=True),),
        )
        self.given = frozenset(self.scopes)
        self.to = "https://plaza.test/auth"
        self.health = AccountHealth(ok=True, message="It works.", identity="@ana")

    def authorize_url(self, app, *, state, challenge):
        return authorize_url(
            self.to,
            client_id=app.client_id,
            redirect_uri=app.redirect_uri,
            scopes="x",
            state=state,
            challenge=challenge,
        )

    def exchange(self, app, *, code, verifier, timeout):
        return Grant(credentials={"token": HUSH["token"]}, scopes=self.given)

    def places(self, app, grant, *, timeout):
        secrets = {"token": HUSH["token"], "refresh_token": HUSH["refresh"]}
        options = {"server": "https://plaza.test"}
        return [
            Place(handle="ana", name="Ana <b>", kind="profile", credentials=secrets, options=options),
            Place(handle="cafe", name="Café", kind="page", credentials=secrets, options=options),
        ]

    def verify(self, account, *, timeout):
        return self.health


@pytest.fixture(autouse=True)
def _public(settings):
    settings.PUBLIC_URL = f"http://{HOST}"
    settings.ALLOWED_HOSTS = [HOST, "testserver"]


@pytest.fixture
def plaza(team):
    adapter = engine.install(Plaza())
    apps.save(
        workspace=team.workspace, platform="plaza", server="https://plaza.test", client_id="us", client_secret=HUSH["app"],
        actor=ACTOR, now=NOW,
    )  # fmt: skip
    yield adapter
    engine.uninstall(adapter)


@pytest.fixture
def owner(team):
    client = Client(HTTP_HOST=HOST)
    client.force_login(team.people.owner)
    return client


def start(client, **fields):
    fields = {"option-server": "https://plaza.test", **fields}
    return client.post(reverse("web:account_signin", args=["plaza"]), fields)


def state_of(response):
    [url] = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', response.content.decode())
    return parse_qs(urlsplit(url.replace("&amp;", "&")).query)["state"][0]


def come_back(client, state, **more):
    return client.get(reverse("oauth_callback"), {"state": state, "code": HUSH["code"], **more})


def test_people_are_sent_by_a_page_of_ours_for_a_form_may_not_lead_elsewhere(owner, plaza):
    response = start(owner)
    assert response.status_code == 200
    assert "form-action 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response.headers["Cache-Control"]
    body = response.content.decode()
    assert body.count("https://plaza.test/auth?") == 2
    assert "code_challenge_method=S256" in body


def test_a_person_signs_in_chooses_and_reads_whom_the_platform_takes_them_for(owner, plaza, team):
    back = come_back(owner, state_of(start(owner)))
    assert back.status_code == 303
    assert HUSH["code"] not in back.headers["Location"]
    page = owner.get(back.headers["Location"])
    assert b"Ana &lt;b&gt;" in page.content
    assert not PlatformAccount.objects.filter(platform="plaza").exists()

    nothing = owner.post(back.headers["Location"], {})
    assert nothing.status_code == 422
    assert b"Choose at least one" in nothing.content
    done = owner.post(back.headers["Location"], {"chosen": ["0", "1"]}, follow=True)

    assert b"Connected Ana &lt;b&gt;, Caf" in done.content
    assert b"You are @ana there." in done.content
    assert set(PlatformAccount.objects.filter(platform="plaza").values_list("handle", "workspace_id")) == {
        ("ana", team.workspace.pk),
        ("cafe", team.workspace.pk),
    }
    again = owner.post(back.headers["Location"], {"chosen": ["0"]})
    assert (again.status_code, b"connected already" in again.content) == (422, True)


def test_missing_rights_are_shown_and_connected_only_when_accepted(owner, plaza):
    plaza.given = frozenset({"read"})
    where = come_back(owner, state_of(start(owner))).headers["Location"]
    page = owner.get(where).content.decode()
    assert "One right is missing" in page
    assert "Sign in again" in page
    assert owner.post(where, {"chosen": ["0"]}).status_code == 422
    assert owner.post(where, {"chosen": ["0"], "despite": "1"}).status_code == 303
    assert PlatformAccount.objects.get(platform="plaza").missing_scopes == ["post"]
    assert b"Missing rights" in owner.get(reverse("web:accounts")).content


def test_an_account_is_signed_in_again_and_a_stranger_is_told_apart(owner, plaza, team):
    row = make_account(
        team.workspace, NOW, platform="plaza", name="Mine", handle="cafe", credentials={"token": "old"}, options={"server": "s"}
    )  # fmt: skip
    accounts.mark_needs_auth(account_id=row.pk, message="Gone.", actor=ACTOR, now=NOW)
    page = owner.get(reverse("web:account", args=[row.public_id])).content.decode()
    address = f"{reverse('web:account_signin', args=['plaza'])}?account={row.public_id}"
    assert address in page
    assert "Sign in as @cafe" in owner.get(address).content.decode()
    where = come_back(owner, state_of(start(owner, account=str(row.public_id)))).headers["Location"]
    pick = owner.get(where).content.decode()
    assert 'value="1" checked' in pick
    assert "connected already: signs it in again" in pick
    owner.post(where, {"chosen": ["1"]})
    row.refresh_from_db()
    assert (row.state, row.name, row.credentials["token"]) == ("active", "Mine", HUSH["token"])

    PlatformAccount.objects.filter(pk=row.pk).update(handle="somebody")
    where = come_back(owner, state_of(start(owner, account=str(row.public_id)))).headers["Location"]
    assert "you signed in as somebody else" in owner.get(where).content.decode()


@pytest.mark.parametrize(
    ("asked", "words", "status"),
    [
        ({"error": "access_denied", "code": ""}, "You did not allow it at the platform", 200),
        ({"error": "server_error", "error_description": "<script>x</script>"}, "&lt;script&gt;x", 422),
        ({"code": ""}, "brings no code", 422),
        ({"state": "made-up"}, "no sign-in that was begun here", 422),
        ({"state": "\x00"}, "no sign-in that was begun here", 422),
    ],
)
def test_what_comes_back_wrong_is_a_page_with_a_way_on(owner, plaza, asked, words, status):
    response = come_back(owner, asked.pop("state", None) or state_of(start(owner)), **asked)
    assert response.status_code == status
    assert words in response.content.decode()
    assert "Begin again" in response.content.decode()
    assert HUSH["code"] not in response.content.decode()


def test_an_answer_in_another_browser_or_twice_connects_nothing(owner, plaza, team):
    state = state_of(start(owner))
    other = Client(HTTP_HOST=HOST)
    other.force_login(team.people.owner)
    assert b"another browser" in come_back(other, state).content
    where = come_back(owner, state).headers["Location"]
    assert b"answered already" in come_back(owner, state).content
    assert b"another browser" in other.get(where).content
    assert b"another browser" in other.post(where, {"chosen": ["0"]}).content
    assert not PlatformAccount.objects.filter(platform="plaza").exists()


def test_a_sign_in_is_begun_by_a_form_of_ours_alone(team, plaza):
    strict = Client(enforce_csrf_checks=True, HTTP_HOST=HOST)
    strict.force_login(team.people.owner)
    assert start(strict).status_code == 403
    assert strict.get(reverse("web:account_signin", args=["plaza"])).status_code == 200
    assert not SignInAttempt.objects.exists()


def test_at_another_address_than_the_public_one_people_are_told(team, plaza):
    client = Client(HTTP_HOST="testserver")
    client.force_login(team.people.owner)
    response = start(client)
    assert response.status_code == 422
    assert b"Open the product there first" in response.content
    assert not SignInAttempt.objects.exists()


@pytest.mark.parametrize("to", ["javascript:alert(1)", "data:text/html,x", "//plaza.test"])
def test_nobody_is_sent_to_what_is_no_web_address(owner, plaza, to):
    plaza.to = to
    response = start(owner)
    assert response.status_code == 422
    assert b"javascript:" not in response.content


def test_only_who_manages_accounts_signs_in_and_only_their_own_accounts(team, plaza, owner):
    theirs = make_account(
        team.people.other_workspace, NOW, platform="plaza", name="T", handle="t", options={"server": "s"},
        credentials={"token": "x"},
    )  # fmt: skip
    assert start(owner, account=str(theirs.public_id)).status_code == 404
    assert start(owner, account="no-id").status_code == 404
    for person in (team.people.author, team.people.viewer):
        client = Client(HTTP_HOST=HOST)
        client.force_login(person)
        assert start(client).status_code == 403
        assert client.get(reverse("web:account_apps")).status_code == 403
        assert client.post(reverse("web:account_groups"), {"name": "x"}).status_code == 403
        assert client.get(reverse("web:account_groups")).status_code == 200
    assert owner.get(reverse("web:account_signin", args=["sandbox"])).status_code == 404
    assert not SignInAttempt.objects.exists()


def test_apps_are_entered_kept_secret_and_removed(owner, plaza, team):
    page = owner.get(reverse("web:account_apps")).content.decode()
    assert f"http://{HOST}/oauth/callback" in page
    assert re.search(r"set <time[^>]*>Mon 23 Nov, 09:00 CET</time> by ana", page)
    missing = owner.post(reverse("web:account_apps"), {"platform": "plaza", "client_id": "new"})
    assert missing.status_code == 422
    assert b"Write the address of the server" in missing.content
    given = {"platform": "plaza", "server": "https://other.test", "client_id": "new", "client_secret": HUSH["app"]}
    assert owner.post(reverse("web:account_apps"), given).status_code == 303
    row = PlatformApp.objects.get(server="https://other.test")
    assert owner.post(reverse("web:account_app_remove", args=[row.public_id])).status_code == 303
    stranger = Client(HTTP_HOST=HOST)
    stranger.force_login(team.people.stranger)
    left = PlatformApp.objects.get()
    assert stranger.post(reverse("web:account_app_remove", args=[left.public_id])).status_code == 404


def test_groups_are_made_filled_filtered_by_and_deleted(owner, team):
    second = make_account(team.workspace, NOW, name="Newsroom")
    page = reverse("web:account_groups")
    assert b"No group yet" in owner.get(page).content
    assert owner.post(page, {"name": "Brand", "accounts": [str(team.account.public_id)]}).status_code == 303
    taken = owner.post(page, {"name": "Brand", "accounts": [str(second.public_id)]})
    assert (taken.status_code, b"There is a group Brand already" in taken.content) == (422, True)
    row = AccountGroup.objects.get()
    one = reverse("web:account_group", args=[row.public_id])
    assert owner.post(one, {"name": "Brand 2", "accounts": [str(second.public_id)], "version": 1}).status_code == 303
    assert b"Somebody changed this group" in owner.post(one, {"name": "Late", "accounts": [], "version": 1}).content
    listed = owner.get(reverse("web:accounts"), {"group": str(row.public_id)}).content
    assert b"Newsroom" in listed
    assert b"Harbour" not in listed
    stranger = Client()
    stranger.force_login(team.people.stranger)
    assert stranger.post(one, {"name": "Mine"}).status_code == 404
    assert owner.post(reverse("web:account_group_delete", args=[row.public_id])).status_code == 303
    assert not AccountGroup.objects.exists()


def test_a_token_is_tested_at_once_and_the_answer_is_in_words(owner, plaza):
    given = {"name": "By hand", "timezone": "UTC", "secret-token": HUSH["token"], "option-server": "https://plaza.test"}
    plaza.health = AccountHealth(ok=True, message="It works.", identity="@ana", missing_scopes=("post",))
    words = owner.post(reverse("web:account_connect", args=["plaza"]), given, follow=True).content.decode()
    assert "By hand: It works. You are @ana there. Rights are missing: post." in words
    plaza.health = AccountHealth(ok=False, message="The server does not take the token.")
    row = PlatformAccount.objects.get(platform="plaza")
    changed = {**given, "version": row.version, "secret-token": "another"}
    words = owner.post(reverse("web:account", args=[row.public_id]), changed, follow=True).content.decode()
    assert "By hand: The server does not take the token." in words


def test_what_goes_along_with_every_post_is_on_the_accounts_form(owner, team):
    where = reverse("web:account", args=[team.account.public_id])
    given = {
        "version": team.account.version, "name": "Harbour", "timezone": "Europe/Berlin", "signature": "Yours,\r\nAna",
        "default_hashtags": "#one two, three", "utm_source": "news", "utm_medium": " ",
    }  # fmt: skip
    assert owner.post(where, given).status_code == 303
    team.account.refresh_from_db()
    row = team.account
    assert (row.signature, row.default_hashtags, row.utm) == (
        "Yours,\nAna",
        ["one", "two", "three"],
        {"source": "news"},
    )
    page = owner.get(where).content.decode()
    assert 'value="#one #two #three"' in page
    assert 'value="news"' in page
    wrong = owner.post(where, {**given, "version": row.version, "default_hashtags": "a-b"})
    assert wrong.status_code == 422
    assert "err_default_hashtags" in wrong.content.decode()


def test_what_a_sign_in_brought_besides_the_forms_fields_stays(owner, plaza, team):
    row = make_account(
        team.workspace, NOW, platform="plaza", name="Mine", handle="m", credentials={"token": "t"},
        options={"server": "https://plaza.test", "person_id": "42"},
    )  # fmt: skip
    given = {"version": row.version, "name": "Ours", "timezone": "UTC", "option-server": "https://b.test"}
    assert owner.post(reverse("web:account", args=[row.public_id]), given).status_code == 303
    row.refresh_from_db()
    assert (row.name, row.options) == ("Ours", {"server": "https://b.test", "person_id": "42"})


def test_no_secret_is_on_any_page_in_any_answer_in_the_history_or_in_the_log(owner, plaza, team, caplog):
    """Everything that was ever typed in or granted, looked for everywhere."""
    type(team.people.owner).objects.filter(pk=team.people.owner.pk).update(is_staff=True, is_superuser=True)
    groups.create(workspace=team.workspace, name="G", account_ids=[team.account.public_id], actor=ACTOR, now=NOW)
    seen = [start(owner)]
    seen.append(come_back(owner, state_of(seen[0])))
    seen += [
        owner.get(seen[-1].headers["Location"]),
        owner.post(seen[-1].headers["Location"], {"chosen": ["0"]}, follow=True),
    ]
    row = PlatformAccount.objects.get(platform="plaza")
    app = PlatformApp.objects.get()
    seen += [owner.post(reverse("web:account_act", args=[row.public_id, "test"]), follow=True)]
    pages = [
        "today",
        "accounts",
        "account_choose",
        "account_apps",
        "account_groups",
        "schedules",
        "jobs",
        "recovery",
        "team",
    ]
    seen += [owner.get(reverse(f"web:{name}")) for name in pages]
    seen += [
        owner.get(reverse(name, args=args))
        for name, args in (
            ("web:account", [row.public_id]),
            ("web:account_connect", ["plaza"]),
            ("web:account_signin", ["plaza"]),
            ("admin:platforms_platformaccount_change", [row.pk]),
            ("admin:platforms_platformaccount_changelist", []),
            ("admin:platforms_platformapp_change", [app.pk]),
            ("admin:platforms_platformapp_changelist", []),
            ("admin:platforms_platformapp_history", [app.pk]),
            ("admin:platforms_accountgroup_changelist", []),
            ("admin:platforms_accountgroup_change", [AccountGroup.objects.get().pk]),
            ("api:accounts", []),
            ("api:account", [row.public_id]),
            ("api:sign_in_apps", []),
            ("api:sign_in_app", [app.public_id]),
            ("api:account_groups", []),
            ("api:audit", []),
            ("api:status", []),
        )
    ]
    wrong = {"platform": "plaza", "client_id": "", "client_secret": HUSH["app"]}
    seen.append(owner.post(reverse("web:account_apps"), wrong))
    asked = {"name": "", "secret-token": HUSH["token"]}
    seen.append(owner.post(reverse("web:account_connect", args=["plaza"]), asked))
    assert {response.status_code for response in seen} == {200, 303, 422}
    told = "".join(response.content.decode() + str(response.headers) for response in seen)
    told += str(list(AuditLog.objects.values())) + caplog.text + repr(row) + repr(vars(app))
    assert [name for name, secret in HUSH.items() if secret in told] == []
    assert dict(row.credentials) == {"token": HUSH["token"], "refresh_token": HUSH["refresh"]}


def test_an_app_is_entered_in_the_admin_write_only(owner, plaza, team):
    type(team.people.owner).objects.filter(pk=team.people.owner.pk).update(is_staff=True, is_superuser=True)
    app = PlatformApp.objects.get()
    where = reverse("admin:platforms_platformapp_change", args=[app.pk])
    assert owner.post(where, {"client_id": "us", "new_secret": ""}).status_code == 302
    assert dict(PlatformApp.objects.get().secrets) == {"client_secret": HUSH["app"]}
    assert owner.post(where, {"client_id": "us", "new_secret": "fresh"}).status_code == 302
    assert dict(PlatformApp.objects.get().secrets) == {"client_secret": "fresh"}
    added = {"workspace": team.workspace.pk, "platform": "sandbox", "server": "", "client_id": "x"}
    assert b"Nobody signs in" in owner.post(reverse("admin:platforms_platformapp_add"), added).content
