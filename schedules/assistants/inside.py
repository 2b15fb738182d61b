"""The API asked from inside this process: an assistant's tool is one more client of it, and is let in by the same door.

So roles, scopes, refusals, idempotency and budgets are those of the API, and nothing is decided here. Called by the tools.
"""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections
from django.urls import resolve
from django.utils import translation

API = "/api/v1/"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: by which token, from which address. `audience`: the server that a token of an app was shown to."""

    secret: str
    address: str = "127.0.0.1"
    audience: str = ""
    agent: str = "mcp"


class NotDone(Exception):
    """The API said no. The text names each field with its remedy, for a model to read."""


def ask(
    caller: Caller, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
    key: str = "",
) -> dict[str, Any]:  # fmt: skip
    """The API's answer as JSON. Raises NotDone. Runs in a worker thread, and leaves it no connection.

    query, body: what is None is left out. key: an Idempotency-Key.
    """
    request = _request(caller, method, path, _given(query or {}), _given(body or {}), key)
    try:
        with translation.override(settings.LANGUAGE_CODE):
            view, _args, named = resolve(request.path)
            response: Any = view(request, **named)
            response.render()
    finally:
        # the SDK lets its worker threads go after a while, and would leave their connections open
        connections.close_all()
    told: dict[str, Any] = json.loads(response.content) if response.content else {}
    if response.status_code >= 400:
        raise NotDone(_refusal(response.status_code, told))
    return told


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _request(
    caller: Caller, method: str, path: str, query: dict[str, Any], body: dict[str, Any], key: str
) -> WSGIRequest:
    sent = json.dumps(body).encode() if method == "POST" else b""
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        # WSGI carries bytes as latin-1 (PEP 3333)
        "PATH_INFO": (API + path).encode().decode("latin-1"),
        "QUERY_STRING": urlencode(query),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": caller.address,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(sent)),
        "HTTP_AUTHORIZATION": f"Bearer {caller.secret}",
        "HTTP_USER_AGENT": caller.agent,
        "wsgi.input": io.BytesIO(sent),
        "wsgi.url_scheme": "http",
    }
    if key:
        environ["HTTP_IDEMPOTENCY_KEY"] = key
    request: Any = WSGIRequest(environ)
    request.id = str(uuid.uuid4())
    if caller.audience:
        request.audience = caller.audience
    made: WSGIRequest = request
    return made


def _refusal(status: int, told: Mapping[str, Any]) -> str:
    lines = [str(item["field"]) + ": " + str(item["message"]) for item in told.get("errors", ())]
    if not lines:
        lines = [str(told.get("detail") or HTTPStatus(status).phrase)]
    return "\n".join(["Not done: " + str(told.get("title") or HTTPStatus(status).phrase) + ".", *lines])
