"""The audit log's only writer, and its verification. Facts arrive through core.events, inside the emitting transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from alwrity_scheduler.core.events import Fact
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
    AuditChain.objects.bulk_create([AuditChain(chain=chain)], ignore_conflicts=True)
    ends = AuditChain.objects.filter(pk=chain)
    end = (ends.select_for_update() if connection.features.has_select_for_update else ends).get()
    rows = []
    for fact in facts:
        row = _row(chain, end.length + 1, end.hash, fact)
        end.length, end.hash = row.seq, row.hash
        rows.append(row)
    AuditLog.objects.bulk_create(rows)
    ends.update(length=end.length, hash=end.hash)


def _row(chain: int, seq: int, previous_hash: str, fact: Fact) -> AuditLog:
    row = AuditLog(
        chain=chain,
        seq=seq,
        workspace_ref=fact.workspace_id,
        at=fact.at,
        action=fact.name,
        actor_kind=fact.actor.kind,
        actor_id=fact.actor.id[:64],
        actor_label=fact.actor.label[:150],
        object_type=fact.object_type,
        object_id=fact.object_id,
        object_label=fact.object_label[:300],
        # through JSON and back: what is hashed now must be what is read later
        before=json.loads(json.dumps(dict(fact.before), cls=DjangoJSONEncoder)),
        after=json.loads(json.dumps(dict(fact.after), cls=DjangoJSONEncoder)),
        request_id=fact.actor.request_id[:64],
        previous_hash=previous_hash,
    )
    row.hash = digest(row)
    return row


def digest(row: AuditLog) -> str:
    """SHA-256 over the row's content and the hash before it, as canonical JSON."""
    content = [
        row.chain, row.seq, row.workspace_ref, row.at.astimezone(UTC).isoformat(), row.action, row.actor_kind, row.actor_id,
        row.actor_label, row.object_type, row.object_id, row.object_label, row.before, row.after, row.request_id, row.previous_hash,
    ]  # fmt: skip
    return hashlib.sha256(
        json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).hexdigest()


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
