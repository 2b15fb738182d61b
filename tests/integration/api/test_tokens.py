"""Tokens through the API: made once, narrowed, renewed, revoked; never more than who makes them; and how they are let in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alwrity_scheduler.core import sightings
from alwrity_scheduler.workspaces import services as workspaces
from alwrity_scheduler.workspaces.models import ApiToken
from schedules.models import AuditLog
from tests.integration.api.callers import API, Caller, fields, signed_in, with_token
from tests.people import ACTOR, make_account

BODY = {"name": "n8n", "role": "author"}


@pytest.fixture
def owner(people: Any) -> Caller:
    return signed_in(people.owner)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[sightings.Sighting]:
    found: list[sightings.Sighting] = []
    monkeypatch.setattr(sightings, "_listeners", [found.append])
    return found


def test_a_token_is_made_and_shown_once(owner, people, now):
    answer = owner.post(
        "tokens/",
        {
            **BODY,
            "scopes": ["schedules:write", "content:read"],
            "networks": ["192.0.2.7", "2001:db8::/32"],
            "expires_at": "2027-01-01T00:00:00Z",
        },
    )

    made = answer.json()
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert made["scopes"] == ["content:read", "schedules:write"]
    assert made["networks"] == ["192.0.2.7/32", "2001:db8::/32"]
    assert (made["created_by"], made["state"], made["expires_at"]) == ("ana", "usable", "2027-01-01T00:00:00Z")
    secret = made["token"]
    shown = owner.get(f"tokens/{made['id']}/").json()
    assert "token" not in shown
    assert secret not in str(shown) + str(list(ApiToken.objects.values())) + str(list(AuditLog.objects.values()))
    fact = AuditLog.objects.get(action="token.created")
    assert fact.after["scopes"] == ["content:read", "schedules:write"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"role": "king"}, {"role": "invalid"}),
        ({"role": "reviewer"}, {"role": "invalid"}),
        ({"scopes": ["everything"]}, {"scopes": "unknown"}),
        ({"networks": ["home"]}, {"networks": "network"}),
        ({"networks": ["192.0.2.7/24"]}, {"networks": "network"}),
        ({"expires_at": "2026-11-23T08:00:00Z"}, {"expires_at": "past"}),
        # no zone ahead of UTC could tell it
        ({"expires_at": "9999-12-31T23:59:59Z"}, {"expires_at": "far"}),
        ({"role": "owner", "accounts": []}, {"accounts": "role"}),
        ({"name": "  "}, {"name": "blank"}),
    ],
)
def test_what_is_refused_of_a_token(owner, change, expected):
    assert fields(owner.post("tokens/", {**BODY, **change})) == expected
    assert not ApiToken.objects.exists()


def test_tokens_are_for_those_who_manage_members(callers, owner):
    row = f"tokens/{owner.post('tokens/', BODY).json()['id']}/"
    for who in ("author", "viewer", "token", "stranger"):
        assert callers[who].get(row).status_code == 404, who
        assert callers[who].patch(row, {"name": "x"}).status_code == 404, who
    assert callers["author"].get("tokens/").json()["results"] == []
    assert callers["author"].post("tokens/", BODY).status_code == 403


def test_a_token_is_changed_renewed_and_revoked(owner):
    made = owner.post("tokens/", BODY).json()
    row, first = f"tokens/{made['id']}/", with_token(made["token"])

    assert owner.patch(row, {"name": "Zapier", "scopes": ["jobs:read"]}).json()["name"] == "Zapier"
    assert first.get("me/").json()["scopes"] == ["jobs:read"]
    renewed = owner.post(f"{row}rotate/").json()["token"]
    assert first.get("me/").status_code == 401
    assert with_token(renewed).get("me/").status_code == 200
    assert owner.delete(row).status_code == 204
    assert with_token(renewed).get("me/").status_code == 401
    assert owner.get(row).json()["state"] == "revoked"
    assert fields(owner.post(f"{row}rotate/")) == {"token": "revoked"}
    told = AuditLog.objects.filter(object_type="api_token").order_by("id").values_list("action", flat=True)
    assert list(told) == ["token.created", "token.changed", "token.rotated", "token.revoked"]


def test_a_token_gives_no_more_than_it_has(people, now):
    narrow = workspaces.create_token(
        workspace=people.workspace, name="ops", role="owner", scopes=["workspace:write"], actor=ACTOR, now=now
    )[1]
    wide, _secret = workspaces.create_token(workspace=people.workspace, name="w", role="owner", actor=ACTOR, now=now)
    api = with_token(narrow)

    assert fields(api.post("tokens/", BODY)) == {"scopes": "not_allowed"}
    assert fields(api.post("tokens/", {**BODY, "scopes": ["jobs:read"]})) == {"scopes": "not_allowed"}
    assert api.post("tokens/", {**BODY, "scopes": ["workspace:read"]}).status_code == 201
    # another's secret would be another's scopes
    assert fields(api.post(f"tokens/{wide.public_id}/rotate/")) == {"scopes": "not_allowed"}
    assert fields(api.patch(f"tokens/{wide.public_id}/", {"scopes": ["workspace:read"]})) == {"scopes": "not_allowed"}


def test_a_tokens_accounts_are_shown_and_set(owner, people, now):
    account = make_account(people.workspace, now)
    made = owner.post("tokens/", {**BODY, "accounts": [str(account.public_id)]}).json()
    assert (made["is_limited"], made["accounts"]) == (True, [str(account.public_id)])
    assert owner.patch(f"tokens/{made['id']}/", {"accounts": None}).json()["accounts"] is None


@pytest.mark.parametrize(
    ("address", "status"), [("192.0.2.7", 200), ("192.0.3.7", 401), ("::ffff:192.0.2.7", 200), ("2001:db8::1", 401)]
)
def test_a_token_works_from_its_networks_only(people, now, address, status, seen):
    row, secret = workspaces.create_token(
        workspace=people.workspace, name="ops", role="author", networks=["192.0.2.0/24"], actor=ACTOR, now=now
    )
    answer = with_token(secret).client.get(f"{API}me/", REMOTE_ADDR=address)

    assert answer.status_code == status
    row.refresh_from_db()
    if status == 401:
        assert "from where you are" in answer.json()["detail"]
        assert (seen[-1].kind, seen[-1].token_id, seen[-1].details) == ("token.refused", row.pk, {"reason": "network"})
        assert row.last_used_at is None
    else:
        assert (row.last_used_at, seen[-1].kind) == (now, "token.used")


@pytest.mark.parametrize("reason", ["unknown", "expired", "revoked"])
def test_a_refused_token_is_seen_with_the_reason(people, now, seen, reason):
    row, secret = workspaces.create_token(
        workspace=people.workspace, name="ops", role="author", actor=ACTOR, now=now,
        expires_at=now if reason == "expired" else now + timedelta(days=1),
    )  # fmt: skip
    if reason == "revoked":
        workspaces.revoke_token(token=row, actor=ACTOR, now=now)
    answer = with_token("alw_wrong" if reason == "unknown" else secret).get("me/")

    assert answer.status_code == 401
    assert [(item.kind, item.details["reason"]) for item in seen] == [("token.refused", reason)]
    assert secret not in str(seen)


def test_the_last_use_is_kept_with_its_address(people, now, seen):
    row, secret = workspaces.create_token(workspace=people.workspace, name="n", role="author", actor=ACTOR, now=now)
    with_token(secret).get("me/")
    with_token(secret).get("me/")
    row.refresh_from_db()
    assert (row.last_used_at, row.last_used_from) == (now, "127.0.0.1")
    assert [item.kind for item in seen] == ["token.used"]
