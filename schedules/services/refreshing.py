"""The renewing kind of work: sign-ins are renewed before they run out, one call at a time for each account.

Transient and revoked are told apart: what may work later is tried again with growing pauses, and only what the platform
took back asks for a person. What a renewal brought is stored whoever holds the lease by then: it is the only sign-in that
works.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import F, Q

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.core.secrets import CannotDecrypt
from platforms.contracts import AccountRef, Refreshed
from platforms.errors import AuthFailed, PlatformError
from platforms.models import AccountState, PlatformAccount
from platforms.services import publishing as platform
from platforms.services import tokens
from schedules.domain.backoff import retry_delay
from schedules.engine.work import Claim, WorkKind, WorkRow
from schedules.models import CredentialRefresh
from schedules.services import outcomes, queues

CALL_SECONDS = 20.0
MARGIN_SECONDS = 5.0
BASE, CAP = timedelta(seconds=30), timedelta(minutes=15)
MOST_PLANNED = 500
RENEWING = (AccountState.ACTIVE, AccountState.PAUSED)


@dataclass(frozen=True, slots=True)
class RefreshTask:
    """The account as it was when it was claimed. `start_by` in monotonic seconds: later the lease would not last."""

    account: AccountRef = field(repr=False)
    start_by: float


class NotAsked:
    """The call was not made."""


class RefreshKind(WorkKind):
    name: ClassVar[str] = "refresh"
    model: ClassVar[type[WorkRow]] = CredentialRefresh

    def arm(self, claims: Sequence[Claim], now: datetime) -> list[tuple[Claim, Any]]:
        rows = CredentialRefresh.objects.filter(pk__in=[claim.id for claim in claims]).select_related("account")
        found = {row.pk: row for row in rows}
        tasks: list[tuple[Claim, Any]] = []
        for claim in claims:
            row = found[claim.id]
            if row.serial_key != (key := serial_key(row.account)):
                # it was signed in anew, together with others: they wait for each other from now on
                CredentialRefresh.objects.filter(pk=claim.id).update(state="pending", serial_key=key, lease_until=None)
                continue
            reference = _reference(row.account, now)
            if reference is None:
                CredentialRefresh.objects.filter(pk=claim.id).update(state="done", finished_at=now)
            else:
                left = (claim.lease_until - now).total_seconds() - MARGIN_SECONDS - CALL_SECONDS
                tasks.append((claim, RefreshTask(reference, clock.monotonic() + left)))
        return tasks

    def perform(self, task: RefreshTask) -> Refreshed | PlatformError | NotAsked:
        if clock.monotonic() > task.start_by:
            return NotAsked()
        try:
            return platform.refresh(task.account, timeout=CALL_SECONDS)
        except PlatformError as error:
            return error

    def finish(self, results: Sequence[tuple[Claim, Any, Any]], now: datetime) -> None:
        with unit():
            for claim, task, result in sorted(results, key=lambda item: item[0].id):
                _settle(claim, task, result, now)

    def release(self, claims: Sequence[tuple[Claim, Any]], now: datetime) -> None:
        with unit():
            for claim, _ in claims:
                _again(claim, now)

    def rescue(self, now: datetime, *, dead_workers: Sequence[str] = ()) -> int:
        """A lost renewal is made again; if the old token was used up by then, the platform says so."""
        lost = Q(lease_until__lt=now) | Q(worker__in=dead_workers)
        return CredentialRefresh.objects.filter(lost, state="running").update(
            state="pending", lease_until=None, run_at=now
        )


@unit()
def plan(*, now: datetime) -> int:
    """One row for each account whose sign-in is to be renewed, due when the account says. Returns how many were set."""
    due = PlatformAccount.objects.filter(refresh_at__isnull=False, state__in=RENEWING)
    new = list(due.filter(refresh_row=None).order_by("refresh_at", "id").only("refresh_at", "grant_key")[:MOST_PLANNED])
    CredentialRefresh.objects.bulk_create(
        [
            CredentialRefresh(account=row, serial_key=serial_key(row), run_at=row.refresh_at or now, created_at=now)
            for row in new
        ],
        ignore_conflicts=True,
    )
    stale = CredentialRefresh.objects.filter(
        Q(state="done") | Q(state="pending", run_at__gt=F("account__refresh_at")),
        account__refresh_at__isnull=False,
        account__state__in=RENEWING,
    )
    moved = list(stale.order_by("id").values_list("pk", "account__refresh_at")[:MOST_PLANNED])
    for pk, at in moved:
        CredentialRefresh.objects.filter(pk=pk).exclude(state="running").update(
            state="pending", run_at=at, tries=0, finished_at=None
        )
    return len(new) + len(moved)


def serial_key(account: PlatformAccount) -> int:
    """One renewal at a time for each account, and for all accounts of one sign-in: what one of them renews, all hold. The keys of
    sign-ins are negative, those of accounts are not."""
    return account.pk if account.grant_key is None else -(account.grant_key.int >> 66) - 1


def _reference(account: PlatformAccount, now: datetime) -> AccountRef | None:
    """None when there is nothing to renew (any more, or yet: another account of the same sign-in renewed this one too)."""
    if account.state not in RENEWING or account.refresh_at is None:
        return None
    if account.grant_key is not None and account.refresh_at > now:
        return None
    try:
        return platform.account_ref(account)
    except CannotDecrypt:
        return None


def _settle(claim: Claim, task: RefreshTask, result: Any, now: datetime) -> None:
    account_id, used = task.account.id, task.account.credentials
    match result:
        case Refreshed():
            if tokens.store_refreshed(account_id=account_id, used=used, refreshed=result, now=now):
                queues.signed_in(account_id, now)
            _next(claim, account_id, now)
        case AuthFailed():
            tokens.refresh_revoked(account_id=account_id, used=used, message=str(result), now=now)
            _next(claim, account_id, now)
        case PlatformError():
            next_at = now + _pause(claim, result)
            tokens.refresh_failed(account_id=account_id, used=used, message=str(result), next_at=next_at, now=now)
            _again(claim, next_at, tries=F("tries") + 1)
        case _:
            _again(claim, now)


def _pause(claim: Claim, error: PlatformError) -> timedelta:
    tries = CredentialRefresh.objects.filter(pk=claim.id).values_list("tries", flat=True).first() or 0
    asked = error.retry_after_seconds
    return retry_delay(
        tries=tries + 1,
        base=BASE,
        cap=CAP,
        dice=0.5 + outcomes.dice.random() / 2,
        retry_after=None if asked is None else timedelta(seconds=asked),
    )


def _next(claim: Claim, account_id: int, now: datetime) -> None:
    """Due again when the account says; done when it says nothing."""
    at = PlatformAccount.objects.filter(pk=account_id).values_list("refresh_at", flat=True).first()
    if at is None:
        _end(claim, now)
    else:
        _again(claim, at, tries=0)


def _again(claim: Claim, run_at: datetime, **values: Any) -> None:
    _mine(claim).update(state="pending", run_at=run_at, lease_until=None, **values)


def _end(claim: Claim, now: datetime) -> None:
    _mine(claim).update(state="done", lease_until=None, finished_at=now)


def _mine(claim: Claim) -> Any:
    return CredentialRefresh.objects.filter(pk=claim.id, state="running", lease_token=claim.token)
