"""Accounts as the API shows them.

Credentials are never read here; of the options only those that the adapter declares, and not as a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from platforms.contracts import AccountHealth
from platforms.models import AccountGroup, AccountState, PlatformAccount, PlatformApp
from platforms.registry import adapters
from platforms.text.utm import NAMES as UTM_NAMES
from schedules.api.serializers.shapes import (
    LARGEST,
    Answer,
    Input,
    PlainJson,
    Text,
    Version,
    Words,
    WorkspaceName,
    both,
    id_or_object,
    workspace_words,
)
from schedules.api.serializers.shown import Instant, Shown, Url
from schedules.reads.standing import Standing


class AccountName(Shown):
    """An account as other answers name it."""

    id: UUID
    platform: str
    name: str
    handle: str


def account_words(account: PlatformAccount) -> dict[str, Any]:
    """How other answers name an account."""
    return {
        "id": str(account.public_id),
        "platform": account.platform,
        "name": account.name,
        "handle": account.handle,
    }


def public_options(account: PlatformAccount) -> dict[str, Any]:
    """Nothing, where the adapter is missing: then nobody can say what is a secret."""
    adapter = adapters.get(account.platform)
    shown = {spec.name for spec in adapter.option_fields if not spec.secret} if adapter else set()
    return {name: value for name, value in account.options.items() if name in shown}


class GroupName(Shown):
    id: UUID
    name: str


class AccountHealthShown(Shown):
    """`next_try_at`: when a platform that is down is asked again. `not_before_at`: until when its limits are used up."""

    state: str
    service: str
    failures: int
    last_error: str
    next_try_at: Instant | None
    not_before_at: Instant | None


class AccountSignIn(Shown):
    """When the sign-in at the platform ends, and whether it is renewed by itself."""

    expires_at: Instant | None
    renewal: str
    error: str


class AccountBudget(Shown):
    """What the platform lets through in a period, and what is left of it now."""

    scope: str
    name: str
    capacity: int
    period_seconds: float
    left: int


class BudgetInUse(AccountBudget):
    """`full_by_at`: by when all of it is there again; null while nothing of it is used."""

    used: int
    full_by_at: Instant | None


class AccountForecast(Shown):
    """What will run short, by when, in words."""

    kind: str
    count: int
    until: Instant | None
    words: str


class AccountStanding(Shown):
    """How the account works: its health, its sign-in, what is left of its budgets, and what will run short."""

    health: AccountHealthShown
    sign_in: AccountSignIn
    budgets: list[AccountBudget]
    forecast: list[AccountForecast]


class AccountLimits(Shown):
    """What the account lets through, and its own pace. `not_before_at`: until when nothing goes out on it."""

    account: AccountName
    timezone: str
    min_spacing_seconds: int
    hourly_cap: int | None
    daily_cap: int | None
    not_before_at: Instant | None
    budgets: list[BudgetInUse]


class AccountOfLate(AccountStanding):
    """How the account stands, and what became of its posts in the last `days`."""

    account: AccountName
    timezone: str
    state: AccountState
    state_reason: str
    days: int
    success_rate: float | None
    ended_count: int
    published_count: int
    failed_count: int
    missed_count: int
    unconfirmed_count: int
    error_classes: dict[str, int]
    delay_p50_seconds: float | None
    delay_p95_seconds: float | None
    token_days_left: int | None
    missing_scopes: list[str]
    last_published_at: Instant | None
    next_run_at: Instant | None


class AccountShown(AccountName):
    """Where posts can go. Credentials are never shown; `secrets` are those made while it was connected, shown that once."""

    optional = frozenset({"secrets"})

    workspace: WorkspaceName
    state: AccountState
    state_reason: str
    options: dict[str, Any]
    min_spacing_seconds: int
    hourly_cap: int | None
    daily_cap: int | None
    signature: str
    default_hashtags: list[str]
    utm: dict[str, str]
    missing_scopes: list[str]
    groups: list[GroupName]
    health: AccountHealthShown
    sign_in: AccountSignIn
    budgets: list[AccountBudget]
    forecast: list[AccountForecast]
    version: int
    secrets: dict[str, str]


class AccountAnswer(Answer):
    """`context["standings"]`: how each account stands, by id."""

    shown = AccountShown
    times: ClassVar[tuple[str, ...]] = ("state_changed_at", "created_at", "updated_at")

    def zone(self, row: PlatformAccount) -> str:
        return row.timezone

    def body(self, row: PlatformAccount) -> dict[str, Any]:
        return {
            **account_words(row),
            "workspace": workspace_words(row.workspace),
            "state": row.state,
            "state_reason": row.state_reason,
            "options": public_options(row),
            "min_spacing_seconds": row.min_spacing_seconds,
            "hourly_cap": row.hourly_cap,
            "daily_cap": row.daily_cap,
            "signature": row.signature,
            "default_hashtags": row.default_hashtags,
            "utm": row.utm,
            "missing_scopes": row.missing_scopes,
            "groups": [{"id": str(group.public_id), "name": group.name} for group in row.account_groups.all()],
            **standing_words(self.context["standings"][row.pk], row.timezone),
            "version": row.version,
        }


class ConnectionTest(Shown):
    """Would the platform publish now, and as whom."""

    ok: bool
    message: str
    identity: str
    missing_scopes: list[str]


def health_words(health: AccountHealth) -> dict[str, Any]:
    """The answer of a connection test."""
    return {
        "ok": health.ok,
        "message": health.message,
        "identity": health.identity,
        "missing_scopes": list(health.missing_scopes),
    }


class AccountChange(Input):
    """What can be changed of an account; of `options` those that are named. Credentials have an address of their own."""

    echoed: ClassVar[frozenset[str]] = frozenset(
        {
            "id", "workspace", "platform", "state", "state_reason", "missing_scopes", "groups", "health", "sign_in",
            "budgets", "forecast", "state_changed_at", "state_changed_at_local", "created_at", "created_at_local",
            "updated_at", "updated_at_local",
        }
    )  # fmt: skip

    @staticmethod
    def as_schema(schema: dict[str, Any]) -> dict[str, Any]:
        schema["properties"]["utm"]["propertyNames"] = {"enum": list(UTM_NAMES)}
        return schema

    version = Version()
    name = serializers.CharField(required=False, max_length=120)
    handle = serializers.CharField(required=False, max_length=120)
    timezone = serializers.CharField(required=False, max_length=64)
    options = PlainJson(required=False)
    signature = Text(max_length=500)
    default_hashtags = Words()
    utm = PlainJson(required=False, child=serializers.CharField(max_length=200, allow_blank=True))
    min_spacing_seconds = serializers.IntegerField(required=False, min_value=0, max_value=86_400)
    hourly_cap = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=LARGEST)
    daily_cap = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=LARGEST)


class AccountId(serializers.UUIDField):
    """An account by its id, or as answers show it."""

    takes_objects = True
    written: ClassVar[dict[str, Any]] = id_or_object("account")

    def to_internal_value(self, data: Any) -> Any:
        given: Any = data.get("id") if isinstance(data, Mapping) else data
        return super().to_internal_value(given)


class GroupInput(Input):
    """A new group."""

    echoed: ClassVar[frozenset[str]] = frozenset(
        {"id", "timezone", "created_at", "created_at_local", "updated_at", "updated_at_local"}
    )

    workspace = serializers.CharField(required=False, max_length=60)
    name = serializers.CharField(max_length=80)
    accounts = serializers.ListField(child=AccountId(), required=False, max_length=1000)


class GroupChange(GroupInput):
    echoed: ClassVar[frozenset[str]] = GroupInput.echoed | {"workspace"}

    workspace = None  # type: ignore[assignment]
    version = Version()
    name = serializers.CharField(required=False, max_length=80)


class AccountGroupShown(Shown):
    """Accounts that are chosen together."""

    id: UUID
    workspace: WorkspaceName
    name: str
    accounts: list[AccountName]
    version: int


class GroupAnswer(Answer):
    shown = AccountGroupShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "updated_at")

    def zone(self, row: AccountGroup) -> str:
        return row.workspace.timezone

    def body(self, row: AccountGroup) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "name": row.name,
            "accounts": [account_words(account) for account in row.accounts.all()],
            "version": row.version,
        }


class AppInput(Input):
    """A sign-in app. The secret is write-only; empty, or left out, keeps the stored one of this client id."""

    workspace = serializers.CharField(required=False, max_length=60)
    platform = serializers.CharField(max_length=40)
    server = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)
    client_id = serializers.CharField(max_length=400)
    client_secret = serializers.CharField(required=False, allow_blank=True, default="", max_length=4000)


class SignInApp(Shown):
    """The app by which a platform knows us. `redirect_uri` is what is entered there; the secret is never shown."""

    id: UUID
    workspace: WorkspaceName
    platform: str
    server: str
    client_id: str
    has_secret: bool
    registered: bool
    redirect_uri: Url
    set_by: str


class AppAnswer(Answer):
    """Says whether there is a secret, never what it is. `context["redirect_uri"]`: what is entered at the platform."""

    shown = SignInApp
    times: ClassVar[tuple[str, ...]] = ("set_at",)

    def zone(self, row: PlatformApp) -> str:
        return row.workspace.timezone

    def body(self, row: PlatformApp) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "platform": row.platform,
            "server": row.server,
            "client_id": row.client_id,
            "has_secret": bool(row.secrets),
            "registered": bool(row.registered_for),
            "redirect_uri": self.context["redirect_uri"],
            "set_by": row.set_by,
        }


def standing_words(standing: Standing, zone: str) -> dict[str, Any]:
    """Health, sign-in, budgets with what is left, and forecasts."""
    return {
        "health": {
            "state": standing.state,
            "service": standing.service,
            "failures": standing.failures,
            "last_error": standing.last_error,
            **both("next_try_at", standing.next_try_at, zone),
            **both("not_before_at", standing.not_before_at, zone),
        },
        "sign_in": {
            **both("expires_at", standing.expires_at, zone),
            "renewal": standing.refresh_state,
            "error": standing.refresh_error,
        },
        "budgets": [
            {
                "scope": item.scope,
                "name": item.name,
                "capacity": item.capacity,
                "period_seconds": item.period_seconds,
                "left": item.left,
            }
            for item in standing.budgets
        ],
        "forecast": [
            {"kind": item.kind, "count": item.count, **both("until", item.until, zone), "words": item.words}
            for item in standing.forecasts
        ],
    }
