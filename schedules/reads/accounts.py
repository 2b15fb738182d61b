"""The accounts of a workspace as cards: how each stands, what goes out there, and what will not. A fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q

from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import AccountGroup, AccountState, PlatformAccount, RefreshState
from schedules.models import AuditLog, Job
from schedules.reads import calendar
from schedules.reads.calendar import Event, Wanted
from schedules.reads.standing import Standing, standings

AHEAD = timedelta(days=7)
NAMED = 3
TROUBLE = "trouble"
SORTS = ("urgent", "name", "platform", "next", "last")
KEY_FACTS = ("account.connected", "account.credentials_changed", "account.signed_in")
# what would go out, or waits to
_GOING = ("scheduled", "blocked")


@dataclass(frozen=True, slots=True)
class KeysSet:
    """When a person last gave the account its keys, and who."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """`breaks`: the first posts of the next 7 days that will not go out as things stand; `break_count`: all of them.

    last_at, next_at: aware UTC, None where there is none. waiting: posts that stand as jobs and are not out. ends: the sign-in
    does, within 7 days, and only a person can renew it. urgency: see `urgency_of`.
    """

    account: PlatformAccount
    standing: Standing
    last_at: datetime | None
    next_at: datetime | None
    waiting: int
    breaks: tuple[Event, ...] = ()
    break_count: int = 0
    keys: KeysSet | None = None
    ends: bool = False
    urgency: int = 3

    @property
    def is_broken(self) -> bool:
        """Posts will not go out until a person signs in there."""
        return self.account.state == AccountState.NEEDS_AUTH or self.ends


@dataclass(frozen=True, slots=True)
class Shelf:
    """`platforms`: those of all accounts of the workspace, whatever the filters leave."""

    cards: list[Card]
    platforms: list[str]


def shelf(
    workspace: Workspace,
    now: datetime,
    *,
    words: str = "",
    platform: str = "",
    state: str = "",
    group: AccountGroup | None = None,
    sort: str = "urgent",
) -> Shelf:
    """Narrowed by words of name or handle, platform, state (an AccountState, or TROUBLE) and group; sorted by one of SORTS."""
    everything = _rows(workspace)
    rows = [row for row in everything if _is_meant(row, words, platform, state, group)]
    ids = [row.pk for row in rows]
    standing = standings(rows, now)
    planned, last = _planned(workspace, ids), _last(workspace, ids)
    broken = {row.pk: since for row in rows if (since := _broken_since(row, standing[row.pk], now)) is not None}
    breaks = _breaks(workspace, broken, now)
    keys = _keys(rows)
    found = [
        Card(
            account=row, standing=standing[row.pk], last_at=last.get(row.pk), next_at=planned.get(row.pk, (None, 0))[0],
            waiting=planned.get(row.pk, (None, 0))[1], breaks=tuple(breaks.get(row.pk, ())[:NAMED]),
            break_count=len(breaks.get(row.pk, ())), keys=keys.get(str(row.public_id)),
            ends=row.pk in broken and row.state == AccountState.ACTIVE,
            urgency=urgency_of(row, standing[row.pk], ends=row.pk in broken),
        )
        for row in rows
    ]  # fmt: skip
    if state == TROUBLE:
        found = [card for card in found if card.urgency < 3]
    return Shelf(_sorted(found, sort), sorted({row.platform for row in everything}))


def urgency_of(row: PlatformAccount, standing: Standing, *, ends: bool) -> int:
    """0: a person must sign in; 1: soon, or rights are missing; 2: it waits for the platform; 3: it is well; 4: a person's wish."""
    if row.state == AccountState.NEEDS_AUTH:
        return 0
    if row.state in (AccountState.PAUSED, AccountState.DISCONNECTED):
        return 4
    if ends or row.missing_scopes:
        return 1
    return 2 if standing.state != "answers" else 3


