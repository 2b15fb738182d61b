"""Calls to platforms, and the rules around them: who may be called now, and what an answer means for the next call.

The engine's order is `admit` -> `send` (no database) -> `settle`; `give_back` when an admitted call was not made.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from alwrity_scheduler.core import clock
from platforms.base import Adapter, Refreshes
from platforms.contracts import Accepted, AccountRef, Capabilities, Publication, Published, Refreshed
from platforms.errors import AdapterMissing, PlatformError, Rejected, UnknownOutcome, hidden
from platforms.registry import adapter_for
from platforms.services import renditions
from platforms.services.admission import admit, for_calls, give_back
from platforms.services.circuits import settle
from platforms.services.refs import account_ref

__all__ = ["account_ref", "admit", "find", "for_calls", "give_back", "guarded", "poll", "refresh", "send", "settle"]
logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")
SHORTEST_SECRET = 6  # shorter ones would blot out half of a message and protect nothing


def send(publication: Publication, *, timeout: float) -> Published | Accepted:
    """Make one post: one call to the adapter, no database (R21). `timeout` in seconds.

    Raises the five classes of `platforms.errors` (AdapterMissing is a Rejected). Whatever else an adapter throws is an
    UnknownOutcome, because the request may have gone out.
    """
    adapter = adapter_for(publication.account.platform)
    if not publication.media:
        return guarded(lambda: adapter.publish(publication, timeout=timeout), publication.key, publication.account)
    # asked outside of the guard: what goes wrong before the call has not gone out
    can = capabilities_of(adapter, publication.account)
    with renditions.fitted(publication, can, now=clock.now()) as ready:
        return guarded(lambda: adapter.publish(ready, timeout=timeout), ready.key, ready.account)


def capabilities_of(adapter: Adapter, account: AccountRef) -> Capabilities:
    try:
        return adapter.capabilities(account)
    except PlatformError:
        raise
    except Exception as error:
        raise Rejected(
            f"The adapter cannot say what the account takes ({type(error).__name__}). Nothing was sent."
        ) from error


def find(publication: Publication, *, timeout: float) -> Published | Accepted | None:
    """Look a key up at its platform. None: provably absent. Raises UnknownOutcome when it cannot tell."""
    try:
        adapter = adapter_for(publication.account.platform)
        return guarded(lambda: adapter.find(publication, timeout=timeout), publication.key, publication.account)
    except UnknownOutcome:
        raise
    except PlatformError as error:
        # The other classes say "certainly not posted", and a failed look-up says nothing of the kind.
        raise UnknownOutcome(
            f"The look-up told nothing. {error}",
            status_code=error.status_code,
            platform_message=error.platform_message,
        ) from error


def poll(account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
    """Ask how an accepted post is doing. Raises Rejected only when the platform gave it up, else UnknownOutcome."""
    try:
        adapter = adapter_for(account.platform)
    except AdapterMissing as error:  # a Rejected, but the platform rejected nothing
        raise UnknownOutcome(str(error)) from error
    return guarded(lambda: adapter.poll(account, remote_state, timeout=timeout), "", account)


def refresh(account: AccountRef, *, timeout: float) -> Refreshed:
    """Renew the sign-in: one call, no database. Raises AuthFailed when a person must sign in again; any other class says
    that it may be tried again later."""
    adapter = adapter_for(account.platform)
    if not isinstance(adapter, Refreshes):
        raise Rejected("This platform's sign-in cannot be renewed without a person.")
    renews: Refreshes = adapter
    return guarded(lambda: renews.refresh(account, timeout=timeout), "", account)


def guarded(call: Callable[[], Answer], key: str, account: AccountRef) -> Answer:
    secrets = [secret for secret in account.credentials.values() if len(secret) >= SHORTEST_SECRET]
    try:
        return call()
    except PlatformError as error:
        error.hide(secrets)
        raise
    except Exception as error:
        # Not logger.exception: an adapter's exception may quote the header that holds the token.
        logger.error(
            "The adapter %s failed in a way it should not.\n%s",
            account.platform,
            hidden(traceback.format_exc(), secrets),
            extra={"action": "adapter_crashed", "key": key, "account": account.public_id},
        )
        kind = type(error).__name__
    raise UnknownOutcome(f"The adapter failed ({kind}) and the request may have gone out.")
