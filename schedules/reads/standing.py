"""How an account stands: circuit, next try, last error, sign-in, budgets and what is left of them, forecasts.

For the account's page and the API. A fixed number of queries for any number of accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from platforms.contracts import Scope
from platforms.limits import Taken
from platforms.models import PlatformAccount, RefreshState
from platforms.services import admission
from schedules.reads.forecast import Forecast, forecasts, next_try


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLeft:
    """One budget: `left` of `capacity` calls can be made now; the capacity is for any `period_seconds`."""

    scope: Scope
    name: str
    capacity: int
    left: int
    period_seconds: float
    period: str

    @property
    def used(self) -> int:
        return self.capacity - self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """state: `answers`, `down` (the account's calls fail) or `service_down` (those of several accounts do).

    next_try_at and not_before_at are aware UTC, None where nothing is waited for; expires_at: of the sign-in, if known.
    """

    state: str
    service: str
    failures: int
    last_error: str
    next_try_at: datetime | None
    not_before_at: datetime | None
    expires_at: datetime | None
    refresh_state: str
    refresh_label: str
    refresh_error: str
    budgets: tuple[BudgetLeft, ...]
    forecasts: tuple[Forecast, ...]

    @property
    def can_be_tried(self) -> bool:
        """Would "Try now" change anything?"""
        return self.state != "answers" or self.refresh_state == RefreshState.FAILING


def standings(accounts: Iterable[PlatformAccount], now: datetime) -> dict[int, Standing]:
    """By account id. The rows need `circuit` and `service` loaded."""
    rows = list(accounts)
    limited = [row for row in rows if any(admission.buckets(row))]
    stored = admission.stored(limited) if limited else {}
    told = forecasts(rows, now)
    return {row.pk: _standing(row, stored, told.get(row.pk, ()), now) for row in rows}


def _standing(
    account: PlatformAccount,
    stored: Mapping[tuple[int | str, str], Taken],
    told: tuple[Forecast, ...],
    now: datetime,
) -> Standing:
    service, circuit = account.service, getattr(account, "circuit", None)
    down = service is not None and service.state != "closed"
    failing = service if down else circuit
    later = account.not_before_at is not None and account.not_before_at > now
    return Standing(
        state="service_down" if down else "down" if circuit is not None and circuit.state != "closed" else "answers",
        service=service.label if service is not None else "",
        failures=failing.failures if failing is not None else 0,
        last_error=failing.last_error if failing is not None else "",
        next_try_at=next_try(account)[0],
        not_before_at=account.not_before_at if later else None,
        expires_at=account.credentials_expire_at,
        refresh_state=account.refresh_state,
        refresh_label=RefreshState(account.refresh_state).label,
        refresh_error=account.refresh_error,
        budgets=tuple(
            BudgetLeft(
                scope=purse.scope,
                name=purse.name.removeprefix("platform:"),
                capacity=purse.bucket.capacity,
                left=purse.bucket.left(stored.get(admission.key_of(account, purse), ()), now),
                period_seconds=round(purse.bucket.period_seconds, 3),
                period=admission.period_words(purse.bucket.period_seconds),
            )
            for purse in admission.buckets(account)
        ),
        forecasts=told,
    )
