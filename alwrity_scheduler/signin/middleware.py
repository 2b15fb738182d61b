"""At each request of a browser: when its session was last seen, and that a second step is set up by who must have one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.sightings import address_of
from alwrity_scheduler.signin import reads

logger = logging.getLogger(__name__)
# kept by the library in each session that came through the door
SIGNED_IN_BY = "account_authentication_methods"
SEEN_EVERY_SECONDS = 300
# what is open to who has no second step yet: setting one up, and leaving
OPEN = (
    "/account/",
    "/login/",
    "/logout/",
    "/static/",
    "/language/",
    "/app/icons/",
    "/app/jsi18n/",
    "/healthz",
    "/readyz",
)


def watch(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            if (
                settings.SIGNIN_REQUIRE_MFA != "none"
                and not request.path.startswith(OPEN)
                and reads.lacks_second_step(request.user)
            ):
                return _set_it_up(request)
            if SIGNED_IN_BY in request.session:
                _seen(request)
        return get_response(request)

    middleware.process_exception = _unreachable  # type: ignore[attr-defined]
    return middleware


def _unreachable(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """A provider that does not answer, or not with what it should: the library expects that on the way back only."""
    requests = sys.modules.get("requests")
    if requests is None or not isinstance(error, requests.RequestException) or not request.path.startswith("/account/"):
        return None
    logger.warning("An OpenID provider could not be asked: %s", error, extra={"action": "provider_unreachable"})
    return render(request, "socialaccount/authentication_error.html", status=502)


def _seen(request: Any) -> None:
    """Not at each request: a list of sessions needs no seconds, and every page would pay for a write."""
    key = request.session.session_key
    if key and cache.add(f"signin.seen.{key}", True, timeout=SEEN_EVERY_SECONDS):
        from allauth.usersessions.models import UserSession

        UserSession.objects.filter(session_key=key).update(
            last_seen_at=clock.now(),
            ip=address_of(request) or "0.0.0.0",  # noqa: S104
            user_agent=request.META.get("HTTP_USER_AGENT", "")[:200],
        )


def _set_it_up(request: HttpRequest) -> HttpResponse:
    where = reverse("mfa_index")
    if request.path.startswith("/api/"):
        words = f"Set up a second step at sign-in first: {settings.PUBLIC_URL}{where}"
        problem = {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": words,
            "code": "second_step_needed",
        }
        return JsonResponse(problem, status=403, content_type="application/problem+json")
    if request.headers.get("HX-Request"):
        # what a page that is open to them asks by itself (the bell) must not take them away from it
        is_at_it = urlsplit(request.headers.get("HX-Current-URL", "")).path.startswith(OPEN)
        return HttpResponse(status=204, headers={} if is_at_it else {"HX-Redirect": where})
    return HttpResponseRedirect(where)
