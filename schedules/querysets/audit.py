from __future__ import annotations

from typing import Any, Never, Self

from django.db.models import Q

from alwrity_scheduler.workspaces.access import workspaces_where
from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet, visible_workspace_ids
from alwrity_scheduler.workspaces.roles import Action
from schedules.querysets.limits import open_facts

# families of facts about sign-ins, people and the history itself: for those who may read the security log
_GUARDED = ("history.", "person.", "security.")


class AuditLogQuerySet(VisibleQuerySet[Row]):
    """Append-only: rows are added by `services.audit` and never changed."""

    workspace_path = "workspace_ref"

    def visible_to(self, user: Any) -> Self:
        """What happened in the workspaces one sees; what is guarded only where one may read the security log."""
        rows = super().visible_to(user)
        if visible_workspace_ids(user) is None:
            return rows
        guarded = Q()
        for family in _GUARDED:
            guarded |= Q(action__startswith=family)
        audited = workspaces_where(user, Action.AUDIT).order_by().values("pk")
        return rows.filter(~guarded | Q(workspace_ref__in=audited))

    def limits(self, user: Any) -> Q | None:
        return open_facts(user)

    def of(self, object_type: str, object_id: object) -> Self:
        """The history of one thing, newest first."""
        return self.filter(object_type=object_type, object_id=str(object_id)).order_by("-id")

    def update(self, **kwargs: Any) -> Never:
        raise TypeError("The audit log is append-only.")

    def delete(self) -> Never:
        raise TypeError("The audit log is append-only.")
