"""How the API knows who asks: `Authorization: Bearer alw_…`, or the browser's session."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from typing import Any

from rest_framework import authentication, exceptions

from alwrity_scheduler.core import clock, sightings
from alwrity_scheduler.core.sightings import address_of
from alwrity_scheduler.workspaces.keys import digest
from alwrity_scheduler.workspaces.models import ApiToken
from alwrity_scheduler.workspaces.querysets import visible_workspace_ids
from alwrity_scheduler.workspaces.rules import holds_address


class TokenUser:
    """A token acting as itself: it belongs to one workspace and has one role, and is nobody's person."""

    pk = id = None
    is_authenticated = is_active = True
    is_anonymous = is_staff = is_superuser = False
    timezone = "UTC"

    def __init__(self, api_token: ApiToken) -> None:
        self.api_token = api_token
        self.scopes = frozenset(api_token.scopes) or None

    def get_username(self) -> str:
        return f"token {self.api_token.name}"


def remember_rooms(user: Any) -> None:
    """Look up once a request which workspaces a person is in: with their numbers in hand, the database finds the rows of a list
    by an index, which it does not through a subquery."""
    user.inside_ids = None
    found = visible_workspace_ids(user)
    user.inside_ids = None if found is None else tuple(found.values_list("workspace_id", flat=True))


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session; without one the answer is 401, not 403, so that a client knows to sign in."""

    def authenticate(self, request: Any) -> tuple[Any, None] | None:
        found: tuple[Any, None] | None = super().authenticate(request)
        if found is not None:
            remember_rooms(found[0])
        return found

    def authenticate_header(self, request: Any) -> str:
        return "Bearer"


class TokenAuthentication(authentication.BaseAuthentication):
    keyword = "Bearer"

    def authenticate_header(self, request: Any) -> str:
        return self.keyword

    def authenticate(self, request: Any) -> tuple[TokenUser, ApiToken] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = clock.now()
        rows = ApiToken.objects.select_related("workspace").filter(digest=digest(secret.strip()))
        token: ApiToken | None = rows.first()
        if reason := _why_not(token, now):
            _tell_refusal(request, token, reason, now)
            raise exceptions.AuthenticationFailed(
                "This token is unknown, expired or revoked. Make a new one, on the page of tokens or with "
                "manage.py create_token."
            )
        assert token is not None
        address = address_of(request)
        if not holds_address(token.networks, address):
            _tell_refusal(request, token, "network", now)
            raise exceptions.AuthenticationFailed("This token may not be used from where you are. Ask who made it.")
        _note_use(request, token, address, now)
        return TokenUser(token), token


def _why_not(token: ApiToken | None, now: datetime) -> str:
    """Empty when it may be used."""
    if token is None:
        return "unknown"
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at is not None and token.expires_at <= now else ""


def _tell_refusal(request: Any, token: ApiToken | None, reason: str, now: datetime) -> None:
    sightings.tell_request(
        "token.refused", request, at=now, who=token.name if token else "", token_id=token.pk if token else None,
        workspace_id=token.workspace_id if token else None, details={"reason": reason},
    )  # fmt: skip


def _note_use(request: Any, token: ApiToken, address: str, now: datetime) -> None:
    """Once a minute, and whenever it comes from elsewhere."""
    moved = token.last_used_at is None or (token.last_used_from or "") != _ip(address)
    if not moved and token.last_used_at is not None and now - token.last_used_at <= timedelta(minutes=1):
        return
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=now, last_used_from=_ip(address) or None)
    if moved:
        sightings.tell_request(
            "token.used", request, at=now, who=token.name, token_id=token.pk, workspace_id=token.workspace_id
        )


def _ip(address: str) -> str:
    """The address as the database writes it; empty where a proxy told something else."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""
