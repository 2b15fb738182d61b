"""What schemathesis is told of this API beyond the schema: which things there are, and which refusals the schema should foretell.

Used by the command (SCHEMATHESIS_HOOKS) and by tests/integration/api/test_fuzz.py.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from typing import Any
from uuid import UUID

import schemathesis
from schemathesis.checks import CheckContext
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response

# collection -> ids of things in it; most requests for a thing are about one of these, else nearly all answers would be 404
THINGS: dict[str, list[str]] = json.loads(os.environ.get("FUZZ_THINGS", "{}"))
# what a serializer says of a value's shape; the schema says the same, so that nothing it allows is refused for one of these
OF_SHAPE = frozenset(
    {
        "max_length", "max_value", "min_length", "min_value", "not_a_dict", "not_a_list", "null",
        "invalid_choice",
    }
)  # fmt: skip


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Ask for things that are there, and leave out what would end nearly every request before anything happens."""
    parts = case.operation.path.removeprefix("/api/v1/").split("/")
    for name, value in list((case.path_parameters or {}).items()):
        place = parts.index(f"{{{name}}}") if f"{{{name}}}" in parts else 0
        known = THINGS.get("/".join(parts[:place]))
        if known and _is_id(value) and _chance(value + case.operation.label, 0.8):
            case.path_parameters[name] = known[zlib.crc32(str(value).encode()) % len(known)]
        if name == "number" and _chance(value, 0.8):
            case.path_parameters[name] = 1
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.body, dict):
        _mend(case.body)
    for given in (case.query, case.headers):
        for name in ("fields", "workspace", "If-Match", "Idempotency-Key"):
            if given and name in given and _chance(given[name], 0.9):
                del given[name]
        if given and "timezone" in given:
            given["timezone"] = _usual("timezone", given["timezone"])


INSTANT = re.compile(r"(?i)\d(z|[+-]\d\d:\d\d)$")
USUAL = {
    "timezone": "Europe/Berlin", "at": "2027-03-28T02:30:00", "start": "2026-12-01T09:00", "until": "2027-12-01",
    "end": "2026-12-02T09:00", "expression": "0 9 * * 1-5", "rrule": "FREQ=DAILY;COUNT=5", "content_type": "text",
    "campaign": "", "platform": "sandbox",
}  # fmt: skip


def _usual(name: str, value: str) -> str:
    """What people write there, mostly. Instants stay: some addresses take an instant where others take a local time."""
    return USUAL[name] if _chance(value + name, 0.75) and not INSTANT.search(value) else value


def _mend(body: dict[str, Any]) -> None:
    """Accounts and versions that are there, zones that exist, rules that can be read: mostly."""
    for name in USUAL:
        if isinstance(body.get(name), str):
            body[name] = _usual(name, body[name])
    if isinstance(body.get("rule"), dict):
        _mend(body["rule"])
    if isinstance(body.get("workspace"), str) and _chance(body["workspace"], 0.9):
        del body["workspace"]
    if isinstance(body.get("content"), dict):
        _mend(body["content"])
    if isinstance(body.get("media"), list) and _chance(body["media"], 0.8):
        body["media"] = THINGS.get("media", [])[:1]
    if isinstance(body.get("content"), str) and THINGS.get("content"):
        body["content"] = THINGS["content"][0]
    accounts, known = body.get("accounts"), THINGS.get("accounts", [])
    for place, item in enumerate(accounts if isinstance(accounts, list) and known else []):
        if isinstance(item, str) and _is_id(item):
            accounts[place] = known[place % len(known)]
        elif isinstance(item, dict) and _is_id(item.get("id")):
            item["id"] = known[place % len(known)]
    if "version" in body and _chance(body["version"], 0.7):
        body["version"] = 1


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _chance(value: Any, share: float) -> bool:
    """By the value itself, so that a run with the same seed is the same run."""
    return zlib.crc32(repr(value).encode()) % 100 < share * 100


class RefusedByShape(Failure):
    """A request that the schema allows was refused for the shape of a value."""


@schemathesis.check
def refused_by_meaning_alone(ctx: CheckContext, response: Response, case: Any) -> bool | None:
    if response.status_code != 422 or case.meta is None or not case.meta.generation.mode.is_positive:
        return None
    errors = response.json()["errors"]
    # `unknown` is said of platforms too: those that exist are the installation's
    errors = [item for item in errors if not (item["code"] == "unknown" and item["field"] == "platform")]
    # the values of a filter are those of the list's query, which stand there
    errors = [item for item in errors if not item["field"].startswith("filter.")]
    if shapes := [
        f"{item['field']}: {item['message']} ({item['code']})" for item in errors if item["code"] in OF_SHAPE
    ]:
        raise RefusedByShape(
            operation=case.operation.label, title="The schema allows what is refused", message="\n".join(shapes)
        )
    return None
