"""The one Protocol an adapter fulfils. Whatever an adapter needs beyond this stays in its own folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from platforms.contracts import Accepted, AccountHealth, AccountRef, Capabilities, Publication, Published

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
