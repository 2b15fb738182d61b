from __future__ import annotations

from typing import Any, Never, Self

from django.db.models import Q

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet
from schedules.querysets.limits import open_facts


class AuditLogQuerySet(VisibleQuerySet[Row]):
    """Append-only: rows are added by `services.audit` and never changed."""

    workspace_path = "workspace_ref"

    def limits(self, user: Any) -> Q | None:
        return open_facts(user)

    def of(self, object_type: str, object_id: object) -> Self:
        """The history of one thing, newest first."""
        return self.filter(object_type=object_type, object_id=str(object_id)).order_by("-id")

    def update(self, **kwargs: Any) -> Never:
        raise TypeError("The audit log is append-only.")

    def delete(self) -> Never:
        raise TypeError("The audit log is append-only.")
