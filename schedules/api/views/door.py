"""What every view of the API shares: the request's time and actor, the workspace, how lists are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import http_date
from django_filters import CharFilter
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import NotAllowed, Problem, Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces import scopes
from alwrity_scheduler.workspaces.access import actor_of, require
from alwrity_scheduler.workspaces.models import User, Workspace
from alwrity_scheduler.workspaces.roles import Action
from schedules.api import etags, fields, idempotency, throttling
from schedules.api.problems import TooLarge
from schedules.api.serializers.shapes import Empty, Input
from schedules.api.throttling import Paced

PAGING = frozenset({"cursor", "page_size"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
AREAS = {
    "accounts": "accounts", "bulk": "schedules", "calendar": "schedules", "content": "content", "jobs": "jobs",
    "library": "content", "media": "media", "notifications": "notifications", "planning": "schedules",
    "preflight": "content", "recovery": "jobs", "reviews": "reviews", "schedules": "schedules", "security": "events",
    "system": "events",
}  # fmt: skip


class Door(Paced, generics.GenericAPIView[Any]):
    """A view of the API.

    area: of `workspaces.scopes`, by which a token is narrowed; by default that of the module. query_names: the parameters it
    takes; others are refused, so that a slip shows. writes: False for a POST that only looks. reaches_out: it calls other
    machines, so that what it does is no part of a transaction. deprecated_since, sunset_at: when it was, and when it goes.
    """

    lookup_field = "public_id"
    area: ClassVar[str] = ""
    query_names: ClassVar[frozenset[str]] = frozenset()
    writes: ClassVar[bool] = True
    reaches_out: ClassVar[bool] = False
    deprecated_since: ClassVar[datetime | None] = None
    sunset_at: ClassVar[datetime | None] = None
    # the row that an If-Match named, as it was when it was locked
    matched: Any = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "area" not in cls.__dict__ and not cls.area:
            cls.area = AREAS.get(cls.__module__.rpartition(".")[2], "")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As REST framework's, with one step more: a change goes through `changed`."""
        self.args, self.kwargs = args, kwargs
        self.request = request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(request, *args, **kwargs)
            method = str(request.method)
            handler = getattr(self, method.lower(), None) if method.lower() in self.http_method_names else None
            if handler is None:
                # before anything is compared or kept: there is nothing to be done
                response = self.http_method_not_allowed(request, *args, **kwargs)
            elif method in SAFE:
                response = handler(request, *args, **kwargs)
            else:
                response = self.changed(request, partial(handler, request, *args, **kwargs))
        except Exception as error:
            response = self.handle_exception(error)
        self.response = self.finalize_response(request, response, *args, **kwargs)
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._check_scope(request)
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
        typed = self._never_empty()
        given = request.query_params.items()
        if empty := [name for name, value in given if name in typed and not all(str(value).split(","))]:
            words = "Give it a value, or leave it out."
            raise Refused([Problem(field=name, message=words, code="blank") for name in empty])

    def _never_empty(self) -> frozenset[str]:
        """The parameters that are no text: one without a value, alone or between commas, is a slip in the program that asks, and
        does not mean everything."""
        filters = getattr(getattr(self, "filterset_class", None), "base_filters", {})
        return frozenset(name for name, one in filters.items() if not isinstance(one, CharFilter)) | {"ordering"}

    def _check_scope(self, request: Request) -> None:
        writes = self.writes and request.method not in SAFE
        if not self.area or scopes.covers(scopes.scopes_of(request.user), self.area, writes=writes):
            return
        wanted = scopes.needed(self.area, writes=writes)
        words = f"This needs the scope {wanted}, which the token was not given. Make a token that has it."
        raise NotAllowed(Problem(field="scope", message=words, code="insufficient_scope"))

    def changed(self, request: Request, handler: Callable[[], Response]) -> Response:
        """A change of the row that `If-Match` names, and once for each `Idempotency-Key`."""
        work = handler if "If-Match" not in request.headers else partial(self._matching, request, handler)
        key = idempotency.key_of(request) if request.method == "POST" else ""
        if not key:
            return work()
        return idempotency.once(
            request,
            caller=throttling.caller_of(request),
            key=key,
            now=self.now,
            reaches_out=self.calls_out(),
            work=work,
        )

    def _matching(self, request: Request, handler: Callable[[], Response]) -> Response:
        """Compare under a lock that lasts until the change is made: nobody else's edit can come between the two."""
        wanted = request.headers["If-Match"]
        if self.calls_out():
            self._compare(wanted, self.current())
            return handler()
        with transaction.atomic():
            row = self.current()
            if row is not None:
                etags.lock(row)
                row = self.current()
            self._compare(wanted, row)
            self.matched = row
            return handler()

    def calls_out(self) -> bool:
        return self.reaches_out

    def current(self) -> Any:
        """The row that this address changes, as it is now; None where there is none to be compared."""
        public_id = self.kwargs.get(self.lookup_field)
        return None if public_id is None else self.find(public_id)

    def _compare(self, wanted: str, row: Any) -> None:
        etag = "" if row is None else etags.etag_of(row)
        if not etag or not etags.matches(wanted, etag):
            raise etags.failed(etag)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.deprecated_since is not None:
            response.headers["Deprecation"] = f"@{int(self.deprecated_since.timestamp())}"
        if self.sunset_at is not None:
            response.headers["Sunset"] = http_date(self.sunset_at.timestamp())
        return response

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
        """The request's body, shaped and checked. An `If-Match` that held stands for the `version` of its row."""
        data = self.request.data
        version = getattr(self.matched, "version", None)
        takes = version is not None and "version" in serializer._declared_fields
        if takes and isinstance(data, dict) and "version" not in data:
            data = {**data, "version": version}
        shaped = serializer(instance, data=data, context={"now": self.now})
        shaped.is_valid(raise_exception=True)
        values: dict[str, Any] = shaped.validated_data
        return values

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "now": self.now}

    def answer(self, row: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """The row, with its ETag; of what was asked for with `?fields=` only that."""
        data = self.get_serializer(row).data
        if text := self.request.query_params.get("fields"):
            data = fields.pick([data], text)[0]
        response = Response(data, status=status, headers=headers)
        if isinstance(row, models.Model):
            response.headers["ETag"] = etags.etag_of(row)
        return response

    def require(self, action: Action, workspace: Workspace) -> None:
        require(self.request.user, action, workspace)

    def find(self, public_id: UUID) -> Any:
        """The row of that id; to who may not see it there is none."""
        return get_object_or_404(self.get_queryset(), public_id=public_id)


def _named(named: str) -> dict[str, Any]:
    try:
        return {"public_id": UUID(named)}
    except ValueError:
        # PostgreSQL would not even compare a NUL, and no slug has one
        return {"pk__in": ()} if "\0" in named else {"slug": named}


class Rows(Door):
    """A list: newest first, narrowed by the view's FilterSet and by `workspace`.

    orderings: what `?ordering=` takes and the columns it means, none of which may be null; `-` before it turns it round. The
    last of the columns is unique.
    """

    workspace_path: ClassVar[str] = "workspace"
    filterset_class: ClassVar[Any] = None
    orderings: ClassVar[dict[str, tuple[str, ...]]] = {"created": ("id",)}

    def known_names(self) -> frozenset[str]:
        return PAGING | {"workspace", "fields", "ordering"} | frozenset(self.filterset_class.base_filters)

    def ordering(self) -> tuple[str, ...]:
        """The columns of the asked order, for the paginator; none where it was not asked for."""
        asked = self.request.query_params.get("ordering", "")
        if not asked:
            return ()
        columns = self.orderings.get(asked.removeprefix("-"))
        if columns is None:
            known = ", ".join(f"{name}, -{name}" for name in self.orderings)
            raise Refused(Problem(field="ordering", message=f"There is no such order. Known are {known}."))
        return tuple(f"-{name}" for name in columns) if asked.startswith("-") else columns

    def get(self, request: Request) -> Response:
        rows = self.filter_queryset(self.get_queryset())
        if named := request.query_params.get("workspace"):
            rows = rows.filter(**{self.workspace_path: self.of_workspace(self.workspace_of(named))})
        page = self.paginate_queryset(rows)
        data = self.get_serializer(page, many=True).data
        if text := request.query_params.get("fields"):
            data = fields.pick(data, text)
        return self.get_paginated_response(data)

    def of_workspace(self, workspace: Workspace) -> Any:
        return workspace


class Row(Door):
    """One row, to be looked at."""

    def known_names(self) -> frozenset[str]:
        return self.query_names | {"fields"}

    def get(self, request: Request, public_id: UUID) -> Response:
        return self.answer(self.find(public_id))


Verb = Callable[..., Any]


class VerbDoor(Door):
    """POST of one verb on one row: `as_view(verb=…)`. Takes no fields unless `fields` says which."""

    verb: str = ""
    action: ClassVar[Action] = Action.OPERATE
    fields: ClassVar[dict[str, type[Input]]] = {}
    # those of the verbs that call other machines
    reaching: ClassVar[frozenset[str]] = frozenset()

    def calls_out(self) -> bool:
        return self.reaches_out or self.verb in self.reaching

    def post(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(self.action_of(self.verb), row.workspace)
        return self.act(row, self.read(self.fields.get(self.verb, Empty)))

    def action_of(self, verb: str) -> Action:
        return self.action

    def act(self, row: Any, given: dict[str, Any]) -> Response:
        raise NotImplementedError
