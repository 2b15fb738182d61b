"""Outgoing webhooks: who is told, what was sent, and sending it again. For those whose role manages integrations."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from schedules.api.serializers.shapes import Empty
from schedules.api.serializers.webhooks import (
    DeliveryAnswer,
    DeliveryFilter,
    DeliveryWithTries,
    NewWebhook,
    ReplayCount,
    ReplayInput,
    WebhookAnswer,
    WebhookAnswerOnce,
    WebhookChange,
    plan_of,
)
from schedules.api.views.door import PAGING, Door
from schedules.webhooks import services
from schedules.webhooks.models import Delivery, WebhookEndpoint
from schedules.webhooks.reads import figures_of

VERBS = ("pause", "resume", "rotate", "test")


class _Webhooks(Door):
    area: ClassVar[str] = "webhooks"
    serializer_class: Any = WebhookAnswer

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return WebhookEndpoint.objects.visible_to(self.request.user).standing().select_related("workspace")

    def endpoint_of(self, public_id: UUID) -> WebhookEndpoint:
        """Theirs to manage. To a stranger there is none; a colleague is told which role it takes."""
        row: WebhookEndpoint = self.find(public_id)
        self.require(Action.INTEGRATE, row.workspace)
        return row

    def shown(self, row: WebhookEndpoint, *, secret: str = "", status: int = 200) -> Response:
        context = {**self.get_serializer_context(), "figures": figures_of([row], self.now), "secret": secret}
        headers = {"Location": reverse("api:webhook", args=[row.public_id])} if status == 201 else {}
        if secret:
            headers["Cache-Control"] = "no-store"
        return Response(WebhookAnswer(row, context=context).data, status=status, headers=headers)


class WebhookList(_Webhooks):
    answers: ClassVar[dict[str, Any]] = {"post": {201: WebhookAnswerOnce}}

    def known_names(self) -> frozenset[str]:
        return PAGING | {"workspace"}

    def get(self, request: Request) -> Response:
        rows = WebhookEndpoint.objects.managed_by(request.user).standing().select_related("workspace")
        if named := request.query_params.get("workspace"):
            workspace = self._managed(named)
            rows = rows.filter(workspace=workspace)
        page = self.paginate_queryset(rows) or []
        context = {**self.get_serializer_context(), "figures": figures_of(page, self.now)}
        return self.get_paginated_response(WebhookAnswer(page, many=True, context=context).data)

    def post(self, request: Request) -> Response:
        given = self.read(NewWebhook)
        workspace = self._managed(given.get("workspace"))
        row, secret = services.create(workspace=workspace, plan=plan_of(given), actor=self.actor, now=self.now)
        return self.shown(row, secret=secret, status=201)

    def _managed(self, named: str | None) -> Workspace:
        workspace = self.workspace_of(named)
        self.require(Action.INTEGRATE, workspace)
        return workspace


class WebhookDetail(_Webhooks):
    def get(self, request: Request, public_id: UUID) -> Response:
        return self.shown(self.endpoint_of(public_id))

    def patch(self, request: Request, public_id: UUID) -> Response:
        row = self.endpoint_of(public_id)
        given = self.read(WebhookChange)
        changed = services.update(
            endpoint=row, plan=plan_of(given, row), version=given.get("version"), actor=self.actor, now=self.now
        )
        return self.shown(changed)

    def delete(self, request: Request, public_id: UUID) -> Response:
        services.delete(endpoint=self.endpoint_of(public_id), actor=self.actor, now=self.now)
        return Response(status=204)


class WebhookVerb(_Webhooks):
    """POST of one verb on one webhook: `as_view(verb=…)`."""

    answers: ClassVar[dict[str, Any]] = {"test": {202: DeliveryWithTries}, "rotate": WebhookAnswerOnce}
    verb: str = ""

    def post(self, request: Request, public_id: UUID) -> Response:
        row = self.endpoint_of(public_id)
        self.read(Empty)
        asked: dict[str, Any] = {"endpoint": row, "actor": self.actor, "now": self.now}
        match self.verb:
            case "test":
                return _sent(services.test(**asked), self)
            case "rotate":
                changed, secret = services.rotate(**asked)
                return self.shown(changed, secret=secret)
            case "pause":
                return self.shown(services.pause(**asked))
            case _:
                return self.shown(services.resume(**asked))


class WebhookReplay(_Webhooks):
    """Send again what was made in a span; `dry_run` counts only."""

    answers: ClassVar[dict[str, Any]] = {"post": {200: ReplayCount, 202: ReplayCount}}

    def post(self, request: Request, public_id: UUID) -> Response:
        row = self.endpoint_of(public_id)
        given = self.read(ReplayInput)
        span = {"since": given["since"], "until": given["until"], "which": given["which"]}
        if given["dry_run"]:
            return Response({"count": services.replay_count(endpoint=row, **span), "replayed": False})
        count = services.replay_range(endpoint=row, actor=self.actor, now=self.now, **span)
        return Response({"count": count, "replayed": True}, status=202)


class WebhookDeliveries(_Webhooks):
    """What was sent to one webhook, newest first."""

    serializer_class = DeliveryAnswer
    filterset_class: ClassVar[Any] = DeliveryFilter

    def known_names(self) -> frozenset[str]:
        return PAGING | frozenset(DeliveryFilter.base_filters)

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.endpoint_of(public_id)
        rows = Delivery.objects.filter(endpoint=row).select_related("endpoint__workspace").defer("body")
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class _Deliveries(_Webhooks):
    serializer_class = DeliveryWithTries

    def delivery_of(self, public_id: UUID) -> Delivery:
        rows = Delivery.objects.visible_to(self.request.user).standing().select_related("endpoint__workspace")
        row: Delivery = get_object_or_404(rows, public_id=public_id)
        self.require(Action.INTEGRATE, row.endpoint.workspace)
        return row


class DeliveryDetail(_Deliveries):
    def get(self, request: Request, public_id: UUID) -> Response:
        return self.answer(self.delivery_of(public_id))


class DeliveryReplay(_Deliveries):
    answers: ClassVar[dict[str, Any]] = {"post": {202: DeliveryWithTries}}

    def post(self, request: Request, public_id: UUID) -> Response:
        row = self.delivery_of(public_id)
        self.read(Empty)
        return _sent(services.replay(delivery=row, actor=self.actor, now=self.now), self)


def _sent(row: Delivery, door: Door) -> Response:
    """On its way; where to look what comes of it."""
    where = reverse("api:webhook_delivery", args=[row.public_id])
    shown = DeliveryWithTries(row, context=door.get_serializer_context()).data
    return Response(shown, status=202, headers={"Location": where})
