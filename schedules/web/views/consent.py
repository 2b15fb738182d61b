"""An app asks a person: may I act for you, in which workspace? The page of the authorization request (RFC 6749 section 4.1)."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.oauth import protocol
from alwrity_scheduler.oauth import services as service
from alwrity_scheduler.oauth.scopes import grouped
from alwrity_scheduler.workspaces.models import Membership, Workspace
from alwrity_scheduler.workspaces.roles import INSIDE
from schedules.web.gate import Visit, screen


@screen("GET", "HEAD", "POST")
def consent(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The form posts to its own address, whose query is the app's request: it is read and checked again."""
    try:
        asked = protocol.asked(request)
        if request.method != "POST":
            return _page(request, visit, asked)
        if request.POST.get("answer") != "allow":
            return protocol.led_back(protocol.denied(request, asked))
        room = _chosen(visit, request.POST.get("workspace", ""))
        if room is None:
            return _page(request, visit, asked, problem=_("Choose the workspace that the app may work in."))
        permission = service.allow(
            app=asked.app, person=visit.person, workspace=room, scopes=asked.scopes, actor=visit.actor, now=visit.now
        )
        return protocol.led_back(protocol.allowed(request, asked, permission))
    except protocol.GoBack as back:
        return protocol.led_back(back.url)
    except protocol.NotForThem as error:
        context = {"title": _("This does not work"), "words": error.words}
        return render(request, "apps/not_asked.html", context, status=400)
    except Refused as error:
        return _page(request, visit, asked, problem=" ".join(problem.message for problem in error.problems))


def _page(request: HttpRequest, visit: Visit, asked: protocol.Asked, *, problem: str = "") -> HttpResponse:
    context = {
        "title": _("Allow %(name)s?") % {"name": asked.app.name},
        "app": asked.app,
        "areas": grouped(asked.scopes),
        "rooms": _rooms(visit),
        "chosen": visit.workspace,
        "problem": problem,
        "origin": asked.origin,
    }
    response = render(request, "apps/consent.html", context, status=422 if problem else 200)
    response.headers["Cache-Control"] = "no-store"
    # the answer to this page's form leads to the app: browsers hold form-action against where a form's answer leads, too
    response._csp_update = {"form-action": [asked.origin]}  # type: ignore[attr-defined]
    return response


def _rooms(visit: Visit) -> list[Workspace]:
    rows = Membership.objects.filter(user=visit.person, role__in=INSIDE).select_related("workspace")
    return [row.workspace for row in rows.order_by("workspace__name", "id")]


def _chosen(visit: Visit, named: str) -> Workspace | None:
    try:
        wanted = UUID(named)
    except ValueError:
        return None
    return next((room for room in _rooms(visit) if room.public_id == wanted), None)
