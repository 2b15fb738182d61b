"""Schedules: made in one call, changed in part, moved by verbs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from schedules.models import AuditLog, ContentItem, Job, Schedule
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_account


def test_a_schedule_is_made_in_one_call(api: Caller, body: dict[str, Any], account: Any) -> None:
    answer = api.post("schedules/", {**body, "state": "active"})

    assert answer.status_code == 201
    made = answer.json()
    assert answer["Location"] == f"/api/v1/schedules/{made['id']}/"
    assert (made["state"], made["version"], made["title"]) == ("active", 1, "Launch")
    assert made["rule"] == {"kind": "once", "at": "2026-12-01T09:00:00", "timezone": "Europe/Berlin"}
    assert (made["next_run_at"], made["next_run_at_local"]) == (
        "2026-12-01T08:00:00Z",
        "2026-12-01T09:00:00+01:00",
    )
    assert made["accounts"] == [
        {
            "id": str(account.public_id),
            "platform": "sandbox",
            "name": "News",
            "handle": "news",
            "offset_seconds": 0,
            "title": None,
            "text": None,
        }
    ]
    assert (made["content"]["text"], made["content"]["version"]) == ("We are live.", 1)
    assert api.get(f"schedules/{made['id']}/").json() == made


def test_the_history_names_the_token(api: Caller, body: dict[str, Any]) -> None:
    made = api.post("schedules/", body).json()

    fact = AuditLog.objects.of("schedule", made["id"]).first()
    assert fact is not None
    assert (fact.action, fact.actor_kind, fact.actor_label) == ("schedule.created", "token", "API token n8n")


def test_a_schedule_is_a_draft_unless_it_is_said(api: Caller, body: dict[str, Any]) -> None:
    assert api.post("schedules/", body).json()["state"] == "draft"
    assert Job.objects.count() == 0


def test_everything_that_can_be_said_is_kept(
    api: Caller, body: dict[str, Any], account: Any, people: People, now: datetime
) -> None:
    second = make_account(people.workspace, now, name="Blog")
    asked = {
        "content": body["content"],
        "accounts": [
            str(account.public_id),
            {"id": str(second.public_id), "offset_seconds": 3600, "title": "T", "text": "Own words"},
        ],
        "rule": {
            "kind": "rrule",
            "rrule": "FREQ=WEEKLY;BYDAY=TU",
            "start": "2026-12-01T09:00:00",
            "timezone": "Europe/Berlin",
            "until": "2027-02-01",
            "count": None,
        },
        "priority": "high",
        "catch_up": "all",
        "grace_seconds": 600,
        "deadline_seconds": 7200,
        "retry": {"max_attempts": 3, "base_seconds": 10, "cap_seconds": 100},
        "tags": ["launch", "q4"],
    }

    made = api.post("schedules/", asked).json()

    assert made["rule"] == {**asked["rule"], "until": "2027-02-01T23:59:59"}
    assert (made["priority"], made["catch_up"], made["grace_seconds"], made["deadline_seconds"]) == (
        3,
        "all",
        600,
        7200,
    )
    assert (made["retry"], made["tags"]) == (asked["retry"], ["launch", "q4"])
    assert [(row["name"], row["offset_seconds"], row["text"]) for row in made["accounts"]] == [
        ("News", 0, None),
        ("Blog", 3600, "Own words"),
    ]


@pytest.mark.parametrize("form", ["id", "object"])
def test_stored_content_can_be_scheduled(api: Caller, body: dict[str, Any], form: str) -> None:
    stored = api.post("content/", {"text": "Twice"}).json()["id"]

    answer = api.post("schedules/", {**body, "content": stored if form == "id" else {"id": stored}})

    assert answer.status_code == 201
    assert answer.json()["content"]["id"] == stored
    assert ContentItem.objects.count() == 1


# what is put into the smallest whole request -> fields at fault with their codes
REFUSED: tuple[tuple[dict[str, Any], dict[str, str]], ...] = (
    ({"content": {}}, {"content.text": "required"}),
    ({"content": "seven"}, {"content.id": "invalid"}),
    ({"content": 7}, {"content": "invalid"}),
    ({"content": {"text": "x", "link": "nowhere"}}, {"content.link": "invalid"}),
    ({"content": {"text": "x", "content_type": "opera"}}, {"content.content_type": "invalid"}),
    ({"content": {"text": "x", "tittle": "y"}}, {"content.tittle": "unknown"}),
    ({"content": {"text": "\x00"}}, {"content.text": "null_characters_not_allowed"}),
    ({"accounts": [], "state": "active"}, {"accounts": "required"}),
    ({"accounts": ["x"]}, {"accounts.0.id": "invalid"}),
    ({"accounts": [{"offset_seconds": 10}]}, {"accounts.0.id": "required"}),
    ({"accounts": ["0193b3a4-0000-7000-8000-000000000000"]}, {"accounts": "invalid"}),
    ({"accounts": ["0193b3a4-0000-7000-8000-000000000000"] * 2}, {"accounts": "invalid"}),
    ({"rule": None}, {"rule": "null"}),
    ({"rule": {}}, {"rule.kind": "required"}),
    ({"rule": {"kind": "weekly"}}, {"rule.kind": "invalid_choice"}),
    ({"priority": 11}, {"priority": "invalid"}),
    ({"priority": "soon"}, {"priority": "invalid"}),
    ({"catch_up": "never"}, {"catch_up": "invalid_choice"}),
    ({"grace_seconds": -1}, {"grace_seconds": "min_value"}),
    ({"retry": {"max_attempts": 0}}, {"retry.max_attempts": "min_value"}),
    ({"retry": {"base_seconds": 100, "cap_seconds": 10}}, {"retry.cap_seconds": "invalid"}),
    ({"retry": {"tries": 3}}, {"retry.tries": "unknown"}),
    ({"state": "paused"}, {"state": "invalid_choice"}),
    ({"stat": "active"}, {"stat": "unknown"}),
    ({"tags": "launch"}, {"tags": "not_a_list"}),
    ({"priority": "soon", "catch_up": "never", "colour": "red"}, {"catch_up": "invalid_choice", "colour": "unknown"}),
)


@pytest.mark.parametrize(("part", "expected"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_refusal_names_the_fields(
    api: Caller, body: dict[str, Any], part: dict[str, Any], expected: dict[str, str]
) -> None:
    answer = api.post("schedules/", {**body, **part})

    assert answer.status_code == 422
    assert fields(answer) == expected
    assert (Schedule.objects.count(), ContentItem.objects.count()) == (0, 0)


def test_what_a_platform_does_not_take_is_told_under_content(api: Caller, body: dict[str, Any]) -> None:
    answer = api.post("schedules/", {**body, "content": {"text": "x" * 5001}, "state": "active"})

    assert fields(answer) == {"content.text": "text_too_long"}
    assert "News (sandbox)" in answer.json()["errors"][0]["message"]
    assert ContentItem.objects.count() == 0


def test_a_slip_is_told_with_the_name_that_was_meant(api: Caller, body: dict[str, Any]) -> None:
    assert "Did you mean title?" in api.post("schedules/", {**body, "content": {"tittle": "x"}}).json()["detail"]


def test_a_schedule_is_changed_in_part(api: Caller, schedule: Schedule) -> None:
    rule = {
        "kind": "cron",
        "expression": "30 7 * * 1-5",
        "timezone": "Europe/Berlin",
        "start": "2026-12-01T00:00:00",
    }

    answer = api.patch(
        f"schedules/{schedule.public_id}/",
        {"version": 1, "rule": rule, "content": {"text": "New words"}, "retry": {"max_attempts": 2}},
    )

    changed = answer.json()
    assert answer.status_code == 200, changed
    assert (changed["version"], changed["state"]) == (2, "active")
    assert changed["next_run_at_local"] == "2026-12-01T07:30:00+01:00"
    assert (changed["content"]["title"], changed["content"]["text"], changed["content"]["version"]) == (
        "A title",
        "New words",
        2,
    )
    assert changed["retry"] == {"max_attempts": 2, "base_seconds": 60, "cap_seconds": 3600}
    assert changed["accounts"][0]["name"] == "News"


def test_an_answer_can_be_sent_back_as_it_is(api: Caller, schedule: Schedule) -> None:
    """A client that reads, changes one thing and writes it all back."""
    shown = api.get(f"schedules/{schedule.public_id}/").json()

    answer = api.patch(f"schedules/{schedule.public_id}/", {**shown, "tags": ["x"]})

    assert answer.status_code == 200, answer.json()
    changed = answer.json()
    later = ("tags", "version", "updated_at", "updated_at_local")
    assert {name: changed[name] for name in changed if name not in later} == {
        name: shown[name] for name in shown if name not in later
    }
    assert changed["tags"] == ["x"]


def test_a_stale_version_changes_nothing(api: Caller, schedule: Schedule) -> None:
    path = f"schedules/{schedule.public_id}/"
    assert api.patch(path, {"version": 1, "tags": ["mine"]}).status_code == 200

    late = api.patch(path, {"version": 1, "tags": ["yours"]})

    assert (late.status_code, fields(late)) == (409, {"version": "stale"})
    assert late.json()["type"] == "urn:alwrity:problem:stale-version"
    assert api.get(path).json()["tags"] == ["mine"]
    assert fields(api.patch(path, {"tags": ["x"]})) == {"version": "required"}


def test_a_stale_content_changes_nothing(api: Caller, schedule: Schedule) -> None:
    assert api.patch(f"content/{schedule.content.public_id}/", {"version": 1, "text": "Mine"}).status_code == 200

    late = api.patch(f"schedules/{schedule.public_id}/", {"version": 1, "content": {"version": 1, "text": "Yours"}})

    assert (late.status_code, fields(late)) == (409, {"version": "stale"})
    assert ContentItem.objects.get().text == "Mine"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"state": "paused"}, {"state": "read_only"}),
        ({"content": {"id": "0193b3a4-0000-7000-8000-000000000000"}}, {"content.id": "read_only"}),
        ({"acounts": []}, {"acounts": "unknown"}),
        ({"accounts": [], "state": "active"}, {"accounts": "required"}),
        ({"rule": {"kind": "once", "at": "2020-01-01T09:00:00", "timezone": "UTC"}}, {"rule.at": "past"}),
        ({"content": {"text": "", "title": ""}}, {"content.text": "required"}),
    ],
)
def test_a_refused_change_names_the_fields(
    api: Caller, schedule: Schedule, change: dict[str, Any], expected: dict[str, str]
) -> None:
    answer = api.patch(f"schedules/{schedule.public_id}/", {"version": 1, **change})

    assert fields(answer) == expected
    assert api.get(f"schedules/{schedule.public_id}/").json()["version"] == 1


def test_verbs_lead_from_state_to_state(api: Caller, schedule: Schedule) -> None:
    path = f"schedules/{schedule.public_id}/"
    states = [
        api.post(f"{path}{verb}/").json()["state"] for verb in ("pause", "resume", "archive", "restore", "activate")
    ]

    assert states == ["paused", "active", "archived", "paused", "active"]


def test_a_verb_at_the_wrong_time_is_refused(api: Caller, schedule: Schedule) -> None:
    answer = api.post(f"schedules/{schedule.public_id}/resume/")

    assert (answer.status_code, fields(answer)) == (409, {"state": "invalid"})
    assert answer.json()["type"] == "urn:alwrity:problem:illegal-transition"
    assert answer.json()["detail"] == "Only a paused schedule can be resumed."


def test_only_an_archived_schedule_is_restored(api: Caller, schedule: Schedule) -> None:
    assert api.post(f"schedules/{schedule.public_id}/restore/").status_code == 409


def test_a_verb_takes_no_fields(api: Caller, schedule: Schedule) -> None:
    assert fields(api.post(f"schedules/{schedule.public_id}/pause/", {"reason": "holiday"})) == {"reason": "unknown"}


def test_a_clone_is_a_draft_of_its_own(api: Caller, schedule: Schedule) -> None:
    answer = api.post(f"schedules/{schedule.public_id}/clone/")

    twin = answer.json()
    assert (answer.status_code, twin["state"]) == (201, "draft")
    assert answer["Location"] == f"/api/v1/schedules/{twin['id']}/"
    assert twin["content"]["id"] != str(schedule.content.public_id)


def test_publishing_a_single_post_now_does_not_wait_for_its_time(api: Caller, schedule: Schedule) -> None:
    answer = api.post(f"schedules/{schedule.public_id}/publish-now/")

    jobs = answer.json()["jobs"]
    assert (answer.status_code, len(jobs), jobs[0]["run_at"]) == (201, 1, "2026-11-23T08:00:00Z")
    assert Job.objects.filter(schedule=schedule).count() == 1


def test_the_list_is_narrowed(
    api: Caller, schedule: Schedule, body: dict[str, Any], account: Any, people: People, now: datetime
) -> None:
    other = make_account(people.workspace, now, name="Blog")
    draft = api.post("schedules/", {**body, "accounts": [str(other.public_id)]}).json()["id"]

    def found(**query: str) -> list[str]:
        return [row["id"] for row in api.get("schedules/", **query).json()["results"]]

    first = str(schedule.public_id)
    assert found() == [draft, first]
    assert found(state="draft") == [draft]
    assert found(state="draft,active") == [draft, first]
    assert found(account=str(other.public_id)) == [draft]
    assert found(q="launch") == [draft]
    assert found(content=str(schedule.content.public_id)) == [first]
    assert found(workspace="team", state="active") == [first]
    assert fields(api.get("schedules/", state="asleep")) == {"state": "invalid_choice"}
    assert fields(api.get("schedules/", acount="x")) == {"acount": "unknown"}
