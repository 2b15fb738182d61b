"""Workspaces with their members, and the accounts that posts go to. Never a credential."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry
import strawberry_django
from django.db.models import F
from strawberry.scalars import JSON

from alwrity_scheduler.workspaces.models import Membership, Workspace
from platforms.models import AccountGroup, PlatformAccount, PlatformApp
from platforms.registry import adapters
from schedules.graphql.nodes import Info, Rows, computed, connected, node, public_id
from schedules.reads.standing import Standing


@node(Membership, name="Member")
class MemberNode:
    """One person of a workspace. `role`: owner, manager, approver, author, viewer or reviewer."""

    role: str
    created_at: datetime

    @computed(annotate={"_username": F("user__username")})
    def username(self: Any) -> str:
        return str(self._username)

    @computed(annotate={"_first": F("user__first_name"), "_last": F("user__last_name")})
    def name(self: Any) -> str:
        return f"{self._first} {self._last}".strip()


@node(Workspace, name="Workspace")
class WorkspaceNode:
    """A team's room. While `pausedAt` is set nothing of it is published."""

    id: strawberry.ID = public_id()
    name: str
    slug: str
    timezone: str
    paused_at: datetime | None
    created_at: datetime
    members: Rows[MemberNode] = connected("memberships")

    @computed()
    def role(self: Any, info: Info) -> str:
        """Your own role in it."""
        return info.context.role_in(self)


@strawberry.type
class Budget:
    """One of an account's limits: `left` of `capacity` calls can be made now; the capacity is for any `periodSeconds`."""

    scope: str
    name: str
    capacity: int
    left: int
    period_seconds: float


@strawberry.type
class Forecast:
    """Posts that wait or will wait for a limit, and why."""

    kind: str
    count: int
    until: datetime
    words: str


@strawberry.type
class AccountHealth:
    """How an account stands. `state`: answers, down (its calls fail) or service_down (those of several accounts do)."""

    state: str
    service: str
    failures: int
    last_error: str
    next_try_at: datetime | None
    not_before_at: datetime | None
    sign_in_expires_at: datetime | None
    renewal: str
    renewal_error: str
    budgets: list[Budget]
    forecast: list[Forecast]

    @classmethod
    def of(cls, standing: Standing) -> AccountHealth:
        return cls(
            state=standing.state,
            service=standing.service,
            failures=standing.failures,
            last_error=standing.last_error,
            next_try_at=standing.next_try_at,
            not_before_at=standing.not_before_at,
            sign_in_expires_at=standing.expires_at,
            renewal=standing.refresh_state,
            renewal_error=standing.refresh_error,
            budgets=[
                Budget(
                    scope=str(item.scope), name=item.name, capacity=item.capacity, left=item.left,
                    period_seconds=item.period_seconds,
                )
                for item in standing.budgets
            ],
            forecast=[
                Forecast(kind=str(item.kind), count=item.count, until=item.until, words=item.words)
                for item in standing.forecasts
            ],
        )  # fmt: skip


def without_secrets(rows: Any) -> Any:
    """The secrets are not even loaded."""
    return rows.defer("credentials")


@node(PlatformAccount, name="Account", narrow=without_secrets)
class AccountNode:
    """One place to publish to. `state`: active, paused, needs_auth or disconnected."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    platform: str
    name: str
    handle: str
    timezone: str
    state: str
    state_reason: str
    state_changed_at: datetime
    min_spacing_seconds: int
    hourly_cap: int | None
    daily_cap: int | None
    signature: str
    default_hashtags: list[str]
    utm: JSON
    missing_scopes: list[str]
    groups: list[AccountGroupNode] = strawberry_django.field(field_name="account_groups")
    version: int
    created_at: datetime
    updated_at: datetime

    @computed()
    def options(self: Any) -> JSON:
        """What the platform's adapter was told that is no secret. Nothing, where the adapter is missing: then nobody can say."""
        adapter = adapters.get(self.platform)
        shown = {spec.name for spec in adapter.option_fields if not spec.secret} if adapter else set()
        return JSON({name: value for name, value in self.options.items() if name in shown})

    @computed()
    def health(self: Any, info: Info) -> AccountHealth | None:
        standing = info.context.standing_of(self)
        return None if standing is None else AccountHealth.of(standing)


@node(AccountGroup, name="AccountGroup")
class AccountGroupNode:
    """Accounts that are chosen together."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    name: str
    accounts: list[AccountNode]
    version: int
    created_at: datetime
    updated_at: datetime


def without_secret(rows: Any) -> Any:
    return rows.defer("secrets")


@node(PlatformApp, name="SignInApp", narrow=without_secret)
class SignInAppNode:
    """What a platform knows this installation by when people sign in there."""

    id: strawberry.ID = public_id()
    workspace: WorkspaceNode | None
    platform: str
    server: str
    client_id: str
    set_by: str
    set_at: datetime


@strawberry.type
class AccountTest:
    """The answer of a connection test, in words; nothing was posted."""

    ok: bool
    message: str
    identity: str
    missing_scopes: list[str]
