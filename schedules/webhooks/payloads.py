"""What is sent: an event as the catalogue has it, cut so that it fits, and the text of it that is signed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from schedules.models import AuditLog
from schedules.webhooks.rules import MOST_BYTES, TEST_EVENT

LONGEST_VALUE = 500


def event_id(fact: AuditLog) -> str:
    """The fact's own name, the same however often it is sent. Holds no dot, because dots part what is signed."""
    return f"evt_{UUID(fact.hash[:32]).hex}"


def test_payload(
    *, public_id: UUID, label: str, workspace: str, actor: Mapping[str, str], at: datetime
) -> dict[str, Any]:
    return {
        "type": TEST_EVENT,
        "timestamp": utc(at),
        "data": {
            "id": f"test-{public_id.hex}",
            "workspace": workspace,
            "object": {"type": "webhook", "id": str(public_id), "label": label},
            "actor": dict(actor),
            "before": {},
            "after": {"message": "This is a test. Nothing has happened."},
        },
    }


def body_of(event: Mapping[str, Any]) -> str:
    """The exact text, of at most MOST_BYTES. What does not fit is cut, and `data.truncated` says so."""
    text = _text(event)
    if len(text.encode()) <= MOST_BYTES:
        return text
    data = {**event["data"], "truncated": True}
    data |= {name: _short(data.get(name)) for name in ("before", "after", "object", "actor")}
    text = _text({**event, "data": data})
    if len(text.encode()) <= MOST_BYTES:
        return text
    return _text({**event, "data": {**data, "before": {}, "after": {}}})


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_VALUE else f"{value[:LONGEST_VALUE]}…"
    if isinstance(value, Mapping):
        return {name: _short(item) for name, item in value.items()}
    return [_short(item) for item in value] if isinstance(value, list) else value


def _text(event: Mapping[str, Any]) -> str:
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    # half a surrogate pair, which a database may hold, has no form in UTF-8
    return text.encode("utf-8", "replace").decode()


def utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
