"""What the answers of a batch of calls mean for the next ones: circuits open and close, limits hold back.

Rows are locked in the order in which `admission` changes them (accounts, budgets, services, circuits), so that two
transactions never wait for each other in a ring.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from django.db.models import Q

from alwrity_scheduler.core.events import ENGINE, Fact, emit, unit
from platforms import circuit as breaker
from platforms.contracts import CallResult, Recovered
from platforms.models import CircuitState, PlatformAccount, RateWindow, Service
from platforms.services.admission import Purse, buckets, key_of, new_window, swap_window, taken, value_of, windows_of

DEFAULT_RATE_PAUSE_SECONDS = 60.0
STORED = ["state", "failures", "opened_at", "retry_at", "last_error"]
_MARKED = Q(circuit__failures__gt=0) | ~Q(circuit__state="closed") & Q(circuit__isnull=False)
_SERVICE_MARKED = Q(service__failures__gt=0) | Q(service__state__in=Service.OPEN_STATES)


Row = TypeVar("Row", CircuitState, Service)


class Change(NamedTuple):
    """A circuit before and after a batch of results."""

    row: CircuitState | Service
    old: breaker.Circuit
    new: breaker.Circuit

    @property
    def crossed(self) -> bool:
        return (self.old.state == "closed") != (self.new.state == "closed")

    @property
    def closed(self) -> bool:
        return self.crossed and self.new.state == "closed"


def settle(results: Sequence[CallResult], now: datetime) -> Recovered:
    """Record a batch of outcomes; says whose platform answers again. `now` is aware UTC.

    One query when nothing changes (successes on clean circuits), a fixed number otherwise. Results of one account, and
    of one service, are applied in their order.
    """
    ids = {result.account_id for result in results}
    failed = {result.account_id for result in results if result.error_class in breaker.FAILURES}
    told = [item for item in results if item.error_class == "rate_limited" or _tells(item)]
    marked = set(
        PlatformAccount.objects.filter(_MARKED | _SERVICE_MARKED, pk__in=ids).order_by().values_list("pk", flat=True)
    )
    touched = failed | marked
    if not touched and not told:
        return Recovered()
    with unit():
        if told:
            _honour(told, now)
        if not touched:
            return Recovered()
        concerned = [result for result in results if result.account_id in touched]
        places = dict(PlatformAccount.objects.filter(pk__in=touched).values_list("pk", "service_id"))
        services = _service_changes(concerned, places, now)
        circuits = _account_changes(concerned, places, now)
        recovered = _let_go(services, circuits, now)
        emit(*_facts(circuits, now), *_service_facts(services, now))
    return recovered


def probe_soon(*, account_id: int, now: datetime) -> bool:
    """Let the next call test the account's platform at once. False when no circuit waits for its time."""
    waiting = {"state": "open", "retry_at__gt": now}
    services = Service.objects.filter(accounts=account_id, **waiting).update(retry_at=now)
    return bool(CircuitState.objects.filter(account_id=account_id, **waiting).update(retry_at=now) + services)


def _tells(result: CallResult) -> bool:
    return result.rate is not None and result.rate.remaining is not None


def _account_changes(results: Sequence[CallResult], places: Mapping[int, int | None], now: datetime) -> list[Change]:
    CircuitState.objects.bulk_create([CircuitState(account_id=pk) for pk in sorted(places)], ignore_conflicts=True)
    rows = CircuitState.objects.select_for_update().filter(account_id__in=places).order_by("account_id")
    changes, changed = [], []
    for row in rows:
        old = new = value_of(row)
        for result in results:
            if result.account_id == row.account_id:
                new = breaker.after(new, result.error_class, result.message[:500], now)
        if new != old:
            changes.append(Change(row, old, new))
            changed.append(_stored(row, new))
    CircuitState.objects.bulk_update(changed, STORED)
    return changes


def _service_changes(results: Sequence[CallResult], places: Mapping[int, int | None], now: datetime) -> list[Change]:
    rows = Service.objects.select_for_update().filter(pk__in={pk for pk in places.values() if pk}).order_by("pk")
    changes, changed = [], []
    for row in rows:
        old = new = value_of(row)
        for result in results:
            if places.get(result.account_id) == row.pk:
                new = breaker.after_call_of(result.account_id, new, result.error_class, result.message[:500], now)
        if new != old:
            row.failed_accounts = sorted(new.failed)
            changes.append(Change(row, old, new))
            changed.append(_stored(row, new))
    Service.objects.bulk_update(changed, [*STORED, "failed_accounts"])
    return changes


def _stored(row: Row, new: breaker.Circuit) -> Row:
    row.state, row.failures, row.opened_at = new.state, new.failures, new.opened_at
    row.retry_at, row.last_error = new.retry_at, new.last_error
    return row


def _let_go(services: Iterable[Change], circuits: Iterable[Change], now: datetime) -> Recovered:
    """A service that answers lets the circuits of its accounts be tried at once, each by a probe of its own."""
    up = frozenset(change.row.pk for change in services if change.closed)
    if up:
        waiting = CircuitState.objects.filter(account__service_id__in=up, state="open", retry_at__gt=now)
        waiting.update(retry_at=now)
    accounts = frozenset(
        change.row.account_id for change in circuits if change.closed and isinstance(change.row, CircuitState)
    )
    return Recovered(account_ids=accounts, service_ids=up)


