from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db.models import Q

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet
from platforms.querysets import granted_account_ids
from schedules.querysets.limits import open_schedules, schedules_for_review


class ScheduleQuerySet(VisibleQuerySet[Row]):
    def limits(self, user: Any) -> Q | None:
        return open_schedules(user)

    def for_review(self, user: Any) -> Q | None:
        return schedules_for_review(user)

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

    def limits(self, user: Any) -> Q | None:
        return open_schedules(user, path="schedule")


class TargetQuerySet(PartOfScheduleQuerySet[Row]):
    def limits(self, user: Any) -> Q | None:
        return Q(account_id__in=granted_account_ids(user))