def _rows(workspace: Workspace) -> list[PlatformAccount]:
    rows = PlatformAccount.objects.within(workspace).select_related("service", "circuit")
    return list(rows.prefetch_related("account_groups").defer("credentials").order_by("platform", "name", "id"))


def _is_meant(row: PlatformAccount, words: str, platform: str, state: str, group: AccountGroup | None) -> bool:
    return (
        (not words or words.casefold() in f"{row.name}\n{row.handle}".casefold())
        and (not platform or row.platform == platform)
        and (state in ("", TROUBLE) or row.state == state)
        and (group is None or group in row.account_groups.all())
    )


def _planned(workspace: Workspace, ids: Sequence[int]) -> dict[int, tuple[datetime | None, int]]:
    """By account: when the next post goes out, and how many wait. Reads open posts only."""
    jobs = Job.objects.within(workspace).filter(state__in=["pending", "blocked"], account__in=ids).order_by()
    counted = jobs.values_list("account").annotate(at=Min("run_at", filter=Q(state="pending")), n=Count("pk"))
    return {account: (at, number) for account, at, number in counted}


def _last(workspace: Workspace, ids: Sequence[int]) -> dict[int, datetime]:
    jobs = Job.objects.within(workspace).filter(state="completed", account__in=ids).order_by()
    return dict(jobs.values_list("account").annotate(at=Max("finished_at")))


def _broken_since(row: PlatformAccount, standing: Standing, now: datetime) -> datetime | None:
    """From when on its posts will not go out; None where nothing is foreseen."""
    if row.state == AccountState.NEEDS_AUTH:
        return now
    if row.state != AccountState.ACTIVE or standing.refresh_state not in (RefreshState.NONE, RefreshState.FAILING):
        return None
    ends = standing.expires_at
    return max(ends, now) if ends is not None and ends <= now + AHEAD else None


def _breaks(workspace: Workspace, broken: Mapping[int, datetime], now: datetime) -> dict[int, list[Event]]:
    if not broken:
        return {}
    wanted = Wanted(account_ids=tuple(broken), looks=_GOING)
    found: dict[int, list[Event]] = {}
    for event in calendar.events(workspace, start=now, end=now + AHEAD, zone="UTC", now=now, wanted=wanted):
        if event.at >= broken[event.account_id]:
            found.setdefault(event.account_id, []).append(event)
    return found


def _keys(rows: Iterable[PlatformAccount]) -> dict[str, KeysSet]:
    """By the account's public id, from the history: the values themselves are never read."""
    ids = [str(row.public_id) for row in rows if row.state != AccountState.DISCONNECTED]
    facts = AuditLog.objects.filter(object_type="account", object_id__in=ids, action__in=KEY_FACTS).order_by()
    latest = facts.values("object_id").annotate(newest=Max("pk")).values("newest")
    told = AuditLog.objects.filter(pk__in=latest).values_list("object_id", "at", "actor_label")
    return {name: KeysSet(at, by) for name, at, by in told}


def keys_of(row: PlatformAccount) -> KeysSet | None:
    return _keys([row]).get(str(row.public_id))


def breaks_of(row: PlatformAccount, standing: Standing, now: datetime) -> list[Event]:
    """The posts of the next 7 days that one account will not publish as things stand."""
    since = _broken_since(row, standing, now)
    return [] if since is None else _breaks(row.workspace, {row.pk: since}, now).get(row.pk, [])


def _sorted(found: list[Card], sort: str) -> list[Card]:
    """Stable: what is equal stays by platform and name."""
    keys: dict[str, Any] = {
        "urgent": lambda card: card.urgency,
        "name": lambda card: card.account.name.casefold(),
        "next": lambda card: (card.next_at is None, card.next_at.timestamp() if card.next_at else 0),
        "last": lambda card: (card.last_at is None, -card.last_at.timestamp() if card.last_at else 0),
    }
    return sorted(found, key=keys[sort]) if sort in keys else found
