"""Connecting accounts over the API, and how one stands."""

from __future__ import annotations

from typing import Any

import pytest

from platforms.models import PlatformAccount
from platforms.registry import adapters
from schedules.models import AuditLog, Job
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_account

HOOK = {
    "platform": "http",
    "name": "Hook",
    "options": {"publish_url": "https://example.com/publish"},
    "credentials": {"bearer_token": "very-secret-token"},
}


def test_every_platform_says_what_it_needs_and_takes(api: Caller) -> None:
    shown = {row["kind"]: row for row in api.get("platforms/").json()["results"]}

    assert set(shown) == set(adapters)
    assert shown["sandbox"]["connect"] == ["credentials"]
    assert shown["x"]["sign_in"]["pkce"] is True
    for kind in adapters:
        whole = api.get(f"platforms/{kind}/").json()
        assert whole["takes"]["content_types"], kind
        assert {"delete", "edit", "metrics"} <= set(whole["can"]), kind
    assert api.get("platforms/mastodon/").json()["takes"]["text"] == {
        "max": 500, "unit": "mastodon", "url_weight": 23, "recommended": None,
    }  # fmt: skip
    assert api.get("platforms/nowhere/").status_code == 404


def test_an_account_is_connected_and_its_secrets_go_in_only(
    callers: dict[str, Caller], people: People, now: Any
) -> None:
    owner = callers["owner"]
    made = owner.post("accounts/", {**HOOK, "min_spacing_seconds": 120, "timezone": "Asia/Tokyo"})

    assert made.status_code == 201, made.json()
    row = PlatformAccount.objects.get(public_id=made.json()["id"])
    assert row.credentials["bearer_token"] == "very-secret-token"
    assert (row.options["publish_url"], row.min_spacing_seconds, row.timezone) == (
        "https://example.com/publish", 120, "Asia/Tokyo",
    )  # fmt: skip
    assert "very-secret-token" not in made.content.decode()
    # what was made here is shown this once
    assert made.json()["secrets"] == {"signing_secret": row.credentials["signing_secret"]}
    assert made["Location"].endswith(f"accounts/{row.public_id}/")
    assert "very-secret-token" not in owner.get(f"accounts/{row.public_id}/").content.decode()
    assert "very-secret-token" not in str(AuditLog.objects.filter(object_id=str(row.public_id)).values_list("after"))

    where = f"accounts/{row.public_id}/"
    changed = owner.patch(f"{where}credentials/", {"credentials": {"bearer_token": "another"}})
    assert changed.status_code == 200
    row.refresh_from_db()
    assert (row.credentials["bearer_token"], row.name) == ("another", "Hook")
    assert "another" not in changed.content.decode()
    renamed = owner.patch(
        where, {"version": row.version, "handle": "h2", "options": {"publish_url": "https://b.example/"}}
    )
    assert (renamed.json()["handle"], renamed.json()["options"]) == (
        "h2",
        {**row.options, "publish_url": "https://b.example/"},
    )

    assert owner.call("delete", where).status_code == 204
    row.refresh_from_db()
    assert (row.state, dict(row.credentials)) == ("disconnected", {})
    assert owner.patch(f"{where}credentials/", {"credentials": {"bearer_token": "x"}}).json()["state"] == "active"


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"platform": "nowhere"}, {"platform": "adapter_missing"}),
        ({"credentials": {"password": "x"}}, {"credentials.password": "unknown"}),
        (
            {"options": {"publish_url": 7, "colour": "red"}},
            {"options.publish_url": "invalid", "options.colour": "unknown"},
        ),
        ({"options": {"publish_url": "ftp://x"}}, {"options.publish_url": "invalid"}),
        ({"timezone": "Mars/Base"}, {"timezone": "invalid"}),
        ({"name": ""}, {"name": "blank"}),
    ],
)
def test_what_cannot_be_connected_is_named(
    callers: dict[str, Caller], people: People, change: dict[str, Any], problems: dict[str, str]
) -> None:
    assert fields(callers["owner"].post("accounts/", {**HOOK, **change})) == problems
    assert not PlatformAccount.objects.exists()


def test_only_those_who_manage_accounts_do(callers: dict[str, Caller], account: Any) -> None:
    where = f"accounts/{account.public_id}/"
    asked: dict[str, Any] = {
        "post accounts/": HOOK,
        "post accounts/sign-in/": {"platform": "x"},
        f"patch {where}credentials/": {"credentials": {"a": "b"}},
        f"delete {where}": None,
        f"put {where}posting-times/": {"times": []},
        f"post {where}try-now/": None,
    }
    for line, body in asked.items():
        method, path = line.split()
        answers = {who: callers[who].call(method, path, body).status_code for who in ("author", "viewer", "nobody")}
        assert answers == {"author": 403, "viewer": 403, "nobody": 401}, line
        if path.startswith(where):
            assert callers["stranger"].call(method, path, body).status_code == 404, line
    for part in ("", "limits/", "health/", "abilities/", "posting-times/", "slots/"):
        assert callers["viewer"].get(where + part).status_code == 200, part
        assert callers["foreign_token"].get(where + part).status_code == 404, part
    account.refresh_from_db()
    assert account.state == "active"


