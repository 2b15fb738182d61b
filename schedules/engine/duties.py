"""What the engine does now and then. Whoever comes first does it: the compare-and-set on `next_at` lets one through.

APScheduler calls `run_duty` at each duty's cadence, and each pass runs what is overdue, so that a dead APScheduler
changes nothing but the punctuality. A duty must be idempotent and bounded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.registry import Registry
from schedules.engine.tables import Duty

logger = logging.getLogger(__name__)
PATIENCE = timedelta(seconds=2)  # how long a pass leaves an overdue duty to APScheduler


@dataclass(frozen=True, slots=True)
class DutyKind:
    """A duty's function (called with the database's now; answers in words what it did) and its first cadence in seconds."""

    run: Callable[[datetime], str]
    every_seconds: int


duties: Registry[DutyKind] = Registry("duty")


def ensure_rows(now: datetime) -> None:
    """One row a registered duty; an operator's cadence and switch stay as they are."""

    Duty.objects.bulk_create(
        [Duty(name=name, every_seconds=kind.every_seconds, next_at=now) for name, kind in duties.items()],
        ignore_conflicts=True,
    )


def run_duty(name: str) -> bool:
    """APScheduler's door: run the duty if it is due. True if this call was the one that did."""
    return _run(name, clock.database_now(), slack=timedelta(seconds=1))


def run_overdue(now: datetime) -> int:
    """Run what nobody has run although it was due a while ago, and what has never run. Returns how many ran here."""

    names = (
        Duty.objects.filter(enabled=True, next_at__lte=now - PATIENCE)
        .order_by("next_at", "id")
        .values_list("name", flat=True)
    )
    return sum(_run(name, now) for name in names)


def _run(name: str, now: datetime, slack: timedelta = timedelta()) -> bool:

    kind = duties.get(name)
    row = Duty.objects.filter(name=name, enabled=True, next_at__lte=now + slack).first()
    if kind is None or row is None:
        return False
    next_at = now + timedelta(seconds=row.every_seconds)
    if not Duty.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=next_at, last_run_at=now):
        return False
    began = clock.monotonic()
    try:
        result = kind.run(now)
    except Exception as error:
        # the edge: one duty that fails must not end the loop; it says so on its row and comes again
        logger.exception("Duty %s failed.", name, extra={"action": "duty_failed", "duty": name})
        result = f"failed: {error}"
    Duty.objects.filter(pk=row.pk).update(
        last_result=result[:300], last_duration_ms=int((clock.monotonic() - began) * 1000)
    )
    return True
