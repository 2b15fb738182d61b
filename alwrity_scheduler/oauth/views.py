"""What programs ask of the provider: tokens (RFC 6749), revocation (7009), introspection (7662), metadata (8414)."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from django.views.generic import View
from oauth2_provider.views.base import RevokeTokenView
from oauth2_provider.views.mixins import OAuthLibMixin

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.sightings import tell_request
from alwrity_scheduler.oauth.models import AccessToken
from alwrity_scheduler.workspaces.scopes import SCOPES

AUTH_METHODS = ["client_secret_basic", "client_secret_post"]


@method_decorator(csrf_exempt, name="dispatch")
class Token(OAuthLibMixin, View):
    """A code or a refresh token for the next pair. Every answer is JSON and is kept by nobody."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        _url, headers, body, status = self.create_token_response(request)
        response = HttpResponse(body, status=status, content_type="application/json")
        for name, value in headers.items():
            response[name] = value
        response["Cache-Control"] = "no-store"
        if status != 200:
            tell_request(
                "app.token_refused", request, at=clock.now(), who=request.POST.get("client_id", "")[:100],
                details={"why": str(json.loads(body).get("error", ""))[:60], "at": "token"},
            )  # fmt: skip
        return response


class Revoke(RevokeTokenView):
    """An app gives back a token of its own, and with it its family's access."""

    http_method_names = ["post"]


@method_decorator(csrf_exempt, name="dispatch")
class Introspect(OAuthLibMixin, View):
    """Is this access token good, and for what? Asked by an app about its own tokens alone, with its secret."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        from oauthlib.common import Request

        core = self.get_oauthlib_core()
        uri, method, body, headers = core._extract_params(request)
        asking = Request(uri, method, body, headers)
        if not core.server.request_validator.authenticate_client(asking):
            response = JsonResponse({"error": "invalid_client"}, status=401)
            response["WWW-Authenticate"] = 'Basic realm="apps"'
            return response
        response = JsonResponse(_told(asking.client, request.POST.get("token", "")))
        response["Cache-Control"] = "no-store"
        return response


def _told(app: Any, secret: str) -> dict[str, Any]:
    rows = AccessToken.objects.opening(secret, clock.now()).filter(application=app)
    row = rows.select_related("permission__workspace", "permission__user").first()
    if row is None:
        return {"active": False}
    held = set(row.scope.split()) & set(row.permission.scopes)
    return {
        "active": True,
        "scope": " ".join(sorted(held)),
        "client_id": app.client_id,
        "username": row.permission.user.get_username(),
        "workspace": str(row.permission.workspace.public_id),
        "token_type": "Bearer",
        "exp": int(row.expires.timestamp()),
        "iss": settings.PUBLIC_URL,
        **({"aud": row.resource} if row.resource else {}),
    }


@require_GET
def metadata(request: HttpRequest) -> HttpResponse:
    """Where everything is and what is supported, for apps that configure themselves."""
    response = JsonResponse(
        {
            "issuer": settings.PUBLIC_URL,
            "authorization_endpoint": _at("oauth_authorize"),
            "token_endpoint": _at("oauth:token"),
            "revocation_endpoint": _at("oauth:revoke"),
            "introspection_endpoint": _at("oauth:introspect"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": [*AUTH_METHODS, "none"],
            "revocation_endpoint_auth_methods_supported": [*AUTH_METHODS, "none"],
            "introspection_endpoint_auth_methods_supported": AUTH_METHODS,
            "scopes_supported": list(SCOPES),
            "authorization_response_iss_parameter_supported": True,
        }
    )
    response["Access-Control-Allow-Origin"] = "*"
    return response


@require_GET
def resource_metadata(request: HttpRequest) -> HttpResponse:
    """The API as a protected resource (RFC 9728): who gives tokens for it."""
    response = JsonResponse(
        {
            "resource": f"{settings.PUBLIC_URL}/api/v1",
            "authorization_servers": [settings.PUBLIC_URL],
            "scopes_supported": list(SCOPES),
            "bearer_methods_supported": ["header"],
        }
    )
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _at(name: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name)}"
