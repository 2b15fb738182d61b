"""Slack's sign-in, OAuth v2. https://docs.slack.dev/authentication/installing-with-oauth"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from platforms import oauth2
from platforms.adapters.slack.api import OFFICIAL, Room, ask
from platforms.contracts import AccountRef, ClientApp, Grant, Place, Refreshed
from platforms.errors import AuthFailed, PlatformError, Rejected

# chat:write posts; history reads back what became of a post; the rest: channels to choose from, files, figures
SCOPES = (
    "chat:write",
    "channels:read",
    "channels:history",
    "groups:read",
    "groups:history",
    "files:write",
    "reactions:read",
)
MOST_PAGES = 5
# what only signing in anew can mend
REVOKED = ("invalid_refresh_token", "invalid_client_id", "bad_client_secret", "token_revoked", "invalid_grant_type")


def authorize_url(app: ClientApp, *, state: str) -> str:
    host = str(app.options.get("api_url") or "").removesuffix("/api").rstrip("/") or "https://slack.com"
    return oauth2.authorize_url(
        f"{host}/oauth/v2/authorize",
        client_id=app.client_id,
        redirect_uri=app.redirect_uri,
        scopes=",".join(SCOPES),
        state=state,
    )


def exchange(app: ClientApp, *, code: str, timeout: float) -> Grant:
    form = {"code": code, "redirect_uri": app.redirect_uri}
    data = _access(_room(app.options), app.client_id, app.client_secret, form, timeout)
    credentials = _tokens(data)
    if "refresh_token" in credentials:  # token rotation is on: what renewals need stays with the account
        credentials["client_secret"] = app.client_secret
    scope = data.get("scope")
    scopes = frozenset(scope.split(",")) if isinstance(scope, str) and scope else None
    return Grant(credentials=credentials, expires_at=oauth2.expiry(data.get("expires_in")), scopes=scopes)


def places(app: ClientApp, grant: Grant, *, timeout: float) -> Sequence[Place]:
    """The channels, those that the bot is in first."""
    headers = {"Authorization": f"Bearer {grant.credentials.get('bot_token', '')}"}
    room = Room(_room(app.options).base, "", headers=headers)
    found: list[Mapping[str, Any]] = []
    cursor = ""
    for _ in range(MOST_PAGES):
        params = {"types": "public_channel,private_channel", "exclude_archived": "true", "limit": "200"}
        data = ask(
            room, "conversations.list", params=params | ({"cursor": cursor} if cursor else {}), timeout=timeout
        ).data
        found += [item for item in data.get("channels") or () if isinstance(item, dict) and item.get("id")]
        cursor = str((data.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    options = {name: app.options[name] for name in ("api_url",) if app.options.get(name)}
    if "refresh_token" in grant.credentials:
        options["client_id"] = app.client_id
    return [
        Place(
            handle=str(item.get("name") or item["id"]),
            name=f"#{item.get('name') or item['id']}",
            kind="private channel" if item.get("is_private") else "channel",
            credentials=dict(grant.credentials),
            options={**options, "channel_id": str(item["id"])},
        )
        for item in sorted(found, key=lambda item: (not item.get("is_member"), str(item.get("name"))))
    ]


def can_refresh(account: AccountRef) -> bool:
    has = account.credentials
    return bool(has.get("refresh_token") and has.get("client_secret") and account.options.get("client_id"))


def refresh(account: AccountRef, *, timeout: float) -> Refreshed:
    """Token rotation: a token lives 12 hours. https://docs.slack.dev/authentication/using-token-rotation"""
    has = account.credentials
    form = {"grant_type": "refresh_token", "refresh_token": has.get("refresh_token", "")}
    client_id = str(account.options.get("client_id") or "")
    try:
        data = _access(_room(account.options), client_id, has.get("client_secret", ""), form, timeout)
    except PlatformError as trouble:
        if isinstance(trouble, Rejected) and trouble.platform_message.startswith(REVOKED):
            raise AuthFailed(
                "The sign-in was taken back: sign in again.",
                status_code=trouble.status_code,
                platform_message=trouble.platform_message,
            ) from trouble
        raise
    return Refreshed(credentials=_tokens(data), expires_at=oauth2.expiry(data.get("expires_in")))


def _access(
    room: Room, client_id: str, client_secret: str, form: Mapping[str, str], timeout: float
) -> Mapping[str, Any]:
    signed = Room(room.base, "", headers={"Authorization": oauth2.basic(client_id, client_secret)})
    data = ask(signed, "oauth.v2.access", form=form, timeout=timeout).data
    if not _tokens(data)["bot_token"]:
        raise Rejected("Slack gave no bot token: add bot scopes to the app.")
    return data


def _tokens(data: Mapping[str, Any]) -> dict[str, str]:
    found = {"bot_token": str(data.get("access_token") or "")}
    return found | ({"refresh_token": str(data["refresh_token"])} if data.get("refresh_token") else {})


def _room(options: Mapping[str, Any]) -> Room:
    return Room(str(options.get("api_url") or OFFICIAL).rstrip("/"), "")
