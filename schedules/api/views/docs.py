"""The OpenAPI file, and two pages that show it. They hold no data, so anybody may read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from csp.constants import NONCE, SELF
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.http import require_safe
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from schedules.api.views.door import Door


class Yaml(BaseRenderer):
    media_type = "application/yaml"
    format = "yaml"
    charset = None  # it is UTF-8 by its own rules

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        # loaded when it is asked for: the scheduler and the pages have no use for it
        from drf_spectacular.renderers import OpenApiYamlRenderer

        written: bytes = OpenApiYamlRenderer().render(data, accepted_media_type, renderer_context)
        return written


class SchemaFile(Door):
    """This file: OpenAPI 3.1, as JSON or, with `?format=yaml` or by `Accept`, as YAML."""

    area = "workspace"
    is_open = True
    permission_classes = (AllowAny,)
    authentication_classes = ()
    renderer_classes = (JSONRenderer, Yaml)
    content_negotiation_class = DefaultContentNegotiation
    query_names: ClassVar[frozenset[str]] = frozenset({"format"})
    answers: ClassVar[dict[str, Any]] = {"get": {200: {"type": "object", "additionalProperties": {}}}}
    answers_as = ("application/json", "application/yaml")

    def get(self, request: Request) -> Response:
        from schedules.api import schema

        if request.query_params.get("format") == "":
            raise Refused(Problem(field="format", message="Write json or yaml."))
        return Response(schema.whole())


def _page(template: str, policy: dict[str, Any]) -> Callable[..., HttpResponseBase]:
    @require_safe
    @csp_update(policy)
    def page(request: HttpRequest) -> HttpResponse:
        # what is tried out in Swagger by the session wants the token of forms
        token = get_token(request) if request.user.is_authenticated else ""
        return render(request, template, {"csrf_token_of_session": token})

    return page


swagger = _page("api/swagger.html", {})
# Redoc writes its styles while it runs and marks them with the nonce that it is given; two it does not mark: an empty one, and
# that of its scroll bars. Scripts stay as strict as everywhere.
_UNMARKED = [
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
]
redoc = _page("api/redoc.html", {"style-src": [SELF, NONCE, *_UNMARKED]})
