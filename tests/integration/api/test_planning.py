"""Milestones and what waits for what, over the API."""

from __future__ import annotations

from typing import Any

from schedules.models import Campaign, Dependency
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_schedule


def test_milestones_are_made_changed_and_removed(
    api: Caller, callers: dict[str, Caller], people: People, now: Any
) -> None:
    campaign = Campaign.objects.create(workspace=people.workspace, name="Launch", created_at=now)
    elsewhere = Campaign.objects.create(workspace=people.other_workspace, name="Far", created_at=now)
    made = api.post("milestones/", {"name": "Fair", "due_on": "2026-12-01", "campaign": str(campaign.public_id)})
    where = f"milestones/{made.json()['id']}/"

    assert made.status_code == 201
    assert (made.json()["due_on"], made.json()["done"]) == ("2026-12-01", False)
    assert fields(api.post("milestones/", {"name": "", "due_on": "soon", "day": 1})).keys() == {"name", "due_on", "day"}
    assert fields(api.patch(where, {"campaign": str(elsewhere.public_id)})) == {"campaign": "not_found"}
    changed = api.patch(where, {"done": True, "campaign": None, "due_on": "2026-12-02"}).json()
    assert (changed["done"], changed["campaign"], changed["due_on"]) == (True, None, "2026-12-02")
    assert changed["done_at_local"]
    assert [row["name"] for row in callers["viewer"].get("milestones/").json()["results"]] == ["Fair"]
    assert callers["viewer"].call("delete", where).status_code == 403
    assert callers["stranger"].get(where).status_code == 404
    assert callers["nobody"].get("milestones/").status_code == 401
    assert api.call("delete", where).status_code == 204
    assert api.get(where).status_code == 404
    assert callers["viewer"].post(f"{where}restore/").status_code == 403
    assert callers["stranger"].post(f"{where}restore/").status_code == 404
    assert api.post(f"{where}restore/").json()["name"] == "Fair"
    assert api.get(where).status_code == 200


def test_what_a_schedule_waits_for(
    api: Caller, callers: dict[str, Caller], people: People, account: Any, schedule: Any, now: Any
) -> None:
    other = make_schedule(people.workspace, [account], now, text="First")
    where = f"schedules/{schedule.public_id}/dependencies/"
    made = api.post(where, {"waits_for": str(other.public_id)})

    assert made.status_code == 201
    assert made.json()["waits_for"]["id"] == str(other.public_id)
    back = api.post(f"schedules/{other.public_id}/dependencies/", {"waits_for": str(schedule.public_id)})
    assert fields(back) == {"waits_for": "ring"}
    assert fields(api.post(where, {"waits_for": str(people.workspace.public_id)})) == {"waits_for": "not_found"}
    assert len(callers["viewer"].get(where).json()["results"]) == 1
    assert callers["viewer"].post(where, {"waits_for": str(other.public_id)}).status_code == 403
    assert callers["stranger"].get(where).status_code == 404
    assert api.get(f"{where}{other.public_id}/").status_code == 200
    assert api.call("delete", f"{where}{other.public_id}/").status_code == 204
    assert api.call("delete", f"{where}{other.public_id}/").status_code == 404
    assert not Dependency.objects.exists()
