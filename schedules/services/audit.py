"""The audit log's only writer, and its verification. Facts arrive through core.events, inside the emitting transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from alwrity_scheduler.core.events import Fact
from schedules.engine import rows
from schedules.models import AuditChain, AuditLog

GENERAL_CHAIN = 0


def record(facts: Sequence[Fact]) -> None:
    """Append the facts to their workspaces' chains. Must be the last step of the transaction: it locks the chains' ends."""
    by_chain: dict[int, list[Fact]] = {}
    for fact in facts:
        by_chain.setdefault(fact.workspace_id or GENERAL_CHAIN, []).append(fact)
    for chain in sorted(by_chain):
        _append(chain, by_chain[chain])


def _append(chain: int, facts: Sequence[Fact]) -> None:
    ends = AuditChain.objects.filter(pk=chain)
    locked = ends.select_for_update() if connection.features.has_select_for_update else ends
    end = locked.first()
    if end is None:
        AuditChain.objects.bulk_create([AuditChain(chain=chain)], ignore_conflicts=True)
        end = locked.get()
    length, previous, written = end.length, end.hash, []
    for fact in facts:
        length += 1
        content = _content(chain, length, previous, fact)
        previous = _digest(content)
        written.append((*content, previous))
    rows.insert(AuditLog, COLUMNS, written)
    ends.update(length=length, hash=previous)


# the columns of a row, in the order in which its hash covers them
COVERED = (
    "chain", "seq", "workspace_ref", "at", "action", "actor_kind", "actor_id", "actor_label", "object_type", "object_id",
    "object_label", "before", "after", "request_id", "previous_hash",
)  # fmt: skip
COLUMNS = (*COVERED, "hash")
_AT = COVERED.index("at")
_PLAIN = (str, int, type(None))


def _content(chain: int, seq: int, previous_hash: str, fact: Fact) -> tuple[Any, ...]:
    actor = fact.actor
    return (
        chain, seq, fact.workspace_id, fact.at, fact.name, actor.kind, actor.id[:64], actor.label[:150], fact.object_type,
        fact.object_id, fact.object_label[:300], _as_read(fact.before), _as_read(fact.after), actor.request_id[:64], previous_hash,
    )  # fmt: skip


def _as_read(values: Mapping[str, Any]) -> dict[str, Any]:
    """Through JSON and back: what is hashed now must be what is read later."""
    if all(isinstance(value, _PLAIN) for value in values.values()):
        return dict(values)
    plain: dict[str, Any] = json.loads(json.dumps(dict(values), cls=DjangoJSONEncoder))
    return plain


def digest(row: AuditLog) -> str:
    """SHA-256 over the row's content and the hash before it, as canonical JSON."""
    return _digest([getattr(row, name) for name in COVERED])


def _digest(content: Sequence[Any]) -> str:
    plain = [*content[:_AT], content[_AT].astimezone(UTC).isoformat(), *content[_AT + 1 :]]
    return hashlib.sha256(_canonical(plain).encode()).hexdigest()


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold: the place in it, and what is wrong there."""

    chain: int
    seq: int
    message: str


def verify() -> Iterator[Break]:
    """Walk every chain; yield each break. Memory stays flat; reads as one stream a chain."""
    known = set(AuditChain.objects.values_list("pk", flat=True))
    known |= set(AuditLog.objects.order_by().values_list("chain", flat=True).distinct())
    for chain in sorted(known):
        yield from _verify_chain(chain)


def _verify_chain(chain: int) -> Iterator[Break]:
    expected, previous = 1, ""
    for row in AuditLog.objects.filter(chain=chain).order_by("seq").iterator(chunk_size=2000):
        if row.seq != expected:
            missing = str(expected) if row.seq == expected + 1 else f"{expected} to {row.seq - 1}"
            yield Break(chain, expected, f"row {missing} is missing")
        elif row.previous_hash != previous:
            yield Break(chain, row.seq, "the row before it was changed or replaced")
        if digest(row) != row.hash:
            yield Break(chain, row.seq, f"row was changed: {row.action} of {row.at.isoformat()} (id {row.pk})")
        expected, previous = row.seq + 1, row.hash
    end = AuditChain.objects.filter(pk=chain).first()
    if end is None:
        yield Break(chain, expected - 1, "the record of the chain's end is missing")
    elif end.length >= expected:
        yield Break(chain, expected, f"rows {expected} to {end.length} at the end are missing")
    elif end.hash != previous:
        yield Break(chain, expected - 1, "the last row is not the one that was written last")
