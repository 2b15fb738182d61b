"""Instagram Login: the code, the short-lived token, the one of 60 days, and its renewal.

Source: developers.facebook.com, Instagram API with Instagram Login: Business Login, refresh_access_token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from platforms.contracts import AccountRef, ClientApp, Grant, Place, Refreshed
from platforms.errors import UnknownOutcome
from platforms.meta_graph import Graph
from platforms.oauth2 import expiry

SCOPES = (
    "instagram_business_basic",
    "instagram_business_content_publish",
    "instagram_business_manage_comments",
    "instagram_business_manage_insights",
)
AUTHORIZE_URL = "https://www.instagram.com/oauth/authorize"
GRAPH_URL = "https://graph.instagram.com"
TOKEN_URL = "https://api.instagram.com"  # noqa: S105 - an address


def authorize_url(app: ClientApp, state: str) -> str:
    query = {
        "client_id": app.client_id, "redirect_uri": app.redirect_uri, "response_type": "code", "scope": ",".join(SCOPES),
        "state": state,
    }  # fmt: skip
    return f"{AUTHORIZE_URL}?{urlencode(query)}"


def exchange(app: ClientApp, url: str, *, code: str, timeout: float) -> Grant:
    """Code -> token of an hour -> token of 60 days."""
    first = Graph(
        base=TOKEN_URL if url == GRAPH_URL else url, token="", app_secret=app.client_secret, platform="Instagram"
    )
    fields = {
        "client_id": app.client_id, "client_secret": app.client_secret, "grant_type": "authorization_code",
        "redirect_uri": app.redirect_uri, "code": code.removesuffix("#_"),
    }  # fmt: skip
    data = first.post("/oauth/access_token", fields, timeout=timeout).data
    rows = data.get("data")
    row: Any = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else data
    short = _token(row)
    reply = Graph(base=url, token=short, platform="Instagram").get(
        "/access_token", grant_type="ig_exchange_token", client_secret=app.client_secret, timeout=timeout
    )
    given = row.get("permissions")
    names = given if isinstance(given, list) else str(given or "").replace(",", " ").split()
    return Grant(
        credentials={"access_token": _token(reply.data)},
        expires_at=expiry(reply.data.get("expires_in")),
        scopes=frozenset(map(str, names)) or None,
    )


def places(app: ClientApp, graph: Graph, *, timeout: float) -> Sequence[Place]:
    reply = graph.get("/me", fields="user_id,username,name,account_type", timeout=timeout)
    user, name = reply.text("user_id") or reply.text("id"), reply.text("username")
    if not user:
        return []
    options = {**app.options, "user_id": user, "login": "instagram", "app_id": app.client_id}
    return [
        Place(
            handle=name or user, name=reply.text("name") or name or user, kind="professional account",
            credentials={"access_token": graph.token}, options=options,
        )
    ]  # fmt: skip


def refresh(account: AccountRef, url: str, *, timeout: float) -> Refreshed:
    """Another 60 days; a token younger than 24 hours is refused, and tried again later."""
    graph = Graph(base=url, token=account.credentials.get("access_token", ""), platform="Instagram")
    reply = graph.get("/refresh_access_token", grant_type="ig_refresh_token", timeout=timeout)
    return Refreshed(credentials={"access_token": _token(reply.data)}, expires_at=expiry(reply.data.get("expires_in")))


def _token(data: Any) -> str:
    token = data.get("access_token")
    if not isinstance(token, str) or not token:
        raise UnknownOutcome("Instagram answered the sign-in without a token.")
    return token
