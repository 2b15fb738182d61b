"""Who reads the log: an owner what concerns the workspace and its members, everybody what concerns themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Q

from alwrity_scheduler.workspaces.models import Membership, Workspace

Row = TypeVar("Row", bound=models.Model, covariant=True)


def _owned(user: Any) -> Any:
    """The ids of the workspaces whose log this person or token may read, lazily; None means all."""
    if getattr(user, "is_anonymous", True) or not user.is_active:
        return ()
    token = getattr(user, "api_token", None)
    if token is not None:
        return (token.workspace_id,) if token.role == "owner" and not token.is_limited else ()
    delegated = getattr(user, "delegated_workspace_id", None)
    if user.is_superuser and delegated is None:
        return None
    rooms = user.memberships.filter(role="owner")
    return (rooms if delegated is None else rooms.filter(workspace_id=delegated)).values("workspace_id")


class OfLog(models.QuerySet[Row]):
    def visible_to(self, user: Any) -> Self:
        """What concerns the workspaces one owns and their members' sign-ins, and what concerns oneself."""
        rooms = _owned(user)
        if rooms is None:
            return self
        members = Membership.objects.filter(workspace_id__in=rooms).values("user_id")
        of_room = Q(workspace_ref__in=rooms) | Q(workspace_ref=None, user_ref__in=members)
        own = getattr(user, "pk", None)
        return self.filter(of_room if own is None else of_room | Q(user_ref=own))

    def of_workspace(self, workspace: Workspace) -> Self:
        members = Membership.objects.filter(workspace=workspace).values("user_id")
        return self.filter(Q(workspace_ref=workspace.pk) | Q(workspace_ref=None, user_ref__in=members))

    def of_person(self, person: Any) -> Self:
        return self.filter(user_ref=person.pk)


class SecurityEventQuerySet(OfLog[Row]):
    def of_kind(self, *kinds: str) -> Self:
        return self.filter(kind__in=kinds)

    def since(self, at: datetime) -> Self:
        return self.filter(at__gte=at)


class SecurityAlertQuerySet(OfLog[Row]):
    def open(self) -> Self:
        """Nobody has looked at it yet."""
        return self.filter(seen_at=None)
