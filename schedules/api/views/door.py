"""What every view of the API shares: the request's time and actor, the workspace, how lists are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import NotAllowed, Problem, Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces.access import actor_of, require
from alwrity_scheduler.workspaces.models import User, Workspace
from alwrity_scheduler.workspaces.roles import Action
from schedules.api.problems import TooLarge
from schedules.api.serializers.shapes import Empty, Input

PAGING = frozenset({"cursor", "page_size"})


class Door(generics.GenericAPIView[Any]):
    """A view of the API. `query_names`: the parameters it takes; others are refused, so that a slip shows."""

    lookup_field = "public_id"
    query_names: ClassVar[frozenset[str]] = frozenset()
    now: datetime

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.now = clock.now()
        # REST framework reads the body past Django's own limit
        most = self.most_bytes()
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > most:
            raise TooLarge(f"A request may have {most:,} bytes at most.")
        known = self.known_names()
        if unknown := sorted(set(request.query_params) - known):
            words = (
                f"There is no such parameter here. Known are {', '.join(sorted(known))}."
                if known
                else "This takes no parameters."
            )
            raise Refused([Problem(field=name, message=words, code="unknown") for name in unknown])

    def known_names(self) -> frozenset[str]:
        return self.query_names

    def most_bytes(self) -> int:
        """How large a request may be."""
        most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return most

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    @property
    def person(self) -> User | None:
        """The signed-in person; None where a token acts."""
        return self.request.user if isinstance(self.request.user, User) else None

    @property
    def own_zone(self) -> str:
        """The zone in which the one who asks reads times: the person's, or that of the token's workspace."""
        token = getattr(self.request.user, "api_token", None)
        return str(token.workspace.timezone) if token else str(getattr(self.request.user, "timezone", "UTC"))

    def workspace_of(self, named: str | None) -> Workspace:
        """The workspace meant: the named one (id or slug), the token's, or the only one this person is in."""
        visible = Workspace.objects.visible_to(self.request.user).order_by("id")
        if named:
            found: Workspace | None = visible.filter(**_named(named)).first()
            if found is None:
                raise Refused(
                    Problem(field="workspace", message="You are in no workspace of this name.", code="not_found")
                )
            return found
        rooms = list(visible[:20])
        if not rooms:
            raise NotAllowed(
                Problem(
                    field="workspace",
                    message="You are in no workspace. Ask an owner to add you.",
                    code="not_allowed",
                )
            )
        if len(rooms) > 1:
            names = ", ".join(room.slug for room in rooms)
            raise Refused(Problem(field="workspace", message=f"Say in which workspace: {names}.", code="required"))
        return rooms[0]

    def read(self, serializer: type[Input], *, instance: Any = None) -> dict[str, Any]:
        """The request's body, shaped and checked."""
        shaped = serializer(instance, data=self.request.data, context={"now": self.now})
        shaped.is_valid(raise_exception=True)
        values: dict[str, Any] = shaped.validated_data
        return values

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": self.now}

    def answer(self, row: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return Response(self.get_serializer(row).data, status=status, headers=headers)

    def require(self, action: Action, workspace: Workspace) -> None:
        require(self.request.user, action, workspace)

    def find(self, public_id: UUID) -> Any:
        """The row of that id; to who may not see it there is none."""
        return get_object_or_404(self.get_queryset(), public_id=public_id)


def _named(named: str) -> dict[str, Any]:
    try:
        return {"public_id": UUID(named)}
    except ValueError:
        return {"slug": named}


class Rows(Door):
    """A list: newest first, narrowed by the view's FilterSet and by `workspace`."""

    workspace_path: ClassVar[str] = "workspace"
    filterset_class: ClassVar[Any] = None

    def known_names(self) -> frozenset[str]:
        return PAGING | {"workspace"} | frozenset(self.filterset_class.base_filters)

    def get(self, request: Request) -> Response:
        rows = self.filter_queryset(self.get_queryset())
        if named := request.query_params.get("workspace"):
            rows = rows.filter(**{self.workspace_path: self.of_workspace(self.workspace_of(named))})
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def of_workspace(self, workspace: Workspace) -> Any:
        return workspace


class Row(Door):
    """One row, to be looked at."""

    def get(self, request: Request, public_id: UUID) -> Response:
        return self.answer(self.find(public_id))


Verb = Callable[..., Any]


class VerbDoor(Door):
    """POST of one verb on one row: `as_view(verb=…)`. Takes no fields unless `fields` says which."""

    verb: str = ""
    action: ClassVar[Action] = Action.OPERATE
    fields: ClassVar[dict[str, type[Input]]] = {}

    def post(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(self.action_of(self.verb), row.workspace)
        return self.act(row, self.read(self.fields.get(self.verb, Empty)))

    def action_of(self, verb: str) -> Action:
        return self.action

    def act(self, row: Any, given: dict[str, Any]) -> Response:
        raise NotImplementedError
