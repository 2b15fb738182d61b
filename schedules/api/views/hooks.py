"""Inbound hooks: looked at, made, changed and tried by people and programs; and the address that takes their calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.sightings import tell_request
from alwrity_scheduler.workspaces.roles import Action
from schedules.api.problems import KINDS, MEDIA_TYPE, TYPE
from schedules.api.serializers.hooks import (
    CallAnswer,
    HookAnswer,
    HookAnswerOnce,
    HookChange,
    HookPreviewInput,
    HookPreviewShown,
    NewHook,
)
from schedules.api.serializers.shapes import Empty
from schedules.api.views.door import Door, Row, Rows
from schedules.filters import NoFilter
from schedules.inbound import mapping as maps
from schedules.inbound import receiving, services
from schedules.inbound.models import HookCall, InboundHook

AREA = "webhooks"


class _Hooks(Door):
    area = AREA
    serializer_class = HookAnswer

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = InboundHook.objects.visible_to(self.request.user).select_related("workspace")
        return rows

    def managed(self, public_id: UUID) -> InboundHook:
        row: InboundHook = self.find(public_id)
        self.require(Action.INTEGRATE, row.workspace)
        return row

    def with_secret(self, row: InboundHook, secret: str, **how: Any) -> Response:
        """The one time that the secret is shown."""
        return Response(
            {**self.get_serializer(row).data, "secret": secret},
            headers={"Cache-Control": "no-store", **how.pop("headers", {})}, **how,
        )  # fmt: skip


class HookList(_Hooks, Rows):
    answers: ClassVar[dict[str, Any]] = {"post": {201: HookAnswerOnce}}
    filterset_class: ClassVar[Any] = NoFilter

    def get_queryset(self) -> QuerySet[Any]:
        # an address is half of what a caller needs: it is shown to those who manage hooks
        return super().get_queryset().managed_by(self.request.user)  # type: ignore[attr-defined, no-any-return]

    def get(self, request: Request) -> Response:
        if named := request.query_params.get("workspace"):
            self.require(Action.INTEGRATE, self.workspace_of(named))
        return super().get(request)

    def post(self, request: Request) -> Response:
        given = self.read(NewHook)
        workspace = self.workspace_of(given.pop("workspace", None))
        self.require(Action.INTEGRATE, workspace)
        row, secret = services.create(
            workspace=workspace,
            plan=services.HookPlan(**_plain(given)),
            actor=self.actor,
            now=self.now,
            person=self.person,
        )
        where = reverse("api:hook", args=[row.public_id])
        return self.with_secret(row, secret, status=201, headers={"Location": where})


class HookDetail(_Hooks, Row):
    def get(self, request: Request, public_id: UUID) -> Response:
        return self.answer(self.managed(public_id))

    def patch(self, request: Request, public_id: UUID) -> Response:
        row = self.managed(public_id)
        given = self.read(HookChange)
        version = given.pop("version")
        known = services.plan_of(row)
        plan = services.HookPlan(**{name: getattr(known, name) for name in services.FIELDS} | _plain(given))
        services.update(hook=row, plan=plan, version=version, actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))

    def delete(self, request: Request, public_id: UUID) -> Response:
        services.remove(hook=self.managed(public_id), actor=self.actor, now=self.now)
        return Response(status=204)


class HookRotate(_Hooks):
    answers: ClassVar[dict[str, Any]] = {"post": HookAnswerOnce}

    def post(self, request: Request, public_id: UUID) -> Response:
        """A new secret; the old one works for another day."""
        row = self.managed(public_id)
        self.read(Empty)
        secret = services.rotate_secret(hook=row, actor=self.actor, now=self.now)
        return self.with_secret(self.find(public_id), secret)


class HookPreview(_Hooks):
    """What a call would make. Makes nothing."""

    writes = False
    answers: ClassVar[dict[str, Any]] = {"post": HookPreviewShown}

    def post(self, request: Request, public_id: UUID) -> Response:
        row = self.managed(public_id)
        given = self.read(HookPreviewInput)
        asked = receiving.understood(services.plan_of(row), row, given["call"], self.now)
        return Response(preview_words(asked))


class HookCalls(Rows):
    """The last calls, newest first."""

    area = AREA
    serializer_class = CallAnswer
    filterset_class: ClassVar[Any] = NoFilter
    workspace_path: ClassVar[str] = "hook__workspace"

    def get(self, request: Request, public_id: UUID) -> Response:  # type: ignore[override]
        rows = InboundHook.objects.visible_to(request.user).select_related("workspace")
        self.hook: InboundHook = get_object_or_404(rows, public_id=public_id)
        self.require(Action.INTEGRATE, self.hook.workspace)
        return super().get(request)

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = HookCall.objects.visible_to(self.request.user).filter(hook=self.hook)
        return rows.select_related("hook__workspace")


def preview_words(asked: receiving.Made) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "content": {
            name: list(value) if isinstance(value, tuple) else value
            for name in (*maps.TEXTS, *maps.LISTS)
            if (value := getattr(asked.draft, name))
        },
        "schedule": None,
    }
    if asked.plan is not None:
        shown["schedule"] = {
            "at_local": asked.plan.start_local.isoformat(),
            "timezone": asked.plan.timezone,
            "accounts": [target.account_id for target in asked.plan.targets],
            "queued": asked.queued,
        }
    return shown


def _plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """As the services take it: ids as text, sources as plain objects."""
    values = dict(given)
    for name in ("accounts", "groups"):
        if name in values:
            values[name] = tuple(str(item) for item in values[name])
    if "mapping" in values:
        values["mapping"] = {name: dict(source) for name, source in values["mapping"].items()}
    return values


@method_decorator(csrf_exempt, name="dispatch")
class Receive(View):
    """POST of JSON or of a form by another program; see schedules/inbound/README.md. Who calls shows it by the hook's secret."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, token: str) -> JsonResponse:
        now = clock.now()
        hook = InboundHook.objects.select_related("workspace").filter(token=token).first()
        if hook is None:
            return _problem(request, receiving.Result(status=404, detail="There is no hook at this address."))
        kind = request.content_type or ""
        if kind not in ("application/json", "application/x-www-form-urlencoded") and not kind.endswith("+json"):
            return _problem(request, receiving.Result(status=415, detail="Send JSON or form fields."))
        length = request.META.get("CONTENT_LENGTH") or "0"
        too_long = not length.isdecimal() or int(length) > receiving.MOST_BYTES
        result = receiving.receive(
            hook=hook,
            headers=request.headers,
            # one byte too many says that it is too long, without reading the rest
            body=bytes(receiving.MOST_BYTES + 1) if too_long else request.body,
            form=kind == "application/x-www-form-urlencoded",
            request_id=str(getattr(request, "id", "")),
            now=now,
        )
        if result.status == 401:
            tell_request("hook.refused", request, at=now, who=hook.name, workspace_id=hook.workspace_id)
        if result.made:
            return JsonResponse(dict(result.made), status=result.status)
        return _problem(request, result)


def _problem(request: HttpRequest, result: receiving.Result) -> JsonResponse:
    name, title = {**KINDS, 410: ("gone", "Gone")}[result.status]
    response = JsonResponse(
        {
            "type": f"{TYPE}{name}",
            "title": title,
            "status": result.status,
            "detail": result.detail,
            "errors": [
                {"field": item.field, "path": item.path, "message": item.message, "code": item.code}
                for item in result.wrong
            ],
            "request_id": str(getattr(request, "id", "")),
        },
        status=result.status,
        content_type=MEDIA_TYPE,
    )
    if result.retry_after_seconds:
        response.headers["Retry-After"] = str(result.retry_after_seconds)
    return response
