"""What stands before and after in facts, as JSON Schema. Shared by the catalogue's entries."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
Values = dict[str, Schema]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer"}
TIME: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
WALL_CLOCK: Schema = {
    "type": "string",
    "description": "a time on the wall clock of the schedule's zone, without an offset",
}
WORDS: Schema = {"type": "array", "items": {"type": "string"}}
THINGS: Schema = {"type": "array", "items": {"type": "object"}}
THING: Schema = {"type": "object"}
ANY: Schema = {}


def or_none(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


STATE: Values = {"state": TEXT}
NAME: Values = {"name": TEXT}

# what a job's fact says when nobody changed it by hand
JOB_NOW: Values = {
    "state": TEXT,
    "reason": TEXT,
    "message": TEXT,
    "url": TEXT,
    "run_at": TIME,
    "cause": TEXT,
    "title": TEXT,
    "account": TEXT,
    "page": TEXT,
}
# what a verb on a job changes and an undo puts back
JOB_KEPT: Values = {
    "state": TEXT,
    "reason": TEXT,
    "error_class": TEXT,
    "message": TEXT,
    "run_at": TIME,
    "scheduled_for": TIME,
    "deadline_at": or_none(TIME),
    "tries": COUNT,
    "finished_at": or_none(TIME),
    "attempt_count": COUNT,
}
JOB: Values = JOB_NOW | JOB_KEPT
SCHEDULE: Values = {
    "rule_kind": TEXT,
    "timezone": TEXT,
    "start_local": WALL_CLOCK,
    "start_fold": COUNT,
    "expression": TEXT,
    "until_local": or_none(WALL_CLOCK),
    "occurrence_limit": or_none(COUNT),
    "catch_up": TEXT,
    "grace_seconds": or_none(COUNT),
    "max_attempts": COUNT,
    "retry_base_seconds": COUNT,
    "retry_cap_seconds": COUNT,
    "deadline_seconds": or_none(COUNT),
    "priority": COUNT,
    "tags": WORDS,
    "targets": THINGS,
}
CONTENT: Values = {
    "title": TEXT,
    "text": TEXT,
    "content_type": TEXT,
    "link": TEXT,
    "language": TEXT,
    "notes": TEXT,
    "hashtags": WORDS,
    "labels": WORDS,
    "campaign": TEXT,
    "utm": THING,
    "media": WORDS,
    "variants": THINGS,
}
REVIEW: Values = {"review": TEXT, "state": TEXT, "by": TEXT}
POLICY: Values = {"required": FLAG, "allow_own": FLAG, "reviewers": WORDS, "remind_after_hours": or_none(COUNT)}
MILESTONE: Values = {"name": TEXT, "due_on": DAY, "campaign": TEXT}
MEDIUM: Values = {"alt_text": TEXT, "name": TEXT, "folder": TEXT}
FOLDER: Values = {"name": TEXT, "parent": TEXT}
CIRCUIT: Values = {"state": TEXT, "failures": COUNT, "retry_at": or_none(TIME), "error": TEXT}
WAITS: Values = {"waits_for": TEXT, "waits_for_id": TEXT}
PLACE: Values = {"platform": TEXT, "name": TEXT, "handle": TEXT, "missing_scopes": WORDS}
BULK: Values = {"verb": TEXT, "total": COUNT, "done": COUNT, "failed": COUNT}
# who may what; accounts: public ids, or null for all
ACCESS: Values = {
    "user": TEXT,
    "email": TEXT,
    "role": or_none(TEXT),
    "accounts": or_none(WORDS),
}
TOKEN: Values = {
    "name": TEXT,
    "role": TEXT,
    "prefix": TEXT,
    "scopes": WORDS,
    "networks": WORDS,
    "expires_at": or_none(TIME),
    "accounts": or_none(WORDS),
}
APP: Values = {
    "name": TEXT,
    "app": TEXT,
    "website": TEXT,
    "redirect_uris": WORDS,
    "public": FLAG,
    "disabled": FLAG,
    "scopes": WORDS,
}
WEBHOOK: Values = {
    "host": TEXT,
    "description": TEXT,
    "event_types": WORDS,
    "filters": THING,
    "header_names": WORDS,
    "state": TEXT,
    "reason": TEXT,
    "message": TEXT,
    "previous_until": TIME,
    "count": COUNT,
    "event_type": TEXT,
    "which": TEXT,
    "since": TIME,
    "until": TIME,
}
