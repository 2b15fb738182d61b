"""May this account be called now? Asked right before each call, and answered by the database, so that the answer
holds across processes (R32): spacing and caps by conditional UPDATE, the circuit's one probe by compare-and-set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet

from platforms import circuit as breaker
from platforms.contracts import Admission, Scope
from platforms.limits import DAY_SECONDS, HOUR_SECONDS, Bucket, Taken
from platforms.models import AccountState, CircuitState, PlatformAccount, RateWindow, Service
from platforms.services.placing import adopt, budgets_of

_GO = Admission(allowed=True)
SIGN_IN_PATIENCE = timedelta(seconds=60)  # a renewal that succeeds lets the posts go at once
PROBE_PAUSE = timedelta(seconds=5)
_RACES = 5
_REASONS = {
    AccountState.PAUSED: "The account is paused.",
    AccountState.NEEDS_AUTH: "The account needs signing in again.",
    AccountState.DISCONNECTED: "The account is disconnected.",
}


class Purse(NamedTuple):
    """One budget: whose, the name of its RateWindow, and its bucket."""

    scope: Scope
    name: str
    bucket: Bucket


# what admission, adapters and facts look at
_FOR_CALLS = (
    "public_id", "workspace_id", "platform", "name", "handle", "timezone", "state", "credentials", "options", "version",
    "min_spacing_seconds", "hourly_cap", "daily_cap", "next_slot_at", "not_before_at", "service_id", "app_key", "budgets",
    "credentials_expire_at", "refresh_state", "signature", "default_hashtags", "utm",
)  # fmt: skip


def for_calls(ids: Iterable[int]) -> dict[int, PlatformAccount]:
    """The accounts by id, with their circuits and services, as `admit` wants them `fresh`. Three queries, however many."""
    accounts = PlatformAccount.objects.only(*_FOR_CALLS).in_bulk(list(ids))
    services = Service.objects.in_bulk({row.service_id for row in accounts.values() if row.service_id})
    circuits = {row.account_id: row for row in CircuitState.objects.filter(account_id__in=accounts)}
    for pk, account in accounts.items():
        # as select_related would leave them, at a third of its cost for the many that share a service and have no circuit
        account._state.fields_cache["service"] = services.get(account.service_id or 0)
        account._state.fields_cache["circuit"] = circuits.get(pk)
    return accounts


def admit(
    accounts: Iterable[PlatformAccount],
    now: datetime,
    *,
    pace: Mapping[int, float] | None = None,
    fresh: bool = False,
) -> dict[int, Admission]:
    """One decision an account, by id; an allowed account has paid for one call. `now` is aware UTC.

    The accounts are read afresh in one query, circuits included, and that is all for those without limits and with
    closed circuits; with `fresh` the caller has just read them, `circuit` and `service` too, and not even that is asked.
    A limited account costs a few more queries, and only it. `pace`: seconds that lie at least between this call and the
    account's next paced one, for posts that waited (R28).
    """
    pace = pace or {}
    rows = {account.pk: account for account in accounts}
    ids = set(rows)
    if not fresh:
        found = PlatformAccount.objects.filter(pk__in=ids).select_related("circuit", "service")
        rows = {row.pk: row for row in found.defer("credentials", "options")}
    answers = {pk: _admit_one(_placed(rows[pk], now), now, pace.get(pk, 0.0)) for pk in sorted(rows)}
    return answers | {
        gone: Admission(allowed=False, reason="The account is gone.", cause="state") for gone in ids - answers.keys()
    }


def give_back(account_ids: Iterable[int], now: datetime) -> None:
    """Undo `admit` for calls that were not made: tokens return, the spacing's slot is free, a probe may go again."""
    ids = list(account_ids)
    limited = (
        Q(min_spacing_seconds__gt=0)
        | Q(next_slot_at__gt=now)
        | Q(hourly_cap__isnull=False)
        | Q(daily_cap__isnull=False)
        | ~Q(budgets=[])
        | Q(circuit__state="half_open")
        | Q(service__state="half_open")
    )
    rows = PlatformAccount.objects.filter(limited, pk__in=ids).select_related("circuit", "service")
    for account in rows.defer("credentials", "options").order_by("id"):
        _refund(account, now)
        for row in (account.service, getattr(account, "circuit", None)):
            if row is not None and row.state == "half_open":
                swap_circuit(row, breaker.unprobed(value_of(row), now))


