"""Approval through the API: what is asked, answered, linked and ruled, and by whom."""

from __future__ import annotations

import pytest

from schedules.models import Review, Schedule
from schedules.services import approval
from tests.integration.api.callers import API
from tests.people import ACTOR, make_account, make_schedule

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(people, now):
    account = make_account(people.workspace, now)
    approval.set_policy(
        workspace=people.workspace, account=None, required=True, allow_own=False, reviewers=[], remind_after_hours=24,
        actor=ACTOR, now=now,
    )  # fmt: skip
    return make_schedule(people.workspace, [account], now, state="draft")


def at(row, verb):
    return f"schedules/{row.public_id}/{verb}/"


def test_a_post_is_asked_for_talked_about_and_approved(callers, draft, now):
    author, owner = callers["token"], callers["owner"]
    refused = author.post(at(draft, "activate"))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "approval_required")

    asked = author.post(at(draft, "submit-for-approval"), {"comment": "Please"})
    assert (asked.status_code, asked.json()["state"]) == (201, "waiting")
    assert [row["id"] for row in author.get("reviews/?state=waiting").json()["results"]] == [asked.json()["id"]]
    assert author.post(at(draft, "approve")).status_code == 403
    assert owner.post(at(draft, "comments"), {"comment": "Looking"}).status_code == 201

    done = owner.post(at(draft, "approve"), {"comment": "Good"})

    assert (done.status_code, done.json()["state"], done.json()["decided_by"]) == (200, "approved", "ana")
    assert [item["text"] for item in owner.get(at(draft, "comments")).json()["results"]] == [
        "Please",
        "Looking",
        "Good",
    ]
    assert Schedule.objects.get().state == "active"


def test_changes_need_words_and_withdrawing_takes_it_back(callers, draft):
    callers["token"].post(at(draft, "submit-for-approval"))
    empty = callers["owner"].post(at(draft, "request-changes"))
    assert (empty.status_code, empty.json()["errors"][0]["field"]) == (422, "comment")
    assert callers["owner"].post(at(draft, "request-changes"), {"comment": "No"}).json()["state"] == "changes"
    callers["token"].post(at(draft, "submit-for-approval"))
    assert callers["token"].post(at(draft, "withdraw")).json()["state"] == "withdrawn"
    assert callers["token"].post(at(draft, "withdraw")).status_code == 409


@pytest.mark.parametrize(
    ("who", "status"), [("viewer", 403), ("stranger", 404), ("foreign_token", 404), ("nobody", 401)]
)
def test_who_may_not_ask(callers, draft, who, status):
    assert callers[who].post(at(draft, "submit-for-approval")).status_code == status
    assert not Review.objects.exists()


def test_links_are_made_shown_and_taken_back(callers, draft, client):
    callers["token"].post(at(draft, "submit-for-approval"))
    made = callers["token"].post(at(draft, "review-links"), {"label": "Jo", "days": 3})
    assert made.status_code == 201
    path = made.json()["url"].removeprefix("http://127.0.0.1:8000")
    assert client.get(path).status_code == 200
    assert callers["viewer"].get(at(draft, "review-links")).status_code == 403
    assert [row["label"] for row in callers["token"].get(at(draft, "review-links")).json()["results"]] == ["Jo"]
    row = f"review-links/{made.json()['id']}/"
    assert callers["token"].client.delete(API + row, headers={"If-Match": '"old"'}).status_code == 412
    assert callers["token"].delete(row).status_code == 204
    assert client.get(path).status_code == 404


def test_rules_are_set_by_those_who_manage_accounts(callers, draft, people):
    rule = {"required": True, "reviewers": ["ben"], "remind_after_hours": None}
    assert callers["token"].put("review-policies/", rule).status_code == 403
    assert callers["owner"].put("review-policies/", rule).json() == {
        "account": None, "required": True, "allow_own": False, "reviewers": ["ben"], "remind_after_hours": None,
    }  # fmt: skip
    wrong = callers["owner"].put("review-policies/", {**rule, "reviewers": ["nobody"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "reviewers")
    assert callers["stranger"].get("review-policies/").json()["results"] == []
