"""The only writer of the security log and its alerts."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Max, Q

from alwrity_scheduler.core import retention
from alwrity_scheduler.core.events import ENGINE, Actor, Fact, emit, unit
from alwrity_scheduler.core.sightings import Sighting
from alwrity_scheduler.security.kinds import FAMILIES
from alwrity_scheduler.security.models import SecurityAlert, SecurityEvent
from alwrity_scheduler.workspaces.models import Membership

BATCH = 1000
# the same refusal of the same caller is written once in so many seconds
QUIET_SECONDS = 60
REPEATED = frozenset({"access.refused", "token.refused", "app.token_refused"})
WINDOW = timedelta(minutes=10)
REMEMBERED = timedelta(days=90)
MANY_FAILURES, MANY_BY_ADDRESS, MANY_REFUSALS, MANY_BAD_TOKENS = 8, 20, 30, 20


def note(sighting: Sighting) -> None:
    """Write what was seen. Refusals that repeat are written once a minute, so that nobody fills the log."""
    if sighting.kind in REPEATED:
        same = (
            f"{sighting.kind}:{sighting.user_id}:{sighting.token_id}:{sighting.address}:{sighting.details.get('path')}"
        )
        if not cache.add(f"sighting:{hash(same)}", 1, timeout=QUIET_SECONDS):
            return
    # a refusal inside a transaction that is rolled back is still one: the savepoint keeps a failure here from breaking it
    with transaction.atomic():
        SecurityEvent.objects.create(
            at=sighting.at, kind=sighting.kind, who=sighting.who[:150], user_ref=sighting.user_id,
            token_ref=sighting.token_id, workspace_ref=sighting.workspace_id, address=sighting.address,
            agent=sighting.agent[:200], request_id=sighting.request_id[:64], details=dict(sighting.details),
        )  # fmt: skip


def note_facts(facts: Sequence[Fact]) -> None:
    """Facts about who may what are in the log too, in the transaction in which they become true."""
    rows = [_row(fact) for fact in facts if fact.name.startswith(FAMILIES)]
    if rows:
        SecurityEvent.objects.bulk_create(rows)


def _row(fact: Fact) -> SecurityEvent:
    of_person = fact.actor.kind == "user" and fact.actor.id.isdecimal()
    shown = {
        "object": fact.object_label[:150],
        **{name: value for name, value in fact.after.items() if value is not None},
    }
    return SecurityEvent(
        at=fact.at, kind=fact.name, who=fact.actor.label[:150], user_ref=int(fact.actor.id) if of_person else None,
        workspace_ref=fact.workspace_id, request_id=fact.actor.request_id[:64], details=shown,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Odd:
    kind: str
    key: str
    at: datetime
    who: str = ""
    user_ref: int | None = None
    token_ref: int | None = None
    workspace_ref: int | None = None
    address: str = ""
    count: int = 1


def watch(*, now: datetime) -> int:
    """Look at the last minutes for what is odd, and tell of each thing once. Returns how many alerts are new."""
    found = [*_failures(now), *_places(now), *_refusals(now), *_changes(now)]
    known = set(SecurityAlert.objects.filter(key__in=[odd.key for odd in found]).values_list("key", flat=True))
    new = list({odd.key: odd for odd in found if odd.key not in known}.values())
    return sum(_tell(odd) for odd in new)


@unit()
def _tell(odd: _Odd) -> int:
    values = {name: getattr(odd, name) for name in ("kind", "at", "user_ref", "token_ref", "workspace_ref", "count")}
    made = SecurityAlert.objects.bulk_create(
        [SecurityAlert(key=odd.key, who=odd.who[:150], address=odd.address, **values)], ignore_conflicts=True
    )
    for room in _rooms(odd):
        emit(
            Fact(
                name="security.alert", at=odd.at, actor=ENGINE, workspace_id=room, object_type="alert",
                object_id=odd.key[:64], object_label=odd.who[:150],
                after={"kind": odd.kind, "who": odd.who, "count": odd.count},
            )
        )  # fmt: skip
    return len(made)


def _rooms(odd: _Odd) -> list[int]:
    """The workspaces whose owners are told."""
    if odd.workspace_ref is not None:
        return [odd.workspace_ref]
    if odd.user_ref is None:
        return []
    return list(
        Membership.objects.filter(user_id=odd.user_ref).order_by("workspace_id").values_list("workspace_id", flat=True)
    )


def _failures(now: datetime) -> Iterator[_Odd]:
    failed = SecurityEvent.objects.of_kind("sign_in.failed", "mfa.failed").since(now - WINDOW).order_by()
    hour = f"{now:%Y-%m-%dT%H}"
    by_name = failed.exclude(who="").values("who").annotate(n=Count("id"), last=Max("at"), person=Max("user_ref"))
    for row in by_name.filter(n__gte=MANY_FAILURES):
        yield _Odd(
            kind="guessing", key=f"guessing:{row['who']}:{hour}"[:200], at=row["last"], who=row["who"],
            user_ref=row["person"], count=row["n"],
        )  # fmt: skip
    by_address = failed.exclude(address="").values("address").annotate(n=Count("id"), last=Max("at"))
    for place in by_address.filter(n__gte=MANY_BY_ADDRESS):
        address, count = place["address"], place["n"]
        yield _Odd(kind="spraying", key=f"spraying:{address}:{hour}", at=place["last"], address=address, count=count)


def _places(now: datetime) -> Iterator[_Odd]:
    """A sign-in or a token from a network that the last 90 days do not know of them; the first ever is no surprise."""
    recent = SecurityEvent.objects.of_kind("sign_in.succeeded", "token.used").since(now - WINDOW).order_by("id")
    for event in recent:
        name, ref = ("token_ref", event.token_ref) if event.token_ref else ("user_ref", event.user_ref)
        if ref is None or not event.address:
            continue
        earlier = SecurityEvent.objects.of_kind(event.kind).filter(
            **{name: ref}, at__gte=now - REMEMBERED, id__lt=event.pk
        )
        networks = {_network(address) for address in earlier.order_by().values_list("address", flat=True).distinct()}
        network = _network(event.address)
        if networks and network not in networks:
            kind = "token_elsewhere" if name == "token_ref" else "new_place"
            yield _Odd(
                kind=kind, key=f"{kind}:{ref}:{network}:{event.at:%Y-%m-%d}", at=event.at, who=event.who,
                user_ref=event.user_ref, token_ref=event.token_ref, workspace_ref=event.workspace_ref, address=event.address,
            )  # fmt: skip


def _network(address: str) -> str:
    """The network an address is in, as providers hand them out: /24, or /48 for IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


