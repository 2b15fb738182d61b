"""The security log and its alerts: of the workspaces one owns and their members, and of oneself."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import NotAllowed, Problem
from alwrity_scheduler.security import services
from alwrity_scheduler.security.models import SecurityAlert, SecurityEvent
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from schedules.api.serializers.security import AlertAnswer, AlertFilter, SecurityEventAnswer
from schedules.api.serializers.shapes import Empty
from schedules.api.views.door import Door, Rows
from schedules.filters import SecurityFilter


class SecurityLog(Rows):
    """Sign-ins, refusals, tokens in new places, changes of who may do what; newest first."""

    serializer_class = SecurityEventAnswer
    filterset_class: ClassVar[Any] = SecurityFilter
    workspace_path: ClassVar[str] = "workspace_ref"

    def get_queryset(self) -> QuerySet[Any]:
        return SecurityEvent.objects.visible_to(self.request.user)

    def of_workspace(self, workspace: Workspace) -> Any:
        return workspace.pk


class Alerts(Rows):
    """What was odd; those that nobody has looked at with `?open=true`."""

    serializer_class = AlertAnswer
    filterset_class: ClassVar[Any] = AlertFilter
    workspace_path: ClassVar[str] = "workspace_ref"

    def get_queryset(self) -> QuerySet[Any]:
        return SecurityAlert.objects.visible_to(self.request.user)

    def of_workspace(self, workspace: Workspace) -> Any:
        return workspace.pk


class AlertSeen(Door):
    """POST: somebody looked, and it is all right."""

    serializer_class = AlertAnswer

    def get_queryset(self) -> QuerySet[Any]:
        return SecurityAlert.objects.visible_to(self.request.user)

    def post(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self._allow(row)
        self.read(Empty)
        services.mark_seen(alerts=[row], actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))

    def _allow(self, row: SecurityAlert) -> None:
        """An owner's to say; of a sign-in also the person's own."""
        room = Workspace.objects.visible_to(self.request.user).filter(pk__in=[row.workspace_ref or 0]).first()
        if room is not None:
            self.require(Action.AUDIT, room)
        elif row.user_ref is None or row.user_ref != getattr(self.request.user, "pk", None):
            words = "This is for the person or an owner to say."
            raise NotAllowed(Problem(field="role", message=words, code="not_allowed"))
