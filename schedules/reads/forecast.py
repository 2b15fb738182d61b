"""What will become of an account's planned posts as things stand: "3 posts until Friday will wait: sign in again".

For the Today page, the account's page and the API. A fixed number of queries, whatever the number of accounts; none when
nothing is wrong with any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import Count, F, Max, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from platforms.limits import DAY_SECONDS
from platforms.models import AccountState, PlatformAccount, RefreshState
from platforms.services import admission
from schedules.domain import localtime
from schedules.models import Job

Kind = Literal["sign_in", "ending", "renewal", "outage", "limit"]
MOST_TIMES = 2_000
AHEAD = timedelta(seconds=DAY_SECONDS)
_DOWN = (
    Q(reason="platform_down")
    | Q(run_at__lte=F("account__service__retry_at"))
    | Q(run_at__lte=F("account__circuit__retry_at"))
)
# which posts of a troubled account a trouble concerns
_CONCERNED: dict[Kind, Q] = {
    "sign_in": Q(),
    "ending": Q(scheduled_for__gte=F("account__credentials_expire_at")),
    "renewal": Q(scheduled_for__gte=F("account__credentials_expire_at")) | Q(reason="fresh_sign_in"),
    "outage": Q(state="pending") & _DOWN,
    "limit": Q(state="pending", run_at__lte=F("account__not_before_at")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`count` posts, planned until `until` (aware UTC), wait or will wait; `words` say why and what to do."""

    kind: Kind
    count: int
    until: datetime
    words: str


def forecasts(accounts: Iterable[PlatformAccount], now: datetime) -> dict[int, tuple[Forecast, ...]]:
    """By account id; accounts of which nothing is foretold are left out. The rows need `circuit` and `service` loaded.
    At most three queries: the posts concerned, the budgets, the posts of the next day."""
    rows = list(accounts)
    troubles = {row.pk: kinds for row in rows if (kinds := _troubles(row, now))}
    counts = _counts(rows, troubles) if troubles else {}
    spent = _spent([row for row in rows if row.pk not in troubles], now)
    found: dict[int, tuple[Forecast, ...]] = {}
    for row in rows:
        told = [
            Forecast(kind=kind, count=count, until=until, words=_words(row, kind, count, until, now))
            for kind in troubles.get(row.pk, ())
            if (count := counts.get(row.pk, {}).get(f"{kind}_count") or 0)
            and (until := counts[row.pk][f"{kind}_until"])
        ]
        told += spent.get(row.pk, [])
        if told:
            found[row.pk] = tuple(told)
    return found


def _troubles(account: PlatformAccount, now: datetime) -> list[Kind]:
    if account.state == AccountState.NEEDS_AUTH:
        return ["sign_in"]
    if account.state != AccountState.ACTIVE:
        return []
    found: list[Kind] = []
    expires_at = account.credentials_expire_at
    failing = account.refresh_state == RefreshState.FAILING and expires_at is not None
    if failing or admission.is_signed_out(account, now):
        found.append("renewal")
    elif expires_at is not None and account.refresh_state == RefreshState.NONE:
        found.append("ending")
    circuits = (account.service, getattr(account, "circuit", None))
    if any(row is not None and row.state != "closed" for row in circuits):
        found.append("outage")
    if account.not_before_at is not None and account.not_before_at > now:
        found.append("limit")
    return found


def _counts(rows: Sequence[PlatformAccount], troubles: dict[int, list[Kind]]) -> dict[int, dict[str, Any]]:
    asked = sorted({kind for kinds in troubles.values() for kind in kinds})
    parts: dict[str, Any] = {}
    for kind in asked:
        parts[f"{kind}_count"] = Count("pk", filter=_CONCERNED[kind]) if _CONCERNED[kind] else Count("pk")
        parts[f"{kind}_until"] = Max("scheduled_for", filter=_CONCERNED[kind] or None)
    # the workspace leads into the index of open posts; the account's own would lead through its whole history
    jobs = Job.objects.filter(
        workspace__in={row.workspace_id for row in rows if row.pk in troubles},
        state__in=["pending", "blocked"],
        account__in=list(troubles),
    )
    return {line["account"]: dict(line) for line in jobs.order_by().values("account").annotate(**parts)}