def buckets(account: PlatformAccount) -> Iterator[Purse]:
    """The account's budgets: its own caps, then those that the platform sets it, then those it shares with its app."""
    if account.hourly_cap:
        yield Purse("account", "hour", Bucket.per(account.hourly_cap, HOUR_SECONDS))
    if account.daily_cap:
        yield Purse("account", "day", Bucket.per(account.daily_cap, DAY_SECONDS))
    for budget in sorted(budgets_of(account), key=lambda item: item.scope):
        bucket = Bucket.per(budget.capacity, budget.period_seconds)
        yield Purse(budget.scope, f"platform:{budget.name}", bucket)


def period_words(seconds: float) -> str:
    """`60 minutes`, `24 hours`, `15 minutes`, `90 seconds`."""
    seconds = round(seconds, 3)
    if seconds >= 2 * HOUR_SECONDS and seconds % HOUR_SECONDS == 0:
        return f"{seconds / HOUR_SECONDS:g} hours"
    return f"{seconds / 60:g} minutes" if seconds >= 120 and seconds % 60 == 0 else f"{seconds:g} seconds"


def windows_of(accounts: Iterable[PlatformAccount]) -> QuerySet[RateWindow]:
    """The stored budgets of these accounts and of their apps."""
    rows = list(accounts)
    apps = {row.app_key for row in rows if row.app_key}
    found: QuerySet[RateWindow] = RateWindow.objects.filter(
        Q(account__in=[row.pk for row in rows]) | Q(app_key__in=apps, account=None)
    )
    return found


def key_of(account: PlatformAccount, purse: Purse) -> tuple[int | str, str]:
    """By which `stored` and `settle` know a budget: whose, and its name."""
    return account.pk if purse.scope == "account" else account.app_key, purse.name


def stored(accounts: Iterable[PlatformAccount]) -> dict[tuple[int | str, str], Taken]:
    """The states of all stored budgets of these accounts and of their apps, in one query."""
    return {(row.account_id or row.app_key, row.name): taken(row) for row in windows_of(accounts)}


def value_of(row: CircuitState | Service | None) -> breaker.Circuit:
    """A row as the pure breaker's value. No row is a clean circuit."""
    if row is None:
        return breaker.CLEAN
    return breaker.Circuit(
        state=row.state,  # type: ignore[arg-type]  # a check constraint holds it to the three
        failures=row.failures,
        opened_at=row.opened_at,
        retry_at=row.retry_at,
        last_error=row.last_error,
        failed=frozenset(row.failed_accounts) if isinstance(row, Service) else frozenset(),
    )


def _placed(account: PlatformAccount, now: datetime) -> PlatformAccount:
    """An account from before there were services is placed at its first call."""
    if account.service_id is None and account.state == AccountState.ACTIVE:
        adopt([account], now)
    return account


def _admit_one(account: PlatformAccount, now: datetime, pace: float) -> Admission:
    if account.state != AccountState.ACTIVE:
        return Admission(allowed=False, reason=_REASONS[AccountState(account.state)], cause="state")
    if is_signed_out(account, now):
        return Admission(
            allowed=False, retry_at=now + SIGN_IN_PATIENCE, reason="Waiting for a fresh sign-in.", cause="sign_in"
        )
    if account.not_before_at is not None and account.not_before_at > now:
        return Admission(
            allowed=False,
            retry_at=account.not_before_at,
            reason="The platform asked to be left alone until then.",
            cause="limit",
        )
    rows = [row for row in (account.service, getattr(account, "circuit", None)) if row is not None]
    for row in rows:
        if breaker.is_waiting(value_of(row), now):
            return Admission(allowed=False, retry_at=row.retry_at, reason=_outage_words(row), cause="outage")
    paid = _pay(account, now, pace)
    if not paid.allowed:
        return paid
    return _probe(account, [row for row in rows if row.state != "closed"], paid, now)


