"""What all serializers here share: input refuses unknown names, answers give times in zone and UTC."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from alwrity_scheduler.workspaces.models import Workspace
from schedules.api.serializers.shown import Shown
from schedules.domain import localtime

LARGEST = 2**31 - 1  # what an integer column of PostgreSQL holds


def utc_text(at: datetime) -> str:
    """`2026-12-01T08:00:00Z`, with a fraction only where there is one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local_text(at: datetime, zone: str) -> str:
    """The same instant on the wall clock of the zone, with its offset: `2026-12-01T09:00:00+01:00`."""
    return at.astimezone(localtime.zone(zone)).isoformat()


def both(name: str, at: datetime | None, zone: str) -> dict[str, str | None]:
    """A time twice: under its name in UTC, and with `_local` behind the name in its zone."""
    if at is None:
        return {name: None, f"{name}_local": None}
    return {name: utc_text(at), f"{name}_local": local_text(at, zone)}


class Input(serializers.Serializer[Any]):
    """Refuses names it does not know.

    `echoed`: what answers carry and nobody can set; it may stand in what is sent back, and is passed over.
    """

    echoed: ClassVar[frozenset[str]] = frozenset()

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = self._false_types(data)
        if errors:
            raise serializers.ValidationError(errors)
        value: Any = {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors = dict(error.detail) if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        if isinstance(data, Mapping):
            errors |= {
                name: [self._unknown(name)] for name in data if name not in self.fields and name not in self.echoed
            }
        if errors:
            raise serializers.ValidationError(errors)
        return value

    def _false_types(self, data: Any) -> dict[str, Any]:
        """What is no JSON of the declared type: `"5"` is no number, and 5 no text. Forms and queries have nothing but text."""
        if not isinstance(data, Mapping) or hasattr(data, "getlist") or self.context.get("from_query"):
            return {}
        found = {name: _false_type(field, data[name]) for name, field in self.fields.items() if name in data}
        return {name: error for name, error in found.items() if error}

    def _unknown(self, name: str) -> serializers.ErrorDetail:
        near = difflib.get_close_matches(name, list(self.fields), n=1)
        remedy = f"Did you mean {near[0]}?" if near else f"Known are {', '.join(self.fields)}."
        return serializers.ErrorDetail(f"There is no field of this name. {remedy}", code="unknown")


_TEXTS = (serializers.CharField, serializers.UUIDField, serializers.DateTimeField, serializers.DateField)


def _false_type(field: Any, value: Any) -> Any:
    """The errors of a value whose JSON type is not the field's, by place in a list; nothing where there are none."""
    if value is None or getattr(field, "takes_objects", False):
        return None
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        found = {place: _false_type(field.child, item) for place, item in enumerate(value)}
        return {place: error for place, error in found.items() if error}
    if isinstance(field, serializers.DictField) and isinstance(value, Mapping):
        inner = {name: _false_type(field.child, item) for name, item in value.items()}
        return {name: error for name, error in inner.items() if error}
    wrong = (
        (isinstance(field, serializers.BooleanField) and not isinstance(value, bool))
        or (isinstance(field, serializers.IntegerField) and not _is_whole(value))
        or (isinstance(field, _TEXTS) and not isinstance(value, str))
        or (isinstance(field, serializers.ChoiceField) and not _is_of_choices(value, field.choices))
    )
    return [serializers.ErrorDetail(_words_of_type(field), code="invalid")] if wrong else None


def _is_of_choices(value: Any, choices: Mapping[Any, Any]) -> bool:
    return not isinstance(value, bool) and any(
        isinstance(value, str if isinstance(one, str) else int) for one in choices
    )


def _is_whole(value: Any) -> bool:
    """JSON has one kind of number: 5.0 is whole too."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1


def _words_of_type(field: Any) -> str:
    if isinstance(field, serializers.BooleanField):
        return "Write true or false."
    return (
        "Write a whole number, without quotes."
        if isinstance(field, serializers.IntegerField)
        else "Write text, in quotes."
    )


class Empty(Input):
    """A verb that needs no words."""

    def _unknown(self, name: str) -> serializers.ErrorDetail:
        return serializers.ErrorDetail("This takes no fields.", code="unknown")


class Text(serializers.CharField):
    """Optional words; what stands around them is the writer's own."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, "trim_whitespace": False, **options})


class Words(serializers.ListField):
    """A list of short words."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.CharField(max_length=120), **{"required": False, "max_length": 100, **options}
        )


class Ids(serializers.CharField):
    """Public ids, separated by commas."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "default": "", "max_length": 4000, **options})

    def to_internal_value(self, data: Any) -> list[Any]:  # type: ignore[override]
        text = super().to_internal_value(data)
        return [serializers.UUIDField().run_validation(item.strip()) for item in text.split(",") if item.strip()]


EARLIEST, LATEST = 1970, 9000  # years in which every zone can tell the time


class Moment(serializers.DateTimeField):
    """An instant that can be told in every zone."""

    default_error_messages = {"far": "This is too far away. Choose another time."}

    def to_internal_value(self, value: Any) -> datetime:
        at: datetime = super().to_internal_value(value)
        if not EARLIEST <= at.year <= LATEST:
            self.fail("far")
        return at


class PlainJson(serializers.DictField):
    """An object of JSON that every database can store: no NUL characters, no halves of surrogate pairs."""

    default_error_messages = {"characters": "Holds characters that cannot be stored."}

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        written = json.dumps(value, ensure_ascii=False)
        if "\\u0000" in written or any("\ud800" <= letter <= "\udfff" for letter in written):
            self.fail("characters")
        return value


class Version(serializers.IntegerField):
    """The version that the caller looked at."""

    default_error_messages = {"required": "Say which version you are changing: the `version` that you were shown."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST, **options})


