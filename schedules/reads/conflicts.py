"""What stands too close on one account, what a new time would be too close to, and times that are free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import PlatformAccount
from schedules.domain import gaps
from schedules.reads import calendar
from schedules.reads.calendar import LEAST_GAP_SECONDS, LIVE, Event, Wanted

STEP = timedelta(minutes=5)
AROUND = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two live posts of one account: `apart` is less than `wanted`, both in seconds."""

    first: Event
    second: Event
    apart: int
    wanted: int


def pairs(
    workspace: Workspace, account_ids: Sequence[int], *, since: datetime, until: datetime, zone: str, now: datetime
) -> list[Pair]:
    """The pairs of [since, until), the earliest first; each once, under its later post."""
    if not account_ids:
        return []
    wanted = Wanted(account_ids=account_ids, conflicts=True)
    found = calendar.events(workspace, start=since, end=until, zone=zone, now=now, wanted=wanted)
    return [
        Pair(
            first=event.near,
            second=event,
            apart=round((event.at - event.near.at).total_seconds()),
            wanted=calendar.gap_of(event),
        )
        for event in found
        if event.near is not None and (event.near.at, event.near.key) < (event.at, event.key)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The live posts of accounts in a span, in order, and how far from them another must stay."""

    events: Mapping[int, Sequence[Event]]
    apart: Mapping[int, timedelta]

    def near(self, account_id: int, at: datetime, but: frozenset[int] = frozenset()) -> list[Event]:
        """Those of the account that a post at `at` would be too close to, the nearest first; `but`: schedules that do not count."""
        gap = self.apart[account_id]
        close = [
            item for item in self.events.get(account_id, ()) if abs(item.at - at) < gap and item.schedule_id not in but
        ]
        return sorted(close, key=lambda item: (abs(item.at - at), item.key))

    def free(
        self, window: gaps.Window, *, step: timedelta, count: int, but: frozenset[int] = frozenset()
    ) -> list[datetime]:
        times = {
            account: [item.at for item in events if item.schedule_id not in but]
            for account, events in self.events.items()
        }
        return list(islice(gaps.free(window, times, self.apart, step=step), count))


def taken(
    workspace: Workspace,
    accounts: Sequence[PlatformAccount],
    *,
    start: datetime,
    end: datetime,
    gap_seconds: int,
    now: datetime,
) -> Taken:
    """What stands on the accounts in [start, end) and a gap around it. `gap_seconds`: at least so far, beside their own spacing."""
    apart = {
        row.pk: timedelta(seconds=max(row.min_spacing_seconds, gap_seconds, LEAST_GAP_SECONDS)) for row in accounts
    }
    widest = max(apart.values(), default=timedelta(0))
    wanted = Wanted(account_ids=[row.pk for row in accounts], looks=tuple(LIVE))
    found: dict[int, list[Event]] = {row.pk: [] for row in accounts}
    if accounts:
        for event in calendar.events(
            workspace, start=start - widest, end=end + widest, zone="UTC", now=now, wanted=wanted
        ):
            found[event.account_id].append(event)
    return Taken(events=found, apart=apart)
