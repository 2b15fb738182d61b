"""Posts from elsewhere over the API: tried out, made, taken back."""

from __future__ import annotations

from typing import Any

from schedules.models import AuditLog, ContentItem, Job, Schedule
from tests.integration.api.callers import Caller, fields
from tests.people import People, make_account

FILE = """\ufefftitle,text,accounts,at,timezone,labels
One,Hello,News,2026-12-01T09:00:00,,"a, b"
Two,,sandbox/news,2026-12-02T09:00:00,Asia/Tokyo,
Three,Far,Nobody,2026-12-02T09:00:00,Mars/Base,
Four,Late,News,2026-11-01T09:00:00,,
,Only words,,,,
"""


def test_a_file_is_tried_out_made_and_taken_back(
    api: Caller, callers: dict[str, Caller], people: People, account: Any
) -> None:
    body = {"format": "csv", "text": FILE, "state": "active"}
    facts = AuditLog.objects.count()
    trial = api.post("imports/", body).json()

    assert (trial["dry_run"], trial["row_count"], trial["fits_count"], trial["id"]) == (True, 5, 3, None)
    assert [[item["field"] for item in row["errors"]] for row in trial["results"]] == [
        [], [], ["accounts", "timezone"], ["at"], [],
    ]  # fmt: skip
    assert not ContentItem.objects.exists()
    assert AuditLog.objects.count() == facts

    assert callers["viewer"].post("imports/", body).status_code == 403
    made = api.post("imports/", {**body, "dry_run": False})
    assert (made.status_code, made.json()["fits_count"]) == (201, 3)
    label = made.json()["id"]
    one, two = Schedule.objects.order_by("id")
    assert (one.content.labels, one.state, one.timezone) == (["a", "b", label], "active", "Europe/Berlin")
    assert (two.timezone, two.start_local.isoformat()) == ("Asia/Tokyo", "2026-12-02T09:00:00")
    assert len(api.get("schedules/", label=label).json()["results"]) == 2

    api.post(f"schedules/{two.public_id}/pause/")
    assert callers["viewer"].post(f"imports/{label}/undo/").status_code == 403
    assert callers["foreign_token"].post(f"imports/{label}/undo/").status_code == 404
    undone = api.post(f"imports/{label}/undo/").json()
    assert (undone["archived"], undone["touched"]) == ([str(one.public_id)], [str(two.public_id)])
    assert len(undone["content_kept"]) == 1
    assert list(Schedule.objects.order_by("id").values_list("state", flat=True)) == ["archived", "paused"]
    assert not Job.objects.filter(schedule=one, state="pending").exists()
    assert api.post("imports/launch/undo/").status_code == 404


def test_rows_of_json(api: Caller, people: People, account: Any, now: Any) -> None:
    make_account(people.workspace, now, name="Blog", handle="news2")
    rows = [
        {"text": "A", "accounts": ["@news", str(account.public_id)], "at": "2026-12-01T09:00:00Z"},
        {"text": "", "accounts": "Blog", "at": "2026-12-01T09:00:00"},
        {"text": "B", "accounts": ["Blog"], "colour": "red"},
        {"text": "C", "accounts": ["Blog"]},
    ]
    made = api.post("imports/", {"rows": rows, "dry_run": False}).json()

    assert [[(item["field"], item["code"]) for item in row["errors"]] for row in made["results"]] == [
        [], [("text", "required")], [("colour", "unknown")], [("at", "required")],
    ]  # fmt: skip
    schedule = Schedule.objects.get()
    assert (schedule.state, [row.account.name for row in schedule.targets.all()]) == ("draft", ["News"])
    assert fields(api.post("imports/", {"format": "csv", "rows": rows})) == {"text": "required", "rows": "unknown"}
    assert fields(api.post("imports/", {"format": "csv", "text": "title\n"})) == {"text": "empty"}
    assert fields(api.post("imports/", {"rows": [{"text": "x"}] * 501})) == {"rows": "max_length"}
