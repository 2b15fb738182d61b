"""The one Protocol an adapter fulfils, and those it may fulfil besides. Whatever else it needs stays in its own folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Budget,
    Capabilities,
    ClientApp,
    Grant,
    Metrics,
    Place,
    Publication,
    Published,
    Refreshed,
)
from platforms.problems import ContentLike, ContentProblem

FieldKind = Literal["text", "long_text", "url", "bool", "number", "choice"]
SettingsProblem = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field of an adapter's settings form. `choices` are (value, label) pairs, for kind `choice`.

    `generate` makes a secret that was left empty at connecting; it is shown once.
    """

    name: str
    label: str
    help: str = ""
    required: bool = False
    secret: bool = False
    kind: FieldKind = "text"
    choices: tuple[tuple[str, str], ...] = ()
    default: Any = None
    generate: Callable[[], str] | None = None


@runtime_checkable
class Adapter(Protocol):
    """A platform. Stateless and safe to call from many threads; opens no transaction that outlives a call.

    Every `timeout` is the whole call's deadline in seconds. Failures are the five classes of `platforms.errors`.
    """

    key: str
    label: str
    description: str
    credential_fields: tuple[FieldSpec, ...]
    option_fields: tuple[FieldSpec, ...]

    def capabilities(self, account: AccountRef) -> Capabilities:
        """What this account can take. Pure: no call goes out."""
        ...

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        """(field, message) for everything wrong with the settings; empty when they will do. No call goes out."""
        ...

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        """Make the post, once. Raises one of the five errors."""
        ...

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        """Look up what became of the publication's key. None: provably absent. Accepted: it is there in part or still
        being worked on, and `poll` will finish it.

        Raises UnknownOutcome, and no other class, when it cannot tell: the other four say "certainly not posted".
        """
        ...

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        """Ask how an accepted post is doing, and take the next step where one is left (publish a container, send the next part
        of a thread): look first, because a step may have been taken by a call that never came back. Accepted means ask again,
        also when the asking itself failed.

        Raises Rejected when the platform gave it up, UnknownOutcome when it will not say any more.
        """
        ...

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        """Test the connection without posting. Says what is wrong in the value; raises nothing expected."""
        ...


@runtime_checkable
class HasBudgets(Protocol):
    """Optional: the platform's own limits are known."""

    def budgets(self, account: AccountRef) -> Sequence[Budget]:
        """The limits of this account and of the app it belongs to. Pure: no call goes out."""
        ...


@runtime_checkable
class HasApps(Protocol):
    """Optional: several accounts share one quota, like that of a client id."""

    def app_of(self, account: AccountRef) -> str:
        """The name of the app whose quota the account shares, unique within the platform; empty for none. Pure."""
        ...


@runtime_checkable
class HasServices(Protocol):
    """Optional: not all accounts of the platform are down together."""

    def service_of(self, account: AccountRef) -> str:
        """What is down together, unique within the platform: a host, say. Without it, the whole platform. Pure."""
        ...


@runtime_checkable
class Refreshes(Protocol):
    """Optional: sign-ins run out and can be renewed without a person."""

    def can_refresh(self, account: AccountRef) -> bool:
        """Does the account hold what a renewal needs? Pure: no call goes out."""
        ...

    def refresh(self, account: AccountRef, *, timeout: float) -> Refreshed:
        """Renew the sign-in, once. Raises AuthFailed when it was revoked and a person must sign in again; any other
        of the five errors says that it may be tried again later."""
        ...


@runtime_checkable
class HasPostOptions(Protocol):
    """Optional: a post has more to say there than its words and files (visibility, categories, a first comment).

    `post_fields` make the composer's form; their values are the publication's `options`, each of its field's type.
    """

    post_fields: tuple[FieldSpec, ...]


@runtime_checkable
class Checks(Protocol):
    """Optional: rules of the platform that Capabilities cannot say."""

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        """What the platform would refuse, or would not do as meant. Pure: no call goes out."""
        ...


@runtime_checkable
class Deletes(Protocol):
    """Optional: a post can be taken down."""

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        """Take the post down; one that is gone already is no error. Raises one of the five errors."""
        ...


@runtime_checkable
class Edits(Protocol):
    """Optional: a post that is out can be changed."""

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        """Make the post say what the publication says. Doing it twice is harmless. Raises one of the five errors."""
        ...


@runtime_checkable
class Measures(Protocol):
    """Optional: the platform tells how a post is doing."""

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        """The figures of these posts, at most 100 of them; those the platform does not know are left out."""
        ...


@runtime_checkable
class Offers(Protocol):
    """Optional, beside Deletes, Edits and Measures: not every account of the platform can do all of them."""

    def offers(self, account: AccountRef) -> frozenset[str]:
        """Which of `delete`, `edit` and `metrics` work on this account. Pure: no call goes out."""
        ...


@runtime_checkable
class SignsIn(Protocol):
    """Optional: accounts are connected by signing in at the platform (OAuth 2, authorization code).

    scopes: the rights that publishing needs. uses_pkce: the platform takes a code challenge (RFC 7636, S256).
    sign_in_fields: names of the `option_fields` to be filled before the person is sent there, like a server's address.
    """

    scopes: tuple[str, ...]
    uses_pkce: bool
    sign_in_fields: tuple[str, ...]

    def authorize_url(self, app: ClientApp, *, state: str, challenge: str) -> str:
        """Where the person is sent. `challenge` is empty without PKCE. Pure: no call goes out."""
        ...

    def exchange(self, app: ClientApp, *, code: str, verifier: str, timeout: float) -> Grant:
        """The code for a grant, once. Raises one of the five errors."""
        ...

    def places(self, app: ClientApp, grant: Grant, *, timeout: float) -> Sequence[Place]:
        """The accounts the grant may publish to; empty when there are none. Raises one of the five errors."""
        ...


@runtime_checkable
class RegistersApps(Protocol):
    """Optional, beside SignsIn: the server gives out client ids itself, so nobody has to make an app there by hand."""

    def register(self, *, redirect_uri: str, options: Mapping[str, Any], timeout: float) -> ClientApp:
        """A new app at the server that `options` name. Raises one of the five errors."""
        ...
