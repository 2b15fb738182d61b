"""Does a request keep to a platform's own OpenAPI 3 document? A small checker: path, method, query, and JSON or form body."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.servers.double import Request

SPECS = Path(__file__).resolve().parents[3].parent / "shared" / "specs"


@lru_cache
def document(name: str) -> OpenApi | None:
    path = SPECS / name
    return OpenApi(json.loads(path.read_text())) if path.exists() else None


class OpenApi:
    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.paths = [
            (re.compile("^" + re.sub(r"{[^}]+}", "[^/]+", path) + "$"), path.count("{"), path, item)
            for path, item in spec["paths"].items()
        ]

    def problems(self, request: Request, *, also_query: frozenset[str] = frozenset()) -> list[str]:
        """Everything that is wrong with the request. also_query: names of the query that are fine though the document has none."""
        found = [entry for entry in self.paths if entry[0].match(request.path) and request.method.lower() in entry[3]]
        if not found:
            return [f"no {request.method} {request.path}"]
        _, _, path, item = min(found, key=lambda entry: entry[1])
        operation = item[request.method.lower()]
        parameters = [self.whole(one) for one in [*item.get("parameters", []), *operation.get("parameters", [])]]
        problems = []
        query = {one["name"]: one for one in parameters if one["in"] == "query"}
        for name, value in request.query.items():
            if name in query:
                problems += self.value(value, query[name]["schema"], name)
            elif name not in also_query:
                problems.append(f"query {name} is unknown")
        problems += [
            f"query {name} is missing"
            for name, one in query.items()
            if one.get("required") and name not in request.query
        ]
        places = dict(zip(re.findall(r"{([^}]+)}", path), self.segments(path, request.path), strict=True))
        for one in parameters:
            if one["in"] == "path":
                problems += self.value(places[one["name"]], one["schema"], one["name"])
        return problems + self.body(request, self.whole(operation.get("requestBody") or {}))

    def segments(self, path: str, real: str) -> list[str]:
        match = re.match("^" + re.sub(r"{[^}]+}", "([^/]+)", path) + "$", real)
        assert match
        return list(match.groups())

    def whole(self, thing: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in thing:
            found: Any = self.spec
            for name in thing["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            thing = found
        return thing

    def body(self, request: Request, asked: dict[str, Any]) -> list[str]:
        if not asked:
            return ["a body where none is asked for"] if request.body else []
        if not request.body:
            return ["the body is missing"] if asked.get("required") else []
        kind = request.headers.get("content-type", "").partition(";")[0]
        if kind not in asked["content"]:
            return [f"content type {kind}"]
        schema = asked["content"][kind]["schema"]
        if kind == "multipart/form-data":
            fields = {name: content.decode("latin-1") for name, (_, content) in request.multipart().items()}
            return self.value(fields, schema, "body", is_text=True)
        return self.value(request.json(), schema, "body")

    def value(self, value: Any, schema: dict[str, Any], at: str, *, is_text: bool = False) -> list[str]:
        schema = self.whole(schema)
        for word in ("anyOf", "oneOf"):
            if word in schema and all(self.value(value, one, at, is_text=is_text) for one in schema[word]):
                return [f"{at} fits none of {word}"]
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return self.object(value, schema, at, is_text)
        if kind == "array":
            items = value.split(",") if isinstance(value, str) else value
            if not isinstance(items, list):
                return [f"{at} is no array"]
            low, high = schema.get("minItems", 0), schema.get("maxItems", len(items))
            problems = [] if low <= len(items) <= high else [f"{at} has {len(items)} items"]
            return problems + [one for item in items for one in self.value(item, schema.get("items", {}), f"{at}[]")]
        if kind in ("integer", "number"):
            if isinstance(value, str) and (is_text or at != "body") and re.fullmatch(r"-?\d+", value):
                value = int(value)
            if isinstance(value, bool) or not isinstance(value, int | float):
                return [f"{at} is no {kind}"]
            return [] if schema.get("minimum", value) <= value <= schema.get("maximum", value) else [f"{at} is {value}"]
        if kind == "boolean":
            return [] if isinstance(value, bool) else [f"{at} is no boolean"]
        if kind == "string":
            return self.string(value, schema, at)
        return []

    def object(self, value: Any, schema: dict[str, Any], at: str, is_text: bool) -> list[str]:
        if not isinstance(value, dict):
            return [f"{at} is no object"]
        known = schema.get("properties", {})
        problems = [f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, item in value.items():
            if name in known:
                problems += self.value(item, known[name], f"{at}.{name}", is_text=is_text)
            elif schema.get("additionalProperties") is False:
                problems.append(f"{at}.{name} is unknown")
        return problems

    def string(self, value: Any, schema: dict[str, Any], at: str) -> list[str]:
        if not isinstance(value, str):
            return [f"{at} is no string"]
        problems = []
        if "enum" in schema and value not in schema["enum"]:
            problems.append(f"{at} is {value!r}, not one of the enumeration")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            problems.append(f"{at} does not match {schema['pattern']}")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            problems.append(f"{at} has {len(value)} characters")
        return problems
