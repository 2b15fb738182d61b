"""Calls about posts that are out: delete, edit, figures. Whether an account may be asked, and the one guarded call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from alwrity_scheduler.core import clock
from platforms import circuit as breaker
from platforms.base import Deletes, Edits, Measures, Offers
from platforms.contracts import AccountRef, Metrics, Publication, Published
from platforms.errors import AdapterMissing, Rejected
from platforms.models import AccountState, PlatformAccount
from platforms.registry import adapter_for, adapters
from platforms.services import renditions
from platforms.services.admission import is_signed_out, value_of
from platforms.services.publishing import capabilities_of, guarded

Ability = Literal["delete", "edit", "metrics"]
_PARTS: dict[Ability, type] = {"delete": Deletes, "edit": Edits, "metrics": Measures}
MOST_AT_ONCE = 100
_STATES = {
    AccountState.NEEDS_AUTH: "The account needs signing in again.",
    AccountState.DISCONNECTED: "The account is disconnected.",
}


def abilities(account: AccountRef) -> frozenset[str]:
    """Which of `delete`, `edit`, `metrics` this account can do; none for a platform whose adapter is gone."""
    try:
        adapter = adapter_for(account.platform)
    except AdapterMissing:
        return frozenset()
    found = frozenset(name for name, part in _PARTS.items() if isinstance(adapter, part))
    return found & adapter.offers(account) if isinstance(adapter, Offers) else found


def measuring_platforms() -> list[str]:
    """The platforms that tell figures of any account at all."""
    return [key for key, adapter in adapters.items() if isinstance(adapter, Measures)]


def why_not_now(account: PlatformAccount, now: datetime) -> str:
    """Why the platform should not be asked just now, in a sentence; empty when it may. Nothing is paid: budgets are for posts.
    A paused account publishes nothing, but what is out may be changed."""
    if words := _STATES.get(AccountState(account.state)):
        return words
    if is_signed_out(account, now):
        return "The account waits for a fresh sign-in; try again in a minute."
    if account.not_before_at is not None and account.not_before_at > now:
        return f"The platform asked to be left alone until {account.not_before_at:%Y-%m-%d %H:%M} UTC."
    rows = [row for row in (account.service, getattr(account, "circuit", None)) if row is not None]
    if any(breaker.is_waiting(value_of(row), now) for row in rows):
        return "The platform does not answer at present; its posts wait too."
    return ""


def delete(account: AccountRef, remote_id: str, *, timeout: float) -> None:
    """Take one post down. Raises the five errors; doing it twice is harmless."""
    adapter = adapter_for(account.platform)
    if not isinstance(adapter, Deletes):
        raise Rejected("Posts of this platform can only be deleted there.")
    deletes: Deletes = adapter
    guarded(lambda: deletes.delete(account, remote_id, timeout=timeout), "", account)


def edit(publication: Publication, remote_id: str, *, timeout: float) -> Published:
    """Make a post say what the publication says. Raises the five errors; doing it twice is harmless."""
    adapter = adapter_for(publication.account.platform)
    if not isinstance(adapter, Edits):
        raise Rejected("Posts of this platform cannot be changed.")
    edits: Edits = adapter
    with renditions.fitted(publication, capabilities_of(adapter, publication.account), now=clock.now()) as ready:
        return guarded(lambda: edits.edit(ready, remote_id, timeout=timeout), ready.key, ready.account)


def metrics(account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> dict[str, Metrics]:
    """The figures of at most MOST_AT_ONCE posts, by their ids there; a post that the platform does not know is left out."""
    adapter = adapter_for(account.platform)
    if not isinstance(adapter, Measures):
        raise Rejected("This platform tells no figures.")
    measures: Measures = adapter
    asked = list(remote_ids[:MOST_AT_ONCE])
    found = guarded(lambda: list(measures.metrics(account, asked, timeout=timeout)), "", account)
    return {item.remote_id: item for item in found}
