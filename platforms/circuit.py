"""The breaker: after a row of failures an account, or a whole service, is left alone for a while, then tried with one
call. Pure.

Closed lets everything through; open nothing until `retry_at`; half-open one probe, whose answer decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

OPENS_AFTER = 5
SEVERAL = 2  # a service is called down only when this many of its accounts failed in the row
MOST_NAMED = 20
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
# A probe whose process died never reports; after this another one may go. Longer than any call's deadline.
PROBE_PATIENCE = timedelta(minutes=2)
FAILURES = frozenset({"unavailable", "unknown"})
State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """failures: in a row, and `failed`: the accounts they were on (a service's circuit alone keeps them).
    retry_at (aware UTC): when a probe may go, or when a lost probe is given up."""

    state: State = "closed"
    failures: int = 0
    opened_at: datetime | None = None
    retry_at: datetime | None = None
    last_error: str = ""
    failed: frozenset[int] = frozenset()


CLEAN = Circuit()


def is_waiting(circuit: Circuit, now: datetime) -> bool:
    """Must calls still wait? They may ask again at `retry_at`."""
    return circuit.state != "closed" and circuit.retry_at is not None and now < circuit.retry_at


def probing(circuit: Circuit, now: datetime) -> Circuit:
    """The circuit once one probe was let through. Whoever stores this by compare-and-set owns the probe."""
    return replace(circuit, state="half_open", retry_at=now + PROBE_PATIENCE)


def unprobed(circuit: Circuit, now: datetime) -> Circuit:
    """The probe was not sent after all: the next may go at once."""
    return replace(circuit, state="open", retry_at=now)


def after(circuit: Circuit, error_class: str | None, message: str, now: datetime) -> Circuit:
    """An account's circuit after a call. A refusal is an answer: it never opens, and it closes a half-open circuit."""
    return _after(circuit, error_class, message, now, frozenset(), several=0)


def after_call_of(account_id: int, circuit: Circuit, error_class: str | None, message: str, now: datetime) -> Circuit:
    """A service's circuit after a call of one of its accounts. One account alone never opens it."""
    failed = circuit.failed if len(circuit.failed) >= MOST_NAMED else circuit.failed | {account_id}
    return _after(circuit, error_class, message, now, failed, several=SEVERAL)


def _after(
    circuit: Circuit, error_class: str | None, message: str, now: datetime, failed: frozenset[int], *, several: int
) -> Circuit:
    if error_class is None:
        return CLEAN
    if error_class not in FAILURES:
        return CLEAN if circuit.state == "half_open" else circuit
    if circuit.state == "open":
        return circuit  # a call from before it opened
    failures = circuit.failures + 1
    if circuit.state == "closed" and (failures < OPENS_AFTER or len(failed) < several):
        return Circuit(failures=failures, last_error=message, failed=failed)
    return Circuit(
        state="open",
        failures=failures,
        opened_at=circuit.opened_at or now,
        retry_at=now + wait_after(failures),
        last_error=message,
        failed=failed,
    )


def wait_after(failures: int) -> timedelta:
    """30 s at the fifth failure in a row, doubling with each failed probe, at most 15 minutes."""
    doublings = min(max(failures - OPENS_AFTER, 0), 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
