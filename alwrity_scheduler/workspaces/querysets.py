"""`visible_to(user)`: the one filter through which every read of a workspace's rows goes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Q

from alwrity_scheduler.workspaces.roles import INSIDE

Row = TypeVar("Row", bound=models.Model, covariant=True)


def visible_workspace_ids(user: Any) -> Any:
    """The ids of the workspaces this person or token sees from inside, as a lazy value for `__in`. None means all.

    An outside reviewer sees none from inside: what is given to them for review is theirs by `reviewed_workspace_ids`. An app
    that acts for a person (`user.delegated_workspace_id`) sees the one workspace it was let into.
    """
    if getattr(user, "is_anonymous", True) or not user.is_active:
        return ()
    known = getattr(user, "inside_ids", None)
    if known is not None:
        return known
    token = getattr(user, "api_token", None)
    if token is not None:
        return (token.workspace_id,) if token.role in INSIDE else ()
    delegated = getattr(user, "delegated_workspace_id", None)
    if delegated is not None:
        return user.memberships.filter(workspace_id=delegated, role__in=INSIDE).values("workspace_id")
    if user.is_superuser:
        return None
    return user.memberships.filter(role__in=INSIDE).values("workspace_id")


def reviewed_workspace_ids(user: Any) -> Any:
    """The ids of the workspaces in which this person is an outside reviewer, as a lazy value for `__in`."""
    if not isinstance(getattr(user, "pk", None), int) or not user.is_active or user.is_superuser:
        return ()
    delegated = getattr(user, "delegated_workspace_id", None)
    rooms = user.memberships.filter(role="reviewer").values("workspace_id")
    return rooms if delegated is None else rooms.filter(workspace_id=delegated)


class VisibleQuerySet(models.QuerySet[Row]):
    """A queryset whose rows belong to a workspace, by the path named in `workspace_path`."""

    workspace_path: ClassVar[str] = "workspace_id"

    def visible_to(self, user: Any) -> Self:
        """Only what this person or token may see. Nobody sees anything without being a member."""
        ids = visible_workspace_ids(user)
        return self if ids is None else self.filter(**{f"{self.workspace_path}__in": ids})


class WorkspaceQuerySet(VisibleQuerySet[Row]):
    workspace_path = "id"


class UserQuerySet(models.QuerySet[Row]):
    def visible_to(self, user: Any) -> Self:
        """Oneself and the people one shares a workspace with."""
        ids = visible_workspace_ids(user)
        if ids is None:
            return self
        return self.filter(Q(pk=getattr(user, "pk", None)) | Q(memberships__workspace_id__in=ids)).distinct()


class ApiTokenQuerySet(VisibleQuerySet[Row]):
    def usable(self, now: datetime) -> Self:
        """Neither revoked nor expired at `now` (aware UTC)."""
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=now))
