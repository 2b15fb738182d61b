"""The one shape of refusal: RFC 9457 problem details, whose `errors` name each field as the caller wrote it.

Registered as REST framework's exception handler. What a service refuses (`core.errors.Refused`), what a
serializer refuses and what the framework itself refuses come out alike. An unforeseen error is logged here
once, with the request's id, and answers 500 without its words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.conf import settings
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from alwrity_scheduler.core import sightings
from alwrity_scheduler.core.errors import IllegalTransition, NotAllowed, Problem, Refused, StaleVersion

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:alwrity:problem:"
KINDS = {
    400: ("malformed", "The request cannot be read"),
    401: ("not-authenticated", "Sign in first"),
    403: ("not-allowed", "Not allowed"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    406: ("not-acceptable", "Not acceptable"),
    409: ("conflict", "Conflict"),
    412: ("precondition-failed", "It was changed in between"),
    413: ("too-large", "The request is too large"),
    415: ("unsupported-media-type", "Unsupported media type"),
    422: ("invalid", "The input was not accepted"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal", "Something went wrong here"),
}
# the more telling names of two conflicts
REFUSALS: dict[type[Refused], tuple[str, str]] = {
    StaleVersion: ("stale-version", "It was changed in between"),
    IllegalTransition: ("illegal-transition", "Not possible in this state"),
    NotAllowed: KINDS[403],
}
SIGN_IN = "Send a token as `Authorization: Bearer alw_…` (manage.py create_token makes one), or sign in."

logger = logging.getLogger(__name__)


class TooLarge(exceptions.APIException):
    status_code = 413
    default_detail = "Send less at once."
    default_code = "too_large"


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """Every exception of an API view as an answer."""
    request_id = str(getattr(context.get("request"), "id", ""))
    if isinstance(error, NotAllowed):
        sightings.refused(context.get("request"), error)
    if isinstance(error, Refused):
        kind = REFUSALS.get(type(error), KINDS.get(error.status, KINDS[422]))
        wait = getattr(error, "retry_after", None)
        headers = None if wait is None else {"Retry-After": str(wait)}
        return _problem(error.status, kind, request_id, problems=error.problems, headers=headers)
    response = exception_handler(error, context)
    if response is None:
        if settings.DEBUG:
            raise error
        logger.error("An API request failed.", exc_info=error, extra={"action": "api_failed", "request_id": request_id})
        detail = "The error was logged under this request's id; nothing of this request was kept."
        return _problem(500, KINDS[500], request_id, detail=detail)
    headers = {name: response.headers[name] for name in ("WWW-Authenticate", "Retry-After") if name in response.headers}
    if isinstance(error, exceptions.ValidationError):
        return _problem(
            422, KINDS[422], request_id, problems=tuple(_flat(error.get_full_details(), "")), headers=headers
        )
    status = response.status_code
    detail = SIGN_IN if isinstance(error, exceptions.NotAuthenticated) else _detail(error, status)
    return _problem(status, KINDS.get(status, ("other", _phrase(status))), request_id, detail=detail, headers=headers)


def _problem(
    status: int,
    kind: tuple[str, str],
    request_id: str,
    *,
    problems: tuple[Problem, ...] = (),
    detail: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    name, title = kind
    body = {
        "type": f"{TYPE}{name}",
        "title": title,
        "status": status,
        "detail": detail or " ".join(problem.message for problem in problems),
        "errors": [{"field": item.field, "message": item.message, "code": item.code} for item in problems],
        "request_id": request_id,
    }
    return Response(body, status=status, headers=headers, content_type=MEDIA_TYPE)


def _detail(error: Exception, status: int) -> str:
    if status == 404 and not isinstance(error, exceptions.APIException):
        return "There is no such thing, or none that you may see."
    detail = getattr(error, "detail", None)
    return str(detail) if isinstance(detail, str) else _phrase(status)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def _flat(details: Any, path: str) -> Iterator[Problem]:
    """REST framework's nested details as problems: `accounts.1.id` is the id of the second account."""
    if isinstance(details, dict) and isinstance(details.get("message"), str) and isinstance(details.get("code"), str):
        yield Problem(field=path or "body", message=details["message"], code=details["code"])
    elif isinstance(details, dict):
        for name, inner in details.items():
            yield from _flat(inner, path if name == "non_field_errors" else f"{path}.{name}".lstrip("."))
    else:
        for number, inner in enumerate(details):
            # a list of messages belongs to one field; a list of nested details to its places
            leaf = isinstance(inner, dict) and set(inner) == {"message", "code"}
            yield from _flat(inner, path if leaf else f"{path}.{number}".lstrip("."))


@contextmanager
def renamed(rename: Callable[[Problem], Problem]) -> Iterator[None]:
    """Let a service's refusals name the fields as the caller wrote them."""
    try:
        yield
    except Refused as error:
        raise type(error)([rename(problem) for problem in error.problems]) from error
