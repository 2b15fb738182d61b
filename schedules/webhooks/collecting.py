"""From facts to deliveries: each fact of the history once for each endpoint that wants it, in the transaction of the cursor.

Collecting runs in a thread of its own, which a pass starts where something is to be collected: a pass of the engine never waits
for it, and an error in it is no error of the pass.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import datetime

from django.db import connections

from alwrity_scheduler.core import clock
from schedules.engine import wakeup
from schedules.engine.work import LAST_PRIORITY
from schedules.events import envelope
from schedules.models import AuditLog
from schedules.services import following
from schedules.webhooks import payloads
from schedules.webhooks.matching import Part
from schedules.webhooks.models import Delivery, WebhookEndpoint
from schedules.webhooks.rules import AT_ONCE, DeliveryState, EndpointState, Origin

logger = logging.getLogger(__name__)
CONSUMER = "webhooks"
BATCH = 200
_busy = threading.Lock()


def collect(*, now: datetime) -> int:
    """Make the deliveries of what happened since the last time. Returns how many facts were looked at."""
    chains = listening_chains()
    return following.follow(CONSUMER, lambda facts: take(facts, now=now), chains=chains, batch=BATCH) if chains else 0


def listening_chains() -> list[int]:
    """The workspaces in which somebody listens. A workspace's chain has its number."""
    return list(WebhookEndpoint.objects.listening().order_by().values_list("workspace_id", flat=True).distinct())


def take(facts: Sequence[AuditLog], *, now: datetime) -> None:
    """Inside the transaction that moves the cursor: one row for each endpoint that wants a fact. All facts are of one chain."""
    endpoints = list(WebhookEndpoint.objects.listening().filter(workspace_id=facts[0].chain).order_by("id"))
    if not endpoints:
        return
    part, rooms = Part(facts), envelope.rooms_of(facts)
    bodies: dict[int, str] = {}
    rows: list[Delivery] = []
    for endpoint in endpoints:
        for fact in part.wanted_by(endpoint):
            if fact.pk not in bodies:
                bodies[fact.pk] = payloads.body_of(envelope.payload(fact, rooms))
            rows.append(_row(endpoint, fact, bodies[fact.pk], now))
    if rows:
        Delivery.objects.bulk_create(rows, batch_size=200, ignore_conflicts=True)
        wakeup.announce()


def _row(endpoint: WebhookEndpoint, fact: AuditLog, body: str, now: datetime) -> Delivery:
    is_paused = endpoint.state == EndpointState.PAUSED
    return Delivery(
        endpoint=endpoint, event_id=payloads.event_id(fact), event_type=fact.action, event_at=fact.at, body=body,
        origin=Origin.EVENT, state=DeliveryState.HELD if is_paused else DeliveryState.PENDING,
        reason="paused" if is_paused else "", run_at=max(now, endpoint.open_until or now), priority=LAST_PRIORITY,
        serial_key=place(endpoint.pk, fact.seq), created_at=now,
    )  # fmt: skip


def place(endpoint_id: int, number: int) -> int:
    """One of the AT_ONCE places of an endpoint: the engine runs one row of a place at a time."""
    return endpoint_id * AT_ONCE + number % AT_ONCE


def look(now: datetime) -> None:
    """Each second, in a pass: start collecting where something has happened. Two queries, where somebody listens; else one."""
    if _busy.locked():
        return
    try:
        chains = listening_chains()
        if not chains or not following.behind(CONSUMER, chains):
            return
    except Exception:
        # the edge: whatever is wrong here is no reason not to publish
        logger.exception("Nobody could look for events to be sent.", extra={"action": "webhooks_not_looked"})
        return
    threading.Thread(target=_collect_once, name="webhooks", daemon=True).start()


def _collect_once() -> None:
    if not _busy.acquire(blocking=False):
        return
    try:
        collect(now=clock.database_now())
    except Exception:
        # the edge of the thread: the next pass starts another one
        logger.exception("Events could not be collected.", extra={"action": "webhooks_not_collected"})
    finally:
        connections.close_all()
        _busy.release()
