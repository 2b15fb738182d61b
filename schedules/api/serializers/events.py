"""Events as the API shows them: the form that webhooks and the live stream send too."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers

from schedules.api.serializers.shown import Path, Shown, UtcTime
from schedules.api.serializers.system import FactActor, FactObject
from schedules.events.catalogue import EventType
from schedules.events.envelope import payload
from schedules.models import AuditLog


class EventData(Shown):
    """What happened to what, by whom, and which values changed. `id` is this event's own, however often it is sent."""

    id: str
    workspace: UUID | None
    object: FactObject
    actor: FactActor
    before: dict[str, Any]
    after: dict[str, Any]


class EventShown(Shown):
    """Something that happened, as webhooks and the live stream send it too."""

    type: str
    timestamp: UtcTime
    data: EventData


class EventTypeShown(Shown):
    """A kind of event: when it happens, what it may be about, and where its JSON Schema is."""

    name: str
    group: str
    description: str
    objects: list[str]
    schema_url: Path


class EventTypeList(Shown):
    """Every kind of event there is, by name."""

    results: list[EventTypeShown]


# what the address answers is of JSON Schema's own making
EVENT_SCHEMA = {
    "type": "object",
    "required": ["$schema", "$id", "title", "type", "properties"],
    "additionalProperties": True,
}
EVENT_STREAM = {
    "type": "string",
    "description": "Server-sent events: each has an `id`, the event's type as `event`, and the event itself as JSON in `data`.",
}


class EventAnswer(serializers.Serializer[Any]):
    """Wants `rooms` in the context (workspace number -> public id)."""

    shown = EventShown

    def to_representation(self, instance: AuditLog) -> dict[str, Any]:
        return payload(instance, self.context.get("rooms"))


def type_words(kind: EventType, schema_url: str) -> dict[str, Any]:
    return {
        "name": kind.name,
        "group": kind.group,
        "description": kind.sentence,
        "objects": list(kind.object_types),
        "schema_url": schema_url,
    }
