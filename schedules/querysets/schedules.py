from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db.models import Q

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet


class ScheduleQuerySet(VisibleQuerySet[Row]):
    def active(self) -> Self:
        return self.filter(state="active")

    def to_plan(self, horizon: datetime) -> Self:
        """Active schedules whose occurrences stand as rows only up to before `horizon` (aware UTC)."""
        return (
            self.active().filter(Q(planned_until__lt=horizon) | Q(planned_until=None)).order_by("planned_until", "id")
        )

    def planned_with_other_tzdata(self, version: str) -> Self:
        """Living schedules whose instants were derived from other zone rules than `version` (R10)."""
        return self.filter(state__in=["active", "paused"]).exclude(tzdata_version__in=["", version])


class PartOfScheduleQuerySet(VisibleQuerySet[Row]):
    workspace_path = "schedule__workspace_id"
