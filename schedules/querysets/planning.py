from __future__ import annotations

from typing import Self

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet


class MilestoneQuerySet(VisibleQuerySet[Row]):
    def standing(self) -> Self:
        return self.filter(removed_at=None)
