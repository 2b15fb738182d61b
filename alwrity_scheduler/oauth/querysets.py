"""Who sees which apps, which permissions are somebody's own, and which access tokens open a door now."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef

from alwrity_scheduler.workspaces.models import Membership
from alwrity_scheduler.workspaces.querysets import VisibleQuerySet
from alwrity_scheduler.workspaces.roles import INSIDE

Row = TypeVar("Row", bound=models.Model, covariant=True)


def digest(secret: str) -> str:
    """SHA-256 in hex: codes, tokens and secrets carry 128 random bits and more, so a slow hash would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


class AppQuerySet(VisibleQuerySet[Row]):
    def get_by_natural_key(self, client_id: str) -> Row:
        return self.get(client_id=client_id)


class PermissionQuerySet(models.QuerySet[Row]):
    def visible_to(self, user: Any) -> Self:
        """One's own. An app that acts for a person sees those of the workspace it was let into."""
        if not isinstance(getattr(user, "pk", None), int) or not user.is_active:
            return self.none()
        own = self.filter(user_id=user.pk)
        delegated = getattr(user, "delegated_workspace_id", None)
        return own if delegated is None else own.filter(workspace_id=delegated)

    def standing(self) -> Self:
        """The person is active and a member from inside, and the app is not switched off."""
        return self.filter(_still_inside("user_id", "workspace_id"), user__is_active=True, app__disabled_at=None)


class AccessTokenQuerySet(models.QuerySet[Row]):
    def opening(self, secret: str, now: datetime) -> Self:
        """The token of this secret while it is good: not run out, its app on, its person active and still a member."""
        return self.filter(
            _still_inside("permission__user_id", "permission__workspace_id"),
            token_checksum=digest(secret),
            expires__gt=now,
            user__is_active=True,
            application__disabled_at=None,
        )


def _still_inside(person: str, room: str) -> Exists:
    rows = Membership.objects.filter(user_id=OuterRef(person), workspace_id=OuterRef(room), role__in=INSIDE)
    return Exists(rows)
