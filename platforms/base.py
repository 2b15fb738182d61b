"""The one Protocol an adapter fulfils, and four it may fulfil besides. Whatever else it needs stays in its own folder."""

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
    Publication,
    Published,
    Refreshed,
)

FieldKind = Literal["text", "url", "bool", "number", "choice"]
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

    def find(self, publication: Publication, *, timeout: float) -> Published | None:
        """Look up what became of the publication's key. None: provably absent.

        Raises UnknownOutcome, and no other class, when it cannot tell: the other four say "certainly not posted".
        """
        ...

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        """Ask how an accepted post is doing; Accepted means ask again, also when the asking itself failed.

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
