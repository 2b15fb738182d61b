"""What happens, as events: a list, a live stream, and what kinds there are."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.urls import reverse
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.scopes import covers, scopes_of
from schedules.api.serializers.events import EVENT_SCHEMA, EVENT_STREAM, EventAnswer, EventTypeList, type_words
from schedules.api.views.door import Door, Rows
from schedules.events import stream
from schedules.events.catalogue import event_types, is_sent, staying, types
from schedules.events.envelope import rooms_of, schema
from schedules.filters import EventFilter
from schedules.models import AuditLog

AREA = "events"


class EventList(Rows):
    """What happened, newest first, in the workspaces one is in."""

    area = AREA
    serializer_class = EventAnswer
    filterset_class: ClassVar[Any] = EventFilter
    workspace_path: ClassVar[str] = "workspace_ref"

    def get_queryset(self) -> QuerySet[Any]:
        return AuditLog.objects.visible_to(self.request.user).exclude(action__in=staying())

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        _known_types(self.request.query_params.get("type", ""), "type")
        return super().filter_queryset(queryset)

    def of_workspace(self, workspace: Workspace) -> Any:
        return workspace.pk

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        self._rooms = rooms_of(page or [])
        return page

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "rooms": self._rooms}


class EventTypes(Door):
    """Every kind of event there is, by name."""

    area = AREA
    answers: ClassVar[dict[str, Any]] = {"get": EventTypeList}
    query_names: ClassVar[frozenset[str]] = frozenset({"group"})

    def get(self, request: Request) -> Response:
        group = request.query_params.get("group")
        found = [kind for kind in types() if group in (None, kind.group)]
        return Response(
            {"results": [type_words(kind, reverse("api:event_type_schema", args=[kind.name])) for kind in found]}
        )


class EventTypeSchema(Door):
    """The JSON Schema (2020-12) of the events of one name."""

    area = AREA
    answers: ClassVar[dict[str, Any]] = {"get": {200: EVENT_SCHEMA}}
    answers_as = ("application/schema+json",)

    def get(self, request: Request, name: str) -> Response:
        if name not in event_types or not is_sent(name):
            raise Http404
        return Response(schema(name), content_type="application/schema+json")


class _EventStreamRenderer(BaseRenderer):
    """Lets clients ask for text/event-stream; what is refused is JSON all the same."""

    media_type = "text/event-stream"
    format = "events"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


class _WhateverIsAsked(BaseContentNegotiation):
    """There is one form of a stream, so nobody is sent away for asking in other words."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class EventStream(Door):
    """Events as they happen. `Last-Event-ID` (or `last_event_id`): go on after that one. GET only, and never cached."""

    area = AREA
    answers: ClassVar[dict[str, Any]] = {"get": {200: EVENT_STREAM}}
    answers_as = ("text/event-stream",)
    renderer_classes = (_EventStreamRenderer,)
    content_negotiation_class = _WhateverIsAsked
    query_names: ClassVar[frozenset[str]] = frozenset({"workspace", "types", "last_event_id"})

    def get(self, request: Request) -> StreamingHttpResponse:
        named = request.query_params.get("workspace")
        session = stream.open_session(
            request.user,
            workspace=self.workspace_of(named) if named else None,
            types=_known_types(request.query_params.get("types", ""), "types"),
            last_id=request.headers.get("Last-Event-ID") or request.query_params.get("last_event_id", ""),
            still=lambda: self._who_is_it_now(request),
        )
        plain = request._request
        chunks: Any = stream.run_async(session) if isinstance(plain, ASGIRequest) else stream.run(session)
        return StreamingHttpResponse(
            chunks,
            content_type="text/event-stream; charset=utf-8",
            # a proxy that collects or compresses would hold events back
            headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"},
        )

    def _who_is_it_now(self, request: Request) -> Any | None:
        """Whoever opened the stream, read anew; None when the token, the session, the person or the scope is gone."""
        user = _by_header(self, request) if request.headers.get("Authorization") else _by_session(request._request)
        if user is None or not user.is_authenticated or not user.is_active:
            return None
        return user if covers(scopes_of(user), AREA, writes=False) else None


def _by_header(view: Door, request: Request) -> Any | None:
    for authenticator in view.get_authenticators():
        try:
            found = authenticator.authenticate(request)
        except exceptions.APIException:
            return None
        if found is not None:
            return found[0]
    return None


class _Asking(HttpRequest):
    """Just enough of a request to ask who a session belongs to."""

    def __init__(self, session: SessionBase) -> None:
        super().__init__()
        self.session = session


def _by_session(request: HttpRequest) -> Any | None:
    store = type(request.session)
    return get_user(_Asking(store(request.session.session_key)))


def _known_types(given: str, field: str) -> frozenset[str]:
    """Names of events, separated by commas; `job.*` is every one of a group. Refused for one that there is none of."""
    found: set[str] = set()
    for name in filter(None, (part.strip() for part in given.split(","))):
        group = name.removesuffix(".*")
        meant = {kind.name for kind in types() if kind.name == name or (group != name and kind.group == group)}
        if not meant:
            words = f"There is no event {name!r}; /api/v1/event-types/ lists them."
            raise Refused(Problem(field=field, message=words, code="unknown"))
        found |= meant
    return frozenset(found)
