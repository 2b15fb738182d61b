"""The media library over the API: kept, found, described, moved, deleted; folders; and what may be fetched from where."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from platforms.models import MediaAsset, MediaFolder
from schedules.models import AuditLog, ContentItem, ContentMedia
from tests.integration.api.callers import API, Caller, fields
from tests.people import People


def picture(colour: str = "teal") -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(target, "PNG")
    return target.getvalue()


@pytest.fixture(autouse=True)
def _folder_on_disk(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def send(caller: Caller, content: bytes, name: str = "pier.png", **words: Any) -> Any:
    return caller.client.post(API + "media/", {"file": SimpleUploadedFile(name, content), **words}, format="multipart")


@pytest.fixture
def made(api: Caller) -> dict[str, Any]:
    answer = send(api, picture(), alt_text="A pier")
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    assert answer["Location"] == f"{API}media/{found['id']}/"
    return found


def test_a_file_is_kept_and_told(api: Caller, made: dict[str, Any], settings: Any) -> None:
    told = {"name": "pier.png", "kind": "image", "type": "image/png", "width": 40, "height": 30, "alt_text": "A pier"}
    assert {name: made[name] for name in told} == told
    assert (made["seconds"], made["animated"], made["folder"]) == (None, False, None)
    fetched = Caller(type(api.client)()).client.get(made["url"].removeprefix(settings.PUBLIC_URL))
    assert b"".join(fetched.streaming_content) == picture()
    assert send(api, picture(), "again.png").json()["id"] == made["id"]
    assert AuditLog.objects.filter(action="media.stored").count() == 1


def test_what_is_no_medium_is_refused_at_its_field(api: Caller) -> None:
    assert fields(send(api, b"MZ..", "x.exe")) == {"file": "media_type"}
    assert fields(api.post("media/", {})) == {"file": "invalid"}
    assert fields(send(api, picture(), url="https://x.test/a.png")) == {"file": "invalid"}
    assert fields(send(api, picture(), folder="0198c0de-0000-7000-8000-000000000000")) == {"folder": "not_found"}
    assert fields(send(api, picture(), colour="red")) == {"colour": "unknown"}


def test_a_file_may_be_larger_than_other_requests_and_not_larger_than_files(api: Caller, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert send(api, picture()).status_code == 201
    assert api.post("media/", {"url": "https://x.test/" + "a" * 200}).status_code == 413
    settings.MEDIA_MAX_BYTES = 50
    assert fields(send(api, picture("red"))) == {"file": "too_large"}


def test_the_library_is_narrowed(api: Caller, made: dict[str, Any]) -> None:
    other = send(api, picture("red"), "boat.png").json()
    content = ContentItem.objects.create(
        workspace=MediaAsset.objects.get(public_id=made["id"]).workspace, text="t",
        created_at=made["created_at"], updated_at=made["created_at"],
    )  # fmt: skip
    ContentMedia.objects.create(content=content, asset=MediaAsset.objects.get(public_id=made["id"]), position=0)
    for query, found in (
        ({}, {made["id"], other["id"]}),
        ({"q": "PIER"}, {made["id"]}),
        ({"no_alt": "true"}, {other["id"]}),
        ({"unused": "true"}, {other["id"]}),
        ({"unused": "false"}, {made["id"]}),
        ({"kind": "video,audio"}, set()),
        ({"folder": "none"}, {made["id"], other["id"]}),
        ({"folder": "nonsense"}, set()),
    ):
        assert {row["id"] for row in api.get("media/", **query).json()["results"]} == found, query
    uses = api.get(f"media/{made['id']}/usage/").json()["results"]
    assert uses == [{"content": {"id": str(content.public_id), "title": "t"}, "schedule": None}]


def test_a_file_is_changed_deleted_and_brought_back(api: Caller, made: dict[str, Any]) -> None:
    folder = api.post("media/folders/", {"name": "Spring"}).json()
    where = f"media/{made['id']}/"
    changed = api.patch(where, {"alt_text": "Dawn", "name": "Dawn", "folder": folder}).json()
    assert (changed["alt_text"], changed["name"], changed["folder"]["name"]) == ("Dawn", "Dawn.png", "Spring")
    assert api.patch(where, {"folder": None}).json()["folder"] is None
    assert fields(api.patch(where, {"alt_text": "x" * 1501})) == {"alt_text": "max_length"}

    assert api.client.delete(API + where).status_code == 204
    assert api.get(where).status_code == 404
    assert api.post(where + "restore/").json()["id"] == made["id"]
    assert api.get(where).status_code == 200


def test_a_file_in_use_is_not_deleted(api: Caller, made: dict[str, Any], now: datetime, people: People) -> None:
    content = ContentItem.objects.create(workspace=people.workspace, title="Harbour", created_at=now, updated_at=now)
    ContentMedia.objects.create(content=content, asset=MediaAsset.objects.get(public_id=made["id"]), position=0)
    refused = api.client.delete(f"{API}media/{made['id']}/")
    assert (refused.status_code, fields(refused)) == (409, {"media": "in_use"})
    assert "“Harbour”" in refused.json()["detail"]


def test_a_deleted_file_cannot_be_put_into_content(api: Caller, made: dict[str, Any]) -> None:
    api.client.delete(f"{API}media/{made['id']}/")
    assert fields(api.post("content/", {"text": "t", "media": [made["id"]]})) == {"media": "invalid"}


def test_the_same_content_comes_back_out_of_the_bin(api: Caller, made: dict[str, Any]) -> None:
    api.client.delete(f"{API}media/{made['id']}/")
    assert send(api, picture()).json()["id"] == made["id"]
    assert api.get(f"media/{made['id']}/").status_code == 200


def test_folders_two_levels_deep(api: Caller, made: dict[str, Any]) -> None:
    top = api.post("media/folders/", {"name": "Campaigns"}).json()
    inner = api.post("media/folders/", {"name": "Spring", "parent": top["id"]}).json()
    assert inner["parent"] == {"id": top["id"], "name": "Campaigns"}
    assert fields(api.post("media/folders/", {"name": "Deep", "parent": inner["id"]})) == {"parent": "place"}
    assert fields(api.post("media/folders/", {"name": "campaigns"})) == {"name": "taken"}
    assert fields(api.patch(f"media/folders/{top['id']}/", {"parent": top["id"]})) == {"parent": "place"}
    assert api.patch(f"media/folders/{inner['id']}/", {"name": "Summer"}).json()["parent"]["id"] == top["id"]
    assert [row["name"] for row in api.get("media/folders/").json()["results"]] == ["Summer", "Campaigns"]

    api.patch(f"media/{made['id']}/", {"folder": inner["id"]})
    assert api.client.delete(f"{API}media/folders/{inner['id']}/").status_code == 204
    assert api.get(f"media/{made['id']}/").json()["folder"]["id"] == top["id"]


def test_each_sees_and_does_what_their_role_may(callers: dict[str, Caller], made: dict[str, Any]) -> None:
    folder = callers["token"].post("media/folders/", {"name": "Spring"}).json()
    paths = (f"media/{made['id']}/", f"media/{made['id']}/usage/", f"media/folders/{folder['id']}/")
    for who, seen, changed in (("viewer_token", 200, 403), ("foreign_token", 404, 404), ("nobody", 401, 401)):
        caller = callers[who]
        assert [caller.get(path).status_code for path in paths] == [seen] * 3, who
        assert caller.patch(paths[0], {"alt_text": "x"}).status_code == changed
        assert caller.client.delete(API + paths[0]).status_code == changed
        assert caller.client.delete(API + paths[2]).status_code == changed
        assert caller.post(paths[0] + "restore/").status_code == changed
    assert send(callers["viewer"], picture("red")).status_code == 403
    assert send(callers["foreign_token"], picture(), folder=folder["id"]).status_code == 422
    assert callers["foreign_token"].get("media/").json()["results"] == []
    assert MediaAsset.objects.count() == MediaFolder.objects.count() == 1
