"""The MCP server: the tools, and how it is known who asks. Started by `manage.py mcp`; everything here wants the extra `mcp`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import ToolAnnotations
from starlette.responses import JSONResponse
from starlette.routing import Route

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.sightings import Sighting, tell
from alwrity_scheduler.oauth.authentication import person_of
from alwrity_scheduler.workspaces.models import ApiToken
from alwrity_scheduler.workspaces.services import TOKEN_PREFIX, digest
from schedules.assistants.inside import Caller
from schedules.assistants.tools import READS, WRITES, Tools

# where the request in hand came from
_address: ContextVar[str] = ContextVar("mcp_address", default="")
# what all tools together ask for
SCOPES = ("accounts:read", "content:read", "jobs:write", "schedules:write")
OPEN = {"Access-Control-Allow-Origin": "*"}
NAME = "alwrity-scheduler"
PATH = "/mcp"
INSTRUCTIONS = """\
Plans and publishes a team's posts. Begin with list_accounts. Check words with validate before schedule, and give schedule a key of
your own, so that a repeated call makes no second post. A new post is a draft unless you say active: ask the person before you
publish. Times are wall-clock times of a time zone, or carry an offset; answers give both. What is not allowed or not right comes
back with the field and the remedy."""


def over_stdio(secret: str) -> MCPServer[Any]:
    """For one caller, whose token came with the start."""
    return _server(lambda: Caller(secret, agent="mcp stdio"))


def over_http(url: str) -> MCPServer[Any]:
    """For whoever shows a token with the request. url: where clients find it, like https://mcp.example.com/mcp."""

    def who() -> Caller:
        shown = get_access_token()
        if shown is None:
            raise ToolError("Not done: no token was shown.")
        return Caller(shown.token, address=_address.get(), audience=url, agent="mcp http")

    # as texts: a parsed address would gain a slash, and issuers are compared letter by letter (RFC 8414 section 3.3)
    auth = AuthSettings.model_validate(
        {
            "issuer_url": settings.PUBLIC_URL,
            "resource_server_url": url,
            # the verifier compares the audience, since a token may be good for several servers
            "validate_token_resource": False,
        }
    )
    return _server(who, auth=auth, token_verifier=Verifier(url))


def http_app(url: str) -> Any:
    """The ASGI application: the endpoint at /mcp and its metadata (RFC 9728). Each request stands alone, so several can serve."""
    parts = urlsplit(url)
    own = f"{parts.scheme}://{parts.netloc}"
    # a page in a browser of the same machine must not reach the endpoint under a name of its own (DNS rebinding)
    hosts = TransportSecuritySettings(
        allowed_hosts=[parts.netloc, "127.0.0.1:*", "localhost:*"],
        allowed_origins=[own, "http://127.0.0.1:*", "http://localhost:*"],
    )
    app = over_http(url).streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True, transport_security=hosts
    )

    # the SDK's own document names no scopes without asking for all of them of everybody; clients ask for what they read here
    where = f"/.well-known/oauth-protected-resource{parts.path.rstrip('/')}"
    app.router.routes.insert(0, Route(where, lambda request: JSONResponse(_metadata(url), headers=OPEN)))

    async def from_where(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            _address.set(_address_of(scope))
        await app(scope, receive, send)

    return from_where


def _metadata(url: str) -> dict[str, Any]:
    """The server as a protected resource (RFC 9728)."""
    return {
        "resource": url,
        "authorization_servers": [settings.PUBLIC_URL],
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
        "resource_name": "ALwrity Scheduler",
    }


def _address_of(scope: Any) -> str:
    """As `core.sightings.address_of`: tokens may be held to networks."""
    if settings.BEHIND_PROXY:
        for name, value in scope["headers"]:
            if name == b"x-forwarded-for":
                return str(value.decode("latin-1").rpartition(",")[2].strip()[:45])
    return str((scope.get("client") or ("",))[0])


def _server(who: Callable[[], Caller], **auth: Any) -> MCPServer[Any]:
    tools = Tools(who)
    with warnings.catch_warnings():
        server: MCPServer[Any] = MCPServer(NAME, instructions=INSTRUCTIONS, log_level="WARNING", **auth)
    for name in (*READS, *WRITES):
        looks = name in READS
        hints = ToolAnnotations(
            read_only_hint=looks,
            destructive_hint=name == "cancel",
            idempotent_hint=looks,
            open_world_hint=name == "retry",
        )
        server.add_tool(getattr(tools, name), annotations=hints)
    return server


class Verifier:
    """Lets in who shows a token of the API or of an app. What it may do is asked of the API, with each call."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def verify_token(self, token: str) -> AccessToken | None:
        return await sync_to_async(self._verify, thread_sensitive=False)(token)

    def _verify(self, secret: str) -> AccessToken | None:
        try:
            found = self._of_api(secret) if secret.startswith(TOKEN_PREFIX) else self._of_app(secret)
            if found is None:
                tell(Sighting(kind="app.token_refused", at=clock.now(), address=_address.get(), details={"at": "mcp"}))
            return found
        finally:
            connections.close_all()

    def _of_api(self, secret: str) -> AccessToken | None:
        row = ApiToken.objects.usable(clock.now()).filter(digest=digest(secret)).first()
        if row is None:
            return None
        return AccessToken(token=secret, client_id=f"token:{row.public_id}", scopes=list(row.scopes))

    def _of_app(self, secret: str) -> AccessToken | None:
        person: Any = person_of(secret, audience=self._url, now=clock.now())
        if person is None:
            return None
        app = person.application
        return AccessToken(
            token=secret,
            client_id=app.client_id,
            scopes=sorted(person.scopes),
            subject=str(person.pk),
            resource=self._url,
        )
