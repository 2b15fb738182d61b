"""The vocabulary of reading reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet


class ReviewQuerySet(VisibleQuerySet[Row]):
    def waiting(self) -> Self:
        return self.filter(state="waiting")

    def to_notify(self, now: datetime) -> Self:
        return self.filter(state="waiting", notify_at__lte=now).order_by("notify_at", "id")

    def to_tell(self, now: datetime) -> Self:
        return self.filter(tell_at__lte=now).order_by("tell_at", "id")


class OfReviewQuerySet(VisibleQuerySet[Row]):
    workspace_path = "schedule__workspace_id"


class OfLinkQuerySet(VisibleQuerySet[Row]):
    workspace_path = "review__workspace_id"
