"""The authorization request of RFC 6749 section 4.1, between the page that asks the person and the toolkit's engine.

Called by the consent page. What concerns only the person (an unknown app, an address that is not the app's) is `NotForThem`:
nobody is sent anywhere. Everything else goes back to the app as `GoBack`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.http import OAuth2ResponseRedirect
from oauth2_provider.views.mixins import OAuthLibMixin
from oauthlib.common import add_params_to_uri

from alwrity_scheduler.oauth.models import App, Permission

_engine = OAuthLibMixin


class NotForThem(Exception):
    """The request cannot be answered to the app; `words` say to the person why (in the engine's English)."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(words)


class GoBack(Exception):
    """The request is refused; the app is told so at `url`, which is one of its own addresses."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(url)


@dataclass(frozen=True, slots=True)
class Asked:
    """A sound request. `redirect_uri` is one of the app's own; `resource`: for which servers (RFC 8707), empty for all."""

    app: App
    scopes: tuple[str, ...]
    redirect_uri: str
    credentials: dict[str, Any]

    @property
    def origin(self) -> str:
        """Scheme, host and port of the address that the person is led back to."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"


def asked(request: HttpRequest) -> Asked:
    """Read and check the request's query. Raises NotForThem or GoBack."""
    from oauth2_provider.oauth2_validators import is_valid_resource_uri

    try:
        scopes, given = _engine().validate_authorization_request(request)
    except OAuthToolkitError as error:
        raise _turned(error) from error
    resource = request.GET.getlist("resource")[:10]
    if any(not is_valid_resource_uri(uri) for uri in resource):
        raise NotForThem("invalid_target")
    names = ("client_id", "redirect_uri", "response_type", "state", "code_challenge", "code_challenge_method")
    credentials = {name: given[name] for name in names if given.get(name) is not None}
    app: App = App.objects.select_related("workspace").get(client_id=given["client_id"])
    if credentials.get("code_challenge_method") != "S256":
        raise GoBack(
            _refusal(credentials, "invalid_request", 'Send a code_challenge with code_challenge_method "S256".')
        )
    return Asked(app, tuple(scopes), given["redirect_uri"], {**credentials, "resource": resource})


def allowed(request: HttpRequest, this: Asked, permission: Permission) -> str:
    """Where the person goes with the code. Raises NotForThem or GoBack."""
    credentials = {**this.credentials, "permission": permission}
    return _answer(request, this, credentials, allow=True)


def denied(request: HttpRequest, this: Asked) -> str:
    """Where the person goes having said no."""
    try:
        return _answer(request, this, this.credentials, allow=False)
    except GoBack as back:
        return back.url


def led_back(url: str) -> OAuth2ResponseRedirect:
    """The answer that sends the browser to the app."""
    response = OAuth2ResponseRedirect(url, ["https", "http"])
    response["Cache-Control"] = "no-store"
    return response


def _answer(request: HttpRequest, this: Asked, credentials: dict[str, Any], *, allow: bool) -> str:
    try:
        url, _headers, _body, _status = _engine().create_authorization_response(
            request, " ".join(this.scopes), dict(credentials), allow
        )
    except OAuthToolkitError as error:
        raise _turned(error) from error
    return str(url)


def _turned(error: OAuthToolkitError) -> NotForThem | GoBack:
    inner = error.oauthlib_error
    if isinstance(error, FatalClientError) or not inner.redirect_uri:
        return NotForThem(str(inner.description or inner.error))
    return GoBack(_with_issuer(_engine().error_response(error)[1]["url"]))


def _refusal(credentials: dict[str, Any], error: str, words: str) -> str:
    told = [("error", error), ("error_description", words)]
    if credentials.get("state"):
        told.append(("state", credentials["state"]))
    return _with_issuer(str(add_params_to_uri(credentials["redirect_uri"], told)))


def _with_issuer(url: str) -> str:
    """Refusals name the issuer too (RFC 9207 section 2)."""
    return str(add_params_to_uri(url, [("iss", settings.PUBLIC_URL)]))
