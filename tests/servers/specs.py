"""Requests against the platforms' own descriptions in `../shared/specs`: what an adapter sends must be what they take.

A small part of JSON Schema is enough for that (types, references, unions, lengths, required and known names), so no library is
used. A name that an object's schema does not know is a problem too: platforms ignore it, and it would not do what we think.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SPECS = Path(__file__).resolve().parents[2].parent / "shared" / "specs"
_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


def missing(name: str) -> str:
    """Why tests against this description skip; empty when it is here."""
    return "" if (SPECS / name).exists() else f"../shared/specs/{name} is not here"


@functools.lru_cache(maxsize=8)
def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SPECS / name).read_bytes())
    return found


def problems(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str = "body") -> list[str]:
    """Everything about `value` that the schema does not allow."""
    return list(_problems(value, schema, root, where))


def _problems(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = functools.reduce(lambda node, step: node[step], schema["$ref"].lstrip("#/").split("/"), root)
    for name in ("anyOf", "oneOf"):
        each = [problems(value, option, root, where) for option in schema.get(name, ())]
        if each and all(each):
            yield from min(each, key=len)
    for part in schema.get("allOf", ()):
        yield from _problems(value, part, root, where)
    types = schema.get("type", ())
    types = [types] if isinstance(types, str) else types
    if types and not any(_is(value, kind) for kind in types):
        yield f"{where}: {value!r} is not of type {' or '.join(types)}"
        return
    if "enum" in schema and value is not None and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str) and not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{where}: has {len(value)} characters"
    yield from _inside(value, schema, root, where)


def _inside(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str) -> Iterator[str]:
    """What is wrong with the items of a list, or the members of an object."""
    if isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            yield f"{where}: has {len(value)} items"
        for number, item in enumerate(value):
            yield from _problems(item, schema.get("items", {}), root, f"{where}[{number}]")
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        yield from (f"{where}: {name} is missing" for name in schema.get("required", ()) if name not in value)
        yield from (f"{where}: there is no {name}" for name in value if name not in known)
        for name in value.keys() & known.keys():
            yield from _problems(value[name], known[name], root, f"{where}.{name}")


def _is(value: Any, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, _TYPES[kind]) and not (kind in ("integer", "number") and isinstance(value, bool))
