"""Preflight and the check of content; and what cannot be scheduled because an account would refuse it."""

from __future__ import annotations

from typing import Any

import pytest

from schedules.models import ContentItem, Job, Schedule
from tests.integration.api.callers import Caller, fields
from tests.people import make_account

LONG = "x" * 5001  # the sandbox takes 5,000


def test_the_preflight_of_a_schedule(api: Caller, schedule: Schedule, account: Any) -> None:
    found = api.post("preflight/", {"schedule": str(schedule.public_id)}).json()

    assert (found["verdict"], found["would_publish_count"], found["at"]) == ("warning", 1, "2026-11-23T08:00:00Z")
    assert [(item["code"], item["verdict"]) for item in found["general"]] == [("no_scheduler", "warning")]
    (row,) = found["accounts"]
    assert (row["id"], row["verdict"]) == (str(account.public_id), "ok")
    assert row["count"] == {"used": 5, "limit": 5000, "unit": "code_points", "words": "5 of 5,000", "parts": []}
    assert {item["aspect"] for item in row["findings"]} == {"account", "sign_in", "platform", "limits", "content"}


def test_the_preflight_of_what_is_not_stored(api: Caller, account: Any) -> None:
    type(account).objects.filter(pk=account.pk).update(state="paused")

    found = api.post("preflight/", {"content": {"text": LONG}, "accounts": [str(account.public_id)]}).json()

    bad = [item for item in found["accounts"][0]["findings"] if item["verdict"] == "blocked"]
    assert [(item["aspect"], item["code"], item["field"]) for item in bad] == [
        ("account", "paused", ""),
        ("content", "text_too_long", "text"),
    ]
    assert bad[0]["link"] == f"/app/accounts/{account.public_id}/"
    assert ContentItem.objects.count() == 0


def test_content_is_checked_for_each_account(api: Caller, account: Any, workspace: Any, now: Any) -> None:
    second = make_account(workspace, now, name="Blog")
    stored = api.post("content/", {"text": "Fine"}).json()["id"]
    body = {"content": stored, "accounts": [str(account.public_id), {"id": str(second.public_id), "text": LONG}]}

    found = api.post("content/check/", body).json()

    assert (found["fits"], [item["fits"] for item in found["results"]]) == (False, [True, False])
    (problem,) = found["results"][1]["problems"]
    assert (problem["code"], problem["severity"], problem["field"]) == ("text_too_long", "error", "text")
    assert problem["message"] == "The text has 5,001 of 5,000 characters."
    assert problem["remedy"] == "Shorten it by 1 character."


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("preflight/", {}, {"schedule": "required"}),
        ("preflight/", {"content": {"text": "x"}}, {"accounts": "required"}),
        ("preflight/", {"accounts": ["{account}"]}, {"content": "required"}),
        ("preflight/", {"schedule": "{schedule}", "content": {"text": "x"}}, {"content": "ambiguous"}),
        ("content/check/", {"content": {"text": "x"}, "accounts": []}, {"accounts": "empty"}),
        ("content/check/", {"content": {"tekst": "x"}, "accounts": ["{account}"]}, {"content.tekst": "unknown"}),
        (
            "content/check/",
            {"content": {"text": "x"}, "accounts": ["0193b3a4-0000-7000-8000-000000000000"]},
            {"accounts.0.id": "not_found"},
        ),
    ],
)
def test_what_cannot_be_asked(api: Caller, account: Any, schedule: Any, path: str, body: Any, expected: Any) -> None:
    ids = {"{account}": str(account.public_id), "{schedule}": str(schedule.public_id)}
    sent = {
        name: [ids.get(item, item) for item in value]
        if isinstance(value, list)
        else ids.get(value, value)
        if isinstance(value, str)
        else value
        for name, value in body.items()
    }
    answer = api.post(path, sent)
    assert answer.status_code == 422
    assert fields(answer) == expected


def test_who_may_ask(callers: dict[str, Caller], schedule: Any, account: Any) -> None:
    whole = {"content": {"text": "x"}, "accounts": [str(account.public_id)]}
    for name, expected in (("viewer", 200), ("token", 200), ("stranger", 404), ("foreign_token", 404), ("nobody", 401)):
        assert callers[name].post("preflight/", {"schedule": str(schedule.public_id)}).status_code == expected, name
    for name, expected in (("viewer", 200), ("stranger", 422), ("foreign_token", 422), ("nobody", 401)):
        assert callers[name].post("content/check/", whole).status_code == expected, name


def test_what_an_account_would_refuse_stays_a_draft(api: Caller, body: dict[str, Any], account: Any) -> None:
    long = {**body, "content": {"text": LONG}}
    made = api.post("schedules/", long)
    assert made.status_code == 201

    refused = api.post("schedules/", {**long, "state": "active"})
    activated = api.post(f"schedules/{made.json()['id']}/activate/")

    for answer in (refused, activated):
        assert answer.status_code == 422
        assert fields(answer) == {"content.text": "text_too_long"}
        (problem,) = answer.json()["errors"]
        assert problem["message"] == (f"{account}: The text has 5,001 of 5,000 characters. Shorten it by 1 character.")
    assert Job.objects.count() == 0


def test_an_edit_that_a_live_schedule_cannot_publish_is_refused(api: Caller, schedule: Schedule) -> None:
    content = schedule.content
    answer = api.patch(f"content/{content.public_id}/", {"version": content.version, "text": LONG})

    assert answer.status_code == 422
    assert fields(answer) == {"text": "text_too_long"}
    content.refresh_from_db()
    assert content.text == "Hello"


def test_content_of_drafts_is_free(api: Caller, schedule: Schedule) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(state="draft")
    content = schedule.content
    answer = api.patch(f"content/{content.public_id}/", {"version": content.version, "text": LONG})
    assert answer.status_code == 200
