"""How an app that acts for a person is known: `Authorization: Bearer …` with a token of the provider.

Who asks is then the person (`User`), narrowed: `delegated_workspace_id`, `scopes` and `application` stand on the instance.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from rest_framework import authentication, exceptions

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.sightings import tell_request
from alwrity_scheduler.oauth.models import AccessToken, Permission
from alwrity_scheduler.workspaces.models import User
from alwrity_scheduler.workspaces.services import TOKEN_PREFIX

UNKNOWN = (
    "This token is unknown, expired or revoked. Ask for a new one with the refresh token, or ask the person again."
)


def person_of(secret: str, *, audience: str, now: datetime) -> User | None:
    """The person for whom the token of this secret acts, at the server of this address; None if it opens nothing."""
    rows = AccessToken.objects.opening(secret, now).select_related("application", "permission__workspace", "user")
    token = rows.first()
    if token is None or not token.allows_audience(audience):
        return None
    scopes = frozenset(token.scope.split()) & frozenset(token.permission.scopes)
    if not scopes:
        return None
    permission = token.permission
    if permission.last_used_at is None or now - permission.last_used_at > timedelta(minutes=1):
        Permission.objects.filter(pk=permission.pk).update(last_used_at=now)
    person: Any = token.user
    person.delegated_workspace_id = permission.workspace_id
    person.delegated_workspace = permission.workspace
    person.scopes = scopes
    person.application = token.application
    # an app acts as a member of one workspace, whatever else its person may
    person.is_superuser = person.is_staff = False
    found: User = person
    return found


class AppAuthentication(authentication.BaseAuthentication):
    """Stands before the API's own tokens, which it leaves alone by their prefix."""

    def authenticate_header(self, request: Any) -> str:
        return "Bearer"

    def authenticate(self, request: Any) -> tuple[User, None] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or secret.startswith(TOKEN_PREFIX):
            return None
        now = clock.now()
        # a server of ours that asks the API for its own callers says where the token was shown
        shown_to = getattr(request._request, "audience", "") or settings.PUBLIC_URL + request.path
        person = person_of(secret, audience=shown_to, now=now)
        if person is None:
            tell_request("app.token_refused", request, at=now, details={"why": "unknown", "at": "api"})
            raise exceptions.AuthenticationFailed(UNKNOWN)
        return person, None
