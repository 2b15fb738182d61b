"""The account as adapters see it."""

from __future__ import annotations

from collections.abc import Mapping

from platforms.contracts import NO_DEFAULTS, AccountDefaults, AccountRef
from platforms.models import PlatformAccount


def account_ref(account: PlatformAccount, credentials: Mapping[str, str] | None = None) -> AccountRef:
    """The account with its credentials in the clear. Raises CannotDecrypt when their key is lost, unless they are given."""
    return AccountRef(
        id=account.pk,
        public_id=str(account.public_id),
        platform=account.platform,
        name=account.name,
        handle=account.handle,
        timezone=account.timezone,
        credentials=dict(account.credentials if credentials is None else credentials),
        options=dict(account.options),
        defaults=defaults_of(account),
    )


def defaults_of(account: PlatformAccount) -> AccountDefaults:
    """What goes along with each of its posts."""
    if not (account.signature or account.default_hashtags or account.utm):
        return NO_DEFAULTS
    return AccountDefaults(signature=account.signature, hashtags=tuple(account.default_hashtags), utm=dict(account.utm))
