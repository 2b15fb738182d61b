"""One shape of fact: who did what to which thing, before and after.

Services call `emit` as the LAST step of their transaction. Where facts go is decided above: `schedules` registers
the audit log as the sink. Keeping this the last step also keeps the order of row locks the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: kind is `user`, `token`, `engine` or `command`; label is what people read in the history."""

    kind: str
    label: str
    id: str = ""
    request_id: str = ""


ENGINE = Actor(kind="engine", label="Scheduler")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A change that happened, named in dotted past tense (`job.completed`). before/after hold JSON values, no secrets."""

    name: str
    at: datetime
    actor: Actor
    object_type: str
    object_id: str
    object_label: str = ""
    workspace_id: int | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


Sink = Callable[[Sequence[Fact]], None]
_sinks: list[Sink] = []


def subscribe(sink: Sink) -> None:
    """Register a consumer that runs inside the emitting transaction. Called from wiring only."""
    if sink not in _sinks:
        _sinks.append(sink)


def emit(*facts: Fact) -> None:
    """Hand the facts to every sink, in the caller's transaction, in order."""
    if not facts:
        return
    for sink in _sinks:
        sink(facts)
