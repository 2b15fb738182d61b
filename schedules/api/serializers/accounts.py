"""Accounts as the API shows them.

Credentials are never read here; of the options only those that the adapter declares, and not as a secret.
"""

from __future__ import annotations

from typing import Any, ClassVar

from platforms.models import PlatformAccount
from platforms.registry import adapters
from schedules.api.serializers.shapes import Answer, both, workspace_words
from schedules.reads.standing import Standing


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


class AccountAnswer(Answer):
    """`context["standings"]`: how each account stands, by id."""

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
            **standing_words(self.context["standings"][row.pk], row.timezone),
            "version": row.version,
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
