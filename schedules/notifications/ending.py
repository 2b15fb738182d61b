"""What no fact tells of: sign-ins that end within days, and limits that are used up. Looked for now and then, told once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from django.db import transaction

from alwrity_scheduler.workspaces.models import Workspace
from platforms.limits import HOUR_SECONDS
from platforms.models import AccountState, PlatformAccount, RefreshState
from platforms.services import admission
from schedules.domain import localtime
from schedules.notifications import services
from schedules.notifications.audience import Audience
from schedules.notifications.gathering import Group
from schedules.notifications.rules import ENDS_SOON, Kind

UNRENEWED = (RefreshState.NONE, RefreshState.FAILING)


def tell(*, now: datetime) -> int:
    """Returns how many notices were written. Doing it again writes none."""
    rows = PlatformAccount.objects.filter(state=AccountState.ACTIVE).select_related("workspace").defer("credentials")
    accounts = list(rows.order_by("workspace_id", "id"))
    written = 0
    for _, same in groupby(accounts, key=lambda row: row.workspace_id):
        of_room = list(same)
        groups = [*_sign_ins(of_room, now), *_limits(of_room, now)]
        if groups:
            written += _write(groups, of_room[0].workspace)
    return written


@transaction.atomic
def _write(groups: list[Group], workspace: Workspace) -> int:
    return services.write(groups, Audience(workspace), again=False)


def _sign_ins(accounts: list[PlatformAccount], now: datetime) -> Iterator[Group]:
    for row in accounts:
        ends = row.credentials_expire_at
        if ends is not None and ends - now <= ENDS_SOON and row.refresh_state in UNRENEWED:
            yield _group(Kind.TOKEN, row, now, f"ends:{ends:%Y-%m-%d}", ends=ends.isoformat())


def _limits(accounts: list[PlatformAccount], now: datetime) -> Iterator[Group]:
    limited = [row for row in accounts if any(admission.buckets(row))]
    stored = admission.stored(limited) if limited else {}
    for row in limited:
        day = now.astimezone(localtime.zone(row.workspace.timezone))
        for purse in admission.buckets(row):
            bucket = purse.bucket
            if bucket.period_seconds > HOUR_SECONDS and not bucket.left(
                stored.get(admission.key_of(row, purse), ()), now
            ):
                yield _group(Kind.LIMIT, row, now, f"{day:%Y-%m-%d}", capacity=bucket.capacity)
                break


def _group(kind: Kind, account: PlatformAccount, now: datetime, of_what: str, **words: str | int) -> Group:
    return Group(
        kind=kind, key=f"{kind}:{account.public_id}:{of_what}", object_type="account", object_id=str(account.public_id),
        first_at=now, last_at=now, words={"name": account.name, "platform": account.platform, **words},
    )  # fmt: skip
