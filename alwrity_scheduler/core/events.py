"""One shape of fact: who did what to which thing, before and after.

Services run inside `unit()` and call `emit`. Where facts go is decided above: `schedules` registers the audit log
as the sink. The outermost unit hands its facts over as the last thing before its commit, so that the end of the
audit chain is always the last row to be locked: locks taken in one order cannot wait for each other in a ring.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: kind is `user`, `token`, `engine` or `command`; label is what people read in the history.

    is_limited: there are accounts that they may not touch, so each of their facts is looked at before it is kept.
    """

    kind: str
    label: str
    id: str = ""
    request_id: str = ""
    is_limited: bool = False


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
# asked before the sinks, about what limited actors did; a guard raises, and nothing has happened
_guards: list[Sink] = []


def subscribe(sink: Sink) -> None:
    """Register a consumer that runs inside the emitting transaction. Called from wiring only."""
    if sink not in _sinks:
        _sinks.append(sink)


def guard(check: Sink) -> None:
    """Register a guard: it gets the facts of limited actors, in their transaction, and raises to undo it. From wiring only."""
    if check not in _guards:
        _guards.append(check)


class _Open(threading.local):
    """The facts of the unit that this thread is in; None outside of one."""

    facts: list[Fact] | None = None


_open = _Open()


@contextmanager
def unit() -> Iterator[None]:
    """One transaction and its facts. Nested units join the outermost; also a decorator of services."""
    with transaction.atomic():
        if _open.facts is not None:
            mark = len(_open.facts)
            try:
                yield
            except BaseException:
                # the savepoint is rolled back; what it would have told did not happen
                del _open.facts[mark:]
                raise
            return
        _open.facts = []
        try:
            yield
            _hand_over(_open.facts)
        finally:
            _open.facts = None


def emit(*facts: Fact) -> None:
    """Tell the facts: at the end of the open unit, or at once in the caller's transaction where there is none."""
    if _open.facts is not None:
        _open.facts.extend(facts)
    else:
        _hand_over(facts)


def _hand_over(facts: Sequence[Fact]) -> None:
    if not facts:
        return
    if limited := [fact for fact in facts if fact.actor.is_limited]:
        for check in _guards:
            check(limited)
    for sink in _sinks:
        sink(facts)
