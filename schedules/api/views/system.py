"""The history, the engine's figures, and the answer for addresses that lead nowhere."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import NotAllowed, Problem
from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import AccountState, PlatformAccount
from schedules.api.serializers.shapes import Empty
from schedules.api.serializers.system import (
    MOST_COUNTED,
    AuditAnswer,
    EngineStatusShown,
    EngineSwitched,
    HealthShown,
    health_words,
    status_words,
)
from schedules.api.views.door import Door, Rows
from schedules.filters import AuditFilter
from schedules.models import AuditLog, Job
from schedules.reads.engine import engine_status, installation_status
from schedules.services import control

MOST_BROKEN = 200
NOT_CLOSED = ("open", "half_open")


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


def is_operator(user: Any) -> bool:
    """An administrator in person: an app that acts for one is let into a workspace, and not into the installation."""
    return bool(getattr(user, "is_superuser", False)) and getattr(user, "delegated_workspace_id", None) is None


class Status(Door):
    """Does anything publish, and keep up? Counts the jobs one may see; workers, duties and alarms are the installation's."""

    answers: ClassVar[dict[str, Any]] = {"get": EngineStatusShown}

    def get(self, request: Request) -> Response:
        if is_operator(request.user):
            return Response(status_words(installation_status(now=self.now), self.own_zone))
        rooms = list(Workspace.objects.visible_to(request.user).order_by().values_list("pk", flat=True))
        status = engine_status(Job.objects.visible_to(request.user), workspaces=rooms, now=self.now)
        return Response(status_words(status, self.own_zone))


class Health(Door):
    """One word on it all, and what is behind it: the scheduler, its alarms, what is held, and the accounts that do not work."""

    area: ClassVar[str] = "analytics"
    answers: ClassVar[dict[str, Any]] = {"get": HealthShown}

    def get(self, request: Request) -> Response:
        if is_operator(request.user):
            status = installation_status(now=self.now)
        else:
            rooms = list(Workspace.objects.visible_to(request.user).order_by().values_list("pk", flat=True))
            status = engine_status(Job.objects.visible_to(request.user), workspaces=rooms, now=self.now)
        accounts = PlatformAccount.objects.visible_to(request.user).exclude(state=AccountState.DISCONNECTED)
        down = Q(state=AccountState.NEEDS_AUTH) | Q(circuit__state__in=NOT_CLOSED) | Q(service__state__in=NOT_CLOSED)
        rows = accounts.filter(down).select_related("circuit", "service").defer("credentials").order_by("id")
        needing = Job.objects.visible_to(request.user).needing_a_person().order_by().values("pk")[: MOST_COUNTED + 1]
        return Response(health_words(status, list(rows[:MOST_BROKEN]), needing.count(), self.own_zone))


class EngineVerb(Door):
    """POST: hold everything everywhere, or let it go on. For administrators, as on the pages."""

    area: ClassVar[str] = "jobs"
    answers: ClassVar[dict[str, Any]] = {"post": EngineSwitched}
    verb: str = ""

    def post(self, request: Request) -> Response:
        if not is_operator(request.user):
            words = "Only an administrator may pause or resume everything."
            raise NotAllowed(Problem(field="role", message=words, code="not_allowed"))
        self.read(Empty)
        verb = {"pause": control.pause_everything, "resume": control.resume_everything}[self.verb]
        verb(actor=self.actor, now=self.now)
        return Response({"paused": control.is_paused()})


class Nowhere(Door):
    """Every other address under the API, so that the answer is a problem and not a page."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        words = "There is nothing at this address."
        if not request.path.endswith("/"):
            words += " Addresses of this API end with a slash."
        raise exceptions.NotFound(words)
