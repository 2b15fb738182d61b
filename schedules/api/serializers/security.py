"""The security log as the API shows it. Times in UTC."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import django_filters as filters
from django.db.models import QuerySet

from alwrity_scheduler.security.kinds import ALERTS, words_of
from alwrity_scheduler.security.models import SecurityAlert, SecurityEvent
from schedules.api.serializers.shapes import Answer
from schedules.api.serializers.shown import Shown
from schedules.filters import YesNo


class AlertFilter(filters.FilterSet):  # type: ignore[misc]
    open = YesNo(method="is_open")

    class Meta:
        model = SecurityAlert
        fields: tuple[str, ...] = ()

    def is_open(self, rows: Any, name: str, value: bool) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.filter(seen_at__isnull=value)
        return found


class SecurityEventShown(Shown):
    """One sign-in, refusal, use of a token from a new place, or change of who may do what. `who`: the name that was given."""

    id: UUID
    kind: str
    words: str
    who: str
    address: str
    agent: str
    request_id: str
    details: dict[str, Any]


class SecurityAlertShown(Shown):
    """Something odd. `count`: how often; `seen_by`: who said that it is all right."""

    id: UUID
    kind: str
    words: str
    who: str
    address: str
    count: int
    seen_by: str


class SecurityEventAnswer(Answer):
    shown = SecurityEventShown
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
    shown = SecurityAlertShown
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
