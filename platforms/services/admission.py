"""May this account be called now? Asked right before each call, and answered by the database, so that the answer
holds across processes (R32): spacing and caps by conditional UPDATE, the circuit's one probe by compare-and-set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db.models import Q

from platforms import circuit as breaker
from platforms.contracts import Admission
from platforms.limits import DAY_SECONDS, HOUR_SECONDS, Bucket
from platforms.models import AccountState, CircuitState, PlatformAccount, RateWindow

_GO = Admission(allowed=True)
_RACES = 5
_REASONS = {
    AccountState.PAUSED: "The account is paused.",
    AccountState.NEEDS_AUTH: "The account needs signing in again.",
    AccountState.DISCONNECTED: "The account is disconnected.",
}


def admit(accounts: Iterable[PlatformAccount], now: datetime) -> dict[int, Admission]:
    """One decision an account, by id; an allowed account has paid for one call. `now` is aware UTC.

    The accounts are read afresh in one query, and that is all for those without limits and with a closed circuit.
    A limited account costs at most five more queries, and only it.
    """
    ids = {account.pk for account in accounts}
    fresh = PlatformAccount.objects.filter(pk__in=ids).select_related("circuit").defer("credentials", "options")
    answers = {account.pk: _admit_one(account, now) for account in fresh.order_by("id")}
    return answers | {gone: Admission(allowed=False, reason="The account is gone.") for gone in ids - answers.keys()}


def give_back(account_ids: Iterable[int], now: datetime) -> None:
    """Undo `admit` for calls that were not made: tokens return, the spacing's slot is free, a probe may go again."""
    ids = list(account_ids)
    limited = (
        Q(min_spacing_seconds__gt=0)
        | Q(hourly_cap__isnull=False)
        | Q(daily_cap__isnull=False)
        | Q(circuit__state="half_open")
    )
    rows = PlatformAccount.objects.filter(limited, pk__in=ids).select_related("circuit").defer("credentials", "options")
    for account in rows.order_by("id"):
        _release_slot(account, now)
        for window in RateWindow.objects.filter(account_id=account.pk).order_by("id"):
            _return_token(account, window, now)
        circuit = getattr(account, "circuit", None)
        if circuit is not None and circuit.state == "half_open":
            _swap_circuit(circuit, breaker.unprobed(value_of(circuit), now))


def buckets(account: PlatformAccount) -> Iterator[tuple[str, Bucket]]:
    """The account's caps as buckets, by the name of their RateWindow."""
    if account.hourly_cap:
        yield "hour", Bucket.per(account.hourly_cap, HOUR_SECONDS)
    if account.daily_cap:
        yield "day", Bucket.per(account.daily_cap, DAY_SECONDS)


def value_of(row: CircuitState | None) -> breaker.Circuit:
    """A row as the pure breaker's value. No row is a clean circuit."""
    if row is None:
        return breaker.CLEAN
    return breaker.Circuit(
        state=row.state,  # type: ignore[arg-type]  # a check constraint holds it to the three
        failures=row.failures,
        opened_at=row.opened_at,
        retry_at=row.retry_at,
        last_error=row.last_error,
    )


def _admit_one(account: PlatformAccount, now: datetime) -> Admission:
    if account.state != AccountState.ACTIVE:
        return Admission(allowed=False, reason=_REASONS[AccountState(account.state)])
    if account.not_before_at is not None and account.not_before_at > now:
        return Admission(
            allowed=False,
            retry_at=account.not_before_at,
            reason="The platform asked to be left alone until then.",
        )
    row = getattr(account, "circuit", None)
    value = value_of(row)
    if breaker.is_waiting(value, now):
        return Admission(
            allowed=False, retry_at=value.retry_at, reason=f"Too many failures in a row: {value.last_error}"
        )
    paid = _pay(account, now)
    if not paid.allowed or row is None or value.state == "closed":
        return paid
    if _swap_circuit(row, breaker.probing(value, now)):
        return paid
    _refund(account, now)
    return Admission(
        allowed=False,
        retry_at=now + timedelta(seconds=1),
        reason="Another call is testing whether the platform answers.",
    )


def _pay(account: PlatformAccount, now: datetime) -> Admission:
    """Take the spacing's slot, then one token of each cap; all or nothing."""
    if account.min_spacing_seconds and not _take_slot(account, now):
        at = PlatformAccount.objects.filter(pk=account.pk).values_list("next_slot_at", flat=True).first()
        return Admission(
            allowed=False,
            retry_at=at,
            reason=f"At least {account.min_spacing_seconds} s lie between two posts.",
        )
    for name, bucket in buckets(account):
        wait = _take_token(account, name, bucket, now)
        if wait:
            _refund(account, now, before=name)
            reason = f"At most {bucket.capacity} posts in any {'60 minutes' if name == 'hour' else '24 hours'}."
            return Admission(allowed=False, retry_at=now + timedelta(seconds=wait), reason=reason)
    return _GO


def _refund(account: PlatformAccount, now: datetime, *, before: str = "") -> None:
    """Give back what was taken, up to the bucket named `before`."""
    if account.min_spacing_seconds:
        _release_slot(account, now)
    for name, _ in buckets(account):
        if name == before:
            return
        for window in RateWindow.objects.filter(account_id=account.pk, name=name):
            _return_token(account, window, now)


def _take_slot(account: PlatformAccount, now: datetime) -> bool:
    free = Q(next_slot_at=None) | Q(next_slot_at__lte=now)
    after = now + timedelta(seconds=account.min_spacing_seconds)
    return PlatformAccount.objects.filter(free, pk=account.pk).update(next_slot_at=after) == 1


def _release_slot(account: PlatformAccount, now: datetime) -> None:
    if account.min_spacing_seconds:
        PlatformAccount.objects.filter(pk=account.pk, next_slot_at__gt=now).update(next_slot_at=now)


def _take_token(account: PlatformAccount, name: str, bucket: Bucket, now: datetime) -> float:
    """Seconds to wait, 0.0 when a token was taken. Retries when another process took one in between."""
    for _ in range(_RACES):
        window = RateWindow.objects.filter(account_id=account.pk, name=name).first()
        if window is None:
            fresh = RateWindow(account=account, name=name, tokens=bucket.capacity, refilled_at=now)
            RateWindow.objects.bulk_create([fresh], ignore_conflicts=True)
            continue
        state, wait = bucket.take(taken(window), now)
        if wait or _swap_window(window, bucket, state, now):
            return wait
    return 1.0


def _return_token(account: PlatformAccount, window: RateWindow, now: datetime) -> None:
    bucket = dict(buckets(account)).get(window.name)
    for _ in range(_RACES):
        if bucket is None or _swap_window(window, bucket, bucket.give_back(taken(window)), now):
            return
        window.refresh_from_db()


def taken(window: RateWindow) -> tuple[tuple[float, int], ...]:
    """The stored state of a bucket."""
    return tuple((float(start), int(count)) for start, count in window.taken)


def _swap_window(window: RateWindow, bucket: Bucket, state: tuple[tuple[float, int], ...], now: datetime) -> bool:
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


def _swap_circuit(row: CircuitState, value: breaker.Circuit) -> bool:
    """Compare-and-set: of all who saw the same circuit, one gets to change it."""
    same = CircuitState.objects.filter(pk=row.pk, state=row.state, failures=row.failures, retry_at=row.retry_at)
    return same.update(state=value.state, retry_at=value.retry_at) == 1
