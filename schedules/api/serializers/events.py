"""Events as the API shows them: the form that webhooks and the live stream send too."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from schedules.events.catalogue import EventType
from schedules.events.envelope import payload
from schedules.models import AuditLog


class EventAnswer(serializers.Serializer[Any]):
    """Wants `rooms` in the context (workspace number -> public id)."""

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
