"""Who sees what and may do what; tokens; facts of these writes."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from rest_framework.test import APIRequestFactory

from alwrity_scheduler.core.errors import NotAllowed, Refused
from alwrity_scheduler.workspaces import access, services
from alwrity_scheduler.workspaces.authentication import TokenAuthentication
from alwrity_scheduler.workspaces.models import ApiToken, Membership, User, Workspace
from alwrity_scheduler.workspaces.roles import Action
from schedules.models import AuditLog
from tests.people import ACTOR


def names(user):
    return sorted(Workspace.objects.visible_to(user).values_list("slug", flat=True))


def test_a_person_sees_the_workspaces_she_is_in_and_nobody_sees_none(people, admin_user):
    assert names(people.owner) == ["team"]
    assert names(people.stranger) == ["elsewhere"]
    assert names(AnonymousUser()) == []
    assert names(admin_user) == ["elsewhere", "team"]


def test_a_person_who_was_deactivated_sees_nothing(people):
    people.owner.is_active = False

    assert names(people.owner) == []


def test_people_see_those_they_share_a_workspace_with(people):
    seen = User.objects.visible_to(people.viewer).values_list("username", flat=True)

    assert sorted(seen) == ["ana", "ben", "vera"]


@pytest.mark.parametrize(
    ("who", "action", "may"),
    [
        ("owner", Action.MEMBERS, True),
        ("author", Action.WRITE, True),
        ("author", Action.ACCOUNTS, False),
        ("viewer", Action.VIEW, True),
        ("viewer", Action.WRITE, False),
        ("stranger", Action.VIEW, False),
    ],
)
def test_roles_allow_what_the_table_says(people, who, action, may):
    assert access.can(getattr(people, who), action, people.workspace) is may


def test_an_app_that_acts_for_an_administrator_has_the_role_of_a_member(people, admin_user, now):
    Membership.objects.create(workspace=people.workspace, user=admin_user, role="viewer", created_at=now)
    assert set(access.workspaces_where(admin_user, Action.MEMBERS)) == {people.workspace, people.other_workspace}

    admin_user.delegated_workspace_id = people.workspace.pk

    assert list(access.workspaces_where(admin_user, Action.MEMBERS)) == []
    assert list(access.workspaces_where(admin_user, Action.VIEW)) == [people.workspace]


def test_a_refusal_says_whom_to_ask(people):
    with pytest.raises(NotAllowed, match="Ask someone who is manager or owner"):
        access.require(people.author, Action.ACCOUNTS, people.workspace)


def test_changing_a_role_is_a_fact(people, now):
    services.set_role(workspace=people.workspace, user=people.viewer, role="author", actor=ACTOR, now=now)

    assert Membership.objects.get(user=people.viewer).role == "author"
    fact = AuditLog.objects.filter(action="member.role_set").first()
    assert (fact.before["role"], fact.after["role"]) == ("viewer", "author")


def test_the_last_owner_cannot_stop_being_one(people, now):
    with pytest.raises(Refused, match="needs an owner"):
        services.set_role(workspace=people.workspace, user=people.owner, role="author", actor=ACTOR, now=now)


def test_a_persons_own_settings_are_a_fact_that_names_what_changed(people, now):
    services.update_person(
        person=people.author, timezone="Asia/Tokyo", first_name="Ben", last_name="", actor=ACTOR, now=now
    )

    fact = AuditLog.objects.get(action="person.settings_changed")
    assert fact.after == {"timezone": "Asia/Tokyo", "first_name": "Ben"}


def test_an_unknown_role_is_refused(people, now):
    with pytest.raises(Refused, match="'king' is not a role"):
        services.set_role(workspace=people.workspace, user=people.viewer, role="king", actor=ACTOR, now=now)


def authenticate(secret):
    return TokenAuthentication().authenticate(APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {secret}"))


def test_a_token_acts_for_its_workspace_with_its_role_and_only_its_digest_is_kept(people, now):
    row, secret = services.create_token(workspace=people.workspace, name="script", role="author", actor=ACTOR, now=now)

    user, _ = authenticate(secret)

    assert names(user) == ["team"]
    assert access.can(user, Action.WRITE, people.workspace)
    assert not access.can(user, Action.ACCOUNTS, people.workspace)
    assert not access.can(user, Action.VIEW, people.other_workspace)
    assert secret not in str(vars(ApiToken.objects.get(pk=row.pk)))
    assert secret not in str(list(AuditLog.objects.values()))


@pytest.mark.parametrize("how", ["revoked", "expired", "wrong"])
def test_a_token_that_is_revoked_expired_or_wrong_is_not_let_in(people, now, how):
    from rest_framework.exceptions import AuthenticationFailed

    expires = now - timedelta(days=900) if how == "expired" else None
    row, secret = services.create_token(
        workspace=people.workspace, name="script", role="author", actor=ACTOR, now=now, expires_at=expires
    )
    if how == "revoked":
        services.revoke_token(token=row, actor=ACTOR, now=now)

    with pytest.raises(AuthenticationFailed, match="unknown, expired or revoked"):
        authenticate(secret + ("x" if how == "wrong" else ""))


def test_the_command_prints_a_working_token_once(people):
    out = io.StringIO()

    call_command("create_token", workspace="team", role="viewer", name="report", stdout=out)

    _, token = authenticate(out.getvalue().strip())
    assert (token.name, token.role) == ("report", "viewer")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"workspace": "nowhere", "role": "viewer"}, "There are: elsewhere, team"),
        ({"workspace": "team", "role": "king"}, "choose one of owner"),
    ],
)
def test_the_command_says_what_is_wrong(people, words, message):
    with pytest.raises(CommandError, match=message):
        call_command("create_token", name="report", **words)
