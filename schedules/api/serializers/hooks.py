"""Inbound hooks as they are given and shown. A secret is shown once, by whoever makes it."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from schedules.api.serializers.shapes import Answer, Input, PlainJson, Version, workspace_words
from schedules.inbound import services
from schedules.inbound.models import HookCall, InboundHook, Makes, Proof, When


class SourceInput(Input):
    """Where a field comes from: a `path` into the call, or a `text` with {paths}."""

    path = serializers.CharField(required=False, max_length=200)
    text = serializers.CharField(required=False, max_length=2000, trim_whitespace=False)


class HookFields(Input):
    """What a hook does. `mapping`: target field -> source."""

    name = serializers.CharField(required=False, max_length=80)
    proof = serializers.ChoiceField(required=False, choices=Proof.choices)
    header = serializers.CharField(required=False, max_length=60)
    makes = serializers.ChoiceField(required=False, choices=Makes.choices)
    is_active = serializers.BooleanField(required=False)
    when = serializers.ChoiceField(required=False, choices=When.choices)
    delay_minutes = serializers.IntegerField(required=False, min_value=1, max_value=60 * 24 * 366)
    accounts = serializers.ListField(required=False, child=serializers.UUIDField(), max_length=50)
    groups = serializers.ListField(required=False, child=serializers.UUIDField(), max_length=20)
    mapping = serializers.DictField(required=False, child=SourceInput())
    is_on = serializers.BooleanField(required=False)


class NewHook(HookFields):
    workspace = serializers.CharField(required=False, max_length=60)
    name = serializers.CharField(max_length=80)
    mapping = serializers.DictField(child=SourceInput())


class HookChange(HookFields):
    """Only what changes; `mapping` is replaced as a whole."""

    echoed: ClassVar[frozenset[str]] = frozenset(
        {"id", "workspace", "address", "timezone", "created_at", "created_at_local", "updated_at", "updated_at_local"}
        | {"last_called_at", "last_called_at_local"}
    )
    version = Version()


class HookPreviewInput(Input):
    """`call`: what the other program would send."""

    call = PlainJson()


class HookAnswer(Answer):
    times: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "last_called_at")

    def zone(self, row: InboundHook) -> str:
        return row.workspace.timezone

    def body(self, row: InboundHook) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "address": services.address_of(row),
            **{name: getattr(row, name) for name in services.FIELDS},
            "version": row.version,
        }


class CallAnswer(Answer):
    times: ClassVar[tuple[str, ...]] = ("at",)

    def zone(self, row: HookCall) -> str:
        return row.hook.workspace.timezone

    def body(self, row: HookCall) -> dict[str, Any]:
        return {
            "id": row.pk,
            "message_id": row.message_id,
            "status": row.status,
            "words": row.words,
            "body": row.body,
            "answer": row.answer,
        }
