"""Versions, templates and hashtag groups over the API; UTM parameters of a content."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from schedules.models import AuditLog, ContentTemplate, ContentVersion
from tests.integration.api.callers import Caller, fields


@pytest.fixture
def content(api: Caller) -> dict[str, Any]:
    made: dict[str, Any] = api.post("content/", {"text": "One", "utm": {"source": "{platform}", "medium": ""}}).json()
    return made


def test_utm_parameters_come_back_without_the_empty_ones_and_a_slip_is_named(
    api: Caller, content: dict[str, Any]
) -> None:
    assert content["utm"] == {"source": "{platform}"}
    assert "utm.sauce" in str(fields(api.post("content/", {"text": "x", "utm": {"sauce": "x"}})))


def test_each_edit_is_a_version_and_an_old_one_comes_back_as_a_new_one(api: Caller, content: dict[str, Any]) -> None:
    url = f"content/{content['id']}/"
    variants = [{"platform": "sandbox", "text": "Elsewhere", "options": {"visibility": "private"}}]
    api.patch(url, {"version": 1, "variants": variants})
    api.patch(url, {"version": 2, "text": "Three", "variants": [], "utm": {}})

    listed = api.get(f"{url}versions/").json()["results"]
    restored = api.post(f"{url}versions/2/restore/", {"version": 3})

    assert [item["number"] for item in listed] == [3, 2, 1]
    assert listed[0]["content"]["text"] == "Three"
    assert restored.status_code == 200
    assert restored.json()["version"] == 4
    assert restored.json()["text"] == "One"
    assert restored.json()["utm"] == {"source": "{platform}"}
    assert restored.json()["variants"][0]["options"] == {"visibility": "private"}
    assert AuditLog.objects.filter(action="content.edited").count() == 3


def test_a_stale_restore_and_one_of_no_version_are_refused(api: Caller, content: dict[str, Any]) -> None:
    url = f"content/{content['id']}/versions/1/restore/"
    api.patch(f"content/{content['id']}/", {"version": 1, "text": "Two"})

    assert api.post(url, {"version": 1}).status_code == 409
    assert api.post(url.replace("/1/", "/9/"), {"version": 2}).status_code == 404
    assert ContentVersion.objects.count() == 2


def test_templates_are_made_renamed_and_deleted(api: Caller, callers: dict[str, Caller]) -> None:
    body = {"name": "Launch", "content": {"text": "We are live", "hashtags": ["#now"], "utm": {"campaign": "c"}}}
    made = api.post("templates/", body)
    where = f"templates/{made.json()['id']}/"

    assert made.status_code == 201
    assert made.json()["content"]["hashtags"] == ["now"]
    assert made.json()["content"]["utm"] == {"campaign": "c"}
    assert fields(api.post("templates/", body)) == {"name": "taken"}
    assert api.patch(where, {"name": "Start"}).json()["name"] == "Start"
    assert [row["name"] for row in callers["viewer"].get("templates/").json()["results"]] == ["Start"]
    assert callers["viewer"].call("delete", where).status_code == 403
    assert callers["stranger"].get(where).status_code == 404
    assert callers["nobody"].get("templates/").status_code == 401
    assert api.call("delete", where).status_code == 204
    assert not ContentTemplate.objects.exists()


def test_hashtag_groups_are_checked_as_hashtags_are(api: Caller, now: datetime) -> None:
    made = api.post("hashtag-groups/", {"name": "Coffee", "hashtags": ["#coffee", "roast", "coffee"]})
    where = f"hashtag-groups/{made.json()['id']}/"

    assert made.json()["hashtags"] == ["coffee", "roast"]
    assert set(fields(api.patch(where, {"hashtags": ["no good"]}))) == {"hashtags"}
    assert set(fields(api.patch(where, {"hashtags": []}))) == {"hashtags"}
    assert api.patch(where, {"name": "Beans"}).json() | {"updated_at": ""} == made.json() | {
        "name": "Beans",
        "updated_at": "",
    }
