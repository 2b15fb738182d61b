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
    """One file of a post. `url` is absolute, signed and expires; `path` is a local file for as long as the call lasts; `size` in
    bytes, `seconds` how long it plays, `animated` a GIF that moves, `name` what people call the file. `checksum` and `stored` (its
    name in the storage) are those of the file that was uploaded, also where the other fields tell of a copy made to fit."""

    url: str
    mime: str
    alt: str
    size: int
    checksum: str
    width: int | None = None
    height: int | None = None
    path: str = ""
    seconds: float | None = None
    animated: bool = False
    name: str = ""
    stored: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDefaults:
    """What goes along with every post of an account: `schedules.services.posts` puts it in. utm: source, medium, campaign…"""

    signature: str = ""
    hashtags: tuple[str, ...] = ()
    utm: Mapping[str, str] = field(default_factory=dict)


NO_DEFAULTS = AccountDefaults()


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
    defaults: AccountDefaults = NO_DEFAULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One post for one account. `key` is the idempotency key: the same over all retries (ENGINE R24).

    earlier: a call with this key was made before and may have left something; an adapter that cannot replay and makes its
    post in several calls looks before it sends. options: what the adapter's `post_fields` ask for (`HasPostOptions`).
    """

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
    earlier: bool = False


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
    """The platform has the post. `already` says that it had it before this call, under the same key.

    notes: sentences for people about what did not go along with it, like a first comment that was refused.
    """

    remote_id: str
    url: str
    response: Mapping[str, Any] = field(default_factory=dict)
    already: bool = False
    rate: RateInfo | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The post is on its way and not finished: the platform works on it (HTTP 202, a container), or a part of it is out
    and the rest follows (a thread). `remote_state` is JSON, and all that `poll` needs."""

    remote_state: Mapping[str, Any]
    poll_after_seconds: float
    response: Mapping[str, Any] = field(default_factory=dict)
    rate: RateInfo | None = None


# How platforms count text: `platforms.text.counting` knows each.
Unit = Literal[
    "code_points", "graphemes", "utf16", "utf8_bytes", "characters", "twitter_weighted", "mastodon", "threads"
]
# The kind of a file, as rules see it: an animated GIF is not an image to most platforms.
MediaKind = Literal["image", "gif", "video", "audio", "document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRule:
    """How long a text may be, in the platform's own unit.

    url_weight: what each web address counts for, whatever its length (None: its length). also: further (max, unit) that hold
    at the same time. recommended: above it people see less, so that it is worth a warning.
    """

    max: int
    unit: Unit = "code_points"
    url_weight: int | None = None
    also: tuple[tuple[int, Unit], ...] = ()
    recommended: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRule:
    """What files of one kind must be. Sizes in bytes, sides in pixels, ratios as width / height, times in seconds."""

    mimes: frozenset[str]
    max_count: int | None = None
    max_bytes: int | None = None
    min_width: int | None = None
    max_width: int | None = None
    min_height: int | None = None
    max_height: int | None = None
    max_pixels: int | None = None
    min_ratio: float | None = None
    max_ratio: float | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    max_alt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRule:
    """What a post of one content type needs. kinds: the kinds of files it may hold (None: any that the account takes)."""

    min_media: int = 0
    max_media: int | None = None
    kinds: frozenset[MediaKind] | None = None
    title_required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an account can take. None means no limit is known. Lengths in characters, sizes in bytes.

    can_find: `find` can tell whether a key was posted. replays: sending the same key twice is harmless at the platform.
    consistency_delay_seconds: how long after an unknown outcome a look-up that finds nothing can be believed.

    text and title say precisely what max_text and max_title say in code points, and win over them; caption holds instead of
    text where there are files. media: the rules by kind; a kind without a rule is not taken, and an empty mapping leaves it to
    media_mimes and max_media_bytes. mixes: files of several kinds may go together. types: what single content types need.
    link_in_text, hashtags_in_text: the platform has no field for them, so that they are published, and counted, as part of
    the text (`platforms.text.message`). threads: a post of type `thread` is published as a chain, each part within `text`.
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
    text: TextRule | None = None
    title: TextRule | None = None
    caption: TextRule | None = None
    media: Mapping[MediaKind, MediaRule] = field(default_factory=dict)
    mixes: bool = True
    types: Mapping[str, TypeRule] = field(default_factory=dict)
    link_in_text: bool = False
    hashtags_in_text: bool = False
    threads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """The answer of a connection test: in words for people, and whom the platform takes us for.

    missing_scopes: rights that the sign-in lacks, by the platform's own names. options: what the platform said about the account
    that belongs into its options, like a server's limits; whoever asked may store it there.
    """

    ok: bool
    message: str
    identity: str = ""
    missing_scopes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What one post has reached, by these names where they fit: impressions, reach, views, likes, reposts, replies, quotes,
    bookmarks, clicks, opens, recipients. A name that is absent is not told by the platform, which is not zero."""

    remote_id: str
    values: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientApp:
    """The app a person signs in through (OAuth 2). `options` are the account's options known so far, like a server's address."""

    client_id: str
    client_secret: str = field(repr=False, default="")
    redirect_uri: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What the sign-in brought. scopes None: the platform did not say which rights were given."""

    credentials: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None = None
    scopes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One account that the grant may publish to: a profile, a page, an organisation. `credentials` and `options` are what the
    account is stored with, whole."""

    handle: str
    name: str
    kind: str = ""
    credentials: Mapping[str, str] = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)


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
