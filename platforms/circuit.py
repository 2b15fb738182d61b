"""The breaker: after a row of failures an account is left alone for a while, then tried with one call. Pure.

Closed lets everything through; open nothing until `retry_at`; half-open one probe, whose answer decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

OPENS_AFTER = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
# A probe whose process died never reports; after this another one may go. Longer than any call's deadline.
PROBE_PATIENCE = timedelta(minutes=2)
FAILURES = frozenset({"unavailable", "unknown"})
State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """failures: in a row. retry_at (aware UTC): when a probe may go, or when a lost probe is given up."""

    state: State = "closed"
    failures: int = 0
    opened_at: datetime | None = None
    retry_at: datetime | None = None
    last_error: str = ""


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
    """The circuit after a call. A refusal is an answer: it never opens, and it closes a half-open circuit."""
    if error_class is None:
        return CLEAN
    if error_class not in FAILURES:
        return CLEAN if circuit.state == "half_open" else circuit
    if circuit.state == "open":
        return circuit  # a call from before it opened
    failures = circuit.failures + 1
    if failures < OPENS_AFTER:
        return Circuit(failures=failures, last_error=message)
    return Circuit(
        state="open",
        failures=failures,
        opened_at=circuit.opened_at or now,
        retry_at=now + wait_after(failures),
        last_error=message,
    )


def wait_after(failures: int) -> timedelta:
    """30 s at the fifth failure in a row, doubling with each failed probe, at most 15 minutes."""
    doublings = min(max(failures - OPENS_AFTER, 0), 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
