"""Posts that are out, by the API: deleted, updated, counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from alwrity_scheduler.core import clock
from platforms.adapters.sandbox.models import SandboxPost
from schedules.models import ContentItem, Job
from tests.engine import run_due
from tests.integration.api.callers import Caller, fields


@pytest.fixture
def out(job: Job, after: Callable[..., datetime], monkeypatch: pytest.MonkeyPatch) -> Job:
    """The post is out, and it is half an hour later."""
    run_due(after(hours=1))
    monkeypatch.setattr(clock, "now", lambda: after(hours=1, minutes=30))
    job.refresh_from_db()
    return job


def test_figures_are_asked_for_and_kept(api: Caller, out: Job) -> None:
    path = f"jobs/{out.public_id}/figures/"
    empty = api.get(path).json()
    assert (empty["latest"], empty["readings"], empty["can"]) == (None, [], ["delete", "edit", "metrics"])

    SandboxPost.objects.update(likes=3)
    told = api.post(path).json()

    assert told["latest"]["values"] == {"likes": 3, "replies": 0}
    assert told["latest"]["measured_at"] == "2026-11-23T09:30:00Z"
    assert api.get(path).json()["readings"] == [told["latest"]]


def test_updated_then_deleted(api: Caller, out: Job) -> None:
    ContentItem.objects.filter(pk=out.schedule.content_id).update(text="Better", version=9)
    amended = api.post(f"jobs/{out.public_id}/amend/").json()
    assert (amended["content_version"], SandboxPost.objects.get().text) == (9, "Better")

    deleted = api.post(f"jobs/{out.public_id}/take-down/").json()
    assert (deleted["state"], deleted["taken_down_at"]) == ("completed", "2026-11-23T09:30:00Z")
    assert [(item["purpose"], item["outcome"]) for item in deleted["attempts"]] == [
        ("publish", "published"),
        ("edit", "done"),
        ("delete", "done"),
    ]
    again = api.post(f"jobs/{out.public_id}/take-down/")
    assert (again.status_code, fields(again)) == (409, {"state": "invalid"})


def test_what_the_platform_says_comes_with_the_class_of_the_error(api: Caller, out: Job) -> None:
    type(out.account).objects.filter(pk=out.account_id).update(options={"fault_mode": "dropped_after_accepting"})
    answer = api.post(f"jobs/{out.public_id}/take-down/")
    assert (answer.status_code, fields(answer)) == (422, {"state": "unknown"})
    assert "trying again does no harm" in str(answer.json())


@pytest.mark.parametrize(
    ("who", "status"),
    [("viewer", 403), ("viewer_token", 403), ("stranger", 404), ("foreign_token", 404), ("nobody", 401)],
)
@pytest.mark.parametrize("verb", ["take-down", "amend", "figures"])
def test_only_those_who_may_operate(callers: dict[str, Caller], out: Job, verb: str, who: str, status: int) -> None:
    assert callers[who].post(f"jobs/{out.public_id}/{verb}/").status_code == status
    assert SandboxPost.objects.get().removed_at is None
