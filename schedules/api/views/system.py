"""The history, the engine's figures, and the answer for addresses that lead nowhere."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.models import Workspace
from schedules.api.serializers.system import AuditAnswer, EngineStatusShown, status_words
from schedules.api.views.door import Door, Rows
from schedules.filters import AuditFilter
from schedules.models import AuditLog, Job
from schedules.reads.engine import engine_status, installation_status


class AuditList(Rows):
    """What happened, newest first, in the workspaces one is in."""

    serializer_class = AuditAnswer
    filterset_class: ClassVar[Any] = AuditFilter
    workspace_path: ClassVar[str] = "workspace_ref"

    def get_queryset(self) -> QuerySet[Any]:
        return AuditLog.objects.visible_to(self.request.user)

    def of_workspace(self, workspace: Workspace) -> Any:
        return workspace.pk

    def get_serializer_context(self) -> dict[str, Any]:
        zones = Workspace.objects.visible_to(self.request.user).order_by().values_list("pk", "timezone")
        return {**super().get_serializer_context(), "zones": dict(zones)}


class Status(Door):
    """Does anything publish, and keep up? Counts the jobs one may see; workers, duties and alarms are the installation's."""

    answers: ClassVar[dict[str, Any]] = {"get": EngineStatusShown}

    def get(self, request: Request) -> Response:
        if getattr(request.user, "is_superuser", False):
            return Response(status_words(installation_status(now=self.now), self.own_zone))
        rooms = list(Workspace.objects.visible_to(request.user).order_by().values_list("pk", flat=True))
        status = engine_status(Job.objects.visible_to(request.user), workspaces=rooms, now=self.now)
        return Response(status_words(status, self.own_zone))


class Nowhere(Door):
    """Every other address under the API, so that the answer is a problem and not a page."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        words = "There is nothing at this address."
        if not request.path.endswith("/"):
            words += " Addresses of this API end with a slash."
        raise exceptions.NotFound(words)