def _refusals(now: datetime) -> Iterator[_Odd]:
    hour = f"{now:%Y-%m-%dT%H}"
    refused = SecurityEvent.objects.since(now - WINDOW).order_by()
    for kinds, alert, many in (
        (("access.refused",), "prying", MANY_REFUSALS),
        (("token.refused", "app.token_refused"), "token_refused", MANY_BAD_TOKENS),
    ):
        rows = refused.of_kind(*kinds).values("who", "user_ref", "token_ref", "workspace_ref", "address")
        for row in rows.annotate(n=Count("id"), last=Max("at")).filter(n__gte=many):
            subject = row["token_ref"] or row["user_ref"] or row["address"]
            yield _Odd(
                kind=alert, key=f"{alert}:{subject}:{hour}", at=row["last"], count=row["n"], who=row["who"],
                user_ref=row["user_ref"], token_ref=row["token_ref"], workspace_ref=row["workspace_ref"],
                address=row["address"],
            )  # fmt: skip


def _changes(now: datetime) -> Iterator[_Odd]:
    events = SecurityEvent.objects.since(now - WINDOW)
    for event in events.filter(Q(kind="mfa.removed") | Q(kind="member.role_set", details__role="owner")).order_by("id"):
        kind = "mfa_removed" if event.kind == "mfa.removed" else "new_owner"
        who = event.who if kind == "mfa_removed" else str(event.details.get("user", event.who))
        yield _Odd(
            kind=kind, key=f"{kind}:{event.public_id}", at=event.at, who=who, user_ref=event.user_ref,
            workspace_ref=event.workspace_ref, address=event.address,
        )  # fmt: skip


@unit()
def mark_seen(*, alerts: Iterable[SecurityAlert], actor: Actor, now: datetime) -> int:
    """Somebody looked and it is all right. Returns how many were open."""
    seen = 0
    for alert in alerts:
        if SecurityAlert.objects.filter(pk=alert.pk, seen_at=None).update(seen_at=now, seen_by=actor.label[:150]):
            seen += 1
            emit(
                Fact(
                    name="security.alert_seen", at=now, actor=actor, workspace_id=alert.workspace_ref, object_type="alert",
                    object_id=alert.key[:64], object_label=alert.who, before={"seen": False}, after={"seen": True},
                )
            )  # fmt: skip
    return seen


def prune(*, now: datetime) -> int:
    """Remove one batch of what is old."""
    old: dict[str, Any] = {"at__lt": now - retention.kept("security log")}
    events = SecurityEvent.objects.filter(**old).order_by("at", "id")[:BATCH]
    removed, _ = SecurityEvent.objects.filter(pk__in=list(events.values_list("pk", flat=True))).delete()
    alerts, _ = SecurityAlert.objects.filter(**old).delete()
    return removed + alerts


def forget_person(*, user_id: int, names: set[str], instead: str) -> None:
    """Take a person out of the log: the events stay, for others' sake, and say no more who it was or where from."""
    own = Q(user_ref=user_id) | Q(who__in=names)
    SecurityEvent.objects.filter(own).update(who=instead, user_ref=None, address="", agent="", details={})
    SecurityAlert.objects.filter(own).update(who=instead, user_ref=None, address="")
    by_family = Q(pk__in=[])
    for family in FAMILIES:
        by_family |= Q(kind__startswith=family)
    for event in SecurityEvent.objects.filter(by_family).only("details").iterator():
        told = {
            key: instead if isinstance(value, str) and value in names else value for key, value in event.details.items()
        }
        if told != event.details:
            SecurityEvent.objects.filter(pk=event.pk).update(details=told)
