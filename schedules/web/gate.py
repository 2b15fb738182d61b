"""The way into a page and out of it: who may come in, page or fragment, where to go after a verb.

Every view of this package is wrapped in `screen` and answers through `show`, `done` or `refused`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from alwrity_scheduler.core import sightings
from alwrity_scheduler.core.errors import NotAllowed, Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces.access import actor_of, require
from alwrity_scheduler.workspaces.models import User, Workspace
from alwrity_scheduler.workspaces.roles import Action, allows
from schedules.web.context import shell_of

_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one person: in which workspace, as which actor, at what time."""

    request: HttpRequest
    person: User
    workspace: Workspace
    actor: Actor
    now: datetime

    def require(self, action: Action, workspace: Workspace | None = None) -> None:
        if not self.may(action, workspace):
            require(self.person, action, workspace or self.workspace)

    def may(self, action: Action, workspace: Workspace | None = None) -> bool:
        """From the roles that the frame has read anyway."""
        return allows(shell_of(self.request).role_in(workspace or self.workspace), action)


View = Callable[..., HttpResponse]


def screen(*methods: str) -> Callable[[View], View]:
    """A view for signed-in members: `view(request, visit, ...)`. Answers 405, 403 and the way to sign in by itself."""
    allowed = methods or ("GET", "HEAD")

    def wrap(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in allowed:
                return HttpResponseNotAllowed(allowed)
            if not request.user.is_authenticated:
                return _sign_in(request)
            shell = shell_of(request)
            if shell.workspace is None:
                return render(request, "people/no_workspace.html", {"title": _("No workspace")}, status=403)
            visit = Visit(request, request.user, shell.workspace, actor_of(request), shell.now)
            try:
                return view(request, visit, *args, **kwargs)
            except NotAllowed as error:
                return _not_allowed(request, error)

        return inner

    return wrap


def _sign_in(request: HttpRequest) -> HttpResponse:
    here = request.headers.get("HX-Current-URL", "") if wants_part(request) else request.get_full_path()
    if not url_has_allowed_host_and_scheme(here, {request.get_host()}):
        here = reverse("home")
    response = redirect_to_login(here)
    if not wants_part(request):
        return response
    return HttpResponse(status=204, headers={"HX-Redirect": response["Location"]})


def _not_allowed(request: HttpRequest, error: NotAllowed) -> HttpResponse:
    sightings.refused(request, error)
    words = " ".join(problem.message for problem in error.problems)
    if wants_part(request):
        return HttpResponse(
            words, status=403, headers={"HX-Trigger": toasts([{"text": words, "level": "error", "undo": ""}])}
        )
    return render(request, "403.html", {"title": _("Not allowed"), "words": words}, status=403)


def wants_part(request: HttpRequest) -> bool:
    """Does htmx ask for a fragment? On Back it asks for the whole page (htmx issue 3037)."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.history_restore_request


def toasts(items: list[dict[str, str]]) -> str:
    return json.dumps({"toast": items})


def show(request: HttpRequest, page: str, part: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """The same URL serves page and fragment. A fragment carries the waiting messages as toasts.

    A live fragment answers 204 while it is the same as the one the page has (`X-Seen`).
    """
    if not wants_part(request):
        response = render(request, page, dict(context), status=status)
        patch_vary_headers(response, ["HX-Request"])
        return response
    waiting = [
        {
            "text": str(item),
            "level": item.level_tag,
            "undo": (item.extra_tags or "")[5:] if (item.extra_tags or "").startswith("undo=") else "",
        }
        for item in messages.get_messages(request)
    ]
    response = render(request, part, dict(context), status=status)
    seen = hashlib.sha256(_TOKEN.sub(b"", response.content)).hexdigest()[:16]
    if status == 200 and not waiting and request.headers.get("X-Seen") == seen:
        return HttpResponse(status=204)
    response.headers["X-Seen"] = seen
    response.headers["Cache-Control"] = "no-store"
    patch_vary_headers(response, ["HX-Request"])
    if waiting:
        response.headers["HX-Trigger"] = toasts(waiting)
    return response


def next_url(request: HttpRequest, fallback: str) -> str:
    """Where the person came from, if that is one of our own addresses."""
    wanted = request.POST.get("next", "")
    return wanted if wanted and url_has_allowed_host_and_scheme(wanted, {request.get_host()}) else fallback


def done(request: HttpRequest, words: str, to: str, *, undo: str = "", level: int = messages.SUCCESS) -> HttpResponse:
    """After a verb: say what happened and go back (303). htmx follows and gets the fragment of that address."""
    messages.add_message(request, level, words, extra_tags=f"undo={undo}" if undo else "")
    response = HttpResponseRedirect(to)
    response.status_code = 303
    return response


def leave(request: HttpRequest, words: str, to: str, *, undo: str = "") -> HttpResponse:
    """After a form that ends on another page: the browser itself goes there, with or without htmx."""
    messages.add_message(request, messages.SUCCESS, words, extra_tags=f"undo={undo}" if undo else "")
    if wants_part(request):
        return HttpResponse(status=204, headers={"HX-Redirect": to})
    response = HttpResponseRedirect(to)
    response.status_code = 303
    return response


def refused(request: HttpRequest, error: Refused, to: str) -> HttpResponse:
    """A verb without a form was refused: say why, in the service's words, where the person was."""
    return done(request, " ".join(problem.message for problem in error.problems), to, level=messages.ERROR)