def test_where_a_person_signs_in(
    callers: dict[str, Caller], people: People, api: Caller, settings: Any, now: Any
) -> None:
    from alwrity_scheduler.workspaces import services as workspaces
    from platforms.models import SignInAttempt
    from platforms.services import apps
    from tests.integration.api.callers import with_token
    from tests.people import ACTOR

    settings.PUBLIC_URL = "http://testserver"
    apps.save(workspace=people.workspace, platform="x", client_id="app", client_secret="s", actor=ACTOR, now=now)
    _row, secret = workspaces.create_token(workspace=people.workspace, name="t", role="owner", actor=ACTOR, now=now)

    by_token = with_token(secret).post("accounts/sign-in/", {"platform": "x"}).json()
    assert by_token["finished_by"] == "person"
    assert by_token["url"] == "http://testserver/app/accounts/sign-in/x/"
    assert not SignInAttempt.objects.exists()

    by_browser = callers["owner"].post("accounts/sign-in/", {"platform": "x"}).json()
    assert by_browser["finished_by"] == "browser"
    assert by_browser["url"].startswith("https://x.com/")
    assert SignInAttempt.objects.get().user == people.owner
    assert fields(callers["owner"].post("accounts/sign-in/", {"platform": "sandbox"})) == {"platform": "takes_keys"}
    assert fields(callers["owner"].post("accounts/sign-in/", {"platform": "pinterest"})) == {"platform": "no_app"}


def test_how_an_account_has_done(api: Caller, people: People, job: Job, account: Any, now: Any, after: Any) -> None:
    for number, state in enumerate(("completed", "failed", "failed")):
        twin = Job.objects.get(pk=job.pk)
        twin.occurrence.pk, twin.occurrence.nominal_at = None, after(hours=-number - 2)
        twin.occurrence.save()
        twin.pk, twin.public_id, twin.state = None, people.workspace.public_id.__class__(int=number), state
        twin.occurrence_id = twin.occurrence.pk
        twin.run_at = twin.scheduled_for = after(hours=-2)
        twin.finished_at, twin.error_class = after(hours=-2, seconds=7), "" if state == "completed" else "rejected"
        twin.remote_id = "1" if state == "completed" else ""
        twin.save()

    shown = api.get(f"accounts/{account.public_id}/health/").json()
    assert (shown["published_count"], shown["failed_count"], shown["error_classes"]) == (1, 2, {"rejected": 2})
    assert shown["success_rate"] == pytest.approx(1 / 3)
    assert shown["delay_p95_seconds"] == 7.0
    assert shown["next_run_at"] == "2026-11-23T09:00:00Z"
    assert fields(api.get(f"accounts/{account.public_id}/health/", days="0")) == {"days": "min_value"}


def test_limits_say_what_is_left(api: Caller, people: People, now: Any) -> None:
    account = make_account(people.workspace, now, name="Capped", hourly_cap=3)

    shown = api.get(f"accounts/{account.public_id}/limits/").json()

    assert shown["hourly_cap"] == 3
    [budget] = [row for row in shown["budgets"] if row["capacity"] == 3]
    assert (budget["left"], budget["used"], budget["full_by_at"]) == (3, 0, None)


def test_the_same_post_with_one_key_connects_once_and_scopes_narrow(people: People, now: Any) -> None:
    from alwrity_scheduler.workspaces import services as workspaces
    from alwrity_scheduler.workspaces.models import ApiToken
    from tests.integration.api.callers import API, with_token
    from tests.people import ACTOR

    row, secret = workspaces.create_token(workspace=people.workspace, name="t", role="owner", actor=ACTOR, now=now)
    token = with_token(secret)
    first, again = (
        token.client.post(f"{API}accounts/", HOOK, format="json", HTTP_IDEMPOTENCY_KEY="one") for _time in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert PlatformAccount.objects.count() == 1
    ApiToken.objects.filter(pk=row.pk).update(scopes=["accounts:read", "schedules:read"])
    assert token.get("accounts/").status_code == 200
    assert fields(token.post("accounts/", HOOK)) == {"scope": "insufficient_scope"}
    assert fields(token.get("analytics/summary/")) == {"scope": "insufficient_scope"}
    looked = token.post("slots/find/", {"accounts": [first.json()["id"]]})
    assert looked.status_code == 200
