"""Content: made, replaced and changed in part."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from platforms.models import MediaAsset
from schedules.models import AuditLog
from tests.integration.api.callers import Caller, fields
from tests.people import People

WHOLE: dict[str, Any] = {
    "title": "T",
    "text": "Words\n  as written ",
    "content_type": "article",
    "link": "https://example.com/a",
    "hashtags": ["one", "two"],
    "labels": ["blue"],
    "campaign": "Spring",
    "language": "de",
    "notes": "n",
    "variants": [
        {"platform": "sandbox", "title": None, "text": "Short", "link": None, "hashtags": [], "options": {"a": 1}}
    ],
}


@pytest.fixture
def asset(people: People, now: datetime) -> MediaAsset:
    return MediaAsset.objects.create(
        workspace=people.workspace,
        file="x.png",
        kind="image",
        mime="image/png",
        size=10,
        checksum="c",
        original_name="x.png",
        created_at=now,
    )


def test_content_is_made_and_shown_as_it_was_given(api: Caller, asset: MediaAsset) -> None:
    answer = api.post("content/", {**WHOLE, "media": [str(asset.public_id)]})

    made = answer.json()
    assert answer.status_code == 201, made
    assert {name: made[name] for name in WHOLE} == WHOLE
    assert [(item["id"], item["mime"]) for item in made["media"]] == [(str(asset.public_id), "image/png")]
    assert (made["version"], made["created_at"], made["created_at_local"]) == (
        1,
        "2026-11-23T08:00:00Z",
        "2026-11-23T09:00:00+01:00",
    )
    assert api.get(f"content/{made['id']}/").json() == made


def test_a_person_who_made_it_is_named(callers: dict[str, Caller]) -> None:
    assert callers["author"].post("content/", {"text": "Hi"}).json()["created_by"] == "ben"
    assert callers["token"].post("content/", {"text": "Hi"}).json()["created_by"] is None


def test_put_replaces_and_patch_changes_in_part(api: Caller) -> None:
    path = f"content/{api.post('content/', WHOLE).json()['id']}/"

    patched = api.patch(path, {"version": 1, "title": "New"}).json()
    assert {name: patched[name] for name in WHOLE} == {**WHOLE, "title": "New"}
    assert patched["version"] == 2

    replaced = api.put(path, {"version": 2, "text": "Only this"}).json()
    assert (replaced["text"], replaced["title"], replaced["variants"], replaced["campaign"]) == (
        "Only this",
        "",
        [],
        "",
    )
    assert AuditLog.objects.filter(action="content.edited").count() == 2


def test_an_answer_can_be_put_back_as_it_is(api: Caller, asset: MediaAsset) -> None:
    made = api.post("content/", {**WHOLE, "media": [str(asset.public_id)]}).json()

    back = api.put(f"content/{made['id']}/", made)

    assert back.status_code == 200, back.json()
    assert {**back.json(), "version": 1} == made


def test_a_stale_version_changes_nothing(api: Caller) -> None:
    path = f"content/{api.post('content/', {'text': 'Hi'}).json()['id']}/"
    assert api.put(path, {"version": 1, "text": "Mine"}).status_code == 200

    late = api.put(path, {"version": 1, "text": "Yours"})

    assert (late.status_code, fields(late)) == (409, {"version": "stale"})
    assert api.get(path).json()["text"] == "Mine"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"text": "required"}),
        ({"text": "x", "hashtags": ["no spaces"]}, {"hashtags": "invalid"}),
        ({"text": "x", "hashtags": "one"}, {"hashtags": "not_a_list"}),
        ({"text": "x", "language": "l" * 17}, {"language": "max_length"}),
        ({"text": "x", "media": ["0193b3a4-0000-7000-8000-000000000000"]}, {"media": "invalid"}),
        ({"text": "x", "media": ["seven"]}, {"media.0": "invalid"}),
        ({"text": "x", "body": "y"}, {"body": "unknown"}),
        ({"text": "x", "version": 1}, {"version": "unknown"}),
        ({"text": "x", "variants": [{"text": "y"}]}, {"variants.0.platform": "required"}),
        ({"text": "x", "variants": [{"platform": "a"}, {"platform": "a"}]}, {"variants": "invalid"}),
        (
            {"text": "x", "variants": [{"platform": "a", "options": {"k": "\x00"}}]},
            {"variants.0.options": "characters"},
        ),
        ([1], {"body": "invalid"}),
    ],
)
def test_a_refusal_names_the_fields(api: Caller, people: People, body: Any, expected: dict[str, str]) -> None:
    answer = api.post("content/", body)

    assert (answer.status_code, fields(answer)) == (422, expected)


def test_half_a_character_is_refused(api: Caller, people: People) -> None:
    answer = api.client.post("/api/v1/content/", r'{"text": "\ud800"}', content_type="application/json")

    assert fields(answer) == {"text": "surrogate_characters_not_allowed"}


def test_the_list_is_narrowed(api: Caller) -> None:
    first = api.post("content/", WHOLE).json()["id"]
    second = api.post("content/", {"text": "Other"}).json()["id"]

    def found(**query: str) -> list[str]:
        return [row["id"] for row in api.get("content/", **query).json()["results"]]

    assert found() == [second, first]
    assert found(q="WORDS") == [first]
    assert found(campaign="Spring") == [first]
    assert found(content_type="post") == [second]
