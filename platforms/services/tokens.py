"""What a renewal of a sign-in did to its account. A person's newer credentials are never overwritten.

The newest credentials are the only ones that work (RFC 6749 section 6, RFC 9700: refresh tokens rotate), so an answer is
stored even when the account's name was changed meanwhile, and dropped only when its secrets were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db.models import F

from alwrity_scheduler.core.events import ENGINE, Fact, emit, unit
from platforms import refresh
from platforms.contracts import Refreshed
from platforms.models import AccountState, PlatformAccount, RefreshState
from platforms.services import accounts


@unit()
def store_refreshed(*, account_id: int, used: Mapping[str, str], refreshed: Refreshed, now: datetime) -> bool:
    """Put the new credentials in the place of those that were used. False when a person's newer ones stand there."""
    row = _with(account_id, used)
    stored = row is not None and _store(row, dict(used) | dict(refreshed.credentials), refreshed, now)
    for other, fresh in _sharing(account_id, row, used, refreshed):
        if len(fresh) == len(refreshed.credentials):
            _store(other, dict(other.credentials) | fresh, refreshed, now)
        else:
            # the rest is its own, and so is how long that is good
            other.credentials = dict(other.credentials) | fresh
            PlatformAccount.objects.filter(pk=other.pk, version=other.version).update(
                credentials=other.credentials, updated_at=now, version=F("version") + 1
            )
    return stored


def _store(row: PlatformAccount, credentials: Mapping[str, str], refreshed: Refreshed, now: datetime) -> bool:
    expires_at = refreshed.expires_at
    row.credentials = dict(credentials)
    changed = PlatformAccount.objects.filter(pk=row.pk, version=row.version).update(
        credentials=row.credentials,
        credentials_expire_at=expires_at,
        refresh_at=refresh.refresh_at(expires_at, now) if expires_at else None,
        refresh_state=RefreshState.OK,
        refresh_error="",
        refreshed_at=now,
        updated_at=now,
        version=F("version") + 1,
    )
    if changed:
        emit(_fact("account.refreshed", row, now, {"expires_at": expires_at.isoformat() if expires_at else None}))
    return bool(changed)


def _sharing(
    account_id: int, row: PlatformAccount | None, used: Mapping[str, str], refreshed: Refreshed
) -> Iterator[tuple[PlatformAccount, dict[str, str]]]:
    """Accounts that hold secrets that were renewed, with what is to stand in their place.

    A person's one sign-in may have connected several. What they hold is used up now, and using it would look like theft: servers
    then take back everything (RFC 9700 section 4.14.2).
    `row` None: the account itself has gone on without them, so that it no longer says which sign-in they came from.
    """
    if row is not None and row.grant_key is None:
        return
    others = PlatformAccount.objects.select_for_update().exclude(pk=account_id)
    if row is not None:
        others = others.filter(grant_key=row.grant_key)
    else:
        where = PlatformAccount.objects.filter(pk=account_id).values("workspace_id", "platform").first()
        others = others.filter(grant_key__isnull=False, **(where or {"pk": None}))
    for other in others.exclude(state=AccountState.DISCONNECTED).order_by("id"):
        if other.credentials.is_readable():
            held = dict(other.credentials)
            fresh = {
                name: value for name, value in refreshed.credentials.items() if held.get(name, "") == used.get(name)
            }
            if fresh:
                yield other, fresh


@unit()
def refresh_failed(*, account_id: int, used: Mapping[str, str], message: str, next_at: datetime, now: datetime) -> None:
    """Not now, but perhaps at `next_at`. Told once for each row of failures."""
    row = _with(account_id, used)
    if row is None:
        return
    PlatformAccount.objects.filter(pk=row.pk, version=row.version).update(
        refresh_state=RefreshState.FAILING, refresh_error=message[:500], refresh_at=next_at
    )
    if row.refresh_state != RefreshState.FAILING:
        emit(_fact("account.refresh_failing", row, now, {"error": message[:500]}))


@unit()
def refresh_revoked(*, account_id: int, used: Mapping[str, str], message: str, now: datetime) -> None:
    """The platform takes the sign-in back: a person must sign in again (R31)."""
    row = _with(account_id, used)
    if row is None:
        return
    PlatformAccount.objects.filter(pk=row.pk).update(
        refresh_state=RefreshState.REVOKED, refresh_error=message[:500], refresh_at=None
    )
    accounts.mark_needs_auth(account_id=row.pk, message=message, actor=ENGINE, now=now)


@unit()
def expired_early(*, account_id: int, now: datetime) -> bool:
    """The platform refused a sign-in that can be renewed: let that be tried before a person is asked.

    False when it cannot be renewed, or is so new that its age is not the reason.
    """
    row = PlatformAccount.objects.select_for_update().filter(pk=account_id).first()
    if row is None or row.refresh_state not in (RefreshState.DUE, RefreshState.OK, RefreshState.FAILING):
        return False
    if row.refreshed_at is not None and now - row.refreshed_at < refresh.IN_FLIGHT:
        return True  # the call carried the old one
    if row.refreshed_at is not None and now - row.refreshed_at < refresh.YOUNG:
        return False
    PlatformAccount.objects.filter(pk=row.pk).update(credentials_expire_at=now, refresh_at=now)
    return True


def renew_soon(*, account_id: int, now: datetime) -> bool:
    """Renew a sign-in at once that could not be renewed. False when none waits for that."""
    failing = PlatformAccount.objects.filter(pk=account_id, refresh_state=RefreshState.FAILING, refresh_at__gt=now)
    return bool(failing.update(refresh_at=now))


def _with(account_id: int, used: Mapping[str, str]) -> PlatformAccount | None:
    """The account, locked, if its secrets are still those that were used and it was not given up."""
    row = PlatformAccount.objects.select_for_update().filter(pk=account_id).first()
    if row is None or row.state == AccountState.DISCONNECTED or not row.credentials.is_readable():
        return None
    return row if dict(row.credentials) == dict(used) else None


def _fact(name: str, account: PlatformAccount, now: datetime, after: Mapping[str, object]) -> Fact:
    return Fact(
        name=name,
        at=now,
        actor=ENGINE,
        object_type="account",
        object_id=str(account.public_id),
        object_label=account.name,
        workspace_id=account.workspace_id,
        after=after,
    )
