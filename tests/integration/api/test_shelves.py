"""Campaigns, labels, many at once, and what is a person's own, over the API; and one word on how everything is."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from alwrity_scheduler.workspaces.models import User
from platforms.models import MediaAsset, PlatformAccount
from schedules.models import AuditLog, Campaign, ComposerDraft, ContentItem, EngineControl, Job, SavedView
from schedules.notifications.models import NoticeRules
from tests.integration.api.callers import Caller, fields, signed_in
from tests.people import People, make_schedule


def test_campaigns_are_made_and_renamed(
    api: Caller, callers: dict[str, Caller], people: People, django_assert_num_queries: Any
) -> None:
    made = api.post("campaigns/", {"name": "  Spring   sale "})

    assert (made.status_code, made.json()["name"], made.json()["content_count"]) == (201, "Spring sale", 0)
    where = f"campaigns/{made.json()['id']}/"
    assert fields(api.post("campaigns/", {"name": "Spring sale"})) == {"name": "taken"}
    api.post("content/", {"text": "Now", "campaign": "Spring sale"})
    assert api.patch(where, {"name": "Summer sale"}).json()["content_count"] == 1
    assert Campaign.objects.get().name == "Summer sale"
    assert ContentItem.objects.get().campaign.name == "Summer sale"
    assert list(AuditLog.objects.filter(object_type="campaign").order_by("id").values_list("action", flat=True)) == [
        "campaign.created", "campaign.renamed",
    ]  # fmt: skip
    with django_assert_num_queries(2):
        api.get("campaigns/")
    for number in range(30):
        Campaign.objects.create(
            workspace=people.workspace, name=str(number), created_at=Campaign.objects.first().created_at
        )
    with django_assert_num_queries(2):
        assert len(api.get("campaigns/").json()["results"]) == 31
    assert callers["viewer"].patch(where, {"name": "x"}).status_code == 403
    assert callers["stranger"].get(where).status_code == 404


def test_many_pieces_of_content_at_once(api: Caller, callers: dict[str, Caller], people: People) -> None:
    ids = [api.post("content/", {"text": text, "labels": ["old"]}).json()["id"] for text in ("One", "Two")]
    gone = str(people.workspace.public_id)
    answer = api.post("content/bulk/", {"verb": "label", "ids": [*ids, gone], "label": "new"}).json()

    assert (answer["done_count"], answer["refused_count"]) == (2, 1)
    assert [(row["id"], row["done"]) for row in answer["results"]] == [(ids[0], True), (ids[1], True), (gone, False)]
    assert [row.labels for row in ContentItem.objects.order_by("id")] == [["old", "new"], ["old", "new"]]
    assert api.get("labels/").json()["results"] == [
        {"label": "new", "content_count": 2}, {"label": "old", "content_count": 2},
    ]  # fmt: skip
    api.post("content/bulk/", {"verb": "unlabel", "ids": ids[:1], "label": "old"})
    api.post("content/bulk/", {"verb": "campaign", "ids": ids[:1], "campaign": "Fair"})
    first = ContentItem.objects.order_by("id")[0]
    assert (first.labels, first.campaign.name) == (["new"], "Fair")
    again = api.post("content/bulk/", {"verb": "label", "ids": ids[:1], "label": "new"}).json()
    assert again["done_count"] == 1
    assert ContentItem.objects.order_by("id")[0].version == first.version
    assert fields(api.post("content/bulk/", {"verb": "label", "ids": ids})) == {"label": "required"}
    assert callers["viewer"].post("content/bulk/", {"verb": "label", "ids": ids, "label": "x"}).status_code == 403
    foreign = callers["foreign_token"].post("content/bulk/", {"verb": "label", "ids": ids, "label": "x"}).json()
    assert foreign["done_count"] == 0


def test_many_files_at_once(api: Caller, people: People, now: Any) -> None:
    rows = [
        MediaAsset.objects.create(
            workspace=people.workspace, original_name=name, checksum=name * 64, kind="image", mime="image/png", size=1,
            created_at=now,
        )
        for name in "ab"
    ]  # fmt: skip
    ids = [str(row.public_id) for row in rows]
    content = ContentItem.objects.create(workspace=people.workspace, text="x", created_at=now, updated_at=now)
    content.media_links.create(asset=rows[0], position=0)
    folder = api.post("media/folders/", {"name": "Pier"}).json()["id"]

    assert api.post("media/bulk/", {"verb": "move", "ids": ids, "folder": folder}).json()["done_count"] == 2
    assert set(MediaAsset.objects.values_list("folder__name", flat=True)) == {"Pier"}
    used, free = api.post("media/bulk/", {"verb": "delete", "ids": ids}).json()["results"]
    assert ([error["code"] for error in used["errors"]], free["done"]) == (["in_use"], True)
    assert MediaAsset.objects.get().pk == rows[0].pk
    assert api.post("media/bulk/", {"verb": "restore", "ids": ids[1:]}).json()["done_count"] == 1
    assert MediaAsset.objects.count() == 2
    assert fields(api.post("media/bulk/", {"verb": "move", "ids": ids})) == {"folder": "required"}


def test_views_drafts_and_settings_are_a_persons_own(callers: dict[str, Caller], people: People, now: Any) -> None:
    author, viewer, token = callers["author"], callers["viewer"], callers["token"]
    made = author.post("views/", {"page": "list", "name": "Failed", "query": "state=failed"})
    assert made.status_code == 201
    assert SavedView.objects.get().query == "state=failed"
    where = f"views/{made.json()['id']}/"
    assert viewer.get(where).status_code == 404
    author.post("views/", {"page": "list", "name": "Failed", "query": "state=failed", "shared": True})
    assert (viewer.get(where).json()["own"], viewer.call("delete", where).status_code) == (False, 403)
    assert [row["name"] for row in viewer.get("views/", page="list").json()["results"]] == ["Failed"]
    assert viewer.get("views/", page="jobs").json()["results"] == []
    assert fields(viewer.get("views/", page="moon")) == {"page": "invalid_choice"}
    assert author.call("delete", where).status_code == 204
    assert not SavedView.objects.exists()

    draft = ComposerDraft.objects.create(
        workspace=people.workspace, person=people.author, data={"title": ["Half"]}, created_at=now, updated_at=now
    )
    mine = f"drafts/{draft.public_id}/"
    assert [row["title"] for row in author.get("drafts/").json()["results"]] == ["Half"]
    assert (viewer.get(mine).status_code, author.call("delete", mine).status_code) == (404, 204)
    assert author.get("drafts/").json()["results"] == []
    assert author.post(f"{mine}take-back/").json()["discarded_at"] is None

    assert author.patch("me/preferences/", {"timezone": "Asia/Tokyo", "theme": "dark"}).json()["theme"] == "dark"
    assert User.objects.get(pk=people.author.pk).timezone == "Asia/Tokyo"
    assert author.patch("me/preferences/", author.get("me/preferences/").json()).status_code == 200
    assert fields(author.patch("me/preferences/", {"timezone": "Mars/Base", "is_superuser": True})).keys() == {
        "is_superuser"
    }
    assert fields(author.patch("me/preferences/", {"timezone": "Mars/Base"})).keys() == {"timezone"}

    assert author.get("notifications/rules/").json()["kinds"]["failed"] is True
    assert author.patch("notifications/rules/", {"kinds": {"failed": False}}).json()["kinds"]["failed"] is False
    assert NoticeRules.objects.get(user=people.author).kinds == {"failed": False}
    assert fields(author.patch("notifications/rules/", {"kinds": {"moon": True}})) == {"kinds": "invalid"}
    for path in ("views/", "drafts/", "me/preferences/", "notifications/rules/"):
        assert fields(token.get(path)) == {"token": "not_allowed"}, path


def test_one_word_on_how_everything_is(
    api: Caller, callers: dict[str, Caller], people: People, account: Any, job: Job, now: Any
) -> None:
    from schedules.models import Worker

    assert api.get("health/").json()["status"] == "stopped"
    Worker.objects.create(name="w", pid=1, role="scheduler", host="h", started_at=now, beat_at=now)
    Job.objects.filter(pk=job.pk).update(state="failed")
    PlatformAccount.objects.filter(pk=account.pk).update(state="needs_auth", state_reason="Revoked")
    shown = api.get("health/").json()

    assert shown["running"] is True
    assert (shown["needs_you_count"], [(row["id"], row["cause"], row["message"]) for row in shown["accounts"]]) == (
        1, [(str(account.public_id), "sign_in", "Revoked")],
    )  # fmt: skip
    foreign = callers["foreign_token"].get("health/").json()
    assert (foreign["needs_you_count"], foreign["accounts"]) == (0, [])


@pytest.mark.parametrize("who", ["owner", "token", "stranger"])
def test_only_an_administrator_stops_everything(callers: dict[str, Caller], who: str) -> None:
    assert callers[who].post("engine/pause/").status_code == 403
    assert not EngineControl.objects.exclude(paused_at=None).exists()


def test_an_administrator_stops_everything(people: People) -> None:
    User.objects.filter(pk=people.owner.pk).update(is_superuser=True)
    admin = signed_in(User.objects.get(pk=people.owner.pk))

    assert admin.post("engine/pause/").json() == {"paused": True}
    assert EngineControl.objects.get().paused_at is not None
    assert admin.get("health/").json()["paused"] is True
    assert admin.post("engine/resume/").json() == {"paused": False}


def test_a_persons_lists_cost_the_same_however_long(
    callers: dict[str, Caller], people: People, account: Any, now: Any, django_assert_num_queries: Any
) -> None:
    author = callers["author"]

    def more(first: int, last: int) -> None:
        for number in range(first, last):
            SavedView.objects.create(
                workspace=people.workspace,
                person=people.owner,
                page="list",
                name=str(number),
                shared=True,
                created_at=now,
            )
            ComposerDraft.objects.create(
                workspace=people.workspace, person=people.author, data={}, created_at=now, updated_at=now,
                schedule=make_schedule(people.workspace, [account], now, state="draft"),
            )  # fmt: skip

    more(0, 1)
    for path in ("views/", "drafts/"):
        with django_assert_num_queries(4):
            assert len(author.get(path).json()["results"]) == 1
    more(1, 20)
    for path in ("views/", "drafts/"):
        with django_assert_num_queries(4):
            assert len(author.get(path).json()["results"]) == 20


def test_an_app_of_an_administrator_is_no_administrator(people: People) -> None:
    admin = User.objects.get(pk=people.owner.pk)
    admin.is_superuser, admin.delegated_workspace_id = True, people.workspace.pk
    client = APIClient()
    client.force_authenticate(admin)

    assert Caller(client).post("engine/pause/").status_code == 403
    assert not EngineControl.objects.exclude(paused_at=None).exists()
