from __future__ import annotations

from typing import Any, Self

from django.db.models import Q

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet
from schedules.querysets.limits import open_schedules


class MilestoneQuerySet(VisibleQuerySet[Row]):
    def standing(self) -> Self:
        return self.filter(removed_at=None)


class DependencyQuerySet(VisibleQuerySet[Row]):
    def limits(self, user: Any) -> Q | None:
        return open_schedules(user, path="schedule") & open_schedules(user, path="waits_for")
