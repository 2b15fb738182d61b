"""A platform that is signed in to at the real OpenID provider of `../shared/servers/oidc_provider` (oidc-provider for Node): code
with PKCE, rotating refresh tokens with reuse detection. Its places are a profile and a page, which share the one grant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from platforms.base import FieldSpec
from platforms.contracts import AccountHealth, AccountRef, ClientApp, Grant, Place, Refreshed
from platforms.errors import AuthFailed
from platforms.oauth2 import authorize_url, token_request
from platforms.outbound import call
from tests.engine import ScriptedAdapter

CLIENT = ("scheduler", "scheduler-secret")


@dataclass
class OidcAdapter(ScriptedAdapter):
    """`asks`: the scopes it asks for, where that is not what it needs."""

    key: str = "oidc"
    label: str = "Common Room"
    description: str = "A network of many servers, signed in to by OpenID."
    option_fields: tuple[Any, ...] = (
        FieldSpec(name="server", label="Server", kind="url", required=True, help="Like https://room.example"),
    )
    scopes: tuple[str, ...] = ("openid", "offline_access", "post.write")
    uses_pkce: bool = True
    sign_in_fields: tuple[str, ...] = ("server",)
    asks: tuple[str, ...] = ()
    renewals: list[str] = field(default_factory=list)

    def authorize_url(self, app: ClientApp, *, state: str, challenge: str) -> str:
        return authorize_url(
            f"{app.options['server']}/auth",
            client_id=app.client_id,
            redirect_uri=app.redirect_uri,
            scopes=" ".join(self.asks or self.scopes),
            state=state,
            challenge=challenge,
            prompt="consent",
        )

    def exchange(self, app: ClientApp, *, code: str, verifier: str, timeout: float) -> Grant:
        tokens = self._token(
            app.options,
            app.client_id,
            app.client_secret,
            timeout,
            grant_type="authorization_code",
            code=code,
            redirect_uri=app.redirect_uri,
            code_verifier=verifier,
        )
        secrets = {
            "token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
        }
        return Grant(credentials=secrets, expires_at=tokens.expires_at, scopes=tokens.scopes)

    def places(self, app: ClientApp, grant: Grant, *, timeout: float) -> list[Place]:
        who = self._who(app.options, grant.credentials["token"], timeout)
        options = dict(app.options)
        return [
            Place(handle=who, name=who.title(), kind="profile", credentials=grant.credentials, options=options),
            Place(handle=f"{who}-cafe", name="Café", kind="page", credentials=grant.credentials, options=options),
        ]

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        try:
            who = self._who(account.options, account.credentials.get("token", ""), timeout)
        except AuthFailed as error:
            return AccountHealth(ok=False, message=str(error))
        return AccountHealth(ok=True, message="The server knows you.", identity=f"@{who}")

    def can_refresh(self, account: AccountRef) -> bool:
        return bool(account.credentials.get("refresh_token"))

    def refresh(self, account: AccountRef, *, timeout: float) -> Refreshed:
        held = account.credentials
        self.renewals.append(held["refresh_token"])
        tokens = self._token(
            account.options,
            held["client_id"],
            held["client_secret"],
            timeout,
            grant_type="refresh_token",
            refresh_token=held["refresh_token"],
        )
        secrets = {"token": tokens.access_token, "refresh_token": tokens.refresh_token}
        return Refreshed(credentials=secrets, expires_at=tokens.expires_at)

    def _token(
        self, options: Mapping[str, Any], client_id: str, client_secret: str, timeout: float, **form: str
    ) -> Any:
        return token_request(
            f"{options['server']}/token", form, client_id=client_id, client_secret=client_secret, timeout=timeout
        )

    def _who(self, options: Mapping[str, Any], token: str, timeout: float) -> str:
        answer = call("GET", f"{options['server']}/me", headers={"Authorization": f"Bearer {token}"}, timeout=timeout)
        if answer.status != 200:
            raise AuthFailed("The server does not take the token.", status_code=answer.status)
        return str(answer.json()["sub"])


def walk(url: str, redirect_uri: str, login: str) -> dict[str, str]:
    """Sign in and allow at the provider's pages, as a person would; the parameters that come to the redirect address."""
    with httpx.Client(follow_redirects=False, timeout=10) as client:
        answer = client.get(url)
        for _ in range(20):
            location = answer.headers.get("location", "")
            if location.startswith(redirect_uri):
                return dict(parse_qsl(urlsplit(location).query))
            if location:
                answer = client.get(urljoin(str(answer.url), location))
                continue
            action = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action, answer.text[:500]
            assert prompt
            form = {"prompt": prompt.group(1), "login": login, "password": "x"}
            answer = client.post(urljoin(str(answer.url), action.group(1)), data=form)
    raise AssertionError("the provider did not send the person back")
