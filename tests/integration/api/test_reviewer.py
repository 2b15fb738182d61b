"""An outside reviewer: what is given for review, yes and no to it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from alwrity_scheduler.core.events import Actor
from schedules.models import Review, Schedule
from schedules.services import approval
from tests.integration.api.callers import Caller, fields, signed_in
from tests.people import People, Team, make_account, make_schedule


@pytest.fixture
def scene(people: People, team: Team, now: Any) -> dict[str, Any]:
    account = make_account(people.workspace, now)
    rows = [
        make_schedule(people.workspace, [account], now, state="draft", text=text) for text in ("asked", "not asked")
    ]
    asked, other = rows
    Schedule.objects.filter(pk=asked.pk).update(start_local="2026-12-01T09:00:00", created_by=people.author)
    asked.refresh_from_db()
    who = Actor(kind="user", id=str(people.author.pk), label="ben")
    review = approval.submit(schedule=asked, actor=who, now=now)
    return {"account": account, "asked": asked, "other": other, "review": review}


@pytest.fixture
def api(scene: dict[str, Any], team: Team) -> Caller:
    return signed_in(team.reviewer)


def count(answer: Any) -> int:
    assert answer.status_code == 200, answer.content
    return len(answer.json()["results"])


def test_they_see_what_is_reviewed(api, scene):
    asked, review = scene["asked"], scene["review"]
    assert [row["id"] for row in api.get("reviews/").json()["results"]] == [str(review.public_id)]
    assert api.get(f"reviews/{review.public_id}/").status_code == 200
    assert api.get(f"schedules/{asked.public_id}/").json()["content"]["text"] == "asked"
    assert api.get(f"content/{asked.content.public_id}/").status_code == 200
    assert count(api.get(f"schedules/{asked.public_id}/comments/")) == 0


def test_nothing_else_is_there(api, scene):
    lists = ("accounts/", "jobs/", "audit/", "templates/", "milestones/", "workspaces/", "invitations/", "tokens/")
    assert [count(api.get(path)) for path in lists] == [0] * len(lists)
    assert count(api.get("schedules/")) == 1
    gone = (
        f"schedules/{scene['other'].public_id}/",
        f"content/{scene['other'].content.public_id}/",
        f"accounts/{scene['account'].public_id}/",
        f"workspaces/{scene['asked'].workspace.public_id}/",
        f"workspaces/{scene['asked'].workspace.public_id}/members/",
    )
    assert [api.get(path).status_code for path in gone] == [404] * len(gone)


def test_they_say_yes_and_what_they_think(api, scene):
    path = f"schedules/{scene['asked'].public_id}/"
    assert api.post(f"{path}comments/", {"comment": "Nice"}).status_code == 201
    answer = api.post(f"{path}approve/", {"comment": "Go"})
    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    assert Schedule.objects.get(pk=scene["asked"].pk).state == "active"


def test_they_say_no(api, scene):
    assert api.post(f"schedules/{scene['asked'].public_id}/request-changes/", {"comment": "No"}).status_code == 200
    assert Review.objects.get(pk=scene["review"].pk).state == "changes"
    # what was answered stays readable, and is not theirs to put to work unasked
    again = api.post(f"schedules/{scene['asked'].public_id}/approve/", {})
    assert fields(again) == {"state": "not_allowed"}


@pytest.mark.parametrize("verb", ["pause", "archive", "clone", "submit-for-approval", "withdraw", "review-links"])
def test_they_do_nothing_else_to_it(api, scene, verb):
    body = {"label": "x"} if verb == "review-links" else {}
    answer = api.post(f"schedules/{scene['asked'].public_id}/{verb}/", body)
    assert fields(answer) == {"role": "not_allowed"}


def test_who_am_i_tells_the_role(api):
    assert [row["role"] for row in api.get("me/").json()["workspaces"]] == ["reviewer"]
