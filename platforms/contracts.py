"""The frozen values that pass between services and adapters. Pure: no Django, no database, no clock.

Adapters get these and nothing else, so an adapter can be tested, and run in a pool thread, without the product.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Scope = Literal["account", "app"]

# The content types of the product, and the files it stores: what a platform without rules of its own takes.
ALL_CONTENT_TYPES = frozenset(
    {"post", "article", "image", "video", "carousel", "story", "reel", "thread", "newsletter"}
)
ALL_MEDIA_MIMES = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "video/mp4",
        "video/quicktime",
        "audio/mp4",
        "application/pdf",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRef:
    """One file of a post. `url` is absolute, signed and expires; `path` is the local file; `size` in bytes."""

    url: str
    mime: str
    alt: str
    size: int
    checksum: str
    width: int | None = None
    height: int | None = None
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRef:
    """An account with its credentials in the clear: short-lived, never stored, never logged (repr hides them)."""

    id: int
    public_id: str
    platform: str
    name: str
    handle: str
    timezone: str
    credentials: Mapping[str, str] = field(repr=False, default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One post for one account. `key` is the idempotency key: the same over all retries (ENGINE R24)."""

    key: str
    account: AccountRef
    text: str
    scheduled_for: datetime
    title: str = ""
    link: str = ""
    hashtags: tuple[str, ...] = ()
    media: tuple[MediaRef, ...] = ()
    content_type: str = "post"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most `capacity` calls in any `period_seconds`: of one account, or of all accounts that share an app.

    `name` tells the budgets of one scope apart; at most 30 characters.
    """

    scope: Scope
    name: str
    capacity: int
    period_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RateInfo:
    """What an answer said about the quota: how many calls in all, how many are left, and in how many seconds it is
    full again. None where nothing was said."""

    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None
    scope: Scope = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """New credentials: the names that changed, and until when they are good (aware UTC; None: nobody said)."""

    credentials: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The platform has the post. `already` says that it had it before this call, under the same key."""

    remote_id: str
    url: str
    response: Mapping[str, Any] = field(default_factory=dict)
    already: bool = False
    rate: RateInfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The platform took the post and still works on it (HTTP 202). `remote_state` is JSON, and all that `poll` needs."""

    remote_state: Mapping[str, Any]
    poll_after_seconds: float
    response: Mapping[str, Any] = field(default_factory=dict)
    rate: RateInfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an account can take. None means no limit is known. Lengths in characters, sizes in bytes.

    can_find: `find` can tell whether a key was posted. replays: sending the same key twice is harmless at the platform.
    consistency_delay_seconds: how long after an unknown outcome a look-up that finds nothing can be believed.
    """

    content_types: frozenset[str]
    media_mimes: frozenset[str]
    max_media: int
    can_find: bool
    replays: bool
    consistency_delay_seconds: float
    max_text: int | None = None
    max_title: int | None = None
    title_required: bool = False
    max_media_bytes: int | None = None
    max_hashtags: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """The answer of a connection test: in words for people, and whom the platform takes us for."""

    ok: bool
    message: str
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """How one call ended, for circuits and budgets: `error_class` of the PlatformError, or None for a success."""

    account_id: int
    error_class: str | None = None
    message: str = ""
    retry_after_seconds: float | None = None
    rate: RateInfo | None = None


Cause = Literal["", "state", "sign_in", "limit", "outage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """May this account be called now? If not: when to ask again (aware UTC, None = when its state changes), and why.

    `cause`: the account's own state, a sign-in that ran out, a limit, or a platform that does not answer.
    """

    allowed: bool
    retry_at: datetime | None = None
    reason: str = ""
    cause: Cause = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Whose platform answers again: ids of accounts and of services. What waits for them may go."""

    account_ids: frozenset[int] = frozenset()
    service_ids: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.account_ids or self.service_ids)
