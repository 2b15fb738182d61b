"""Every page as owner, viewer, stranger and anonymous, with its number of queries."""

from __future__ import annotations

import pytest
from django.urls import reverse

# four of each are the frame's: session, person, workspaces with roles, and all that it counts
OWN = {
    "today": 14,
    "schedules": 15,
    "jobs": 9,
    "accounts": 10,
    "account_groups": 6,
    "team": 6,
    "apps": 6,
    "settings": 4,
    "schedule_new": 11,
    "drafts": 5,
    "library": 6,
    "reviews": 8,
    "notifications": 5,
    "security": 8,
    "jobs_runs": 7,
    "jobs_schedules": 7,
    "calendar": 10,
    "timeline": 11,
}
PLAIN = list(OWN)
MANAGING = ["account_choose", "account_apps", "review_policies"]


def address(name, team):
    objects = {
        "schedule": team.daily,
        "schedule_edit": team.daily,
        "schedule_split": team.daily,
        "schedule_preflight": team.daily,
        "account": team.account,
        "job": team.jobs[0],
    }
    if name == "security":
        return reverse("web:settings_section", args=[name])
    return reverse(f"web:{name}", args=[objects[name].public_id]) if name in objects else reverse(f"web:{name}")


@pytest.mark.parametrize(
    "name", [*PLAIN, *MANAGING, "schedule", "schedule_edit", "schedule_split", "schedule_preflight", "account", "job"]
)
def test_the_owner_sees_every_page(owner, team, name):
    response = owner.get(address(name, team))

    assert response.status_code == 200
    assert response.content.count(b"<h1") == 1
    assert b'href="#"' not in response.content
    assert b" style=" not in response.content
    assert b"hx-on" not in response.content


@pytest.mark.parametrize(
    ("name", "most"),
    [*OWN.items(), ("schedule", 23), ("schedule_edit", 17), ("schedule_preflight", 13), ("job", 9), ("account", 10)],
)
def test_a_page_asks_a_known_number_of_queries(owner, team, name, most, django_assert_max_num_queries):
    with django_assert_max_num_queries(most):
        owner.get(address(name, team))


def test_the_list_asks_no_query_a_row(owner, team, django_assert_max_num_queries):
    from tests.conftest import NOW
    from tests.people import make_schedule

    for number in range(12):
        make_schedule(
            team.workspace,
            [team.account],
            NOW,
            text=f"Number {number}",
            start_local=NOW.replace(day=25, hour=number, tzinfo=None),
        )

    with django_assert_max_num_queries(OWN["schedules"]):
        response = owner.get(reverse("web:schedules"))
    assert response.content.count(b"<tr>") == 16


@pytest.mark.parametrize(
    "name", ["today", "schedules", "jobs", "timeline", "accounts", "team", "settings", "schedule", "account", "job"]
)
def test_a_viewer_sees_the_page_and_no_verb(viewer, team, name):
    response = viewer.get(address(name, team))

    assert response.status_code == 200
    body = response.content.decode()
    for verb in (
        "/pause/",
        "/cancel/",
        "/archive/",
        "/clone/",
        "/retry/",
        "/run-now/",
        "/skip/",
        "/new/",
        "pause-everything",
    ):
        assert verb not in body, verb


@pytest.mark.parametrize("name", ["schedule_new", "schedule_edit", "schedule_split", "account_choose"])
def test_a_viewer_may_not_open_what_changes(viewer, team, name):
    response = viewer.get(address(name, team))

    assert response.status_code == 403
    assert b"Your role may not" in response.content


@pytest.mark.parametrize("name", ["schedule", "schedule_edit", "schedule_split", "account", "job"])
def test_a_stranger_finds_nothing(stranger, team, name):
    assert stranger.get(address(name, team)).status_code == 404


@pytest.mark.parametrize("name", ["today", "schedules", "jobs", "accounts", "team"])
def test_a_stranger_sees_nothing_of_the_team(stranger, team, name):
    body = stranger.get(address(name, team)).content

    assert b"Good morning" not in body
    assert b"Harbour" not in body


@pytest.mark.parametrize("name", [*PLAIN, "schedule", "account", "job"])
def test_nobody_is_sent_to_sign_in(client, team, name):
    response = client.get(address(name, team))

    assert response.status_code == 302
    assert response.headers["Location"] == f"{reverse('login')}?next={address(name, team)}"


def test_a_person_without_a_workspace_is_told_so(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("new"))

    response = client.get(reverse("web:today"))

    assert response.status_code == 403
    assert b"You are in no workspace yet" in response.content


def test_the_front_door_leads_to_today(owner):
    assert owner.get("/").headers["Location"] == reverse("web:today")


def test_health_answers_without_signing_in(client, db):
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("verb", ["pause", "archive", "clone", "publish-now"])
def test_a_viewer_may_not_act_on_a_schedule(viewer, team, verb):
    response = viewer.post(reverse("web:schedule_act", args=[team.daily.public_id, verb]))

    team.daily.refresh_from_db()
    assert response.status_code == 403
    assert team.daily.state == "active"


@pytest.mark.parametrize("verb", ["pause", "archive", "clone", "publish-now"])
def test_a_stranger_may_not_act_on_a_schedule(stranger, team, verb):
    assert stranger.post(reverse("web:schedule_act", args=[team.daily.public_id, verb])).status_code == 404


def test_a_verb_is_never_a_get(owner, team):
    assert owner.get(reverse("web:schedule_act", args=[team.daily.public_id, "pause"])).status_code == 405


def test_the_choice_of_platforms_says_what_each_needs(owner, team):
    page = owner.get(reverse("web:account_choose")).content.decode()

    assert "Needs: Webhook address or Bot token" in page  # either will do
    assert "Needs: Application password, Site address, User name" in page
    assert page.count("Needs no credentials.") == 1  # the sandbox
