from __future__ import annotations

from typing import Any, Self

from django.db.models import Q

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet
from schedules.querysets.schedules import PartOfScheduleQuerySet


class MilestoneQuerySet(VisibleQuerySet[Row]):
    def standing(self) -> Self:
        return self.filter(removed_at=None)


class DependencyQuerySet(PartOfScheduleQuerySet[Row]):
    def around(self, schedule: Any) -> Self:
        """What it waits for, and what waits for it."""
        return self.filter(Q(schedule=schedule) | Q(waits_for=schedule))
