"""The doors: the endpoint, the schema in words, and a small page on which people try things out.

REST framework lets people and tokens in here as in the REST API (the same authenticators, CSRF for a browser's session, the same
problem details where a request is not let in). What is asked for is run by `run`, which is loaded with the first request.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework import exceptions
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from schedules.api import idempotency, throttling
from schedules.api.throttling import Paced
from schedules.graphql.caller import Caller

MOST_BYTES = 256 * 1024
NAMES = ("query", "variables", "operationName")
EXAMPLE = """{
  schedules(first: 5, filter: {state: ["active"]}) {
    edges {
      node { id title state nextRunAt targets { account { name platform } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""


class GraphQLRenderer(JSONRenderer):
    """The media type of "GraphQL over HTTP"; the same JSON."""

    media_type = "application/graphql-response+json"
    format = "graphql"


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"


class Endpoint(Paced):
    """POST: `{"query", "variables", "operationName"}`. GET: the same as parameters, for queries only. One request at a time."""

    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer, GraphQLRenderer)

    def get(self, request: Request) -> Response:
        sent: dict[str, Any] = {name: request.query_params[name] for name in NAMES if name in request.query_params}
        if "variables" in sent:
            try:
                sent["variables"] = json.loads(sent["variables"] or "null")
            except (ValueError, RecursionError) as error:
                raise Refused(Problem(field="variables", message="Write the variables as JSON.")) from error
        return self._answer(request, sent, may_change=False)

    def post(self, request: Request) -> Response:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > MOST_BYTES:
            size = f"{int(length):,}" if length.isdecimal() else "an unknown number of"
            raise TooLarge(f"This request has {size} bytes; at most {MOST_BYTES:,} are taken.")
        _ = request.body  # kept, so that it can be compared with that of an earlier request of the same key
        try:
            sent = request.data
        except RecursionError as error:
            raise exceptions.ParseError("This JSON is nested too deeply.") from error
        return self._answer(request, sent, may_change=True)

    def _answer(self, request: Request, sent: Any, *, may_change: bool) -> Response:
        from schedules.graphql import run

        ready = run.prepare(_asked(sent, may_change=may_change), Caller(request, self.now))
        if isinstance(ready, run.Answer):
            return _response(ready)
        key = idempotency.key_of(request) if ready.changes else ""
        return self._once(request, ready, key) if key else _response(ready.run())

    def _once(self, request: Request, ready: Any, key: str) -> Response:
        """Once for its `Idempotency-Key`: all verbs of the request are done, or none; what was refused is not kept."""

        def work() -> Response:
            answer = ready.run()
            if "errors" in answer.body and not ready.reaches_out:
                raise _Undone(_response(replace(answer, body={**answer.body, "data": None})))
            return _response(answer)

        try:
            return idempotency.once(
                request, caller=throttling.caller_of(request), key=key, now=self.now, reaches_out=ready.reaches_out,
                work=work,
            )  # fmt: skip
        except _Undone as undone:
            return undone.response


class _Undone(Exception):
    """One verb was refused, so that what the others did is taken back."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__()


def _response(answer: Any) -> Response:
    response = Response(answer.body, status=answer.status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _asked(sent: Any, *, may_change: bool) -> Any:
    from schedules.graphql.limits import is_storable, texts_of
    from schedules.graphql.run import Asked

    if isinstance(sent, list):
        raise Refused(
            Problem(field="body", message="Send one request at a time; several in one are not taken.", code="batch")
        )
    if not isinstance(sent, dict):
        raise Refused(Problem(field="body", message='Send an object, like {"query": "{ viewer { name } }"}.'))
    problems = [
        Problem(
            field=str(name)[:60].encode("ascii", "replace").decode(),
            message=f"There is no field of this name. Known are {', '.join(NAMES)}.",
            code="unknown",
        )
        for name in sent
        if name not in (*NAMES, "extensions")
    ]
    query, variables, operation = (sent.get(name) for name in NAMES)
    if not isinstance(query, str) or not query.strip():
        problems.append(Problem(field="query", message="Write what you ask for.", code="required"))
    if not isinstance(variables or {}, dict):
        problems.append(Problem(field="variables", message="Give an object with the variables' values."))
    if not isinstance(operation or "", str):
        problems.append(Problem(field="operationName", message="Give the name of an operation."))
    if problems:
        raise Refused(problems)
    if not all(is_storable(text) for text in texts_of(variables)):
        raise Refused(
            Problem(field="variables", message="They hold characters that cannot be stored.", code="characters")
        )
    return Asked(query=str(query), variables=variables or {}, operation_name=operation or None, may_change=may_change)


class SchemaWords(Paced):
    """The schema in GraphQL's own words."""

    renderer_classes = (JSONRenderer,)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        # a text for whoever asks, also for a browser
        return super().perform_content_negotiation(request, force=True)

    def get(self, request: Request) -> HttpResponse:
        from schedules.graphql.schema import schema

        name = 'attachment; filename="schema.graphql"'
        return HttpResponse(
            str(schema), content_type="text/plain; charset=utf-8", headers={"Content-Disposition": name}
        )  # fmt: skip


_endpoint = Endpoint.as_view()


@csrf_exempt
def graphql(request: HttpRequest) -> Any:
    """A browser that comes without a query gets the page, everybody else an answer. (REST framework checks CSRF by itself.)"""
    wants_page = request.method in ("GET", "HEAD") and "query" not in request.GET and request.accepts("text/html")
    response = (
        explorer(request) if wants_page and "text/html" in request.headers.get("Accept", "") else _endpoint(request)
    )
    patch_vary_headers(response, ["Accept"])
    return response


@require_safe
def explorer(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
    endpoint = settings.PUBLIC_URL + reverse("graphql:endpoint")
    # what programs read under /api/ is English; this is read by a person
    language = getattr(request.user, "language", "") or translation.get_language_from_request(request)
    with translation.override(language):
        words = {"title": _("GraphQL"), "example": EXAMPLE, "endpoint": endpoint}
        response = render(request, "graphql/explorer.html", words)
    response.headers["Content-Language"] = language
    return response
