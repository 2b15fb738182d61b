"""Workspaces, members and invitations through the API: who may, what is refused, what it tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from alwrity_scheduler.workspaces import invitations
from alwrity_scheduler.workspaces.models import Invitation, Membership
from schedules.models import AuditLog
from tests.integration.api.callers import Caller, fields, signed_in
from tests.people import limit, make_account


@pytest.fixture
def owner(people: Any) -> Caller:
    return signed_in(people.owner)


@pytest.fixture
def room(people: Any) -> str:
    return f"workspaces/{people.workspace.public_id}/"


def test_who_am_i(callers, people):
    assert callers["author"].get("me/").json() == {
        "kind": "person",
        "timezone": "Europe/Berlin",
        "username": "ben",
        "name": "",
        "email": "",
        "scopes": None,
        "workspaces": [
            {
                "id": str(people.workspace.public_id),
                "slug": "team",
                "name": "Team",
                "role": "author",
                "is_limited": False,
            }
        ],
    }
    token = callers["viewer_token"].get("me/").json()
    assert (token["kind"], token["token"]["name"], token["workspaces"][0]["role"]) == ("token", "n8n", "viewer")
    assert callers["nobody"].get("me/").status_code == 401


def test_a_workspace_is_renamed_by_owners_only(callers, owner, room):
    assert fields(callers["author"].patch(room, {"name": "Ours"})) == {"role": "not_allowed"}
    assert callers["stranger"].patch(room, {"name": "Ours"}).status_code == 404
    answer = owner.patch(room, {"name": "Ours"})
    assert (answer.json()["name"], answer.json()["timezone"]) == ("Ours", "Europe/Berlin")
    assert fields(owner.patch(room, {"timezone": "Mars/Base"})) == {"timezone": "invalid"}


def test_a_workspace_is_paused_and_resumed(callers, owner, room):
    assert callers["author"].post(f"{room}pause/").status_code == 403
    assert owner.post(f"{room}pause/").json()["paused_at"] is not None
    assert owner.post(f"{room}resume/").json()["paused_at"] is None


def test_members_are_seen_by_members_and_their_addresses_by_owners(callers, owner, room, team):
    found = owner.get(f"{room}members/").json()["results"]
    assert {row["username"]: row["role"] for row in found} == {
        "ana": "owner", "ben": "author", "vera": "viewer", "mia": "manager", "carla": "approver", "otto": "reviewer",
        "lena": "author",
    }  # fmt: skip
    assert {row["email"] for row in found} >= {"mia@example.com"}
    assert "email" not in callers["viewer"].get(f"{room}members/").json()["results"][0]
    assert callers["stranger"].get(f"{room}members/").status_code == 404


def test_a_role_is_given_by_owners_only_and_nobody_raises_their_own(callers, owner, room, people, team):
    assert owner.patch(f"{room}members/vera/", {"role": "author"}).json()["role"] == "author"
    assert fields(signed_in(team.manager).patch(f"{room}members/mia/", {"role": "owner"})) == {"role": "not_allowed"}
    assert fields(owner.patch(f"{room}members/vera/", {"role": "king"})) == {"role": "invalid"}
    assert fields(owner.patch(f"{room}members/ana/", {"role": "author"})) == {"role": "invalid"}
    assert Membership.objects.get(user=people.owner).role == "owner"
    assert callers["stranger"].patch(f"{room}members/vera/", {"role": "owner"}).status_code == 404


def test_a_member_is_given_accounts(owner, room, people, now):
    account = make_account(people.workspace, now)
    answer = owner.patch(f"{room}members/ben/", {"accounts": [str(account.public_id)]})
    assert (answer.json()["is_limited"], answer.json()["accounts"]) == (True, [str(account.public_id)])
    assert fields(owner.patch(f"{room}members/ana/", {"accounts": []})) == {"accounts": "role"}
    # who becomes a manager sees everything again
    assert owner.patch(f"{room}members/ben/", {"role": "manager"}).json()["accounts"] is None
    people.author.refresh_from_db()
    assert people.author.is_limited is False


def test_a_member_is_changed_as_looked_at(owner, room):
    path = f"/api/v1/{room}members/vera/"
    seen = owner.client.get(path)["ETag"]
    change = {"path": path, "data": {"role": "author"}, "format": "json"}
    assert owner.client.patch(**change, HTTP_IF_MATCH='"other"').status_code == 412
    assert owner.client.patch(**change, HTTP_IF_MATCH=seen).status_code == 200


def test_members_are_taken_out_and_leave(callers, owner, room, people):
    assert callers["author"].delete(f"{room}members/vera/").status_code == 403
    assert owner.delete(f"{room}members/vera/").status_code == 204
    assert callers["viewer"].get(f"{room}members/").status_code == 404
    assert callers["author"].delete(f"{room}members/ben/").status_code == 204
    assert fields(owner.delete(f"{room}members/ana/")) == {"role": "invalid"}
    told = AuditLog.objects.filter(action__in=["member.removed", "member.left"]).order_by("id")
    assert [(row.action, row.before["user"]) for row in told] == [("member.removed", "vera"), ("member.left", "ben")]


def test_an_invitation_is_sent_again_and_taken_back(callers, owner, people):
    body = {"email": "New@Example.com", "role": "author"}
    assert callers["author"].post("invitations/", body).status_code == 403

    made = owner.post("invitations/", body)

    assert (made.status_code, made.json()["email"], made.json()["state"]) == (201, "new@example.com", "open")
    secret = made.json()["url"].rstrip("/").rpartition("/")[2]
    assert secret not in str(list(Invitation.objects.values())) + str(list(AuditLog.objects.values()))
    assert fields(owner.post("invitations/", body)) == {"email": "invited"}
    row = f"invitations/{made.json()['id']}/"
    assert "url" not in owner.get(row).json()
    assert callers["author"].get(row).status_code == 404
    again = owner.post(f"{row}resend/").json()["url"]
    assert again != made.json()["url"]
    assert invitations.invitation_of(secret, Invitation.objects.get().created_at) is None
    assert owner.delete(row).status_code == 204
    assert owner.get(row).json()["state"] == "taken_back"
    assert fields(owner.post(f"{row}resend/")) == {"invitation": "ended"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"email": "no address", "role": "author"}, {"email": "email"}),
        ({"email": "a@example.com", "role": "king"}, {"role": "invalid"}),
        ({"email": "mia@example.com", "role": "author"}, {"email": "member"}),
        ({"email": "a@example.com", "role": "manager", "accounts": []}, {"accounts": "invalid"}),
        ({"email": "a@example.com"}, {"role": "required"}),
    ],
)
def test_what_is_refused_of_an_invitation(owner, team, body, expected):
    assert fields(owner.post("invitations/", body)) == expected


def test_with_mail_the_link_goes_to_the_address_and_not_into_the_answer(
    owner, settings, django_capture_on_commit_callbacks
):
    settings.EMAIL_READY = True
    with django_capture_on_commit_callbacks(execute=True):
        owner.post("invitations/", {"email": "new@example.com", "role": "viewer"})
    (message,) = mail.outbox
    assert message.to == ["new@example.com"]
    secret = message.body.split("/join/")[1].split("/")[0]
    assert invitations.invitation_of(secret, Invitation.objects.get().created_at).role == "viewer"
    assert Invitation.objects.get().sent_at is not None


def test_an_expired_invitation_gives_way_to_a_new_one(owner, now):
    body = {"email": "new@example.com", "role": "viewer"}
    owner.post("invitations/", body)
    Invitation.objects.update(expires_at=now - timedelta(seconds=1))
    assert owner.post("invitations/", body).status_code == 201
    assert Invitation.objects.filter(revoked_at=None).count() == 1


def test_invited_accounts_are_checked_and_kept(owner, people, now):
    account = make_account(people.workspace, now)
    foreign = make_account(people.other_workspace, now)
    body = {"email": "new@example.com", "role": "author"}
    assert fields(owner.post("invitations/", {**body, "accounts": [str(foreign.public_id)]})) == {
        "accounts": "not_found"
    }
    made = owner.post("invitations/", {**body, "accounts": [str(account.public_id)]})
    assert made.json()["accounts"] == [str(account.public_id)]


def test_lists_cost_the_same_however_many(owner, room, team, people, now, django_assert_num_queries):
    limit(team.limited, [make_account(people.workspace, now)], now)
    with django_assert_num_queries(8):
        assert len(owner.get(f"{room}members/").json()["results"]) == 7


def test_a_name_that_no_database_looks_for_is_nobodys(people):
    owner = signed_in(people.owner)

    assert owner.get(f"workspaces/{people.workspace.public_id}/members/%00/").status_code == 404
    assert fields(owner.get("events/", workspace="te\x00am")) == {"workspace": "not_found"}
