"""Consumers of the history: each reads every chain in order, fact by fact, and never twice.

A chain is read in parts. What a consumer writes for a part and the place up to which it has read are one transaction, so that a
fact is taken once, whoever is killed when. A consumer never changes a job, a schedule or an account.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence

from django.db import OperationalError, transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from schedules.models import AuditChain, AuditLog, EventCursor

logger = logging.getLogger(__name__)
BATCH = 500
MOST_PARTS = 4

# gets the facts of one part, all of one chain and in their order, inside the transaction that moves the cursor
Take = Callable[[Sequence[AuditLog]], None]


def follow(
    consumer: str,
    take: Take,
    *,
    actions: Sequence[str] | None = None,
    chains: Collection[int] | None = None,
    batch: int = BATCH,
) -> int:
    """Take what happened since the last time, in all chains. Returns how many facts were taken.

    actions: only facts of these names; chains: only these chains; None is all. At most MOST_PARTS parts of each chain; the rest has
    its turn next. A consumer that fails on a part keeps its place in that chain and does not keep the other chains waiting.
    """
    taken = 0
    for chain in behind(consumer, chains):
        try:
            for _ in range(MOST_PARTS):
                found, is_done = _part(consumer, chain, take, actions, batch)
                taken += found
                if is_done:
                    break
        except OperationalError:
            raise
        except Exception:
            # the edge: one workspace's facts that cannot be taken must not keep the others waiting
            logger.exception(
                "A part of the history could not be taken.",
                extra={"action": "untaken", "consumer": consumer, "chain": chain},
            )
    return taken


def behind(consumer: str, chains: Collection[int] | None = None) -> list[int]:
    """The chains, of all or of these, that have gone on since this consumer read them."""
    read = EventCursor.objects.filter(consumer=consumer, chain=OuterRef("pk")).values("seq")
    wanted = AuditChain.objects.all() if chains is None else AuditChain.objects.filter(pk__in=chains)
    return list(
        wanted.annotate(read=Coalesce(Subquery(read), 0))
        .filter(length__gt=F("read"))
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def skip_to_end(consumer: str, chain: int) -> None:
    """Pass over what happened so far in a chain in which nobody has listened."""
    end = AuditChain.objects.filter(pk=chain).values_list("length", flat=True).first() or 0
    EventCursor.objects.bulk_create([EventCursor(consumer=consumer, chain=chain, seq=end)], ignore_conflicts=True)
    EventCursor.objects.filter(consumer=consumer, chain=chain, seq__lt=end).update(seq=end)


def start_at_end(consumer: str) -> None:
    """Let a new consumer begin with what happens from now on; one that has read before stays where it is."""
    ends = AuditChain.objects.values_list("pk", "length")
    EventCursor.objects.bulk_create(
        [EventCursor(consumer=consumer, chain=chain, seq=length) for chain, length in ends], ignore_conflicts=True
    )


def _part(consumer: str, chain: int, take: Take, actions: Sequence[str] | None, batch: int) -> tuple[int, bool]:
    """Returns how many facts were taken, and whether nothing is left to do here."""
    cursors = EventCursor.objects.filter(consumer=consumer, chain=chain)
    place = cursors.values_list("seq", flat=True).first()
    if place is None:
        EventCursor.objects.bulk_create([EventCursor(consumer=consumer, chain=chain)], ignore_conflicts=True)
        place = 0
    end = AuditChain.objects.values_list("length", flat=True).get(pk=chain)
    new = AuditLog.objects.filter(chain=chain, seq__gt=place, seq__lte=end)
    if actions is not None:
        new = new.filter(action__in=actions)
    facts = list(new.order_by("seq")[:batch])
    is_done = len(facts) < batch
    with transaction.atomic():
        if not cursors.filter(seq=place).update(seq=end if is_done else facts[-1].seq):
            return 0, True
        if facts:
            take(facts)
    return len(facts), is_done
