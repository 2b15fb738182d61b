"""Activates the person's time zone, language and wishes, and finds the workspace that the pages show."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from alwrity_scheduler.workspaces import wishes
from alwrity_scheduler.workspaces.models import Workspace

SESSION_KEY = "workspace"
# programs read these answers: their words do not depend on who asks
PROGRAMS = ("/api/", "/hooks/", "/healthz", "/readyz", "/metrics")


def person(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Templates print aware datetimes in the ACTIVE zone, whatever zone they carry: so the person's zone is made active.

    The person's language wins over the one that LocaleMiddleware found in the browser's cookie or headers.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        _speak(request)
        zone = getattr(request.user, "timezone", "UTC") or "UTC"
        with timezone.override(zoneinfo.ZoneInfo(zone)), wishes.override(request.user):
            return get_response(request)

    return middleware


def _speak(request: HttpRequest) -> None:
    """Stays active after this middleware: LocaleMiddleware says it in `Content-Language` and sets it anew for each request."""
    wanted = getattr(request.user, "language", "")
    if request.path.startswith(PROGRAMS):
        wanted = settings.LANGUAGE_CODE
    if wanted in dict(settings.LANGUAGES):
        translation.activate(wanted)
        request.LANGUAGE_CODE = translation.get_language()


def current_workspace(request: HttpRequest) -> Workspace | None:
    """The workspace chosen in this session, else the first one this person is in; None for a person without any."""
    visible = Workspace.objects.visible_to(request.user)
    chosen = request.session.get(SESSION_KEY)
    found = visible.filter(pk=chosen).first() if chosen else None
    return found or visible.order_by("id").first()
