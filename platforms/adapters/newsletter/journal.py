"""The record of who may have a newsletter. The only reader and writer of its tables.

Each change is a statement of its own, committed before the next byte is sent, and a change of state is a compare-and-set: of any
number of workers, processes and restarts exactly one may send to a recipient, once. Called from pool threads that live long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import close_old_connections, connection
from django.db.models import Count, F, Min, Q

from platforms.adapters.newsletter.recipients import Recipient
from platforms.models import DeliveryState, MailDelivery, Mailing

MOST_TRIES = 7
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Figures:
    """How far a mailing is. `next_at`: when the earliest of those who were asked to wait may be tried again."""

    counts: Mapping[str, int]
    next_at: datetime | None
    is_untried: bool
    refused: Sequence[tuple[str, str]] = field(default_factory=list)
    unsure: Sequence[str] = field(default_factory=list)

    def of(self, state: str) -> int:
        return self.counts.get(state, 0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@contextmanager
def _connection() -> Iterator[None]:
    """A pool thread outlives its database connection's welcome: drop what is too old, before and after."""
    _drop_old()
    try:
        yield
    finally:
        _drop_old()


def _drop_old() -> None:
    if not connection.in_atomic_block:  # inside of a test's transaction, Django would take it for a broken one
        close_old_connections()


def opened(
    account_id: int, key: str, content: Mapping[str, Any], recipients: Sequence[Recipient], now: datetime
) -> Mailing:
    """The mailing of this key. As long as nobody has it or may have it, it takes on this content and these recipients, and whoever
    was refused waits again; from then on it stays as it was begun."""
    with _connection():
        mailing, is_new = Mailing.objects.get_or_create(
            account_id=account_id, key=key, defaults={"content": dict(content), "created_at": now}
        )
        rows = MailDelivery.objects.filter(mailing=mailing)
        untaken = (DeliveryState.PENDING, DeliveryState.REFUSED)
        if not is_new and rows.exclude(state__in=untaken).exists():
            return mailing
        if not is_new:
            Mailing.objects.filter(pk=mailing.pk).update(content=dict(content), finished_at=None)
            wanted = {found.address for found in recipients}
            gone = [pk for pk, address in rows.values_list("pk", "address") if address not in wanted]
            for start in range(0, len(gone), 500):
                rows.filter(pk__in=gone[start : start + 500], state__in=untaken).delete()
            rows.filter(state=DeliveryState.REFUSED).update(
                state=DeliveryState.PENDING, tries=0, retry_at=None, reply="", changed_at=now
            )
            mailing.refresh_from_db()
        MailDelivery.objects.bulk_create(
            [
                MailDelivery(mailing=mailing, address=found.address, name=found.name, changed_at=now)
                for found in recipients
            ],
            batch_size=200,
            ignore_conflicts=True,
        )
    return mailing


def look_up(account_id: int, key: str) -> Mailing | None:
    with _connection():
        return Mailing.objects.filter(account_id=account_id, key=key).first()


def with_public_ids(account_id: int, public_ids: Sequence[str]) -> list[Mailing]:
    with _connection():
        return list(Mailing.objects.filter(account_id=account_id, public_id__in=public_ids))


def waiting(mailing: Mailing, now: datetime, most: int = 500) -> list[MailDelivery]:
    """Who may be sent it now, oldest first."""
    with _connection():
        found = MailDelivery.objects.filter(mailing=mailing, state=DeliveryState.PENDING)
        return list(found.filter(Q(retry_at=None) | Q(retry_at__lte=now)).order_by("tries", "id")[:most])


def claim(delivery: MailDelivery, now: datetime) -> bool:
    """Take a recipient on, before the first byte of the mail. False: somebody else has, or it is settled."""
    with _connection():
        changed = MailDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.PENDING).update(
            state=DeliveryState.SENDING, tries=F("tries") + 1, changed_at=now
        )
    return changed == 1


def settle(delivery: MailDelivery, state: str, reply: str, now: datetime) -> None:
    """Write down what became of a recipient: `sent`, `refused`, `unsure` or `retry`. `retry` is `pending` again, later, and
    `refused` after 7 tries. What was taken for unsure meanwhile becomes what it was; what is settled stays."""
    open_states = [DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.UNSURE]
    values: dict[str, Any] = {"state": state, "reply": reply[:500], "changed_at": now}
    if state == "retry":
        tried = delivery.tries + 1
        is_last = tried >= MOST_TRIES
        pause = min(FIRST_PAUSE * 2 ** (tried - 1), LONGEST_PAUSE)
        values |= {"state": "refused" if is_last else "pending", "retry_at": now + pause, "tries": tried}
        if is_last:
            values["reply"] = f"Not taken after {tried} tries: {reply}"[:500]
    with _connection():
        MailDelivery.objects.filter(pk=delivery.pk, state__in=open_states).update(**values)


def abandon(mailing: Mailing, now: datetime) -> None:
    """Whoever was sending is gone: its recipient may have the mail, so it is never sent again."""
    with _connection():
        MailDelivery.objects.filter(mailing=mailing, state=DeliveryState.SENDING).update(
            state=DeliveryState.UNSURE, reply="Nobody heard the mail server's answer.", changed_at=now
        )


def refuse_rest(mailing: Mailing, reply: str, now: datetime) -> None:
    """Give up on everybody who is still waiting."""
    with _connection():
        MailDelivery.objects.filter(mailing=mailing, state=DeliveryState.PENDING).update(
            state=DeliveryState.REFUSED, reply=reply[:500], changed_at=now
        )


def is_begun(mailing: Mailing) -> bool:
    """Has anybody it, or may have it?"""
    with _connection():
        untaken = (DeliveryState.PENDING, DeliveryState.REFUSED)
        return MailDelivery.objects.filter(mailing=mailing).exclude(state__in=untaken).exists()


def figures(mailing: Mailing) -> Figures:
    with _connection():
        rows = MailDelivery.objects.filter(mailing=mailing)
        counts = Counter(dict(rows.order_by().values_list("state").annotate(Count("pk"))))
        pending = rows.filter(state=DeliveryState.PENDING)
        has_undelayed = pending.filter(retry_at=None).exists()
        soonest = None if has_undelayed else pending.aggregate(soonest=Min("retry_at"))["soonest"]
        return Figures(
            counts=counts,
            next_at=soonest,
            is_untried=not rows.exclude(state=DeliveryState.PENDING, tries=0).exists(),
            refused=list(rows.filter(state=DeliveryState.REFUSED).order_by("id").values_list("address", "reply")[:200]),
            unsure=list(rows.filter(state=DeliveryState.UNSURE).order_by("id").values_list("address", flat=True)[:200]),
        )


def finish(mailing: Mailing, now: datetime) -> None:
    """Nobody is left to be sent it: the content is not needed any more."""
    with _connection():
        Mailing.objects.filter(pk=mailing.pk, finished_at=None).update(finished_at=now, content={})