class Answer(serializers.Serializer[Any]):
    """One row as shown: each name in `times` in UTC and, as `<name>_local`, in the zone that `zone` gives."""

    times: ClassVar[tuple[str, ...]] = ()

    def zone(self, row: Any) -> str:
        raise NotImplementedError

    def body(self, row: Any) -> dict[str, Any]:
        raise NotImplementedError

    def to_representation(self, instance: Any) -> dict[str, Any]:
        zone = self.zone(instance)
        shown = {**self.body(instance), "timezone": zone}
        for name in self.times:
            shown |= both(name, getattr(instance, name), zone)
        return shown


class ProblemOfField(Shown):
    """What is wrong with one field of what was sent, and how to put it right; `code` is for programs."""

    field: str
    message: str
    code: str


def of_list(filterset: Any, *, texts: bool = False) -> dict[str, Any]:
    """For the schema of a body: an object with the names of a list's own parameters."""
    text = {"type": "string"}
    value: dict[str, Any] = text if texts else {"anyOf": [text, {"type": "boolean"}, {"type": "array", "items": text}]}
    return {
        "type": "object",
        "properties": dict.fromkeys(sorted(filterset.base_filters), value),
        "additionalProperties": False,
        "description": "What the list's own parameters take; {} is all of them.",
    }


def either(one: str, other: str) -> dict[str, Any]:
    """For the schema of an object that has one of two names, never both and never none."""
    return {"if": {"required": [one]}, "then": {"not": {"required": [other]}}, "else": {"required": [other]}}


def id_or_object(thing: str) -> dict[str, Any]:
    """What stands for a thing in a body, as JSON Schema: its id, or the object in which an answer shows it."""
    name: dict[str, Any] = {"type": "string", "format": "uuid"}
    shown = {"type": "object", "properties": {"id": name}, "required": ["id"]}
    return {"anyOf": [name, shown], "description": f"The {thing}'s id, or the {thing} as an answer shows it."}


class WorkspaceName(Shown):
    """A workspace as other answers name it."""

    id: UUID
    slug: str
    name: str


def workspace_words(workspace: Workspace) -> dict[str, Any]:
    return {"id": str(workspace.public_id), "slug": workspace.slug, "name": workspace.name}
