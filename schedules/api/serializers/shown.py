"""How answers declare what they hold, for the OpenAPI file: a class of annotations beside the function that writes the answer.

The tests hold every answer of the API against these declarations, so that neither goes its own way. Annotations are `str`, `int`,
`float`, `bool`, `UUID`, `date`, `Instant`, enums, `list[…]`, `dict[str, …]`, `Any`, `… | None`, other `Shown` and `Answer` classes,
and `Annotated[…, {…}]` for further words of JSON Schema.
"""

from __future__ import annotations

import datetime
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin
from uuid import UUID

Json = dict[str, Any]


class Shown:
    """What an answer holds. Its docstring describes it; its component has its name, without `Shown` at the end."""

    # names that are there in some answers only
    optional: ClassVar[frozenset[str]] = frozenset()


class Instant:
    """A time that `shapes.both` shows: under its name in UTC, and with `_local` behind it in a zone."""


class LocalTime:
    """A wall-clock time without an offset."""


def one_of(*names: str) -> Any:
    return Annotated[str, {"enum": list(names)}]


Url = Annotated[str, {"format": "uri"}]
# an address of this installation, without its host
Path = Annotated[str, {"format": "uri-reference"}]
# a time that is told in UTC alone
UtcTime = Annotated[str, {"format": "date-time", "description": "In UTC."}]
# times that every row has; others may be empty
ALWAYS = frozenset({"at", "created_at", "updated_at"})
_PLAIN: dict[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    UUID: {"type": "string", "format": "uuid"},
    datetime.date: {"type": "string", "format": "date"},
    LocalTime: {"type": "string", "description": "Without an offset: on the wall clock of the zone."},
    Any: {},
}


class Component(typing.Protocol):
    def __call__(self, name: str, made: typing.Callable[[], Json]) -> Json:
        """A reference to the component of that name, which `made` describes the first time it is asked for."""


def schema_of(hint: Any, component: Component) -> Json:
    """JSON Schema (2020-12) of one annotation."""
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *more = get_args(hint)
        found = dict(schema_of(inner, component))
        for words in more:
            found |= words
        return found
    if origin in (Union, types.UnionType):
        return _union([part for part in get_args(hint) if part is not type(None)], get_args(hint), component)
    if origin is list:
        return {"type": "array", "items": schema_of(get_args(hint)[0], component)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(get_args(hint)[1], component)}
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return component(hint.__name__, lambda: _enum(hint))
    if isinstance(hint, type) and issubclass(hint, Shown):
        return component(name_of(hint), lambda: object_of(hint, component))
    if hasattr(hint, "shown"):
        return answer_schema(hint, component)
    raise TypeError(f"{hint!r} cannot be described.")


def _union(parts: list[Any], given: tuple[Any, ...], component: Component) -> Json:
    found = [schema_of(part, component) for part in parts]
    if type(None) not in given:
        return {"anyOf": found}
    if len(found) == 1 and isinstance(found[0].get("type"), str):
        return {**found[0], "type": [found[0]["type"], "null"], **_enum_with_null(found[0])}
    return {"anyOf": [*found, {"type": "null"}]}


def _enum_with_null(schema: Json) -> Json:
    return {"enum": [*schema["enum"], None]} if "enum" in schema else {}


def _enum(choices: type[Enum]) -> Json:
    values = [item.value for item in choices]
    return {"type": "string", "enum": values, "description": f"One of {', '.join(map(str, values))}."}


def object_of(shown: type[Shown], component: Component, *, more: Mapping[str, Any] | None = None) -> Json:
    """The object that the class declares, and what `more` adds; every name is there unless it is `optional`."""
    properties: Json = {}
    for name, hint in {**(more or {}), **hints_of(shown)}.items():
        properties |= _property(name, hint, component)
    found: Json = {"type": "object", "properties": properties}
    if required := [name for name in properties if name not in shown.optional]:
        found["required"] = required
    if shown.__doc__:
        found["description"] = " ".join(shown.__doc__.split())
    return found


def name_of(shown: type[Shown]) -> str:
    """`JobShown` is the component `Job`: the plain name is the model's."""
    return shown.__name__.removesuffix("Shown")


def hints_of(shown: type[Shown]) -> dict[str, Any]:
    found = typing.get_type_hints(shown, include_extras=True)
    return {name: hint for name, hint in found.items() if get_origin(hint) is not ClassVar and name != "optional"}


def _property(name: str, hint: Any, component: Component) -> Json:
    nullable = hint == Instant | None
    if hint is not Instant and not nullable:
        return {name: schema_of(hint, component)}
    kind: Any = ["string", "null"] if nullable else "string"
    return {
        name: {"type": kind, "format": "date-time", "description": "In UTC."},
        f"{name}_local": {"type": kind, "format": "date-time", "description": "The same time in its zone."},
    }


def answer_schema(answer: Any, component: Component) -> Json:
    """The component of a serializer that names what it shows in `shown`; an `Answer` adds its zone and times."""
    shown: type[Shown] = answer.shown
    more: dict[str, Any] = {}
    if hasattr(answer, "times"):
        more = {name: Instant if name in ALWAYS else Instant | None for name in answer.times}
        more["timezone"] = Annotated[str, {"description": "The zone of the times whose names end in `_local`."}]
    return component(name_of(shown), lambda: object_of(shown, component, more=more))