def is_signed_out(account: PlatformAccount, now: datetime) -> bool:
    """Has the sign-in run out, while there is a way to renew it without a person?"""
    expired = account.credentials_expire_at is not None and account.credentials_expire_at <= now
    return expired and bool(account.refresh_state)


def _outage_words(row: CircuitState | Service) -> str:
    if row.state == "half_open":
        return "Another call is testing whether the platform answers."
    if isinstance(row, Service):
        return f"{row.label} does not answer; several accounts are affected: {row.last_error}"
    return f"Too many failures in a row: {row.last_error}"


def _probe(account: PlatformAccount, rows: list[CircuitState | Service], paid: Admission, now: datetime) -> Admission:
    """Become the one call that tests each open circuit; whoever comes second has paid nothing."""
    mine: list[CircuitState | Service] = []
    for row in rows:
        if swap_circuit(row, breaker.probing(value_of(row), now)):
            mine.append(row)
            continue
        for other in mine:
            other.refresh_from_db()
            swap_circuit(other, breaker.unprobed(value_of(other), now))
        _refund(account, now)
        return Admission(
            allowed=False,
            retry_at=now + PROBE_PAUSE,
            reason="Another call is testing whether the platform answers.",
            cause="outage",
        )
    return paid


def _pay(account: PlatformAccount, now: datetime, pace: float) -> Admission:
    """Take the spacing's slot, then one token of each budget; all or nothing."""
    spacing = max(float(account.min_spacing_seconds), pace)
    if spacing and not _take_slot(account, now, spacing):
        at = PlatformAccount.objects.filter(pk=account.pk).values_list("next_slot_at", flat=True).first()
        return Admission(
            allowed=False, retry_at=at, reason=f"At least {spacing:g} s lie between two posts.", cause="limit"
        )
    paid: list[Purse] = []
    for purse in buckets(account):
        wait = _take_token(account, purse, now)
        if wait:
            _refund(account, now, paid)
            return Admission(
                allowed=False, retry_at=now + timedelta(seconds=wait), reason=_budget_words(purse), cause="limit"
            )
        paid.append(purse)
    return _GO


def _refund(account: PlatformAccount, now: datetime, paid: Iterable[Purse] | None = None) -> None:
    """Give back what was taken: the slot, and a token of each purse in `paid` (None: of all)."""
    PlatformAccount.objects.filter(pk=account.pk, next_slot_at__gt=now).update(next_slot_at=now)
    for purse in buckets(account) if paid is None else paid:
        for window in _windows(account, purse):
            _return_token(window, purse.bucket, now)


def _take_slot(account: PlatformAccount, now: datetime, spacing: float) -> bool:
    free = Q(next_slot_at=None) | Q(next_slot_at__lte=now)
    after = now + timedelta(seconds=spacing)
    return PlatformAccount.objects.filter(free, pk=account.pk).update(next_slot_at=after) == 1


def _windows(account: PlatformAccount, purse: Purse) -> QuerySet[RateWindow]:
    scope = {"account_id": account.pk} if purse.scope == "account" else {"account": None, "app_key": account.app_key}
    return RateWindow.objects.filter(name=purse.name, **scope)


