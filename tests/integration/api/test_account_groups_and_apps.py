"""Groups, sign-in apps and an account's defaults through the API: what can be changed by whom, and that no secret comes out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from alwrity_scheduler.workspaces import services as workspaces
from platforms.models import AccountGroup, PlatformAccount, PlatformApp
from platforms.services import groups
from platforms.services.publishing import account_ref, for_calls
from schedules.models import AuditLog, Schedule
from tests import engine
from tests.integration.api.callers import Caller, fields, with_token
from tests.people import ACTOR, People, make_account
from tests.servers.signin import OidcAdapter


@pytest.fixture
def manager(people: People, now: datetime) -> Caller:
    token = workspaces.create_token(workspace=people.workspace, name="m", role="manager", actor=ACTOR, now=now)
    return with_token(token[1])


@pytest.fixture
def group(people: People, account: Any, now: datetime) -> AccountGroup:
    return groups.create(
        workspace=people.workspace, name="Germany", account_ids=[account.public_id], actor=ACTOR, now=now
    )


@pytest.fixture
def oidc() -> Iterator[OidcAdapter]:
    adapter = OidcAdapter()
    engine.install(adapter)
    yield adapter
    engine.uninstall(adapter)


def test_what_goes_along_with_every_post_is_changed_and_reaches_adapters(manager: Caller, account: Any) -> None:
    path = f"accounts/{account.public_id}/"
    shown = manager.get(path).json()
    utm = {"source": "news", "campaign": ""}
    change = {**shown, "signature": " Ana \n", "default_hashtags": ["#one", "two", "two"], "utm": utm, "daily_cap": 4}
    answer = manager.patch(path, change)

    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["signature"], body["default_hashtags"], body["utm"]) == ("Ana", ["one", "two"], {"source": "news"})
    assert (body["daily_cap"], body["version"]) == (4, shown["version"] + 1)
    row = for_calls([account.pk])[account.pk]
    assert not row.get_deferred_fields() & {"signature", "default_hashtags", "utm"}
    defaults = account_ref(row).defaults
    assert (defaults.signature, defaults.hashtags, dict(defaults.utm)) == ("Ana", ("one", "two"), {"source": "news"})
    told = AuditLog.objects.get(action="account.settings_changed").after["changed"]
    assert told == ["daily_cap", "default_hashtags", "signature", "utm"]
    assert fields(manager.patch(path, change)) == {"version": "stale"}


def test_an_account_is_tested_paused_and_resumed(manager: Caller, callers: dict[str, Caller], account: Any) -> None:
    path = f"accounts/{account.public_id}/"
    shown = manager.post(f"{path}test/").json()
    assert set(shown) == {"ok", "message", "identity", "missing_scopes"}
    assert shown["ok"] is True
    assert manager.post(f"{path}pause/").json()["state"] == "paused"
    assert manager.post(f"{path}resume/").json()["state"] == "active"
    for verb in ("test", "pause", "resume"):
        assert callers["token"].post(f"{path}{verb}/").status_code == 403
        assert callers["stranger"].post(f"{path}{verb}/").status_code == 404


def test_wrong_defaults_are_refused_at_their_field(manager: Caller, account: Any) -> None:
    def refused(**change: Any) -> dict[str, str]:
        return fields(manager.patch(f"accounts/{account.public_id}/", {"version": 1, **change}))

    assert set(refused(default_hashtags=["two words"])) == {"default_hashtags"}
    assert set(refused(utm={"colour": "red"})) == {"utm"}
    assert set(refused(utm={"source": "a\nb"})) == {"utm_source"}
    assert set(refused(signature="x" * 501)) == {"signature"}
    assert set(refused(timezone="Mars/Base")) == {"timezone"}
    assert set(refused(handle_name="x")) == {"handle_name"}


def test_only_who_may_manage_accounts_changes_them(
    callers: dict[str, Caller], account: Any, group: AccountGroup
) -> None:
    for who, status in (("token", 403), ("viewer", 403), ("stranger", 404), ("foreign_token", 404), ("nobody", 401)):
        caller = callers[who]
        answers = (
            caller.patch(f"accounts/{account.public_id}/", {"version": 1, "name": "Mine"}),
            caller.patch(f"account-groups/{group.public_id}/", {"version": 1, "name": "Mine"}),
            caller.client.delete(f"/api/v1/account-groups/{group.public_id}/"),
        )
        assert [answer.status_code for answer in answers] == [status] * 3, who
    assert callers["stranger"].get("account-groups/").json()["results"] == []
    assert [row["name"] for row in callers["viewer"].get("account-groups/").json()["results"]] == ["Germany"]
    group.refresh_from_db()
    assert group.name == "Germany"


def test_a_group_is_made_changed_filtered_by_and_deleted(
    manager: Caller, account: Any, people: People, now: datetime
) -> None:
    second = make_account(people.workspace, now, name="Blog")
    theirs = make_account(people.other_workspace, now, name="Theirs")
    made = manager.post("account-groups/", {"name": " Brand  A ", "accounts": [str(account.public_id)]})
    assert made.status_code == 201
    shown = made.json()
    assert (shown["name"], [item["handle"] for item in shown["accounts"]]) == ("Brand A", ["news"])
    path = f"account-groups/{shown['id']}/"

    both = [shown["accounts"][0], str(second.public_id)]
    changed = manager.patch(path, {"version": 1, "name": "Brand B", "accounts": both}).json()
    assert (changed["name"], changed["version"], len(changed["accounts"])) == ("Brand B", 2, 2)
    found = manager.get("accounts/", group=shown["id"]).json()["results"]
    assert {row["name"] for row in found} == {"Blog", "News"}
    assert found[0]["groups"] == [{"id": shown["id"], "name": "Brand B"}]
    refused = manager.patch(path, {"version": 2, "accounts": [str(theirs.public_id)]})
    assert fields(refused) == {"accounts": "not_found"}
    assert fields(manager.patch(path, {"version": 1, "name": "Late"})) == {"version": "stale"}
    assert fields(manager.post("account-groups/", {"name": "Brand B"})) == {"name": "taken"}
    assert fields(manager.post("account-groups/", {"name": "  "})) != {}

    assert manager.client.delete(f"/api/v1/{path}").status_code == 204
    assert manager.get(path).status_code == 404
    assert PlatformAccount.objects.count() == 3
    actions = AuditLog.objects.filter(object_type="account_group").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["account_group.created", "account_group.changed", "account_group.deleted"]


def test_a_schedule_takes_groups_beside_accounts(
    api: Caller, body: dict[str, Any], people: People, group: AccountGroup, account: Any, now: datetime
) -> None:
    second, lost = (make_account(people.workspace, now, name=name) for name in ("Blog", "Lost"))
    PlatformAccount.objects.filter(pk=lost.pk).update(state="disconnected")
    group.accounts.add(second, lost)
    own = [{"id": str(account.public_id), "text": "Its own words"}]

    answer = api.post("schedules/", {**body, "accounts": own, "account_groups": [str(group.public_id)]})

    assert answer.status_code == 201, answer.content
    shown = {item["handle"]: item["text"] for item in answer.json()["accounts"]}
    assert shown == {"news": "Its own words", "blog": None}
    del body["accounts"]
    alone = api.post("schedules/", {**body, "account_groups": [str(group.public_id)]})
    assert {item["handle"] for item in alone.json()["accounts"]} == {"news", "blog"}


def test_a_group_that_brings_no_account_is_refused(
    api: Caller, body: dict[str, Any], people: People, now: datetime
) -> None:
    empty = groups.create(workspace=people.workspace, name="Empty", actor=ACTOR, now=now)
    theirs = groups.create(workspace=people.other_workspace, name="Theirs", actor=ACTOR, now=now)
    assert fields(api.post("schedules/", {**body, "account_groups": [str(empty.public_id)]})) == {
        "account_groups": "empty"
    }
    refused = api.post("schedules/", {**body, "account_groups": [str(theirs.public_id)]})
    assert fields(refused) == {"account_groups": "not_found"}
    assert not Schedule.objects.exists()


def test_an_apps_secret_goes_in_and_never_comes_out(
    manager: Caller, callers: dict[str, Caller], oidc: OidcAdapter
) -> None:
    given = {"platform": "oidc", "server": "https://Room.test/", "client_id": "us", "client_secret": "very-hush"}
    made = manager.post("sign-in-apps/", given)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert (shown["server"], shown["client_id"], shown["has_secret"]) == ("https://room.test", "us", True)
    assert shown["redirect_uri"] == "http://127.0.0.1:8000/oauth/callback"
    listed = manager.get("sign-in-apps/")
    assert (
        "very-hush"
        not in (made.content + listed.content + manager.get(f"sign-in-apps/{shown['id']}/").content).decode()
    )
    assert dict(PlatformApp.objects.get().secrets) == {"client_secret": "very-hush"}

    assert fields(manager.post("sign-in-apps/", {"platform": "sandbox", "client_id": "x"})) == {"platform": "unknown"}
    assert fields(manager.post("sign-in-apps/", {"platform": "oidc", "client_id": "x"})) == {"server": "required"}
    assert callers["token"].post("sign-in-apps/", given).status_code == 403
    assert callers["stranger"].get(f"sign-in-apps/{shown['id']}/").status_code == 404
    assert callers["token"].client.delete(f"/api/v1/sign-in-apps/{shown['id']}/").status_code == 403
    assert manager.client.delete(f"/api/v1/sign-in-apps/{shown['id']}/").status_code == 204
    assert "very-hush" not in str(list(AuditLog.objects.values()))
