"""A fact as the outside sees it: `{"type", "timestamp", "data"}`, and the JSON Schema (2020-12) that describes it.

Webhooks, the live stream, the list of events and the consumers in installed packages all send this one form. What is told: what
happened to what, by whom, and which values changed. Not told: secrets (no fact holds any) and people's mail addresses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC
from typing import Any

from alwrity_scheduler.workspaces.models import Workspace
from schedules.events.catalogue import EventType, event_types
from schedules.events.values import TEXT, TIME, Schema, or_none
from schedules.models import AuditLog

DRAFT = "https://json-schema.org/draft/2020-12/schema"
ACTORS = ("user", "token", "engine", "command", "app", "hook", "link")
HIDDEN = "(address not shown)"
_MAIL = re.compile(r"[^\s@<>()\"']+@[^\s@<>()\"']+\.[^\s@<>()\"']+")
# names under which a person is named; everywhere else an address is part of what somebody published
_PERSONAL = frozenset(
    {"email", "user", "by", "for", "to", "reviewers", "person", "invited_by", "username", "who", "label"}
)
_NEVER = frozenset({"first_name", "last_name"})
_ABOUT_PEOPLE = frozenset({"person", "invitation", "member", "membership"})


def payload(fact: AuditLog, rooms: Mapping[int, str] | None = None) -> dict[str, Any]:
    """The event of a fact. rooms: workspace number -> public id, from `rooms_of`; without it each fact asks for its own."""
    if rooms is None:
        rooms = rooms_of([fact])
    label = fact.object_label
    return {
        "type": fact.action,
        "timestamp": fact.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "id": event_id(fact),
            "workspace": rooms.get(fact.workspace_ref or 0),
            "object": {
                "type": fact.object_type,
                "id": fact.object_id,
                "label": _without_mail(label) if fact.object_type in _ABOUT_PEOPLE else label,
            },
            "actor": {"kind": fact.actor_kind, "id": fact.actor_id, "label": _without_mail(fact.actor_label)},
            "before": _shown(fact.before),
            "after": _shown(fact.after),
        },
    }


def event_id(fact: AuditLog) -> str:
    """The same for ever, and no other event's: chain and place in it."""
    return f"{fact.chain}-{fact.seq}"


def rooms_of(facts: Iterable[AuditLog]) -> dict[int, str]:
    """Workspace number -> public id, in one query."""
    numbers = {fact.workspace_ref for fact in facts if fact.workspace_ref}
    if not numbers:
        return {}
    found = Workspace.objects.filter(pk__in=numbers).order_by().values_list("pk", "public_id")
    return {number: str(public_id) for number, public_id in found}


def schema(name: str, *, closed: bool = False) -> dict[str, Any]:
    """The JSON Schema of the events of this name. KeyError for a name that there is none of.

    closed: refuses names that the catalogue does not know. What is published is open, because later versions may add names.
    """
    kind: EventType = event_types[name]
    return {
        "$schema": DRAFT,
        "$id": f"urn:alwrity:event:{name}",
        "title": name,
        "description": str(kind.sentence),
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": name},
            "timestamp": TIME,
            "data": _object(
                {
                    "id": {**TEXT, "description": "this event's own, the same wherever and however often it is sent"},
                    "workspace": {**or_none(TEXT), "description": "the workspace's id; null for what belongs to none"},
                    "object": _object({"type": {"enum": list(kind.object_types)}, "id": TEXT, "label": TEXT}),
                    "actor": _object({"kind": {"enum": list(ACTORS)}, "id": TEXT, "label": TEXT}),
                    "before": _values(kind.before, closed=closed and not kind.adds),
                    "after": _values(kind.after, closed=closed and not kind.adds),
                }
            ),
        },
    }


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "required": list(properties), "properties": dict(properties)}


def _values(properties: Mapping[str, Mapping[str, Any]], *, closed: bool) -> Schema:
    open_ones: Schema = {"type": "object", "properties": {name: dict(found) for name, found in properties.items()}}
    return open_ones | ({"additionalProperties": False} if closed else {})


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(value) if name in _PERSONAL or "mail" in name else value
        for name, value in values.items()
        if name not in _NEVER
    }


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _without_mail(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _without_mail(text: str) -> str:
    return _MAIL.sub(HIDDEN, text)
