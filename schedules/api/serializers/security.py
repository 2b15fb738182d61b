"""The security log as the API shows it. Times in UTC."""

from __future__ import annotations

from typing import Any, ClassVar

from alwrity_scheduler.security.kinds import ALERTS, words_of
from alwrity_scheduler.security.models import SecurityAlert, SecurityEvent
from schedules.api.serializers.shapes import Answer


class SecurityEventAnswer(Answer):
    times: ClassVar[tuple[str, ...]] = ("at",)

    def zone(self, row: SecurityEvent) -> str:
        return "UTC"

    def body(self, row: SecurityEvent) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "kind": row.kind,
            "words": words_of(row.kind),
            "who": row.who,
            "address": row.address,
            "agent": row.agent,
            "request_id": row.request_id,
            "details": row.details,
        }


class AlertAnswer(Answer):
    times: ClassVar[tuple[str, ...]] = ("at", "seen_at")

    def zone(self, row: SecurityAlert) -> str:
        return "UTC"

    def body(self, row: SecurityAlert) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "kind": row.kind,
            "words": str(ALERTS.get(row.kind, row.kind)),
            "who": row.who,
            "address": row.address,
            "count": row.count,
            "seen_by": row.seen_by,
        }
