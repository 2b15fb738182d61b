"""The engine in one thread, at the time that the test says: claim, perform, finish, until nothing more can be claimed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from platforms.base import FieldSpec
from platforms.contracts import (
    ALL_CONTENT_TYPES,
    Accepted,
    AccountHealth,
    AccountRef,
    Budget,
    Capabilities,
    Publication,
    Published,
    Refreshed,
)
from platforms.errors import PlatformError, Unavailable
from platforms.registry import adapters

LEASE = timedelta(seconds=60)


def run_due(now: datetime, *, limit: int = 16, worker: str = "tests") -> int:
    """Everything that is due at `now`. Returns how many tasks were performed."""
    performed = 0
    while tasks := claim_due(now, limit=limit, worker=worker):
        for kind, claim, task in tasks:
            kind.finish([(claim, task, kind.perform(task))], now)
        performed += len(tasks)
    return performed


def claim_due(now: datetime, *, limit: int = 16, worker: str = "tests") -> list[tuple[Any, Any, Any]]:
    """Claim of each kind once, and again while rows are taken without a task. Returns (kind, claim, task)."""
    from schedules.engine.kinds import kinds
    from schedules.engine.work import Lease, claim

    found: list[tuple[Any, Any, Any]] = []
    for kind in kinds.values():
        while True:
            claimed = claim(kind.model, now=now, limit=limit, lease=Lease(worker, LEASE), arm=kind.arm)
            found += [(kind, item, task) for item, task in claimed.tasks]
            if claimed.tasks or not claimed.taken:
                break
    return found


@dataclass
class ScriptedAdapter:
    """A platform that answers what the test wrote down, in order; after the script, it publishes. Remembers every call."""

    key: str = "scripted"
    label: str = "Scripted"
    description: str = "For tests"
    credential_fields: tuple[Any, ...] = ()
    option_fields: tuple[Any, ...] = ()
    can_find: bool = True
    replays: bool = False
    script: list[Any] = field(default_factory=list)
    finds: list[Any] = field(default_factory=list)
    calls: list[Publication] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    on_call: Any = None

    def capabilities(self, account: AccountRef) -> Capabilities:
        return Capabilities(
            content_types=ALL_CONTENT_TYPES,
            media_mimes=frozenset({"image/png"}),
            max_media=4,
            can_find=self.can_find,
            replays=self.replays,
            consistency_delay_seconds=1.0,
            max_text=1000,
        )

    def check_settings(self, options: Any, credentials: Any) -> list[tuple[str, str]]:
        return []

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        self.calls.append(publication)
        if self.on_call:
            self.on_call(publication)
        answer = (
            self.script.pop(0) if self.script else Published(remote_id=f"r{len(self.calls)}", url="https://x.test/1")
        )
        return self._give(answer)

    def find(self, publication: Publication, *, timeout: float) -> Published | None:
        self.asked.append(publication.key)
        return self._give(self.finds.pop(0)) if self.finds else None

    def poll(self, account: AccountRef, remote_state: Any, *, timeout: float) -> Published | Accepted:
        return self._give(self.finds.pop(0))

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        return AccountHealth(ok=True, message="It works.")

    @staticmethod
    def _give(answer: Any) -> Any:
        if isinstance(answer, PlatformError):
            raise answer
        return answer


def install(adapter: ScriptedAdapter) -> ScriptedAdapter:
    adapters._entries[adapter.key] = adapter
    return adapter


def uninstall(adapter: ScriptedAdapter) -> None:
    adapters._entries.pop(adapter.key, None)


@dataclass
class HostedAdapter(ScriptedAdapter):
    """The same, on hosts (the account's option `host`) that can be down, with sign-ins that can be renewed.

    `renewals`: what the next renewals answer; those that are not scripted bring the token `fresh`, good for two hours.
    """

    key: str = "hosted"
    credential_fields: tuple[Any, ...] = (
        FieldSpec(name="token", label="Token", secret=True),
        FieldSpec(name="refresh_token", label="Refresh token", secret=True),
    )
    down: set[str] = field(default_factory=set)
    renewals: list[Any] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    clock: Any = None

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        if publication.account.options.get("host") in self.down:
            self.calls.append(publication)
            raise Unavailable("No answer.")
        return super().publish(publication, timeout=timeout)

    def service_of(self, account: AccountRef) -> str:
        return str(account.options.get("host", ""))

    def app_of(self, account: AccountRef) -> str:
        return str(account.options.get("app", ""))

    def budgets(self, account: AccountRef) -> list[Budget]:
        return [Budget(**item) for item in account.options.get("budgets", ())]

    def can_refresh(self, account: AccountRef) -> bool:
        return "refresh_token" in account.credentials

    def refresh(self, account: AccountRef, *, timeout: float) -> Refreshed:
        self.renewed.append(account.credentials["refresh_token"])
        fresh = Refreshed(
            credentials={"token": "fresh", "refresh_token": f"r{len(self.renewed)}"},
            expires_at=self.clock + timedelta(hours=2) if self.clock else None,
        )
        return self._give(self.renewals.pop(0) if self.renewals else fresh)
