"""The audit log in words: what was done, by whom, and which values changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schedules.models import AuditLog

LONGEST = 160
_NAMES = {
    "rule_kind": "kind of rule",
    "expression": "rule",
    "start_local": "start",
    "until_local": "end",
    "occurrence_limit": "number of times",
    "catch_up": "after a pause",
    "grace_seconds": "grace (seconds)",
    "max_attempts": "attempts",
    "retry_base_seconds": "first wait (seconds)",
    "retry_cap_seconds": "longest wait (seconds)",
    "deadline_seconds": "give up after (seconds)",
    "run_at": "time",
    "targets": "accounts",
    "scheduled_for": "wanted time",
    "deadline_at": "given up after",
    "error_class": "kind of error",
    "tries": "attempts used up",
    "finished_at": "ended",
    "content_version": "version of the post",
    "taken_down_at": "deleted there",
}
# what facts carry for those who are told, and the page shows anyway
_NOT_SHOWN = frozenset({"title", "account", "page"})


_WORDS = {
    "schedule.created": "Made the schedule",
    "schedule.edited": "Edited the schedule",
    "schedule.activated": "Scheduled it",
    "schedule.paused": "Paused it",
    "schedule.resumed": "Resumed it",
    "schedule.archived": "Archived it",
    "schedule.restored": "Took it out of the archive",
    "schedule.cloned": "Made it as a copy",
    "schedule.finished": "All its runs are over",
    "schedule.split": "Split it: this and following",
    "schedule.occurrence_skipped": "Left out one run",
    "schedule.occurrence_moved": "Moved one run",
    "schedule.occurrence_restored": "Put one run back",
    "schedule.published_now": "Published it now",
    "schedule.backfilled": "Made up for times that never went out",
    "schedule.depends": "Made it wait for another post",
    "schedule.depends_no_more": "It no longer waits for another post",
    "schedule.retimed": "The zone's clocks changed: moved its runs",
    "review.requested": "Sent it for approval",
    "review.approved": "Approved it",
    "review.changes_requested": "Asked for changes",
    "review.withdrawn": "Took the request for approval back",
    "review.reminded": "Reminded the reviewers",
    "review.link_made": "Made a link for an outside reviewer",
    "review.link_revoked": "Took a link back",
    "content.created": "Wrote the post",
    "content.edited": "Edited the post",
    "milestone.created": "Added a milestone",
    "milestone.edited": "Edited the milestone",
    "milestone.reached": "Reached the milestone",
    "milestone.reopened": "The milestone is not reached yet",
    "milestone.removed": "Removed the milestone",
    "milestone.restored": "Brought the milestone back",
    "template.created": "Saved a template",
    "template.changed": "Renamed a template",
    "template.deleted": "Deleted a template",
    "hashtags.created": "Made a hashtag group",
    "hashtags.changed": "Changed a hashtag group",
    "hashtags.deleted": "Deleted a hashtag group",
    "account.posting_times_changed": "Changed the posting times",
    "job.completed": "Published",
    "job.failed": "Failed",
    "job.missed": "Missed its time",
    "job.cancelled": "Cancelled",
    "job.retried": "Asked for another try",
    "job.run_now": "Asked to publish now",
    "job.rescheduled": "Gave it a new time",
    "job.look_up_asked": "Asked to look it up again",
    "job.restored": "Took the last step back",
    "job.held": "Put on hold",
    "job.unconfirmed": "No clear answer",
    "job.taken_down": "Deleted it at the platform",
    "job.amended": "Updated it at the platform",
    "job.started": "Began",
    "media.stored": "Added the file",
    "media.described": "Described the file",
    "media.edited": "Edited the file",
    "media.moved": "Moved the file",
    "media.deleted": "Deleted the file",
    "media.restored": "Brought the file back",
    "folder.created": "Made the folder",
    "folder.changed": "Changed the folder",
    "folder.removed": "Removed the folder",
    "circuit.opened": "The platform does not answer: its posts wait",
    "circuit.closed": "The platform answers again",
    "account.connected": "Connected the account",
    "account.signed_in": "Signed in again",
    "account.reconnected": "Back to work",
    "account.disconnected": "Disconnected it",
    "account.auth_lost": "The platform no longer takes the sign-in",
    "account.settings_changed": "Changed its settings",
    "account.credentials_changed": "Gave new secrets",
    "account.refreshed": "Renewed the sign-in",
    "account.refresh_failing": "The sign-in could not be renewed; trying again",
    "account.tried_now": "Asked to try the platform now",
}


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    who: str
    kind: str
    words: str
    about: str
    changes: list[Change]


def _text(value: Any) -> str:
    if value in (None, "", [], {}):
        return "–"
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)[:LONGEST]
    if isinstance(value, dict):
        return str(value.get("account") or ", ".join(f"{key} {_text(item)}" for key, item in value.items()))[:LONGEST]
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def entries(rows: Iterable[AuditLog]) -> list[Entry]:
    """One entry a row, in the rows' order. A creation lists no values: the thing itself shows them."""
    found = []
    for row in rows:
        created = row.action.endswith((".created", ".cloned"))
        names = (
            []
            if created
            else [
                name
                for name in {**row.before, **row.after}
                if name not in _NOT_SHOWN and row.before.get(name) != row.after.get(name)
            ]
        )
        changes = [
            Change(_NAMES.get(name, name.replace("_", " ")), _text(row.before.get(name)), _text(row.after.get(name)))
            for name in names
        ]
        words = _WORDS.get(row.action) or row.action.replace(".", " ").replace("_", " ").capitalize()
        found.append(Entry(row.at, row.actor_label, row.actor_kind, words, row.object_label, changes))
    return found