def _take_token(account: PlatformAccount, purse: Purse, now: datetime) -> float:
    """Seconds to wait, 0.0 when a token was taken. Retries when another process took one in between."""
    for _ in range(_RACES):
        window = _windows(account, purse).first()
        if window is None:
            RateWindow.objects.bulk_create([new_window(account, purse, now)], ignore_conflicts=True)
            continue
        state, wait = purse.bucket.take(taken(window), now)
        if wait or swap_window(window, purse.bucket, state, now):
            return wait
    return 1.0


def new_window(account: PlatformAccount, purse: Purse, now: datetime) -> RateWindow:
    scope = {"account": account} if purse.scope == "account" else {"app_key": account.app_key}
    return RateWindow(name=purse.name, tokens=purse.bucket.capacity, refilled_at=now, **scope)


def _return_token(window: RateWindow, bucket: Bucket, now: datetime) -> None:
    for _ in range(_RACES):
        if swap_window(window, bucket, bucket.give_back(taken(window)), now):
            return
        window.refresh_from_db()


def taken(window: RateWindow) -> Taken:
    """The stored state of a bucket."""
    return tuple((float(start), int(count)) for start, count in window.taken)


def swap_window(window: RateWindow, bucket: Bucket, state: Taken, now: datetime) -> bool:
    """Store a new state unless somebody else did first."""
    unchanged = RateWindow.objects.filter(pk=window.pk, version=window.version)
    return (
        unchanged.update(
            taken=[list(slot) for slot in state],
            tokens=bucket.left(state, now),
            refilled_at=now,
            version=window.version + 1,
        )
        == 1
    )


def swap_circuit(row: CircuitState | Service, value: breaker.Circuit) -> bool:
    """Compare-and-set: of all who saw the same circuit, one gets to change it."""
    same = type(row)._default_manager.filter(pk=row.pk, state=row.state, failures=row.failures, retry_at=row.retry_at)
    return same.update(state=value.state, retry_at=value.retry_at) == 1


def obstacles(
    account: PlatformAccount, states: Mapping[tuple[int | str, str], Taken], now: datetime
) -> list[Admission]:
    """What `admit` would say no with, all of it and without taking anything: for people who ask before they send.

    The row needs `circuit` and `service` loaded; `states` are the stored budgets (`stored`). No query.
    """
    if account.state != AccountState.ACTIVE:
        return [Admission(allowed=False, reason=_REASONS[AccountState(account.state)], cause="state")]
    return list(_obstacles(account, states, now))


def _obstacles(
    account: PlatformAccount, states: Mapping[tuple[int | str, str], Taken], now: datetime
) -> Iterator[Admission]:
    if is_signed_out(account, now):
        yield Admission(
            allowed=False, retry_at=now + SIGN_IN_PATIENCE, reason="Waiting for a fresh sign-in.", cause="sign_in"
        )
    for row in (account.service, getattr(account, "circuit", None)):
        if row is not None and breaker.is_waiting(value_of(row), now):
            yield Admission(allowed=False, retry_at=row.retry_at, reason=_outage_words(row), cause="outage")
    if account.not_before_at is not None and account.not_before_at > now:
        reason = "The platform asked to be left alone until then."
        yield Admission(allowed=False, retry_at=account.not_before_at, reason=reason, cause="limit")
    if account.min_spacing_seconds and account.next_slot_at is not None and account.next_slot_at > now:
        reason = f"At least {account.min_spacing_seconds:g} s lie between two posts."
        yield Admission(allowed=False, retry_at=account.next_slot_at, reason=reason, cause="limit")
    for purse in buckets(account):
        _, wait = purse.bucket.take(states.get(key_of(account, purse), ()), now)
        if wait:
            yield Admission(
                allowed=False, retry_at=now + timedelta(seconds=wait), reason=_budget_words(purse), cause="limit"
            )


def _budget_words(purse: Purse) -> str:
    whose = "" if purse.scope == "account" else ", all accounts of the app together"
    return f"At most {purse.bucket.capacity} posts in any {period_words(purse.bucket.period_seconds)}{whose}."
