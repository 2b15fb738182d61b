"""The rules of roles, limits and invitations, as the services keep them whoever asks."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from alwrity_scheduler.core.errors import IllegalTransition, NotAllowed, Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces import invitations, members, rules, services
from alwrity_scheduler.workspaces.models import ApiToken, Invitation, User
from alwrity_scheduler.workspaces.roles import Role
from platforms.models import AccountGrant
from platforms.services import grants
from tests.people import ACTOR, limit, make_account


def acting(person):
    return Actor(kind="user", id=str(person.pk), label=person.get_username())


def test_nobody_raises_their_own_role_or_gives_one_above_it(people, team, now):
    def give(person, role, by):
        services.set_role(workspace=people.workspace, user=person, role=role, actor=by, now=now)

    with pytest.raises(NotAllowed, match="Nobody raises their own role"):
        give(team.manager, "owner", acting(team.manager))
    with pytest.raises(NotAllowed, match="You are manager here"):
        give(people.viewer, "owner", acting(team.manager))
    with pytest.raises(NotAllowed):
        give(people.owner, "viewer", acting(team.manager))
    give(team.manager, "author", acting(team.manager))  # stepping down is one's own business


def test_a_token_gives_no_role_above_its_own(people, now):
    row, _secret = services.create_token(workspace=people.workspace, name="t", role="manager", actor=ACTOR, now=now)
    token = Actor(kind="token", id=str(row.public_id), label="t")
    with pytest.raises(NotAllowed):
        services.create_token(workspace=people.workspace, name="x", role="owner", actor=token, now=now)
    with pytest.raises(NotAllowed):
        invitations.invite(workspace=people.workspace, email="a@example.com", role="owner", actor=token, now=now)
    assert ApiToken.objects.count() == 1


def test_the_outside_reviewer_is_below_everybody():
    assert [role for role in Role if rules.is_above(role, "reviewer")] == [
        "owner", "manager", "approver", "author", "viewer"
    ]  # fmt: skip
    assert not rules.is_above("reviewer", "viewer")


def test_whether_a_person_is_narrowed_is_kept_on_them(people, team, now):
    def narrowed(person):
        return User.objects.get(pk=person.pk).is_limited

    account = make_account(people.workspace, now)
    assert (narrowed(team.reviewer), narrowed(people.author)) == (True, False)
    limit(people.author, [account], now)
    assert narrowed(people.author)
    services.set_role(workspace=people.workspace, user=people.author, role="manager", actor=ACTOR, now=now)
    assert not narrowed(people.author)
    assert not AccountGrant.objects.exists()
    services.set_role(workspace=people.workspace, user=team.reviewer, role="viewer", actor=ACTOR, now=now)
    assert not narrowed(team.reviewer)


def test_a_member_who_goes_takes_the_limit_along(people, team, now):
    limit(team.limited, [make_account(people.workspace, now)], now)
    members.leave(membership=team.limited.memberships.get(), actor=acting(team.limited), now=now)
    assert not AccountGrant.objects.exists()
    assert User.objects.get(pk=team.limited.pk).is_limited is False


def test_accounts_of_elsewhere_are_not_given(people, now):
    foreign = make_account(people.other_workspace, now)
    with pytest.raises(Refused, match="There is no account"):
        limit(people.author, [foreign], now)


def test_an_invitation_ends_after_seven_days_and_is_used_once(people, now):
    row, secret = invitations.invite(
        workspace=people.workspace, email="a@example.com", role="author", actor=ACTOR, now=now
    )
    later = now + timedelta(days=7)
    assert invitations.invitation_of(secret, later - timedelta(seconds=1)) == row
    assert invitations.invitation_of(secret, later) is None
    with pytest.raises(IllegalTransition):
        grants.accept(invitation=row, person=people.stranger, now=later)
    grants.accept(invitation=row, person=people.stranger, now=now)
    with pytest.raises(IllegalTransition, match="does not work any more"):
        grants.accept(invitation=row, person=User.objects.create_user("nia"), now=now)


def test_a_mail_that_cannot_be_sent_leaves_the_invitation_unsent(
    people, now, settings, django_capture_on_commit_callbacks
):
    settings.EMAIL_READY = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with django_capture_on_commit_callbacks(execute=True):
        invitations.invite(workspace=people.workspace, email="a@example.com", role="author", actor=ACTOR, now=now)
    assert Invitation.objects.get().sent_at is None


def test_the_command_narrows_a_token(people):
    out = io.StringIO()
    call_command(
        "create_token", workspace="team", role="viewer", name="report", scopes=["jobs:read"], networks=["192.0.2.0/24"],
        expires_days=30, stdout=out,
    )  # fmt: skip
    row = ApiToken.objects.get()
    assert (row.scopes, row.networks) == (["jobs:read"], ["192.0.2.0/24"])
    assert row.expires_at - row.created_at == timedelta(days=30)
    with pytest.raises(CommandError, match="is not a scope"):
        call_command("create_token", workspace="team", role="viewer", name="x", scopes=["all"])
