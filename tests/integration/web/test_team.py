"""The team's pages, the page behind an invitation, and the pages as an outside reviewer and a limited member see them."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces import invitations
from alwrity_scheduler.workspaces.models import ApiToken, Invitation, Membership, User
from platforms.services import grants
from schedules.models import ContentItem, Schedule
from schedules.services import approval
from tests.integration.web.conftest import NOW
from tests.people import limit, make_account, make_schedule, make_team


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def others(team):
    return make_team(team.people, NOW)


# ---- the owner's pages


def test_a_role_is_set_from_the_list_and_a_refusal_is_said(owner, team):
    owner.post(reverse("web:member_role", args=["vera"]), {"role": "author"})
    assert Membership.objects.get(user=team.people.viewer).role == "author"

    answer = owner.post(reverse("web:member_role", args=["ana"]), {"role": "viewer"}, follow=True)
    assert b"A workspace needs an owner" in answer.content


def test_a_member_is_given_accounts_and_taken_out(owner, team):
    page = reverse("web:member", args=["ben"])
    owner.post(page, {"which": "some", "accounts": [str(team.account.public_id)]})
    assert [row.account for row in Membership.objects.get(user=team.people.author).account_grants.all()] == [
        team.account
    ]
    assert b"checked" in owner.get(page).content

    owner.post(reverse("web:member_remove", args=["ben"]))
    assert not Membership.objects.filter(user=team.people.author).exists()


def test_only_owners_see_and_use_what_manages_members(author, team):
    page = author.get(reverse("web:team")).content.decode()
    assert "Invite somebody" not in page
    assert reverse("web:member_remove", args=["vera"]) not in page
    for name, args in (("member_role", ["vera"]), ("member_remove", ["vera"]), ("member", ["vera"])):
        assert author.post(reverse(f"web:{name}", args=args), {"role": "owner"}).status_code == 403, name
    assert author.post(reverse("web:team"), {"email": "a@example.com", "role": "owner"}).status_code == 403
    assert not Invitation.objects.exists()


def test_a_token_is_narrowed_renewed_and_shown_once(owner, team):
    given = {
        "name": "n8n",
        "role": "author",
        "expires": "30",
        "reach": "some",
        "scope_jobs": "read",
        "networks": "192.0.2.7",
    }
    made = owner.post(reverse("web:tokens"), given)
    token = ApiToken.objects.get()
    assert (token.scopes, token.networks, token.created_by) == (["jobs:read"], ["192.0.2.7/32"], team.people.owner)
    assert made["Cache-Control"] == "no-store"

    page = reverse("web:token", args=[token.public_id])
    change = {**given, "name": "Zapier", "expires": "keep", "reach": "every", "which": "some", "networks": "home"}
    refused = owner.post(page, change)
    assert (refused.status_code, b"&#x27;home&#x27; is no network" in refused.content) == (422, True)
    owner.post(page, {**change, "networks": ""})
    before, token = token, ApiToken.objects.get()
    assert (token.name, token.scopes, token.networks, token.is_limited) == ("Zapier", [], [], True)
    assert token.expires_at == before.expires_at
    renewed = owner.post(reverse("web:token_renew", args=[token.public_id])).content.decode()
    assert re.search(r"alw_[\w-]{40,}", renewed)
    assert ApiToken.objects.get().digest != token.digest


def test_a_token_for_nothing_is_refused_at_its_field(owner):
    answer = owner.post(reverse("web:tokens"), {"name": "x", "role": "author", "reach": "some"})
    assert (answer.status_code, b"Choose at least one area" in answer.content) == (422, True)


# ---- joining


def invite(owner, email="new@example.com", **given):
    page = owner.post(reverse("web:team"), {"email": email, "role": "author", **given}).content.decode()
    return re.search(r"/join/[\w-]+/", page)[0]


def test_somebody_new_joins_by_the_link_which_works_once(owner, team):
    link = invite(owner, which="some", accounts=[str(team.account.public_id)])
    assert link not in owner.get(reverse("web:team")).content.decode()
    guest = Client()
    assert b'value="new"' in guest.get(link).content

    weak = guest.post(link, {"name": "Nia Noor", "username": "nia", "password": "12345"})
    assert weak.status_code == 422
    assert not User.objects.filter(username="nia").exists()
    done = guest.post(link, {"name": "Nia Noor", "username": "nia", "password": "a long enough phrase"}, follow=True)

    nia = User.objects.get(username="nia")
    assert (nia.email, nia.get_full_name(), nia.is_limited) == ("new@example.com", "Nia Noor", True)
    assert b"Welcome to Team" in done.content
    assert guest.get(reverse("web:team")).context["user"] == nia
    assert grants.granted_to(nia.memberships.get()) == [team.account]
    assert Client().get(link).status_code == 404
    assert guest.post(link).status_code == 404


def test_whoever_is_signed_in_joins_as_themselves_after_saying_so(owner, stranger, team):
    link = invite(owner)
    assert b"You are signed in as sid" in stranger.get(link).content
    assert stranger.post(link).status_code == 422
    assert not Membership.objects.filter(user=team.people.stranger, workspace=team.workspace).exists()
    stranger.post(link, {"sure": "1"})
    assert Membership.objects.get(user=team.people.stranger, workspace=team.workspace).role == "author"


def test_who_is_in_already_does_not_use_the_invitation_up(owner, author):
    link = invite(owner)
    answer = author.post(link, {"sure": "1"})
    assert b"You are in Team already" in answer.content
    assert Invitation.objects.get().accepted_at is None


def test_a_known_address_signs_in_first_and_makes_no_second_person(owner, team):
    User.objects.filter(pk=team.people.stranger.pk).update(email="Sid@Example.com")
    link = invite(owner, "sid@example.com")
    assert b"is known here" in Client().get(link).content
    Client().post(link, {"name": "x", "username": "sid2", "password": "a long enough phrase"})
    assert not User.objects.filter(username="sid2").exists()


def test_what_was_taken_back_or_forged_opens_nothing(owner):
    link = invite(owner)
    owner.post(reverse("web:invitation_act", args=[Invitation.objects.get().public_id, "take-back"]))
    assert [Client().get(path).status_code for path in (link, reverse("join", args=["guess"]))] == [404, 404]


def test_the_mailed_address_is_that_of_the_page():
    assert reverse("join", args=["x"]) == invitations.JOIN_PAGE % "x"


def test_one_leaves_in_the_settings(author, team):
    assert b"Leave Team" in author.get(reverse("web:settings_section", args=["danger"])).content
    author.post(reverse("web:leave"))
    assert not Membership.objects.filter(user=team.people.author).exists()


# ---- an outside reviewer


@pytest.fixture
def asked(team, others):
    Schedule.objects.filter(pk=team.draft.pk).update(created_by=team.people.author)
    team.draft.refresh_from_db()
    who = Actor(kind="user", id=str(team.people.author.pk), label="ben")
    approval.submit(schedule=team.draft, actor=who, now=NOW)
    return team.draft


def test_an_outside_reviewer_lands_on_what_waits_and_decides(asked, others):
    client = signed_in(others.reviewer)
    assert client.get(reverse("web:today")).headers["Location"] == reverse("web:reviews")
    board = client.get(reverse("web:reviews")).content.decode()
    page = reverse("web:review", args=[asked.public_id])
    assert page in board
    assert re.findall(r'data-place="(\w+)"', board) == ["reviews", "notifications", "settings"]
    assert b"Not yet" in client.get(page).content

    client.post(reverse("web:review_act", args=[asked.public_id, "approve"]), {"comment": "Fine"})

    asked.refresh_from_db()
    assert asked.state == "active"
    assert b"otto" in client.get(page).content


def test_no_other_page_is_there_for_an_outside_reviewer(asked, others, team):
    client = signed_in(others.reviewer)
    paths = [
        reverse(f"web:{name}") for name in ("schedules", "calendar", "jobs", "accounts", "team", "media", "library")
    ]
    paths += [reverse("web:schedule", args=[asked.public_id]), reverse("web:review", args=[team.daily.public_id])]
    paths += [reverse("web:settings_section", args=["workspace"])]
    assert [client.get(path).status_code for path in paths] == [404] * len(paths)
    assert client.get(reverse("web:settings")).status_code == 200
    assert client.get(reverse("web:notifications")).status_code == 200


# ---- a limited member


@pytest.fixture
def lena(team, others):
    """An author who was given a second account, and not the first."""
    ContentItem.objects.update(title="Good morning")
    mine = make_account(team.workspace, NOW, name="Lighthouse")
    row = make_schedule(team.workspace, [mine], NOW, start_local=NOW.replace(day=25, tzinfo=None))
    ContentItem.objects.filter(pk=row.content_id).update(title="From the tower")
    return signed_in(limit(others.limited, [mine], NOW))


def test_no_page_shows_a_limited_member_the_other_account(lena):
    names = (
        "today", "calendar", "calendar?view=year", "timeline", "schedules", "jobs", "recovery", "accounts", "account_groups",
        "schedule_new", "reviews", "library", "media", "notifications", "drafts",
    )  # fmt: skip
    telling = {}
    for each in names:
        name, _mark, query = each.partition("?")
        answer = lena.get(reverse(f"web:{name}") + (f"?{query}" if query else ""))
        body = answer.content.replace(b"America/Coral_Harbour", b"")
        if answer.status_code != 200 or b"Harbour" in body or b"Good morning" in body:
            telling[each] = answer.status_code
    assert telling == {}


def test_a_limited_members_own_account_is_there(lena, team):
    assert b"Lighthouse" in lena.get(reverse("web:accounts")).content
    assert b"From the tower" in lena.get(reverse("web:calendar") + "?view=month").content
    gone = [reverse("web:account", args=[team.account.public_id]), reverse("web:schedule", args=[team.daily.public_id])]
    gone += [reverse("web:job", args=[team.jobs[0].public_id])]
    assert [lena.get(path).status_code for path in gone] == [404, 404, 404]
    assert b"Good morning" not in lena.get(reverse("web:find") + "?q=good").content


def test_a_refusal_on_a_page_names_the_accounts_given(lena, team, others):
    mine = grants.granted_to(others.limited.memberships.get())
    both = make_schedule(team.workspace, [*mine, team.account], NOW, start_local=NOW.replace(day=26, tzinfo=None))
    answer = lena.post(reverse("web:schedule_act", args=[both.public_id, "pause"]), follow=True)
    both.refresh_from_db()
    assert both.state == "active"
    assert b"accounts that are not given to you" in answer.content
