"""Inbound hooks as they are given and shown. A secret is shown once, by whoever makes it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from schedules.api.serializers.shapes import Answer, Input, PlainJson, Version, WorkspaceName, workspace_words
from schedules.api.serializers.shown import LocalTime, Shown, Url
from schedules.inbound import mapping as maps
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


class HookSource(Shown):
    """Where a field comes from: a `path` into the call, or a `text` with {paths}."""

    optional = frozenset({"path", "text"})

    path: str
    text: str


class HookShown(Shown):
    """An address that takes posts from another program. `mapping`: target field and where it comes from."""

    id: UUID
    workspace: WorkspaceName
    address: Url
    name: str
    proof: Proof
    header: str
    makes: Makes
    is_active: bool
    when: When
    delay_minutes: int
    accounts: list[UUID]
    groups: list[UUID]
    mapping: dict[str, HookSource]
    is_on: bool
    version: int


class HookMade(HookShown):
    """A hook with its secret, which is shown this once."""

    secret: str


class HookPreviewContent(Shown):
    """The words that a call would make a post of; what is empty is left out."""

    optional = frozenset({*maps.TEXTS, *maps.LISTS})

    title: str
    text: str
    link: str
    campaign: str
    language: str
    notes: str
    hashtags: list[str]
    labels: list[str]


class HookPreviewSchedule(Shown):
    """When and where it would go out. `queued`: each account at its own next free posting time."""

    at_local: LocalTime
    timezone: str
    accounts: list[UUID]
    queued: bool


class HookPreviewShown(Shown):
    """What a call would make; `schedule` null where it makes a draft without a time."""

    content: HookPreviewContent
    schedule: HookPreviewSchedule | None


class HookCallShown(Shown):
    """One call and what became of it: `body` is its beginning, `answer` what was answered."""

    id: int
    message_id: str
    status: int
    words: str
    body: str
    answer: dict[str, Any]


class HookAnswer(Answer):
    shown: type[Shown] = HookShown
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


class HookAnswerOnce(HookAnswer):
    """As `with_secret` of the views writes it."""

    shown = HookMade


class CallAnswer(Answer):
    shown = HookCallShown
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
