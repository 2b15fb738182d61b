"""Middleware that needs no table: one id for each request, so that a log line, an audit row and an answer can be matched."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from alwrity_scheduler.core import logs
from alwrity_scheduler.core.ids import uuid7

_ACCEPTABLE = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


def request_id(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Take the caller's X-Request-ID when it is a plain word, else make one; answer with it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.id = given if _ACCEPTABLE.match(given) else str(uuid7())  # type: ignore[attr-defined]
        with logs.bound(request_id=request.id):  # type: ignore[attr-defined]
            response = get_response(request)
        response.headers["X-Request-ID"] = request.id  # type: ignore[attr-defined]
        return response

    return middleware


# no page of ours asks for any of these; keys for signing in are the one thing that is asked for, by us alone
PERMISSIONS = ", ".join(
    [
        *(f"{name}=()" for name in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")),
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)


def headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """What Django's own security middleware has no setting for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware
