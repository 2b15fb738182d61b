"""Logins at a company's OpenID provider: the real one, walked through as a person would; and what SIGNIN_OIDC may say."""

from __future__ import annotations

import html
import json
import re

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse

from alwrity_scheduler.signin import providers, services
from alwrity_scheduler.workspaces.models import User
from schedules.models import AuditLog
from tests.integration.signin.test_second_step import set_up
from tests.people import ACTOR
from tests.servers import people_provider, real
from tests.servers.signin import walk

CALLBACK = "http://testserver/account/oidc/company/login/callback/"
real_one = [
    pytest.mark.django_db,
    pytest.mark.xdist_group("oidc_provider"),
    pytest.mark.skipif(bool(real.missing("oidc_provider")), reason=real.missing("oidc_provider")),
]


def listed(server: str, **more: object) -> str:
    one = {
        "id": "company",
        "name": "Company",
        "server": server,
        "client_id": people_provider.CLIENT,
        "client_secret": people_provider.SECRET,
        **more,
    }
    return json.dumps([one])


@pytest.fixture(scope="module")
def issuer():
    with people_provider.running(CALLBACK) as address:
        yield address


@pytest.fixture
def company(issuer, settings):
    """The provider in the settings, and `go(login)`: the browser that came back from it, with the answer."""
    settings.SIGNIN_OIDC = providers.read(listed(issuer))
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": settings.SIGNIN_OIDC}}

    def go(login: str, client: Client | None = None, *, process: str = "login", to: str = "/app/jobs/"):
        client = client or Client()
        start = f"{reverse('openid_connect_login', args=['company'])}?process={process}&next={to}"
        # a page, not a redirect: a browser follows no form to another site under the policy `form-action 'self'`
        page = client.post(start)
        assert page.status_code == 200
        there = html.unescape(re.search(r'href="(http[^"]+/auth[^"]+)"', page.content.decode()).group(1))
        assert there.startswith(f"{issuer}/auth?")
        assert "code_challenge_method=S256" in there
        return client, client.get(CALLBACK, walk(there, CALLBACK, login))

    return go


class TestAtTheProvider:
    pytestmark = real_one

    def test_who_is_nobody_here_stays_outside(self, people, company):
        before = User.objects.count()
        client, answer = company("eve")
        assert "invited" in answer.content.decode()
        assert client.get("/app/").status_code == 302
        assert User.objects.count() == before

    def test_a_confirmed_address_says_who_it_is_and_stays_linked(self, people, company, now, kinds):
        services.confirm_address(person=people.owner, address="ana@team.test", actor=ACTOR, now=now)
        client, answer = company("ana")
        assert answer["Location"] == "/app/jobs/"
        assert client.get("/app/").wsgi_request.user == people.owner
        assert kinds() == ["provider.linked", "sign_in.succeeded"]
        assert AuditLog.objects.get(action="person.login_linked").after == {"provider": "company"}
        # from now on by the link, not by the address
        people.owner.emailaddress_set.all().delete()
        assert company("ana")[0].get("/app/").wsgi_request.user == people.owner

    @pytest.mark.parametrize(("login", "confirmed"), [("ana-unsure", True), ("ana", False)])
    def test_an_address_that_either_side_has_not_confirmed_opens_nothing(self, people, company, now, login, confirmed):
        User.objects.filter(pk=people.owner.pk).update(email="ana@team.test")
        people.owner.emailaddress_set.create(email="ana@team.test", verified=confirmed, primary=True)
        client, answer = company(login)
        assert "invited" in answer.content.decode()
        assert client.get("/app/").status_code == 302
        assert not SocialAccount.objects.exists()

    def test_where_it_is_open_somebody_new_comes_in_and_nobody_is_taken_over(self, people, company, settings):
        settings.SIGNIN_OIDC_OPEN = True
        client, answer = company("zoe")
        assert answer.status_code == 302
        zoe = User.objects.get(username="zoe")
        assert client.get("/app/").status_code == 403  # in, and in no workspace
        assert (zoe.email, zoe.has_usable_password(), zoe.is_staff) == ("zoe@team.test", False, False)
        assert AuditLog.objects.filter(action="person.created", object_label="zoe").count() == 1
        User.objects.filter(pk=people.author.pk).update(email="ben@team.test")
        assert "invited" in company("ben")[1].content.decode()

    def test_one_links_it_in_the_settings_and_unlinks_it(self, people, company, sign_in, kinds):
        client, _ = sign_in("ben")
        assert "Link Company" in client.get(reverse("socialaccount_connections")).content.decode()
        company("somebody", client, process="connect", to="")
        assert company("somebody")[0].get("/app/").wsgi_request.user == people.author
        row = SocialAccount.objects.get(user=people.author)
        client.post(reverse("socialaccount_connections"), {"account": row.pk})
        assert not SocialAccount.objects.exists()
        assert {"provider.linked", "provider.unlinked"} <= set(kinds())

    def test_the_second_step_is_asked_for_after_it_too(self, people, company, sign_in):
        client, _ = sign_in("ana")
        set_up(client)
        company("ana", client, process="connect", to="")
        other, answer = company("ana")
        assert answer["Location"] == reverse("mfa_authenticate")
        assert other.get("/app/").status_code == 302

    def test_a_provider_in_a_private_network_must_be_allowed(self, people, company, settings):
        settings.OUTBOUND_ALLOW = []
        answer = Client().post(reverse("openid_connect_login", args=["company"]))
        assert answer.status_code == 502
        assert "failed" in answer.content.decode()

    def test_its_button_is_on_the_page(self, company, client):
        page = client.get(reverse("login") + "?next=/app/jobs/").content.decode()
        assert "Sign in with Company" in page
        assert "company-secret" not in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ('{"id": "a"}', "JSON array"),
        ('[{"id": "a"}]', "a of SIGNIN_OIDC lacks name, server, client_id, client_secret"),
        (listed("id.example.com"), "must begin with https"),
        (listed("https://id.example.com", id="A b"), "small letters"),
        (listed("https://id.example.com", scope="x"), "unknown scope"),
        (listed("https://id.example.com", trust_addresses="yes"), "true or false"),
        (listed("https://id.example.com")[:-1] + "," + listed("https://id.example.com")[1:], "same id"),
    ],
)
def test_a_setting_by_halves_is_said_at_the_start(text, said):
    with pytest.raises(providers.ProvidersUnusable, match=said):
        providers.read(text)


def test_no_setting_is_no_provider():
    assert providers.read("") == providers.read("  ") == []
