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


def is_limited(user: Any) -> bool:
    """Is anything narrowed for this person or token? Everybody else pays nothing for the question."""
    token = getattr(user, "api_token", None)
    if token is not None:
        return bool(token.is_limited)
    return bool(getattr(user, "is_limited", False)) and not getattr(user, "is_superuser", False)


def unlimited_workspace_ids(user: Any) -> Any:
    """Of a limited person: the workspaces in which they see every account, as a lazy value for `__in`."""
    if getattr(user, "api_token", None) is not None:
        return ()
    return user.memberships.filter(role__in=INSIDE, is_limited=False).values("workspace_id")


class VisibleQuerySet(models.QuerySet[Row]):
    """A queryset whose rows belong to a workspace, by the path named in `workspace_path`."""

    workspace_path: ClassVar[str] = "workspace_id"

    def visible_to(self, user: Any) -> Self:
        """Only what this person or token may see. Nobody sees anything without being a member."""
        ids = visible_workspace_ids(user)
        if ids is None:
            return self
        inside = Q(**{f"{self.workspace_path}__in": ids})
        if not is_limited(user):
            return self.filter(inside)
        outside = self.for_review(user)
        seen = inside & self._open_to(user)
        return self.filter(seen if outside is None else seen | outside)

    def within(self, workspace: Any) -> Self:
        """Of one workspace, as the one sees it for whom it was opened (`seen_by`, where that narrows anything)."""
        rows = self.filter(**{self.workspace_path: workspace.pk})
        reader = getattr(workspace, "seen_by", None)
        return rows if reader is None else rows.open_to(reader)

    def open_to(self, user: Any) -> Self:
        """Less what belongs to accounts that are not granted; whose workspace it is has been asked before."""
        return self.filter(self._open_to(user)) if is_limited(user) else self

    def _open_to(self, user: Any) -> Q:
        limits = self.limits(user)
        if limits is None:
            return Q()
        if getattr(user, "api_token", None) is not None:
            return limits
        return limits | Q(**{f"{self.workspace_path}__in": unlimited_workspace_ids(user)})

    def limits(self, user: Any) -> Q | None:
        """What a limited person or token sees of rows that hang on accounts; None where none do."""
        return None

    def for_review(self, user: Any) -> Q | None:
        """What an outside reviewer sees of these rows; None for nothing."""
        return None


def opened_for(workspace: Any, user: Any) -> Any:
    """The workspace, as this person or token sees it: what is read `within` it is narrowed for them."""
    if is_limited(user):
        workspace.seen_by = user
    return workspace


class WorkspaceQuerySet(VisibleQuerySet[Row]):
    """Workspaces that a limited person or token finds know who looks (`seen_by`): what is read `within` them is narrowed."""

    workspace_path = "id"
    _reader: Any = None

    def visible_to(self, user: Any) -> Self:
        rows = super().visible_to(user)
        if is_limited(user):
            rows._reader = user
        return rows

    def _clone(self) -> Self:
        twin: Self = super()._clone()  # type: ignore[misc]
        twin._reader = self._reader
        return twin

    def _fetch_all(self) -> None:
        super()._fetch_all()
        if self._reader is not None:
            for row in self._result_cache or ():
                if isinstance(row, models.Model):
                    opened_for(row, self._reader)


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
