"""Apps that act for people (OAuth 2.0): registered and kept by a workspace; and what the one who asks allowed."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.oauth import services as service
from alwrity_scheduler.oauth.models import App, Permission
from alwrity_scheduler.workspaces.roles import Action
from schedules.api.serializers.apps import ClientAnswer, ClientChange, ClientInput, PermissionAnswer
from schedules.api.views.door import Door, Row, Rows, VerbDoor
from schedules.filters import ClientFilter, PermissionFilter


class _Clients(Door):
    area: ClassVar[str] = "workspace"
    serializer_class = ClientAnswer

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = App.objects.visible_to(self.request.user).select_related("workspace")
        return rows

    def answer_with(self, app: App, secret: str, *, status: int = 200) -> Response:
        """The app with its secret, this once."""
        where = reverse("api:app", args=[app.public_id])
        shown = {**self.get_serializer(app).data, "client_secret": secret or None}
        headers = {"Cache-Control": "no-store"}
        return Response(shown, status=status, headers={**headers, "Location": where} if status == 201 else headers)


class AppList(_Clients, Rows):
    filterset_class: ClassVar[Any] = ClientFilter

    def post(self, request: Request) -> Response:
        given = self.read(ClientInput)
        workspace = self.workspace_of(given.pop("workspace", None))
        self.require(Action.INTEGRATE, workspace)
        app, secret = service.register(workspace=workspace, **given, person=self.person, actor=self.actor, now=self.now)
        return self.answer_with(self.find(app.public_id), secret, status=201)


class AppDetail(_Clients, Row):
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Change what is given: name, website, redirect_uris."""
        row = self.find(public_id)
        self.require(Action.INTEGRATE, row.workspace)
        changes = self.read(ClientChange)
        version = changes.pop("version")
        service.change(app=row, changes=changes, version=version, actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))

    def delete(self, request: Request, public_id: UUID) -> Response:
        """With everything that people allowed it."""
        row = self.find(public_id)
        self.require(Action.INTEGRATE, row.workspace)
        service.delete(app=row, actor=self.actor, now=self.now)
        return Response(status=204)


VERBS = ("rotate-secret", "disable", "enable")


class AppVerb(_Clients, VerbDoor):
    action: ClassVar[Action] = Action.INTEGRATE

    def act(self, row: App, given: dict[str, Any]) -> Response:
        if self.verb == "rotate-secret":
            app, secret = service.rotate_secret(app=row, actor=self.actor, now=self.now)
            return self.answer_with(app, secret)
        verb = {"disable": service.disable, "enable": service.enable}[self.verb]
        verb(app=row, actor=self.actor, now=self.now)
        return self.answer(self.find(row.public_id))


class _Permissions(Door):
    """One's own alone; a token is nobody's person and has none."""

    area: ClassVar[str] = "workspace"
    serializer_class = PermissionAnswer

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = Permission.objects.visible_to(self.request.user).select_related("app", "workspace")
        return rows


class PermissionList(_Permissions, Rows):
    filterset_class: ClassVar[Any] = PermissionFilter


class PermissionDetail(_Permissions, Row):
    def delete(self, request: Request, public_id: UUID) -> Response:
        """Take it back: the app gets in no more."""
        service.revoke(permission=self.find(public_id), actor=self.actor, now=self.now)
        return Response(status=204)
