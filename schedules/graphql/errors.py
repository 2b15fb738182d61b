"""Errors in GraphQL's shape, with the words of the REST API's problem details under `extensions`.

What is expected (`core.errors.Refused`, a thing that is not there) says what was refused and how to mend it. What is not is logged
here once, with the request's id, and answered without its words.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import Http404
from graphql import GraphQLError

from alwrity_scheduler.core.errors import IllegalTransition, NotAllowed, Problem, Refused, StaleVersion

CODES: dict[type[Exception], str] = {
    StaleVersion: "stale-version",
    IllegalTransition: "illegal-transition",
    NotAllowed: "not-allowed",
}
BY_STATUS = {403: "not-allowed", 404: "not-found", 409: "conflict", 422: "invalid"}
NOT_THERE = Problem(field="id", message="There is no such thing, or none that you may see.", code="not_found")
# what the library says of a cursor that is another list's
BAD_CURSOR = "Invalid cursor"
_WORD_STARTS = re.compile(r"_([a-z])")

logger = logging.getLogger(__name__)


def camel(name: str) -> str:
    """As GraphQL writes a field: `accounts.offset_seconds` is `accounts.offsetSeconds`."""
    return _WORD_STARTS.sub(lambda found: found.group(1).upper(), name)


def told(errors: Iterable[GraphQLError], request_id: str) -> list[dict[str, Any]]:
    """The errors as the answer carries them."""
    return [_told(error, request_id) for error in errors]


def _told(error: GraphQLError, request_id: str) -> dict[str, Any]:
    shape: dict[str, Any] = {"message": error.message}
    if error.locations:
        shape["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        shape["path"] = error.path
    cause = _cause(error)
    if cause is None:
        # of the document itself: syntax, types, limits
        extensions = {"code": "malformed", **(error.extensions or {})}
    elif isinstance(cause, Refused):
        extensions = refusal(cause)
        shape["message"] = " ".join(problem.message for problem in cause.problems)
    elif isinstance(cause, Http404):
        extensions = _with_problems("not-found", (NOT_THERE,))
        shape["message"] = NOT_THERE.message
    elif isinstance(cause, ValueError) and str(cause) == BAD_CURSOR:
        problem = Problem(
            field="after", message="This is no cursor of this list. Take one that it gave.", code="cursor"
        )
        extensions = _with_problems("invalid", (problem,))
        shape["message"] = problem.message
    else:
        logger.error(
            "A GraphQL field failed.", exc_info=cause, extra={"action": "graphql_failed", "request_id": request_id}
        )
        extensions = {"code": "internal"}
        shape["message"] = "Something went wrong here. The error was logged under this request's id."
    shape["extensions"] = {**extensions, "requestId": request_id}
    return shape


def _cause(error: GraphQLError) -> Exception | None:
    """What was raised by a resolver; None where the error is graphql-core's own."""
    cause: Any = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause if isinstance(cause, Exception) else None


def refusal(error: Refused) -> dict[str, Any]:
    return _with_problems(CODES.get(type(error), BY_STATUS.get(error.status, "invalid")), error.problems)


def _with_problems(code: str, problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "code": code,
        "field": camel(problems[0].field),
        "problems": [
            {"field": camel(item.field), "message": item.message, "code": item.code} for item in problems
        ],
    }  # fmt: skip
