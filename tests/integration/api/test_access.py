"""Who may do what: each address, asked by everyone."""

from __future__ import annotations

from typing import Any

import pytest

from schedules.models import Job, Schedule
from tests.integration.api.callers import Caller, fields, signed_in
from tests.people import People, make_account

READERS = ("owner", "author", "viewer", "token", "viewer_token")
WRITERS = ("owner", "author", "token")
OUTSIDERS = ("stranger", "foreign_token")
NOBODIES = ("revoked", "expired", "nobody")
EVERYONE = (*READERS, *OUTSIDERS, *NOBODIES)

LISTS = ("accounts/", "content/", "schedules/", "jobs/", "audit/")
ROWS = (
    "accounts/{account}/",
    "content/{content}/",
    "schedules/{schedule}/",
    "schedules/{schedule}/occurrences/",
    "schedules/{schedule}/health/",
    "jobs/{job}/",
)
# method, address, body, the states things are brought into before, status for those who may
WRITES: tuple[tuple[str, str, dict[str, Any], dict[str, str], int], ...] = (
    ("put", "content/{content}/", {"version": 1, "text": "New"}, {}, 200),
    ("patch", "content/{content}/", {"version": 1, "text": "New"}, {}, 200),
    ("patch", "schedules/{schedule}/", {"version": 1, "tags": ["x"]}, {}, 200),
    ("post", "schedules/{schedule}/activate/", {}, {"schedule": "draft"}, 200),
    ("post", "schedules/{schedule}/pause/", {}, {}, 200),
    ("post", "schedules/{schedule}/resume/", {}, {"schedule": "paused"}, 200),
    ("post", "schedules/{schedule}/archive/", {}, {}, 200),
    ("post", "schedules/{schedule}/restore/", {}, {"schedule": "archived"}, 200),
    ("post", "schedules/{schedule}/clone/", {}, {}, 201),
    ("post", "schedules/{schedule}/publish-now/", {}, {}, 201),
    ("post", "jobs/{job}/cancel/", {}, {}, 200),
    ("post", "jobs/{job}/run-now/", {}, {}, 200),
    ("post", "jobs/{job}/retry/", {}, {"job": "failed"}, 200),
    ("post", "jobs/{job}/confirm/", {"remote_url": "https://example.com/1"}, {"job": "unconfirmed"}, 200),
    ("post", "jobs/{job}/publish-again/", {}, {"job": "unconfirmed"}, 200),
    ("post", "jobs/{job}/dismiss/", {}, {"job": "unconfirmed"}, 200),
    ("post", "jobs/{job}/publish-now/", {}, {"job": "missed"}, 200),
    ("post", "jobs/{job}/reslot/", {"at": "2026-12-01T09:00:00Z"}, {"job": "failed"}, 200),
    ("post", "jobs/{job}/discard/", {}, {"job": "failed"}, 200),
    ("post", "jobs/{job}/look-again/", {}, {"job": "unconfirmed"}, 200),
    # nothing was done to it yet
    ("post", "jobs/{job}/undo/", {}, {}, 409),
)


@pytest.fixture
def address(job: Any, schedule: Any, account: Any) -> Any:
    ids = {
        "job": job.public_id,
        "schedule": schedule.public_id,
        "content": schedule.content.public_id,
        "account": account.public_id,
    }
    return lambda path: path.format(**ids)


def expected(who: str, allowed: tuple[str, ...], good: int, outsiders: int = 404) -> int:
    if who in allowed:
        return good
    return outsiders if who in OUTSIDERS else 401 if who in NOBODIES else 403


@pytest.mark.parametrize("path", LISTS)
def test_a_list_shows_what_one_may_see(callers: dict[str, Caller], job: Job, path: str) -> None:
    answers = {who: callers[who].get(path) for who in EVERYONE}

    assert {who: answer.status_code for who, answer in answers.items()} == {
        who: expected(who, READERS, 200, 200) for who in EVERYONE
    }
    assert all(answers[who].json()["results"] for who in READERS)
    if path != "audit/":
        assert [answers[who].json()["results"] for who in OUTSIDERS] == [[], []]


def test_the_history_of_others_is_not_shown(callers: dict[str, Caller], people: People, job: Job) -> None:
    for who in OUTSIDERS:
        rows = callers[who].get("audit/").json()["results"]
        assert {row["object"]["type"] for row in rows} <= {"workspace", "api_token"}
        assert callers[who].get("audit/", object_type="schedule").json()["results"] == []


@pytest.mark.parametrize("path", ROWS)
def test_a_row_is_there_for_those_who_may_see_it(callers: dict[str, Caller], address: Any, path: str) -> None:
    statuses = {who: callers[who].get(address(path)).status_code for who in EVERYONE}

    assert statuses == {who: expected(who, READERS, 200) for who in EVERYONE}


@pytest.mark.parametrize(
    ("method", "path", "body", "before", "good"), WRITES, ids=[f"{row[0]} {row[1]}" for row in WRITES]
)
def test_a_change_is_for_those_who_may_make_it(
    callers: dict[str, Caller],
    address: Any,
    job: Job,
    method: str,
    path: str,
    body: dict[str, Any],
    before: dict[str, str],
    good: int,
) -> None:
    for model, row in ((Job, job), (Schedule, job.schedule)):
        if state := before.get(model.__name__.lower()):
            model.objects.filter(pk=row.pk).update(state=state)
    refused = [who for who in EVERYONE if who not in WRITERS]

    statuses = {who: callers[who].call(method, address(path), body).status_code for who in refused}

    assert statuses == {who: expected(who, WRITERS, good) for who in refused}
    assert callers["token"].call(method, address(path), body).status_code == good


@pytest.mark.parametrize("who", EVERYONE)
def test_making_a_schedule_is_for_writers_of_the_workspace(
    callers: dict[str, Caller], body: dict[str, Any], who: str
) -> None:
    # to an outsider the account is none of the own workspace's
    assert callers[who].post("schedules/", body).status_code == expected(who, WRITERS, 201, 422)


@pytest.mark.parametrize("who", EVERYONE)
def test_making_content_is_for_writers(callers: dict[str, Caller], who: str, people: People) -> None:
    assert callers[who].post("content/", {"text": "Hi"}).status_code == expected(who, (*WRITERS, *OUTSIDERS), 201)


@pytest.mark.parametrize("who", EVERYONE)
def test_everyone_known_may_preview_and_read_the_status(callers: dict[str, Caller], people: People, who: str) -> None:
    rule = {"rule": {"kind": "cron", "expression": "0 9 * * *", "timezone": "UTC"}}
    good = 401 if who in NOBODIES else 200

    assert callers[who].post("rules/preview/", rule).status_code == good
    assert callers[who].get("status/").status_code == good


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
