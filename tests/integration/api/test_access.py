"""How one is let in and which workspace is meant; who may do what is in test_every_endpoint.py."""

from __future__ import annotations

from typing import Any

import pytest

from schedules.models import Job
from tests.integration.api.callers import Caller, fields, signed_in
from tests.people import People, make_account

READERS = ("owner", "author", "viewer", "token", "viewer_token")
OUTSIDERS = ("stranger", "foreign_token")
NOBODIES = ("revoked", "expired", "nobody")
EVERYONE = (*READERS, *OUTSIDERS, *NOBODIES)

LISTS = ("accounts/", "content/", "schedules/", "jobs/", "audit/")


@pytest.mark.parametrize("path", LISTS)
def test_a_list_shows_what_one_may_see(callers: dict[str, Caller], job: Job, path: str) -> None:
    answers = {who: callers[who].get(path) for who in EVERYONE}

    assert {who: answer.status_code for who, answer in answers.items()} == {
        who: 401 if who in NOBODIES else 200 for who in EVERYONE
    }
    assert all(answers[who].json()["results"] for who in READERS)
    if path != "audit/":
        assert [answers[who].json()["results"] for who in OUTSIDERS] == [[], []]


def test_the_history_of_others_is_not_shown(callers: dict[str, Caller], people: People, job: Job) -> None:
    for who in OUTSIDERS:
        rows = callers[who].get("audit/").json()["results"]
        assert {row["object"]["type"] for row in rows} <= {"workspace", "api_token"}
        assert callers[who].get("audit/", object_type="schedule").json()["results"] == []


@pytest.mark.parametrize("who", NOBODIES)
def test_nobody_is_told_how_to_get_in(callers: dict[str, Caller], who: str) -> None:
    answer = callers[who].get("jobs/")

    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"
    assert "create_token" in answer.json()["detail"]


def test_a_session_needs_the_csrf_token(people: People, body: dict[str, Any]) -> None:
    from rest_framework.test import APIClient

    client = APIClient(enforce_csrf_checks=True)
    client.force_login(people.author)

    answer = client.post("/api/v1/schedules/", body, format="json")

    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_a_person_of_two_workspaces_says_which(
    callers: dict[str, Caller], people: People, body: dict[str, Any], now: Any
) -> None:
    from alwrity_scheduler.workspaces import services
    from tests.people import ACTOR

    services.set_role(workspace=people.other_workspace, user=people.author, role="viewer", actor=ACTOR, now=now)
    author = callers["author"]

    unsaid = author.post("schedules/", body)
    assert (unsaid.status_code, fields(unsaid)) == (422, {"workspace": "required"})
    assert "team, elsewhere" in unsaid.json()["detail"]
    assert author.post("schedules/", {**body, "workspace": "team"}).status_code == 201
    assert author.post("schedules/", {**body, "workspace": str(people.workspace.public_id)}).status_code == 201
    # only a viewer there
    assert author.post("content/", {"text": "Hi", "workspace": "elsewhere"}).status_code == 403
    assert fields(author.post("content/", {"text": "Hi", "workspace": "nowhere"})) == {"workspace": "not_found"}


def test_a_token_stays_in_its_workspace(callers: dict[str, Caller], body: dict[str, Any]) -> None:

    assert fields(callers["token"].post("schedules/", {**body, "workspace": "elsewhere"})) == {"workspace": "not_found"}


def test_another_workspaces_things_cannot_be_used(
    callers: dict[str, Caller], people: People, body: dict[str, Any], now: Any
) -> None:

    foreign = make_account(people.other_workspace, now, name="Theirs")
    theirs = callers["stranger"].post("content/", {"text": "Theirs"}).json()["id"]
    api = callers["token"]

    assert fields(api.post("schedules/", {**body, "accounts": [str(foreign.public_id)]})) == {"accounts": "invalid"}
    assert fields(api.post("schedules/", {**body, "content": {"id": theirs}})) == {"content.id": "not_found"}


def test_somebody_in_no_workspace_is_told_so(people: People) -> None:
    from alwrity_scheduler.workspaces.models import User

    lonely = signed_in(User.objects.create_user("lou"))

    answer = lonely.post("content/", {"text": "Hi"})

    assert answer.status_code == 403
    assert "no workspace" in answer.json()["detail"]
