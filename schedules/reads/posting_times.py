"""The times of the week at which accounts post, as times of a span."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import AccountState
from schedules.domain import localtime
from schedules.models import PostingSlot

MOST = 200


@dataclass(frozen=True, slots=True)
class PostingTime:
    """`at`: aware, in the zone that was asked for."""

    at: datetime
    account_id: int
    account_public_id: str
    account: str
    platform: str


def posting_times(workspace: Workspace, *, start: datetime, end: datetime, zone: ZoneInfo) -> list[PostingTime]:
    """Those of active accounts in [start, end) (aware), in order; one query. A time in a gap of the clocks is moved on."""
    days = [start.date() + timedelta(days=step) for step in range(-1, (end.date() - start.date()).days + 2)]
    rows = (
        PostingSlot.objects.within(workspace)
        .filter(
            account__state=AccountState.ACTIVE,
            weekday__in={day.weekday() for day in days},
        )
        .select_related("account")
    )
    found = []
    for row in rows:
        for day in days:
            if day.weekday() != row.weekday:
                continue
            at = localtime.local_time(datetime.combine(day, row.time), row.account.timezone).at
            if start <= at < end:
                found.append(
                    PostingTime(
                        at.astimezone(zone),
                        row.account_id,
                        str(row.account.public_id),
                        row.account.name,
                        row.account.platform,
                    )
                )
    return sorted(found, key=lambda item: (item.at, item.account_id))[:MOST]
