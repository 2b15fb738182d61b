"""What the answers of a batch of calls mean for the next ones: circuits open and close, rate limits hold back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from alwrity_scheduler.core.events import ENGINE, Fact, emit, unit
from platforms import circuit as breaker
from platforms.contracts import CallResult
from platforms.models import CircuitState, PlatformAccount
from platforms.services.admission import value_of

DEFAULT_RATE_PAUSE_SECONDS = 60.0


def settle(results: Sequence[CallResult], now: datetime) -> None:
    """Record a batch of outcomes. One query when nothing changes (successes on clean circuits), at most six otherwise.

    Results of one account are applied in their order. `now` is aware UTC.
    """
    ids = {result.account_id for result in results}
    limited = {result.account_id: result for result in results if result.error_class == "rate_limited"}
    failed = {result.account_id for result in results if result.error_class in breaker.FAILURES}
    marked = set(
        CircuitState.objects.filter(account_id__in=ids)
        .exclude(state="closed", failures=0)
        .values_list("account_id", flat=True)
    )
    touched = failed | marked
    if not touched and not limited:
        return
    with unit():
        changes = _new_circuits([result for result in results if result.account_id in touched], now) if touched else {}
        _hold_back(limited, now)
        emit(*_facts(changes, now))


def _new_circuits(results: Sequence[CallResult], now: datetime) -> dict[int, tuple[breaker.Circuit, breaker.Circuit]]:
    ids = {result.account_id for result in results}
    existing = set(PlatformAccount.objects.filter(pk__in=ids).values_list("pk", flat=True))
    CircuitState.objects.bulk_create([CircuitState(account_id=pk) for pk in sorted(existing)], ignore_conflicts=True)
    rows = {
        row.account_id: row
        for row in CircuitState.objects.select_for_update().filter(account_id__in=ids).order_by("account_id")
    }
    changes: dict[int, tuple[breaker.Circuit, breaker.Circuit]] = {}
    for pk, row in rows.items():
        old = new = value_of(row)
        for result in results:
            if result.account_id == pk:
                new = breaker.after(new, result.error_class, result.message[:500], now)
        if new != old:
            changes[pk] = (old, new)
            row.state, row.failures, row.opened_at = new.state, new.failures, new.opened_at
            row.retry_at, row.last_error = new.retry_at, new.last_error
    CircuitState.objects.bulk_update(
        [rows[pk] for pk in changes], ["state", "failures", "opened_at", "retry_at", "last_error"]
    )
    return changes


def _hold_back(limited: dict[int, CallResult], now: datetime) -> None:
    """Keep away from each account for as long as its platform asked, and never shorten an earlier wish."""
    rows = list(PlatformAccount.objects.filter(pk__in=limited).only("pk", "not_before_at").order_by("pk"))
    for row in rows:
        wait = limited[row.pk].retry_after_seconds
        until = now + timedelta(seconds=DEFAULT_RATE_PAUSE_SECONDS if wait is None else wait)
        row.not_before_at = max(until, row.not_before_at or until)
    if rows:
        PlatformAccount.objects.bulk_update(rows, ["not_before_at"])


def _facts(changes: dict[int, tuple[breaker.Circuit, breaker.Circuit]], now: datetime) -> Iterator[Fact]:
    crossed = {pk: pair for pk, pair in changes.items() if (pair[0].state == "closed") != (pair[1].state == "closed")}
    if not crossed:
        return
    accounts = PlatformAccount.objects.filter(pk__in=crossed).defer("credentials", "options").order_by("pk")
    for account in accounts:
        old, new = crossed[account.pk]
        yield Fact(
            name="circuit.closed" if new.state == "closed" else "circuit.opened",
            at=now,
            actor=ENGINE,
            object_type="account",
            object_id=str(account.public_id),
            object_label=account.name,
            workspace_id=account.workspace_id,
            before={"state": old.state, "failures": old.failures},
            after={
                "state": new.state,
                "failures": new.failures,
                "retry_at": new.retry_at.isoformat() if new.retry_at else None,
                "error": new.last_error,
            },
        )
