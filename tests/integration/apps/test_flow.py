"""The authorization code flow, from the consent page to the API, and what is refused on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError

from alwrity_scheduler.core import sightings
from alwrity_scheduler.oauth import services
from alwrity_scheduler.oauth.models import AccessToken, App, Code, Permission, RefreshToken
from alwrity_scheduler.oauth.validator import Validator
from alwrity_scheduler.workspaces.access import actor_of, role_of
from alwrity_scheduler.workspaces.models import Membership
from schedules.models import AuditLog
from tests.integration.api.callers import with_token
from tests.integration.apps.flow import BACK, VERIFIER, Program, browser_of, register, told
from tests.people import ACTOR, make_account, make_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(people, now):
    return register(people.workspace, now)


@pytest.fixture
def sighted():
    seen = []
    sightings.subscribe(seen.append)
    yield seen
    sightings._listeners.remove(seen.append)


@pytest.fixture
def author(people):
    return browser_of(people.author)


def test_a_person_lets_an_app_in_and_the_app_works_for_them(people, program, author, now):
    make_schedule(people.workspace, [make_account(people.workspace, now)], now + timedelta(days=1))

    page = program.ask(author)
    assert page.status_code == 200
    words = page.content.decode()
    assert "Zapper" in words
    assert "Registered by the workspace Team." in words
    assert "Schedules, times, the calendar, slots and conflicts" in words
    assert "form-action 'self' https://app.example.com" in page["Content-Security-Policy"]
    assert page["Cache-Control"] == "no-store"

    answer = program.answer(author, people.workspace)
    assert {name: told(answer)[name] for name in ("state", "iss")} == {"state": "xyz", "iss": "http://127.0.0.1:8000"}
    tokens = program.exchange(told(answer)["code"]).json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3600
    assert set(tokens["scope"].split()) == {"jobs:read", "schedules:write"}

    caller = with_token(tokens["access_token"])
    shown = caller.get("schedules/").json()["results"]
    assert [row["state"] for row in shown] == ["active"]
    made = caller.post(f"schedules/{shown[0]['id']}/pause/")
    assert made.json()["state"] == "paused"
    fact = AuditLog.objects.get(action="schedule.paused")
    assert (fact.actor_kind, fact.actor_id, fact.actor_label) == ("user", str(people.author.pk), "ben through Zapper")
    assert Permission.objects.get().last_used_at is not None
    facts = AuditLog.objects.filter(action__startswith="app.").order_by("seq").values_list("action", "object_label")
    assert list(facts) == [("app.registered", "Zapper"), ("app.allowed", "Zapper")]


def test_nothing_secret_stands_in_the_database(people, program, author):
    code = program.code(author, people.workspace)
    stored = Code.objects.values_list("code", flat=True).get()
    assert code != stored
    assert len(stored) == 64
    tokens = program.exchange(code).json()
    assert program.app.client_secret != program.secret
    rows = [*AccessToken.objects.values_list(), *RefreshToken.objects.values_list(), *App.objects.values_list()]
    written = repr(rows)
    for secret in (code, tokens["access_token"], tokens["refresh_token"], program.secret):
        assert secret not in written
        assert not AuditLog.objects.filter(after__icontains=secret).exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),  # no PKCE
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),  # which is plain
        ({"scope": "jobs:read everything"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),  # nothing asked for is not everything
        ({"response_type": "token"}, "unauthorized_client"),  # the implicit grant
        ({"response_type": None}, "invalid_request"),
    ],
)
@pytest.mark.parametrize("way", ["get", "post"])
def test_a_request_that_is_not_sound_goes_back_to_the_app_without_a_code(people, program, author, changes, error, way):
    response = program.ask(author, **changes) if way == "get" else program.answer(author, people.workspace, **changes)
    assert response.status_code == 302
    answer = told(response)
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "xyz", "http://127.0.0.1:8000")
    assert "code" not in answer
    assert not Permission.objects.exists()
    assert not Code.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example.com/back"},
        {"redirect_uri": BACK + "/more"},
        {"redirect_uri": BACK + "?x=1"},
        {"redirect_uri": "https://app.example.com:444/back"},
        {"redirect_uri": "http://app.example.com/back"},
        {"redirect_uri": "https://app.example.com@evil.example.com/back"},
        {"client_id": "nobody"},
        {"client_id": None},
        {"resource": "no-address"},
    ],
)
def test_who_is_not_the_app_gets_nobody_sent_to_them(people, program, author, changes):
    for response in (program.ask(author, **changes), program.answer(author, people.workspace, **changes)):
        assert response.status_code == 400
        assert "you are led nowhere" in response.content.decode()
    assert not Permission.objects.exists()


def test_no_is_told_to_the_app(people, program, author):
    answer = told(program.answer(author, people.workspace, answer="deny"))
    assert (answer["error"], answer["state"]) == ("access_denied", "xyz")
    assert not Permission.objects.exists()


def test_a_workspace_that_is_not_mine_cannot_be_given(people, program, author):
    response = program.answer(author, people.other_workspace)
    assert response.status_code == 422
    assert "Choose the workspace" in response.content.decode()
    assert not Permission.objects.exists()


def test_who_is_not_signed_in_signs_in_first(program):
    response = program.ask(Client())
    assert response.status_code == 302
    assert response["Location"].startswith("/login/?next=/oauth/authorize")


def test_the_form_is_guarded_against_other_sites(people, program):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.author)
    assert program.answer(browser, people.workspace).status_code == 403


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code_verifier": "another-verifier-that-is-long-enough-for-rfc-7636-aaaa"}, 400, "invalid_grant"),
        ({"code_verifier": None}, 400, "invalid_request"),
        ({"redirect_uri": "https://app.example.com/other"}, 400, "invalid_request"),
        ({"client_secret": "guessed"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"grant_type": "password", "username": "ben", "password": "correct horse"}, 400, "unauthorized_client"),
        ({"grant_type": "client_credentials"}, 400, "unauthorized_client"),
    ],
)
def test_an_exchange_that_is_not_the_apps_gives_nothing(people, program, author, sighted, changes, status, error):
    code = program.code(author, people.workspace)
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    response = program._token(**{**body, **changes})
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert not AccessToken.objects.exists()
    assert [(one.kind, one.details["why"]) for one in sighted] == [("app.token_refused", error)]


def test_the_code_of_one_app_is_nothing_to_another(people, program, author, now):
    thief = register(people.other_workspace, now, name="Thief")
    code = program.code(author, people.workspace)
    assert thief.exchange(code).json()["error"] == "invalid_grant"
    assert program.exchange(code).status_code == 200


def test_a_code_shown_twice_ends_what_it_was_exchanged_for(people, program, author):
    code = program.code(author, people.workspace)
    tokens = program.exchange(code).json()
    assert with_token(tokens["access_token"]).get("jobs/").status_code == 200
    assert program.exchange(code).json()["error"] == "invalid_grant"
    assert with_token(tokens["access_token"]).get("jobs/").status_code == 401
    assert program.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_token_works_once_and_a_second_use_ends_its_family(people, program, author):
    first = program.tokens(author, people.workspace)
    second = program.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert with_token(first["access_token"]).get("jobs/").status_code == 401
    assert with_token(second["access_token"]).get("jobs/").status_code == 200

    assert program.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert with_token(second["access_token"]).get("jobs/").status_code == 401
    assert program.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"


def test_of_two_refreshes_at_the_same_moment_one_gets_a_pair_and_the_other_ends_it(people, program, author):
    """Both were found good before either was done."""
    first = program.tokens(author, people.workspace)
    validator, requests = Validator(), []
    for _ in range(2):
        request = Request("/oauth/token", "POST", [("grant_type", "refresh_token")], {})
        request.client = program.app
        assert validator.validate_refresh_token(first["refresh_token"], program.app, request)
        requests.append(request)
    pair = {"access_token": "one", "refresh_token": "next", "scope": "jobs:read"}
    validator.save_bearer_token(pair, requests[0])
    assert with_token("one").get("jobs/").status_code == 200
    with pytest.raises(InvalidGrantError):
        validator.save_bearer_token({**pair, "access_token": "two", "refresh_token": "other"}, requests[1])
    assert [with_token(secret).get("jobs/").status_code for secret in ("one", "two")] == [401, 401]


def test_of_two_exchanges_of_a_code_at_the_same_moment_one_gets_a_pair_and_the_other_ends_it(people, program, author):
    code = program.code(author, people.workspace)
    validator, requests = Validator(), []
    for _ in range(2):
        request = Request("/oauth/token", "POST", [("grant_type", "authorization_code"), ("code", code)], {})
        request.client = program.app
        assert validator.validate_code(program.app.client_id, code, program.app, request)
        requests.append(request)
    pair = {"access_token": "one", "refresh_token": "next", "scope": "jobs:read"}
    validator.save_bearer_token(pair, requests[0])
    with pytest.raises(InvalidGrantError):
        validator.save_bearer_token({**pair, "access_token": "two", "refresh_token": "other"}, requests[1])
    assert [with_token(secret).get("jobs/").status_code for secret in ("one", "two")] == [401, 401]
    assert not Code.objects.exists()


def test_an_app_costs_one_query_more_than_nothing(people, program, author, django_assert_num_queries):
    caller = with_token(program.tokens(author, people.workspace)["access_token"])
    caller.get("jobs/")
    with django_assert_num_queries(2):
        assert caller.get("jobs/").status_code == 200


def test_a_refresh_never_widens(people, program, author):
    first = program.tokens(author, people.workspace, scope="jobs:read")
    assert program.refresh(first["refresh_token"], scope="jobs:read jobs:write").json()["error"] == "invalid_scope"


def test_the_app_has_no_more_than_its_person(people, program, now):
    viewer = browser_of(people.viewer)
    tokens = program.tokens(viewer, people.workspace)
    schedule = make_schedule(people.workspace, [make_account(people.workspace, now)], now + timedelta(days=1))
    response = with_token(tokens["access_token"]).post(f"schedules/{schedule.public_id}/pause/")
    assert response.status_code == 403


def test_the_app_stays_in_the_one_workspace_it_was_let_into(people, program, now):
    Membership.objects.create(user=people.stranger, workspace=people.workspace, role="author", created_at=now)
    make_schedule(people.workspace, [make_account(people.workspace, now)], now + timedelta(days=1))
    mine = make_schedule(people.other_workspace, [make_account(people.other_workspace, now)], now + timedelta(days=1))
    tokens = program.tokens(browser_of(people.stranger), people.other_workspace)
    shown = with_token(tokens["access_token"]).get("schedules/").json()["results"]
    assert [row["id"] for row in shown] == [str(mine.public_id)]


def test_the_app_of_an_administrator_is_no_administrator(people, program, now):
    people.author.is_superuser = people.author.is_staff = True
    people.author.save()
    tokens = program.tokens(browser_of(people.author), people.workspace)
    make_schedule(people.other_workspace, [make_account(people.other_workspace, now)], now + timedelta(days=1))
    assert with_token(tokens["access_token"]).get("schedules/").json()["results"] == []
    people.author.refresh_from_db()
    assert people.author.is_superuser


@pytest.mark.parametrize("what", ["membership", "role", "person", "app", "permission", "scopes", "app gone"])
def test_it_ends_at_once_when(people, program, author, now, what):
    tokens = program.tokens(author, people.workspace)
    caller = with_token(tokens["access_token"])
    assert caller.get("jobs/").status_code == 200
    if what == "membership":
        Membership.objects.filter(user=people.author).delete()
    elif what == "role":
        Membership.objects.filter(user=people.author).update(role="reviewer")
    elif what == "person":
        type(people.author).objects.filter(pk=people.author.pk).update(is_active=False)
    elif what == "app":
        services.disable(app=program.app, actor=ACTOR, now=now)
    elif what == "permission":
        services.revoke(permission=Permission.objects.get(), actor=ACTOR, now=now)
    elif what == "scopes":
        # allowed again for something else: a token that is out keeps nothing, and that is never everything
        program.answer(author, people.workspace, scope="media:read")
    else:
        services.delete(app=program.app, actor=ACTOR, now=now)
    assert caller.get("jobs/").status_code == 401
    if what != "scopes":
        assert program.refresh(tokens["refresh_token"]).status_code in (400, 401)
        assert "access_token" not in program.refresh(tokens["refresh_token"]).json()


def test_a_token_for_another_server_does_not_open_this_one(people, program, author):
    there = program.tokens(author, people.workspace, resource="https://elsewhere.example.com/mcp")
    assert with_token(there["access_token"]).get("jobs/").status_code == 401
    here = program.tokens(author, people.workspace, resource="http://127.0.0.1:8000/api/v1")
    assert with_token(here["access_token"]).get("jobs/").status_code == 200


def test_an_app_gives_its_tokens_back_and_asks_about_none_but_its_own(people, program, author, now):
    other = register(people.workspace, now, name="Other")
    tokens = program.tokens(author, people.workspace)

    def introspect(who: Program) -> dict:
        body = {"client_id": who.app.client_id, "client_secret": who.secret, "token": tokens["access_token"]}
        return who.client.post("/oauth/introspect", body).json()

    mine = introspect(program)
    assert mine["active"]
    assert mine["scope"] == "jobs:read schedules:write"
    assert mine["username"] == "ben"
    assert introspect(other) == {"active": False}
    assert program.client.post("/oauth/introspect", {"token": tokens["access_token"]}).status_code == 401

    body = {"client_id": other.app.client_id, "client_secret": other.secret, "token": tokens["access_token"]}
    assert other.client.post("/oauth/revoke", body).status_code == 200
    assert introspect(program)["active"]
    body = {"client_id": program.app.client_id, "client_secret": program.secret, "token": tokens["access_token"]}
    assert program.client.post("/oauth/revoke", body).status_code == 200
    assert introspect(program) == {"active": False}
    assert program.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_program_without_a_secret_lives_by_pkce(people, author, now):
    native = register(people.workspace, now, name="Desk", public=True, redirect_uris=["http://127.0.0.1/back"])
    assert native.secret == ""
    where = "http://127.0.0.1:53123/back"  # any port of the machine itself
    response = native.answer(author, people.workspace, redirect_uri=where)
    assert response["Location"].startswith(where + "?code=")
    code = response["Location"].partition("code=")[2].partition("&")[0]
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": where}
    wrong = native._token(**body, code_verifier="another-verifier-that-is-long-enough-for-rfc-7636-aaaa")
    assert wrong.json()["error"] == "invalid_grant"
    # the empty secret is not the secret of one that has none
    assert native._token(**body, client_secret="x").json()["error"] == "invalid_client"
    tokens = native._token(**body, code_verifier=VERIFIER).json()
    assert with_token(tokens["access_token"]).get("jobs/").status_code == 200
    given_back = {"client_id": native.app.client_id, "token": tokens["refresh_token"]}
    assert native.client.post("/oauth/revoke", given_back).status_code == 200
    assert with_token(tokens["access_token"]).get("jobs/").status_code == 401


def test_where_everything_is_can_be_looked_up():
    told_there = Client().get("/.well-known/oauth-authorization-server").json()
    assert told_there["issuer"] == "http://127.0.0.1:8000"
    assert told_there["authorization_endpoint"] == "http://127.0.0.1:8000/oauth/authorize"
    assert told_there["token_endpoint"] == "http://127.0.0.1:8000/oauth/token"
    assert told_there["code_challenge_methods_supported"] == ["S256"]
    assert told_there["grant_types_supported"] == ["authorization_code", "refresh_token"]


def test_what_has_run_out_goes_and_a_used_refresh_token_stays_to_notice_a_second_use(people, program, author, now):
    first = program.tokens(author, people.workspace)
    second = program.refresh(first["refresh_token"]).json()
    program.code(author, people.workspace)
    long_ago = now - timedelta(days=60)
    Code.objects.update(expires=long_ago)
    assert services.clear_expired(now=now) == 1
    assert (Code.objects.count(), AccessToken.objects.count(), RefreshToken.objects.count()) == (0, 1, 2)
    AccessToken.objects.update(expires=long_ago)
    RefreshToken.objects.exclude(revoked=None).update(revoked=long_ago)
    assert services.clear_expired(now=now) == 3
    assert (AccessToken.objects.count(), RefreshToken.objects.count()) == (0, 0)
    assert program.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"


def test_role_and_actor_of_an_app(people, program, author, rf):
    from alwrity_scheduler.core import clock
    from alwrity_scheduler.oauth.authentication import person_of

    tokens = program.tokens(author, people.workspace)
    person = person_of(tokens["access_token"], audience="http://127.0.0.1:8000/api/v1/jobs/", now=clock.now())
    assert person is not None
    assert person.scopes == {"jobs:read", "schedules:write"}
    assert (role_of(person, people.workspace), role_of(person, people.other_workspace)) == ("author", "")
    request = rf.get("/")
    request.user = person
    assert actor_of(request).label == "ben through Zapper"