def _spent(rows: Sequence[PlatformAccount], now: datetime) -> dict[int, list[Forecast]]:
    """Play the next 24 hours through: which posts find the budget of the day used up?"""
    daily = {
        row.pk: purses
        for row in rows
        if row.state == AccountState.ACTIVE
        and (purses := [item for item in admission.buckets(row) if round(item.bucket.period_seconds) >= DAY_SECONDS])
    }
    if not daily:
        return {}
    limited = [row for row in rows if row.pk in daily]
    stored = admission.stored(limited)
    planned: dict[int, list[datetime]] = {}
    times = Job.objects.filter(account__in=list(daily), state="pending", run_at__lt=now + AHEAD)
    for pk, at in times.order_by("run_at", "id").values_list("account_id", "run_at")[:MOST_TIMES]:
        planned.setdefault(pk, []).append(max(at, now))
    found: dict[int, list[Forecast]] = {}
    for row in limited:
        for purse in daily[row.pk]:
            state = stored.get(admission.key_of(row, purse), ())
            late = []
            for at in planned.get(row.pk, ()):
                state, wait = purse.bucket.take(state, at)
                if wait:
                    late.append(at)
            if late:
                words = _limit_words(len(late), late[-1], purse.bucket.capacity, row, now)
                found.setdefault(row.pk, []).append(
                    Forecast(kind="limit", count=len(late), until=late[-1], words=words)
                )
    return found


def _words(account: PlatformAccount, kind: Kind, count: int, until: datetime, now: datetime) -> str:
    posts = _posts(count, until, account, now)
    if kind == "sign_in":
        return _("%(posts)s will wait: sign in again.") % {"posts": posts}
    if kind == "ending":
        at = _at(account.credentials_expire_at or now, account, now)
        return _("%(posts)s will wait: the sign-in ends %(at)s and cannot be renewed. Sign in again before.") % {
            "posts": posts,
            "at": at,
        }
    if kind == "renewal":
        expires_at = account.credentials_expire_at or now
        return _("%(posts)s will wait: the sign-in runs out %(at)s and renewing it fails. %(error)s") % {
            "posts": posts,
            "at": _at(expires_at, account, now),
            "error": account.refresh_error,
        }
    if kind == "limit":
        return _("%(posts)s will wait: the platform asked to be left alone until %(at)s.") % {
            "posts": posts,
            "at": _at(account.not_before_at or now, account, now),
        }
    retry_at, whom = next_try(account)
    return _("%(posts)s will wait: %(whom)s does not answer. The next try is %(at)s.") % {
        "posts": posts,
        "whom": whom,
        "at": _at(retry_at or now, account, now),
    }


def next_try(account: PlatformAccount) -> tuple[datetime | None, str]:
    """When a platform that does not answer is tried next, and its name; (None, name) when it answers."""
    service, circuit = account.service, getattr(account, "circuit", None)
    name = service.label if service is not None and service.state != "closed" else account.name
    times = [row.retry_at for row in (service, circuit) if row is not None and row.state != "closed" and row.retry_at]
    return max(times, default=None), name


def _limit_words(count: int, until: datetime, capacity: int, account: PlatformAccount, now: datetime) -> str:
    return _("%(posts)s will wait: more are planned than the %(capacity)s that may go out in 24 hours.") % {
        "posts": _posts(count, until, account, now),
        "capacity": capacity,
    }


def _posts(count: int, until: datetime, account: PlatformAccount, now: datetime) -> str:
    day = _day(until, account, now)
    if day == _("today"):
        return ngettext("%(n)s post today", "%(n)s posts today", count) % {"n": count}
    return ngettext("%(n)s post until %(day)s", "%(n)s posts until %(day)s", count) % {"n": count, "day": day}


def _day(at: datetime, account: PlatformAccount, now: datetime) -> str:
    """`today`, `tomorrow`, `Friday`, `4 December`, on the account's wall clock."""
    zone = localtime.zone(account.timezone)
    local, today = at.astimezone(zone), now.astimezone(zone)
    days = (local.date() - today.date()).days
    if days <= 1:
        return _("tomorrow") if days == 1 else _("today")
    return date_format(local.date(), "l" if days < 7 else "j F")


def _at(at: datetime, account: PlatformAccount, now: datetime) -> str:
    """`today at 14:05`, with the zone's short name."""
    local = at.astimezone(localtime.zone(account.timezone))
    return _("%(day)s at %(time)s") % {"day": _day(at, account, now), "time": local.strftime("%H:%M %Z")}
