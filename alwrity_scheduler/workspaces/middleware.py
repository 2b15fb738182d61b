"""Activates the person's time zone and finds the workspace that the pages show."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from alwrity_scheduler.workspaces.models import Workspace

SESSION_KEY = "workspace"


def person(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Templates print aware datetimes in the ACTIVE zone, whatever zone they carry: so the person's zone is made active."""

    def middleware(request: HttpRequest) -> HttpResponse:
        zone = getattr(request.user, "timezone", "UTC") or "UTC"
        with timezone.override(zoneinfo.ZoneInfo(zone)):
            return get_response(request)

    return middleware


def current_workspace(request: HttpRequest) -> Workspace | None:
    """The workspace chosen in this session, else the first one this person is in; None for a person without any."""
    visible = Workspace.objects.visible_to(request.user)
    chosen = request.session.get(SESSION_KEY)
    found = visible.filter(pk=chosen).first() if chosen else None
    return found or visible.order_by("id").first()
