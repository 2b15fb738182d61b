from __future__ import annotations

from datetime import datetime
from typing import Self

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet
from schedules.domain.states import NEEDS_YOU


class JobQuerySet(VisibleQuerySet[Row]):
    def pending(self) -> Self:
        return self.filter(state="pending")

    def due(self, now: datetime) -> Self:
        """Pending and due at `now` (aware UTC), by time."""
        return self.pending().filter(run_at__lte=now).order_by("run_at", "id")

    def needing_a_person(self) -> Self:
        return self.filter(state__in=NEEDS_YOU)

    def with_names(self) -> Self:
        """What a list shows, without a query a row."""
        return self.select_related("schedule__content", "account", "workspace", "occurrence")


class PartOfJobQuerySet(VisibleQuerySet[Row]):
    workspace_path = "job__workspace_id"