def _honour(results: Sequence[CallResult], now: datetime) -> None:
    """Keep away for as long as the platforms asked, and believe to have no more left than they say."""
    rows = PlatformAccount.objects.filter(pk__in={result.account_id for result in results})
    accounts = {row.pk: row for row in rows.defer("credentials", "options").order_by("pk")}
    until: dict[int, datetime] = {}
    for result in results:
        pause = _pause_seconds(result)
        if pause and (account := accounts.get(result.account_id)):
            for pk in _sharing(account, result):
                until[pk] = max(now + timedelta(seconds=pause), until.get(pk, now))
    _hold_back(until)
    _lower(accounts, [result for result in results if _tells(result)], now)


def _pause_seconds(result: CallResult) -> float:
    rate = result.rate
    spent = (rate.reset_seconds or 0.0) if rate is not None and rate.remaining == 0 else 0.0
    if result.error_class != "rate_limited":
        return spent
    asked = result.retry_after_seconds
    if asked is None:
        return spent or DEFAULT_RATE_PAUSE_SECONDS
    return max(asked, spent)


def _sharing(account: PlatformAccount, result: CallResult) -> list[int]:
    """Whom the pause concerns: the account, or all that share the app whose quota is spent."""
    if result.rate is None or result.rate.scope == "account" or not account.app_key:
        return [account.pk]
    same = PlatformAccount.objects.filter(app_key=account.app_key).exclude(app_key="")
    return list(same.order_by("pk").values_list("pk", flat=True))


def _hold_back(until: dict[int, datetime]) -> None:
    """Never shorten an earlier wish."""
    rows = list(PlatformAccount.objects.filter(pk__in=until).only("pk", "not_before_at").order_by("pk"))
    for row in rows:
        row.not_before_at = max(until[row.pk], row.not_before_at or until[row.pk])
    if rows:
        PlatformAccount.objects.bulk_update(rows, ["not_before_at"])


def _lower(accounts: dict[int, PlatformAccount], results: Sequence[CallResult], now: datetime) -> None:
    limited = {pk: purses for pk, row in accounts.items() if (purses := list(buckets(row)))}
    if not limited or not results:
        return
    stored = {
        (row.account_id or row.app_key, row.name): row
        for row in windows_of(accounts[pk] for pk in limited).order_by("id")
    }
    for result in results:
        account, rate = accounts.get(result.account_id), result.rate
        if account is None or rate is None:
            continue
        for purse in limited.get(account.pk, ()):
            if purse.scope == rate.scope:
                window = stored.get(key_of(account, purse)) or new_window(account, purse, now)
                _lower_one(window, purse, rate.remaining or 0, rate.reset_seconds, now)


def _lower_one(window: RateWindow, purse: Purse, left: int, reset_seconds: float | None, now: datetime) -> None:
    state = taken(window)
    reset = purse.bucket.period_seconds if reset_seconds is None else reset_seconds
    lowered = purse.bucket.at_most(state, left, now, reset)
    if lowered == state:
        return
    if window._state.adding:
        window.taken, window.tokens = [list(slot) for slot in lowered], purse.bucket.left(lowered, now)
        RateWindow.objects.bulk_create([window], ignore_conflicts=True)
    else:
        # whoever took a token in between wins; the next answer says the same again
        swap_window(window, purse.bucket, lowered, now)


def _facts(changes: Iterable[Change], now: datetime) -> Iterator[Fact]:
    crossed = {change.row.account_id: change for change in changes if change.crossed}  # type: ignore[union-attr]
    if not crossed:
        return
    accounts = PlatformAccount.objects.filter(pk__in=crossed).defer("credentials", "options").order_by("pk")
    for account in accounts:
        yield _fact(crossed[account.pk], now, "account", str(account.public_id), account.name, account.workspace_id)


def _service_facts(changes: Iterable[Change], now: datetime) -> Iterator[Fact]:
    """One in each workspace that has accounts there: its people read about it in their own history."""
    for change in changes:
        if change.crossed and isinstance(change.row, Service):
            rooms = PlatformAccount.objects.filter(service=change.row).exclude(state="disconnected")
            for room in rooms.order_by("workspace_id").values_list("workspace_id", flat=True).distinct():
                yield _fact(change, now, "service", change.row.key[:64], change.row.label, room)


def _fact(change: Change, now: datetime, object_type: str, object_id: str, label: str, workspace_id: int) -> Fact:
    old, new = change.old, change.new
    return Fact(
        name="circuit.closed" if new.state == "closed" else "circuit.opened",
        at=now,
        actor=ENGINE,
        object_type=object_type,
        object_id=object_id,
        object_label=label,
        workspace_id=workspace_id,
        before={"state": old.state, "failures": old.failures},
        after={
            "state": new.state,
            "failures": new.failures,
            "retry_at": new.retry_at.isoformat() if new.retry_at else None,
            "error": new.last_error,
        },
    )
