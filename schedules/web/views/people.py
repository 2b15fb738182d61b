"""The workspace switch, and the switches that hold publishing."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import NotAllowed, Problem, Refused
from alwrity_scheduler.workspaces import services as service
from alwrity_scheduler.workspaces.middleware import SESSION_KEY
from alwrity_scheduler.workspaces.roles import Action
from schedules.services import control
from schedules.web.context import shell_of
from schedules.web.gate import Visit, done, leave, next_url, refused, screen


@screen("POST", outside=True)
def switch_workspace(request: HttpRequest, visit: Visit) -> HttpResponse:
    wanted = request.POST.get("workspace", "")
    try:
        room = next((row for row in shell_of(request).workspaces if row.public_id == UUID(wanted)), None)
    except ValueError:
        room = None
    if room is None:
        return refused(
            request,
            Refused(Problem(field="workspace", message=_("There is no such workspace for you."))),
            reverse("web:today"),
        )
    request.session[SESSION_KEY] = room.pk
    return done(request, _("You are in %(name)s now.") % {"name": room.name}, next_url(request, reverse("web:today")))


@screen("POST")
def pause_workspace(request: HttpRequest, visit: Visit) -> HttpResponse:
    return _set_paused(request, visit, paused=True)


@screen("POST")
def resume_workspace(request: HttpRequest, visit: Visit) -> HttpResponse:
    return _set_paused(request, visit, paused=False)


def _set_paused(request: HttpRequest, visit: Visit, *, paused: bool) -> HttpResponse:
    visit.require(Action.ACCOUNTS)
    service.set_workspace_paused(workspace=visit.workspace, paused=paused, actor=visit.actor, now=visit.now)
    words = _("Paused %(name)s: nothing of it is published.") if paused else _("Resumed %(name)s.")
    undo = reverse("web:resume_workspace" if paused else "web:pause_workspace")
    back = next_url(request, reverse("web:today"))
    return leave(request, words % {"name": visit.workspace.name}, back, undo=undo)


@screen("POST")
def pause_everything(request: HttpRequest, visit: Visit) -> HttpResponse:
    _only_operators(visit)
    control.pause_everything(actor=visit.actor, now=visit.now)
    return leave(request, _("Everything is paused. Calls under way finish."), next_url(request, reverse("web:today")))


@screen("POST")
def resume_everything(request: HttpRequest, visit: Visit) -> HttpResponse:
    _only_operators(visit)
    control.resume_everything(actor=visit.actor, now=visit.now)
    return leave(request, _("Publishing goes on."), next_url(request, reverse("web:today")))


def _only_operators(visit: Visit) -> None:
    if not visit.person.is_superuser:
        raise NotAllowed(
            Problem(
                field="role", message=_("Only an administrator may pause or resume everything."), code="not_allowed"
            )
        )
