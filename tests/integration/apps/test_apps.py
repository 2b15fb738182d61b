"""Registering and keeping apps, on the pages and over the API; and what one person allowed."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from alwrity_scheduler.oauth import services
from alwrity_scheduler.oauth.models import App, Permission
from alwrity_scheduler.oauth.querysets import digest
from schedules.models import AuditLog
from tests.integration.api.callers import Caller, fields, signed_in, with_token
from tests.integration.apps.flow import BACK, browser_of, register
from tests.people import ACTOR

pytestmark = pytest.mark.django_db
NEW = {"name": "Zapper", "website": "https://example.com", "redirect_uris": [BACK]}


@pytest.fixture
def manager(people, now):
    from alwrity_scheduler.workspaces import services as workspaces

    workspaces.set_role(workspace=people.workspace, user=people.author, role="manager", actor=ACTOR, now=now)
    return people.author


@pytest.fixture
def author(people):
    return people.author


def test_the_api_registers_shows_the_secret_once_rotates_switches_and_deletes(people, manager):
    api = signed_in(manager)
    made = api.post("apps/", NEW)
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    body = made.json()
    secret = body.pop("client_secret")
    app = App.objects.get()
    assert (app.client_secret, app.created_by) == (digest(secret), manager)
    shown = api.get(f"apps/{body['id']}/").json()
    assert shown == {**body, "secret_prefix": secret[:8]}
    assert [row["id"] for row in api.get("apps/").json()["results"]] == [body["id"]]

    changed = api.patch(f"apps/{body['id']}/", {**shown, "name": "Zapper 2"}).json()
    assert (changed["name"], changed["version"]) == ("Zapper 2", 2)
    assert api.patch(f"apps/{body['id']}/", {"name": "Old", "version": 1}).status_code == 409

    second = api.post(f"apps/{body['id']}/rotate-secret/").json()["client_secret"]
    assert second != secret
    app.refresh_from_db()
    assert app.client_secret == digest(second)
    assert api.post(f"apps/{body['id']}/disable/").json()["disabled_at"] is not None
    assert api.post(f"apps/{body['id']}/enable/").json()["disabled_at"] is None
    assert api.delete(f"apps/{body['id']}/").status_code == 204
    assert not App.objects.exists()
    told = list(AuditLog.objects.filter(object_type="app").order_by("seq").values_list("action", flat=True))
    assert told == [
        "app.registered", "app.changed", "app.secret_rotated", "app.disabled", "app.enabled", "app.deleted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"redirect_uris": ["http://app.example.com/back"]}, "redirect_uris"),  # not encrypted
        ({"redirect_uris": ["https://*.example.com/back"]}, "redirect_uris"),
        ({"redirect_uris": ["https://app.example.com/back#part"]}, "redirect_uris"),
        ({"redirect_uris": ["https://me@app.example.com/back"]}, "redirect_uris"),
        (
            {"redirect_uris": ["https://app.example.com/b;script-src"]},
            "redirect_uris",
        ),  # would speak in the page's policy
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris"),
        ({"redirect_uris": ["https:///back"]}, "redirect_uris"),
        ({"redirect_uris": ["https://app.example.com:99999/back"]}, "redirect_uris"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"website": "http://example.com"}, "website"),
        ({"name": "  "}, "name"),
        ({"skip_authorization": True}, "skip_authorization"),
        ({"workspace": "elsewhere"}, "workspace"),
    ],
)
def test_what_is_not_right_is_refused_at_its_field(people, manager, changes, field):
    response = signed_in(manager).post("apps/", {**NEW, **changes})
    assert response.status_code == 422
    assert field in {name.partition(".")[0] for name in fields(response)}
    assert not App.objects.exists()


@pytest.mark.parametrize(
    ("who", "looks", "acts"),
    [
        ("owner", 200, 200), ("manager", 200, 200), ("author", 200, 403), ("viewer", 200, 403), ("stranger", 404, 404),
        ("nobody", 401, 401),
    ],
)  # fmt: skip
def test_who_may_keep_apps(people, now, who, looks, acts):
    from alwrity_scheduler.workspaces import services as workspaces

    program = register(people.workspace, now)
    if who == "manager":
        workspaces.set_role(workspace=people.workspace, user=people.author, role="manager", actor=ACTOR, now=now)
    person = {"manager": people.author}.get(who) or getattr(people, who, None)
    caller = signed_in(person) if person else Caller(signed_in(people.owner).client.__class__())
    here = f"apps/{program.app.public_id}/"
    assert caller.get(here).status_code == looks
    for verb in ("disable", "enable", "rotate-secret"):
        assert caller.post(f"{here}{verb}/").status_code == acts
    assert caller.patch(here, {"name": "Mine", "version": 1}).status_code == acts
    assert caller.delete(here).status_code == (204 if acts == 200 else acts)
    pages = Client()
    if person:
        pages.force_login(person)
    page = {"owner": 200, "manager": 200, "author": 403, "viewer": 403, "stranger": 200, "nobody": 302}[who]
    assert pages.get("/app/apps/").status_code == page


def test_what_one_allowed_is_ones_own_and_is_taken_back(people, author, now):
    program = register(people.workspace, now)
    tokens = program.tokens(browser_of(author), people.workspace)
    [mine] = signed_in(author).get("app-grants/").json()["results"]
    assert (mine["app"]["name"], mine["workspace"]["slug"]) == ("Zapper", "team")
    assert mine["scopes"] == ["schedules:write", "jobs:read"]
    for other in (people.owner, people.stranger):
        assert signed_in(other).get("app-grants/").json()["results"] == []
        assert signed_in(other).delete(f"app-grants/{mine['id']}/").status_code == 404
    # the app itself was not let so far
    assert with_token(tokens["access_token"]).delete(f"app-grants/{mine['id']}/").status_code == 403

    assert signed_in(author).delete(f"app-grants/{mine['id']}/").status_code == 204
    assert with_token(tokens["access_token"]).get("jobs/").status_code == 401
    fact = AuditLog.objects.get(action="app.revoked")
    assert (fact.actor_label, fact.object_label, fact.workspace_ref) == ("ben", "Zapper", people.workspace.pk)


def test_allowing_again_is_one_permission_with_the_scopes_of_the_last_time(people, author, now):
    program = register(people.workspace, now)
    first = program.tokens(browser_of(author), people.workspace)
    second = program.tokens(browser_of(author), people.workspace, scope="jobs:read")
    assert Permission.objects.get().scopes == ["jobs:read"]
    # also for the token that was out: the list that people see is what holds
    assert with_token(first["access_token"]).get("schedules/").status_code == 403
    assert with_token(first["access_token"]).get("jobs/").status_code == 200
    assert with_token(second["access_token"]).get("jobs/").status_code == 200


def test_an_app_writes_no_more_than_its_scope(people, author, now):
    tokens = register(people.workspace, now).tokens(browser_of(author), people.workspace, scope="schedules:read")
    refused = with_token(tokens["access_token"]).post("schedules/", {})
    assert refused.status_code == 403
    assert fields(refused) == {"scope": "insufficient_scope"}


def test_the_pages_register_show_change_and_delete(people, manager, django_assert_max_num_queries):
    browser = browser_of(manager)
    assert "Register and keep apps" in browser.get("/app/settings/integrations/").content.decode()
    assert "No app yet" in browser.get("/app/apps/").content.decode()
    form = {"name": "Zapper", "website": "", "redirect_uris": f"{BACK}\n\n{BACK}", "kind": "confidential"}
    wrong = browser.post("/app/apps/", {**form, "redirect_uris": "http://app.example.com"})
    assert wrong.status_code == 422
    assert "One thing must be put right" in wrong.content.decode()

    made = browser.post("/app/apps/", form)
    [secret] = re.findall(r'id="new-secret">([^<]+)<', made.content.decode())
    app = App.objects.get()
    assert (app.client_secret, app.redirect_uris) == (digest(secret), BACK)
    assert made["Cache-Control"] == "no-store"
    here = f"/app/apps/{app.public_id}/"
    with django_assert_max_num_queries(6):
        listed = browser.get("/app/apps/").content.decode()
    assert secret not in listed
    assert here in listed
    with django_assert_max_num_queries(6):
        page = browser.get(here).content.decode()
    assert secret not in page
    assert "http://testserver/oauth/authorize" in page

    rotated = browser.post(f"{here}secret/").content.decode()
    [second] = re.findall(r'id="new-secret">([^<]+)<', rotated)
    assert App.objects.get().client_secret == digest(second)
    saved = browser.post(here, {"name": "Zap", "website": "", "redirect_uris": BACK, "version": "1"})
    assert (saved.status_code, App.objects.get().name) == (303, "Zap")
    stale = browser.post(here, {"name": "Zop", "website": "", "redirect_uris": BACK, "version": "1"})
    assert (stale.status_code, App.objects.get().name) == (422, "Zap")
    for verb, off in (("disable", True), ("enable", False)):
        browser.post(f"{here}{verb}/")
        assert (App.objects.get().disabled_at is not None) is off
    assert browser.post(f"{here}nothing/").status_code == 404
    browser.post(f"{here}delete/")
    assert not App.objects.exists()


def test_a_stranger_finds_no_page_of_our_app(people, now):
    program = register(people.workspace, now)
    stranger = browser_of(people.stranger)
    for address in (f"/app/apps/{program.app.public_id}/", f"/app/apps/{program.app.public_id}/delete/"):
        assert stranger.post(address).status_code == 404
    assert App.objects.exists()


def test_a_person_sees_and_takes_back_in_the_settings(people, author, now, django_assert_max_num_queries):
    browser = browser_of(author)
    assert "No app acts for you." in browser.get("/app/settings/apps/").content.decode()
    program = register(people.workspace, now)
    program.tokens(browser, people.workspace)
    services.disable(app=program.app, actor=ACTOR, now=now)
    with django_assert_max_num_queries(5):
        page = browser.get("/app/settings/apps/").content.decode()
    assert "Zapper" in page
    assert "Schedules, times, the calendar, slots and conflicts: read and change" in " ".join(page.split())
    row = Permission.objects.get()
    assert browser_of(people.owner).post(f"/app/apps/allowed/{row.public_id}/revoke/").status_code == 404
    answer = browser.post(f"/app/apps/allowed/{row.public_id}/revoke/", follow=True)
    assert "Zapper may act for you in Team no more." in answer.content.decode()
    assert not Permission.objects.exists()


def test_a_person_who_goes_takes_along_what_they_allowed(people, author, now):
    from alwrity_scheduler.security import persons

    program = register(people.workspace, now, person=author)
    tokens = program.tokens(browser_of(author), people.workspace, scope="jobs:read")
    held = persons.export(person=author, now=now)["apps_allowed"]
    assert [(row["app"], row["workspace"], row["scopes"]) for row in held] == [("Zapper", "Team", ["jobs:read"])]

    persons.erase(person=author, actor=ACTOR, now=now)
    assert not Permission.objects.exists()
    assert with_token(tokens["access_token"]).get("jobs/").status_code == 401
    # the app is the workspace's
    assert App.objects.get().created_by is None
