"""Settings in sections, and the choices of the frame: saved per person, each with its own address."""

from __future__ import annotations

import pytest
from django.urls import reverse

from schedules.models import AuditLog
from schedules.web.views.settings import SECTIONS
from tests.integration.web.conftest import HTMX


def section(name):
    return reverse("web:settings_section", args=[name])


def saved(person):
    person.refresh_from_db()
    return person


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_has_an_address_and_says_where_one_is(owner, name):
    body = owner.get(section(name)).content.decode()

    assert body.count("<h1") == 1
    assert f'href="{SECTIONS[name].url}" aria-current="page"' in body


def test_a_section_saves_what_it_shows_and_leaves_the_rest(viewer, team):
    answer = viewer.post(
        section("language"),
        {"language": "de", "timezone": "Asia/Tokyo", "week_start": "6", "hour_cycle": "h12"},
        follow=True,
    )
    viewer.post(section("look"), {"theme": "dark", "density": "compact"})
    viewer.post(section("you"), {"first_name": "Vera", "last_name": "V"})
    viewer.post(section("keys"), {})

    person = saved(team.people.viewer)
    assert (person.language, person.timezone, person.week_start, person.hour_cycle) == ("de", "Asia/Tokyo", 6, "h12")
    assert (person.theme, person.density, person.get_full_name(), person.single_keys) == (
        "dark", "compact", "Vera V", False,
    )  # fmt: skip
    assert answer.content.decode().count("messagelist") == 1
    facts = AuditLog.objects.filter(action="person.settings_changed").order_by("id")
    assert [sorted(fact.after) for fact in facts][1] == ["density", "theme"]


@pytest.mark.parametrize(
    ("name", "values", "field"),
    [
        ("language", {"language": "tlh", "timezone": "UTC"}, "language"),
        ("language", {"timezone": "Berlin"}, "timezone"),
        ("language", {"timezone": "UTC", "week_start": "7"}, "week_start"),
        ("look", {"theme": "pink", "density": "compact"}, "theme"),
        ("workspace", {"name": " ", "timezone": "UTC"}, "name"),
        ("workspace", {"name": "Team", "timezone": "Mars"}, "timezone"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(owner, name, values, field):
    answer = owner.post(section(name), values, headers=HTMX)

    assert answer.status_code == 422
    assert f'id="err_{field}"' in answer.content.decode()


def test_the_workspace_is_its_owners(owner, viewer, team):
    page = viewer.get(section("workspace")).content.decode()
    refused = viewer.post(section("workspace"), {"name": "Mine", "timezone": "UTC"})
    owner.post(section("workspace"), {"name": "The  Team", "timezone": "Asia/Tokyo"})

    team.workspace.refresh_from_db()
    assert 'name="timezone"' not in page
    assert refused.status_code == 403
    assert (team.workspace.name, team.workspace.timezone) == ("The Team", "Asia/Tokyo")
    assert AuditLog.objects.get(action="workspace.changed").after == {"name": "The Team", "timezone": "Asia/Tokyo"}


def test_a_choice_of_the_frame_is_kept_and_can_be_undone(viewer, team):
    page = viewer.post(reverse("web:choose", args=["theme", "dark"]), {"next": "/app/jobs/"}, follow=True)

    body = page.content.decode()
    assert page.redirect_chain[-1][0] == "/app/jobs/"
    assert 'data-theme="dark" data-stored-theme="dark"' in body
    assert f'action="{reverse("web:choose", args=["theme", "auto"])}"' in body  # the undo
    assert saved(team.people.viewer).theme == "dark"

    quiet = viewer.post(reverse("web:choose", args=["single_keys", "off"]), headers={"X-Quiet": "1"})
    assert quiet.status_code == 204
    assert 'data-keys="off"' in viewer.get(reverse("web:jobs")).content.decode()
    for field, value in (("theme", "pink"), ("is_superuser", "on"), ("language", "tlh")):
        assert viewer.post(reverse("web:choose", args=[field, value])).status_code == 404
    assert viewer.get(reverse("web:choose", args=["theme", "dark"])).status_code == 405
    assert viewer.post("/app/settings/danger/", {}).status_code == 404
