"""Signing in at LinkedIn, renewing where LinkedIn gives a refresh token, and the accounts a grant may publish to.

Source: learn.microsoft.com/linkedin: "Authorization Code Flow", "Programmatic Refresh Tokens", "Organization Access Control".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from platforms import oauth2
from platforms.adapters.linkedin.api import API_URL, LinkedIn, data_of, rows_of, segment
from platforms.contracts import AccountRef, ClientApp, Grant, Place, Refreshed
from platforms.errors import AuthFailed, Rejected
from platforms.stepwise import Deadline

SCOPES = ("openid", "profile", "w_member_social")
ORGANISATION_SCOPES = ("w_organization_social", "r_organization_social", "rw_organization_admin")
OAUTH_URL = "https://www.linkedin.com/oauth/v2"


def address(options: Mapping[str, Any], name: str) -> str:
    """`authorization` or `accessToken`: on LinkedIn's own site, or where the account's API address is."""
    url = str(options.get("api_url") or API_URL).rstrip("/")
    return f"{OAUTH_URL if url == API_URL else f'{url}/oauth/v2'}/{name}"


def authorize_url(app: ClientApp, state: str) -> str:
    scopes = SCOPES + (ORGANISATION_SCOPES if app.options.get("organisations") is True else ())
    return oauth2.authorize_url(
        address(app.options, "authorization"),
        client_id=app.client_id, redirect_uri=app.redirect_uri, scopes=" ".join(scopes), state=state,
    )  # fmt: skip


def exchange(app: ClientApp, *, code: str, timeout: float) -> Grant:
    tokens = oauth2.token_request(
        address(app.options, "accessToken"),
        {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri},
        client_id=app.client_id, client_secret=app.client_secret, client_auth="form", timeout=timeout,
    )  # fmt: skip
    return Grant(credentials=_credentials(tokens), expires_at=tokens.expires_at, scopes=tokens.scopes)


def refresh(account: AccountRef, *, timeout: float) -> Refreshed:
    tokens = oauth2.token_request(
        address(account.options, "accessToken"),
        {"grant_type": "refresh_token", "refresh_token": account.credentials.get("refresh_token", "")},
        client_id=str(account.options.get("client_id") or ""),
        client_secret=account.credentials.get("client_secret", ""),
        client_auth="form", timeout=timeout,
    )  # fmt: skip
    return Refreshed(credentials=_credentials(tokens), expires_at=tokens.expires_at)


def _credentials(tokens: oauth2.Tokens) -> dict[str, str]:
    found = {"access_token": tokens.access_token}
    if tokens.refresh_token:
        found["refresh_token"] = tokens.refresh_token
    return found


def places(app: ClientApp, grant: Grant, linked: LinkedIn, *, timeout: float) -> Sequence[Place]:
    """The member, and the organisations that the member administers (where the grant reaches so far)."""
    deadline = Deadline(timeout)
    credentials = {**grant.credentials, **({"client_secret": app.client_secret} if app.client_secret else {})}
    options = {**app.options, "client_id": app.client_id}
    me = data_of(linked.ask("GET", "/v2/userinfo", timeout=deadline.left()))
    found = []
    if me.get("sub"):
        name = str(me.get("name") or me["sub"])
        found.append(
            Place(
                handle=name, name=name, kind="member", credentials=credentials,
                options={**options, "author": f"urn:li:person:{me['sub']}"},
            )
        )  # fmt: skip
    if app.options.get("organisations") is True or "rw_organization_admin" in (grant.scopes or ()):
        found += _organisations(linked, credentials, options, deadline)
    return found


def _organisations(
    linked: LinkedIn, credentials: Mapping[str, str], options: Mapping[str, Any], deadline: Deadline
) -> list[Place]:
    path = "/rest/organizationAcls?q=roleAssignee&role=ADMINISTRATOR&state=APPROVED&count=100"
    try:
        rows = rows_of(linked.ask("GET", path, headers={"X-RestLi-Method": "FINDER"}, timeout=deadline.left()))
    except AuthFailed as error:
        if error.status_code == 403:
            return []  # the app was not given the right to administer organisations
        raise
    urns = [str(row.get("organization") or row.get("organizationTarget") or "") for row in rows]
    return [
        _organisation(linked, urn, credentials, options, deadline)
        for urn in dict.fromkeys(urns)
        if urn.startswith("urn:li:")
    ]


def _organisation(
    linked: LinkedIn, urn: str, credentials: Mapping[str, str], options: Mapping[str, Any], deadline: Deadline
) -> Place:
    number = urn.rpartition(":")[2]
    try:
        data = data_of(linked.ask("GET", f"/rest/organizations/{segment(number)}", timeout=deadline.left()))
    except (AuthFailed, Rejected):
        data = {}
    return Place(
        handle=str(data.get("vanityName") or number), name=str(data.get("localizedName") or number), kind="organisation",
        credentials=credentials, options={**options, "author": urn},
    )  # fmt: skip
