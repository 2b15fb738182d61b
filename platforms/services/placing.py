"""Where an account belongs: what is down together with it, whose quota it shares, which budgets it has, and whether its
sign-in can be renewed. The adapter is asked when the account changes, and once an hour; the answers are kept on the row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from platforms.base import HasApps, HasBudgets, HasServices, Refreshes
from platforms.contracts import Budget
from platforms.models import PlatformAccount, RefreshState, Service
from platforms.registry import adapters
from platforms.services.refs import account_ref

logger = logging.getLogger(__name__)
LONGEST_NAME = 30
MOST_BUDGETS = 10
KEPT = ("service", "app_key", "budgets", "refresh_state", "refresh_at")
Answer = TypeVar("Answer")


def place(account: PlatformAccount, now: datetime, credentials: Mapping[str, str] | None = None) -> None:
    """Set the fields of KEPT on the row in hand; the caller saves. `credentials` None: as stored, if they can be read."""
    if credentials is None:
        credentials = account.credentials if account.credentials.is_readable() else {}
    reference = account_ref(account, credentials)
    adapter = adapters.get(account.platform)
    service = _asked(lambda: adapter.service_of(reference), "") if isinstance(adapter, HasServices) else ""
    account.service = _service(account.platform, str(service)[:200], getattr(adapter, "label", account.platform))
    app = _asked(lambda: adapter.app_of(reference), "") if isinstance(adapter, HasApps) else ""
    account.app_key = f"{account.platform}:{app}"[:200] if app else ""
    budgets: list[Budget] = (
        _asked(lambda: list(adapter.budgets(reference)), []) if isinstance(adapter, HasBudgets) else []
    )
    account.budgets = [asdict(item) for item in _usable(budgets, bool(app))]
    renews = _asked(lambda: adapter.can_refresh(reference), False) if isinstance(adapter, Refreshes) else False
    if not renews:
        account.refresh_state, account.refresh_at = RefreshState.NONE, None
    elif account.refresh_state == RefreshState.NONE:
        account.refresh_state, account.refresh_at = RefreshState.DUE, now


def adopt(accounts: Iterable[PlatformAccount], now: datetime) -> int:
    """Ask the adapters anew, after an update of them for instance. Returns how many accounts changed."""
    return sum(_adopt(account, now) for account in accounts)


def adopt_all(now: datetime) -> int:
    """The same for every account that is connected. Memory stays flat."""
    rows = PlatformAccount.objects.exclude(state="disconnected").select_related("service").order_by("id")
    return adopt(rows.iterator(chunk_size=200), now)


def _adopt(account: PlatformAccount, now: datetime) -> bool:
    before = {name: getattr(account, name) for name in KEPT}
    place(account, now)
    after = {name: getattr(account, name) for name in KEPT}
    if before == after:
        return False
    # by version: whoever changes the account meanwhile places it too
    return bool(PlatformAccount.objects.filter(pk=account.pk, version=account.version).update(**after))


def budgets_of(account: PlatformAccount) -> list[Budget]:
    """What the adapter said when it was asked last."""
    return [Budget(**item) for item in account.budgets]


def _service(platform: str, name: str, label: str) -> Service:
    key = f"{platform}:{name}" if name else platform
    row, _ = Service.objects.get_or_create(key=key, defaults={"label": name or label})
    return row


def _usable(budgets: Iterable[Any], has_app: bool) -> list[Budget]:
    """A budget of an app that the account does not name has nowhere to be kept."""
    found = [item for item in budgets if isinstance(item, Budget) and item.capacity > 0 and item.period_seconds > 0]
    found = [item for item in found if (item.scope == "account" or has_app) and 0 < len(item.name) <= LONGEST_NAME]
    return found[:MOST_BUDGETS]


def _asked(question: Callable[[], Answer], otherwise: Answer) -> Answer:
    """The edge to foreign code: an adapter that fails here is told of, and goes without."""
    try:
        return question()
    except Exception as error:
        logger.error(
            "An adapter could not say where an account belongs (%s).",
            type(error).__name__,
            extra={"action": "placing_failed"},
        )
        return otherwise
