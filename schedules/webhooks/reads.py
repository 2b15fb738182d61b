"""How endpoints fare, for lists: a few queries, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery

from schedules.webhooks.models import Delivery, WebhookEndpoint
from schedules.webhooks.rules import BREAKS_AT, DeliveryState, EndpointState

SPAN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the deliveries made in the last 24 hours. `last`: the newest that was tried, of whatever day."""

    delivered: int = 0
    failed: int = 0
    open: int = 0
    last: Delivery | None = None

    @property
    def rate(self) -> int | None:
        """Percent of those that are over, rounded down so that 100 means all; None where none is over."""
        over = self.delivered + self.failed
        return None if not over else self.delivered * 100 // over


def figures_of(endpoints: Iterable[WebhookEndpoint], now: datetime) -> dict[int, Figures]:
    """By the endpoints' numbers. Two queries."""
    ids = [row.pk for row in endpoints]
    if not ids:
        return {}
    made = Delivery.objects.filter(endpoint__in=ids, created_at__gte=now - SPAN).order_by()
    counted = made.values("endpoint_id").annotate(
        delivered=Count("pk", filter=Q(state=DeliveryState.DELIVERED)),
        failed=Count("pk", filter=Q(state=DeliveryState.FAILED)),
        open=Count("pk", filter=Q(state__in=(DeliveryState.PENDING, DeliveryState.RUNNING, DeliveryState.HELD))),
    )
    numbers: dict[int, Mapping[str, Any]] = {row["endpoint_id"]: row for row in counted}
    newest = Delivery.objects.filter(endpoint=OuterRef("pk"), tries__gt=0).order_by("-id").values("pk")[:1]
    lasts = WebhookEndpoint.objects.filter(pk__in=ids).annotate(newest=Subquery(newest)).values("newest")
    last = {row.endpoint_id: row for row in Delivery.objects.filter(pk__in=lasts).defer("body")}
    return {pk: _figures(numbers.get(pk, {}), last.get(pk)) for pk in ids}


def _figures(counted: Mapping[str, Any], last: Delivery | None) -> Figures:
    names = ("delivered", "failed", "open")
    delivered, failed, still_open = (counted.get(name, 0) for name in names)
    return Figures(delivered, failed, still_open, last)


def is_broken(endpoint: WebhookEndpoint) -> bool:
    """Only probes go to it until one is taken."""
    return endpoint.state == EndpointState.ACTIVE and endpoint.failures >= BREAKS_AT
