"""Notifications in and out of the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters as filters
from django.db.models import QuerySet
from rest_framework import serializers

from schedules.api.serializers.shapes import Input, both
from schedules.api.serializers.shown import Instant, Shown
from schedules.filters import YesNo
from schedules.notifications.models import Notice
from schedules.notifications.querysets import OPEN
from schedules.notifications.reads import line_of
from schedules.notifications.rules import Kind

KINDS = [(kind.value, kind.value) for kind in Kind]


class NoticeFilter(filters.FilterSet):  # type: ignore[misc]
    kind = filters.ChoiceFilter(choices=KINDS)
    unread = YesNo(field_name="read_at", lookup_expr="isnull")
    open = YesNo(method="is_open")

    class Meta:
        model = Notice
        fields: tuple[str, ...] = ()

    def is_open(self, rows: Any, name: str, value: bool) -> QuerySet[Any]:
        found: QuerySet[Any] = rows.filter(OPEN) if value else rows.exclude(OPEN)
        return found


class ReadAllInput(Input):
    workspace = serializers.CharField(required=False, max_length=60)
    kind = serializers.ChoiceField(choices=KINDS, required=False)


class NotificationShown(Shown):
    """What a person was told. `count`: how often it happened; `left`: how many are to be put right; `open`: somebody must act."""

    id: UUID
    workspace: UUID
    kind: Kind
    words: str
    detail: str
    object_type: str
    object_id: str
    count: int
    left: int
    open: bool
    first_at: Instant
    last_at: Instant
    read_at: Instant | None
    settled_at: Instant | None


class NotificationsRead(Shown):
    """How many were marked as read."""

    read: int


class NoticeAnswer(serializers.BaseSerializer[Notice]):
    """`count`: how often it happened; `left`: how many are still to be put right; `open`: somebody must act."""

    shown = NotificationShown

    def to_representation(self, instance: Notice) -> dict[str, Any]:
        line, zone = line_of(instance), instance.workspace.timezone
        return {
            "id": str(line.public_id),
            "workspace": str(instance.workspace.public_id),
            "kind": line.kind.value,
            "words": line.words,
            "detail": line.detail,
            "object_type": line.object_type,
            "object_id": line.object_id,
            "count": line.count,
            "left": line.left if line.is_open else 0,
            "open": line.is_open,
            **both("first_at", line.first_at, zone),
            **both("last_at", line.last_at, zone),
            **both("read_at", line.read_at, zone),
            **both("settled_at", line.settled_at, zone),
        }
