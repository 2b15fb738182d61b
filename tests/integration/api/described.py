"""Does an answer hold to the OpenAPI file? Names that the file does not know count as faults too: here, not for clients.

`python -m pytest tests/integration/api` thereby holds every answer of these tests against its operation.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FILE = "urn:openapi"


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    from schedules.api.schema import whole

    return _closed(json.loads(json.dumps(whole())), "")


def _closed(part: Any, name: str) -> Any:
    """The same file, with every object of an answer closed to names that it does not list."""
    if isinstance(part, list):
        return [_closed(item, "") for item in part]
    if not isinstance(part, dict):
        return part
    found = {key: _closed(value, key) for key, value in part.items()}
    if name != "properties" and isinstance(found.get("properties"), dict) and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found


@lru_cache(maxsize=1)
def _addresses() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    found = [
        (re.compile("^" + re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$"), path, methods)
        for path, methods in _file()["paths"].items()
    ]
    # `media/folders/` before `media/{id}/`
    return [(pattern, methods) for pattern, path, methods in sorted(found, key=lambda item: item[1].count("{"))]


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    """The operation at this address; None where the file knows no such address or method."""
    return next((methods.get(method) for pattern, methods in _addresses() if pattern.match(path)), None)


@cache
def _validator(operation: str, status: int, kind: str) -> Draft202012Validator | None:
    """None where the file does not have the status, or not as this kind."""
    one = next(op for _, methods in _addresses() for op in methods.values() if op["operationId"] == operation)
    answer = one["responses"].get(str(status))
    if answer is None:
        return None
    if "$ref" in answer:
        answer = _file()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    if not answer.get("content"):
        return Draft202012Validator({})
    if kind not in answer["content"]:
        return None
    registry: Registry = Registry().with_resource(
        FILE, Resource.from_contents(_file(), default_specification=DRAFT202012)
    )
    schema = json.loads(json.dumps(answer["content"][kind]["schema"]).replace('"#/', f'"{FILE}#/'))
    return Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())


def faults(method: str, path: str, response: Any) -> list[str]:
    """What the answer has that the file does not say, or the other way round."""
    operation = operation_of(method, path)
    if operation is None:
        # an address or method that the file does not know: nothing but a refusal comes from there
        return [] if response.status_code in (401, 404, 405) else [f"{method} {path} is not in the file"]
    if "2XX" in operation["responses"] and response.status_code < 300:
        # not described yet; test_schema.py knows which those are
        return []
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    validator = _validator(operation["operationId"], response.status_code, kind)
    if validator is None:
        return [f"{operation['operationId']} does not say that it may answer {response.status_code} as {kind}"]
    if kind != "application/json" and not kind.endswith("+json"):
        return []
    written = _written(response)
    if not written:
        return []
    return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(json.loads(written))]


def _written(response: Any) -> bytes:
    """The body; what is written while it is read is there to be read once more. A stream without an end is left alone."""
    if not response.streaming:
        return bytes(response.content)
    if response.is_async:
        return b""
    whole = b"".join(response.streaming_content)
    response.streaming_content = [whole]
    return whole


def checked(method: str, response: Any) -> Any:
    """The response as it came. Fails where it is not as the file says."""
    request = response.wsgi_request
    # asked for in part, a row lacks names that it has as a whole; and nobody is told to expect a 500
    if "fields" not in request.GET and response.status_code < 500:
        found = faults(method, request.path, response)
        assert not found, (method, request.path, response.status_code, found)
    return response
