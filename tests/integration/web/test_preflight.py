"""The page that says whether a post would go out now."""

from __future__ import annotations

from django.urls import reverse

from platforms.models import PlatformAccount


def address(schedule):
    return reverse("web:schedule_preflight", args=[schedule.public_id])


def test_the_schedule_offers_to_look(owner, viewer, team):
    for person in (owner, viewer):
        body = person.get(reverse("web:schedule", args=[team.daily.public_id])).content.decode()
        assert f'href="{address(team.daily)}"' in body
        assert 'id="preflight"' in body


def test_it_says_yes_and_what_was_looked_at(viewer, team):
    body = viewer.get(address(team.daily)).content.decode()

    assert "Would publish" in body
    assert "The sign-in holds." in body
    assert "No scheduler has been heard of" in body


def test_it_says_no_why_and_where_to_mend_it(owner, team):
    PlatformAccount.objects.filter(pk=team.account.pk).update(state="needs_auth")

    response = owner.get(address(team.daily), headers={"HX-Request": "true"})

    body = response.content.decode()
    assert "<html" not in body
    assert "Would not publish" in body
    assert "Sign in again." in body
    assert reverse("web:account", args=[team.account.public_id]) in body


def test_a_stranger_sees_nothing_of_it(stranger, team):
    assert stranger.get(address(team.daily)).status_code == 404
