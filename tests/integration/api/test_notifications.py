"""Notifications through the API: one's own, and of no use to a token."""

from __future__ import annotations

from typing import Any

import pytest

from schedules.notifications.models import Notice
from tests.integration.api.callers import Caller
from tests.people import People


@pytest.fixture
def notice(people: People, now: Any) -> Notice:
    return Notice.objects.create(
        workspace=people.workspace, user=people.owner, kind="failed", key="failed:1", object_type="account", object_id="1",
        words={"name": "News", "post": "Hello", "error": "No."}, count=3, left=2, needs_act=True, first_at=now, last_at=now,
    )  # fmt: skip


def test_a_person_lists_and_reads_their_own(callers: dict[str, Caller], people: People, notice: Notice) -> None:
    owner = callers["owner"]
    [row] = owner.get("notifications/?unread=true&open=true&kind=failed").json()["results"]
    assert (row["words"], row["count"], row["left"], row["open"], row["read_at"]) == (
        "3 posts failed on News", 3, 2, True, None,
    )  # fmt: skip
    assert row["last_at_local"] == "2026-11-23T09:00:00+01:00"

    assert owner.post(f"notifications/{notice.public_id}/read/").json()["read_at"] == "2026-11-23T08:00:00Z"
    assert owner.get("notifications/?unread=true").json()["results"] == []
    Notice.objects.update(read_at=None)
    assert owner.post("notifications/read-all/", {"workspace": "team", "kind": "missed"}).json() == {"read": 0}
    assert owner.post("notifications/read-all/", {"workspace": "team"}).json() == {"read": 1}

    for name in ("author", "stranger"):
        assert callers[name].get("notifications/").json()["results"] == []
        assert callers[name].get(f"notifications/{notice.public_id}/").status_code == 404
        assert callers[name].post(f"notifications/{notice.public_id}/read/").status_code == 404
    assert callers["token"].get("notifications/").status_code == 403
    assert callers["nobody"].get("notifications/").status_code == 401
    assert owner.get("notifications/?made=up").status_code == 422
    assert owner.post("notifications/read-all/", {"kind": "made up"}).status_code == 422
