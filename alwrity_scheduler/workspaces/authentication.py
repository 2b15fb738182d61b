"""How the API knows who asks: `Authorization: Bearer alw_…`, or the browser's session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rest_framework import authentication, exceptions

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces.models import ApiToken
from alwrity_scheduler.workspaces.querysets import visible_workspace_ids
from alwrity_scheduler.workspaces.services import digest


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
        token = ApiToken.objects.usable(now).select_related("workspace").filter(digest=digest(secret.strip())).first()
        if token is None:
            raise exceptions.AuthenticationFailed(
                "This token is unknown, expired or revoked. Make a new one with manage.py create_token."
            )
        if token.last_used_at is None or now - token.last_used_at > timedelta(minutes=1):
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return TokenUser(token), token
