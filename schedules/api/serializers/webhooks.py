"""Webhooks in and out of the API. A secret goes out in the answer that made it, and never again."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

import django_filters as filters
from rest_framework import serializers

from schedules.api.serializers.shapes import (
    Answer,
    Input,
    Moment,
    Version,
    Words,
    WorkspaceName,
    both,
    utc_text,
    workspace_words,
)
from schedules.api.serializers.shown import Instant, Shown, UtcTime, one_of
from schedules.filters import AnyOf, MomentFilter
from schedules.webhooks import services
from schedules.webhooks.models import Delivery, DeliveryAttempt, WebhookEndpoint
from schedules.webhooks.reads import Figures, is_broken
from schedules.webhooks.rules import DeliveryState, Ending, EndpointState, Origin
from schedules.webhooks.services import EndpointPlan

_TIMES = ("created_at", "state_at", "failing_since", "open_until", "previous_secret_until")


class FiltersInput(Input):
    """accounts: their ids. campaigns: their names. Each list that is not empty must hold something that the event is about."""

    accounts = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=200)
    platforms = Words()
    labels = Words()
    campaigns = Words()


class Headers(serializers.DictField):
    """name -> value; null keeps the value that is stored under the name."""

    child = serializers.CharField(max_length=services.LONGEST_HEADER, allow_null=True)


class NewWebhook(Input):
    workspace = serializers.CharField(required=False, max_length=60)
    url = serializers.CharField(max_length=2000)
    description = serializers.CharField(required=False, allow_blank=True, max_length=200)
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=64), allow_empty=False, max_length=services.MOST_CHOICES
    )
    filters = FiltersInput(required=False)
    headers = Headers(required=False)


class WebhookChange(Input):
    echoed: ClassVar[frozenset[str]] = frozenset(
        {
            "id", "workspace", "state", "reason", "header_names", "failures", "is_broken", "last_24_hours", "last_delivery",
            "timezone",
            *(f"{name}{tail}" for name in _TIMES for tail in ("", "_local")),
        }
    )  # fmt: skip
    version = Version(required=False)
    url = serializers.CharField(max_length=2000, required=False)
    description = serializers.CharField(required=False, allow_blank=True, max_length=200)
    event_types = serializers.ListField(
        child=serializers.CharField(max_length=64), allow_empty=False, max_length=services.MOST_CHOICES, required=False
    )
    filters = FiltersInput(required=False)
    headers = Headers(required=False)


class ReplayInput(Input):
    """since, until: half-open, by the time at which the deliveries were made. dry_run: only count."""

    since = Moment()
    until = Moment(required=False)
    which = serializers.ChoiceField(choices=services.WHICH, default="failed")
    dry_run = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("until", self.context["now"])
        if attrs["until"] <= attrs["since"]:
            raise serializers.ValidationError({"until": ["It must be after since."]})
        return attrs


def plan_of(given: dict[str, Any], row: WebhookEndpoint | None = None) -> EndpointPlan:
    """What was given, over what is stored."""
    wanted = given.get("filters")
    return EndpointPlan(
        url=given.get("url", row.url if row else ""),
        event_types=given.get("event_types", row.event_types if row else ()),
        description=given.get("description", row.description if row else ""),
        filters=(row.filters if row else {})
        if wanted is None
        else {name: [str(value) for value in values] for name, values in wanted.items()},
        headers=given.get("headers", None if row else {}),
    )


class DeliveryFilter(filters.FilterSet):  # type: ignore[misc]
    state = AnyOf(choices=[(state.value, state.value) for state in DeliveryState])
    type = filters.CharFilter(field_name="event_type")
    event_id = filters.CharFilter()
    since = MomentFilter(field_name="created_at", lookup_expr="gte")
    until = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields: tuple[str, ...] = ()


class DeliveryName(Shown):
    """One event for one webhook. `status`: of the last answer; `event_id` is the same over all tries and replays."""

    id: UUID
    event_id: str
    type: str
    state: one_of(*(state.value for state in DeliveryState))  # type: ignore[valid-type]
    status: int | None
    message: str


class DeliveryShown(DeliveryName):
    """One event for one webhook, and where it stands."""

    webhook: UUID
    origin: Origin
    reason: str
    tries: int


class DeliveryTry(Shown):
    """One try. `ending` null: it is under way, or was interrupted."""

    number: int
    at: UtcTime
    milliseconds: int | None
    ending: Annotated[str | None, {"enum": [*(ending.value for ending in Ending), None]}]
    message: str
    request_headers: dict[str, str]
    status: int | None
    answer_headers: dict[str, str]
    answer_body: str


class DeliveryWithTriesShown(DeliveryShown):
    """A delivery with all its tries. `payload` is the exact text that is sent and signed."""

    payload: str
    attempts: list[DeliveryTry]


class WebhookFigures(Shown):
    """Of the deliveries made in the last 24 hours; `success_percent` null where none is over."""

    delivered: int
    failed: int
    open: int
    success_percent: int | None


class WebhookFilters(Shown):
    """Each list that is not empty must hold something that the event is about."""

    optional = frozenset({"accounts", "platforms", "labels", "campaigns"})

    accounts: list[UUID]
    platforms: list[str]
    labels: list[str]
    campaigns: list[str]


class WebhookShown(Shown):
    """An address that is told of events. `failures`: in a row; `is_broken`: nothing but a probe is sent for now."""

    id: UUID
    workspace: WorkspaceName
    url: str
    description: str
    event_types: list[str]
    filters: WebhookFilters
    header_names: list[str]
    state: EndpointState
    reason: str
    failures: int
    is_broken: bool
    version: int
    previous_secret_until: Instant | None
    last_24_hours: WebhookFigures
    last_delivery: DeliveryName | None


class WebhookMade(WebhookShown):
    """A webhook with its secret, which is shown this once."""

    secret: str


class ReplayCount(Shown):
    """How many deliveries are meant, and whether they were sent again."""

    count: int
    replayed: bool


class WebhookAnswer(Answer):
    """Wants the workspace joined, and the figures in the context. `secret` stands only in the answer that made it."""

    shown: type[Shown] = WebhookShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "state_at", "failing_since", "open_until")

    def zone(self, row: WebhookEndpoint) -> str:
        return row.workspace.timezone

    def body(self, row: WebhookEndpoint) -> dict[str, Any]:
        found: Figures = self.context["figures"].get(row.pk, Figures())
        shown = {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "url": row.url,
            "description": row.description,
            "event_types": row.event_types,
            "filters": row.filters,
            "header_names": sorted(row.headers) if row.headers.is_readable() else [],
            "state": row.state,
            "reason": row.state_reason,
            "failures": row.failures,
            "is_broken": is_broken(row),
            "version": row.version,
            **both("previous_secret_until", row.previous_until, row.workspace.timezone),
            "last_24_hours": {
                "delivered": found.delivered,
                "failed": found.failed,
                "open": found.open,
                "success_percent": found.rate,
            },
            "last_delivery": found.last and delivery_words(found.last),
        }
        secret = self.context.get("secret")
        return {**shown, "secret": secret} if secret else shown


class WebhookAnswerOnce(WebhookAnswer):
    """With `secret` in the context."""

    shown = WebhookMade


def delivery_words(row: Delivery) -> dict[str, Any]:
    return {
        "id": str(row.public_id),
        "event_id": row.event_id,
        "type": row.event_type,
        "state": row.state,
        "status": row.last_status,
        "message": row.last_message,
    }


class DeliveryAnswer(Answer):
    """Wants endpoint and workspace joined."""

    shown: type[Shown] = DeliveryShown
    times: ClassVar[tuple[str, ...]] = ("event_at", "created_at", "run_at", "finished_at")

    def zone(self, row: Delivery) -> str:
        return row.endpoint.workspace.timezone

    def body(self, row: Delivery) -> dict[str, Any]:
        return {
            **delivery_words(row),
            "webhook": str(row.endpoint.public_id),
            "origin": row.origin,
            "reason": row.reason,
            "tries": row.tries,
        }


class DeliveryWithTries(DeliveryAnswer):
    """`payload` is the exact text that is sent and signed."""

    shown = DeliveryWithTriesShown

    def body(self, row: Delivery) -> dict[str, Any]:
        tries = [attempt_words(attempt) for attempt in row.attempts.order_by("no", "id")]
        return {**super().body(row), "payload": row.body, "attempts": tries}


def attempt_words(row: DeliveryAttempt) -> dict[str, Any]:
    return {
        "number": row.no,
        "at": utc_text(row.at),
        "milliseconds": row.duration_ms,
        "ending": row.ending or None,
        "message": row.message,
        "request_headers": row.request_headers,
        "status": row.status,
        "answer_headers": row.answer_headers,
        "answer_body": row.answer_body,
    }
