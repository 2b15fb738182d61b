"""The vocabulary of reading reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db.models import Q

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet, reviewed_workspace_ids
from platforms.querysets import granted_account_ids
from schedules.querysets.limits import open_schedules, schedules_for_review


class ReviewQuerySet(VisibleQuerySet[Row]):
    def limits(self, user: Any) -> Q | None:
        return open_schedules(user, path="schedule")

    def for_review(self, user: Any) -> Q | None:
        return Q(workspace_id__in=reviewed_workspace_ids(user))

    def waiting(self) -> Self:
        return self.filter(state="waiting")

    def to_notify(self, now: datetime) -> Self:
        return self.filter(state="waiting", notify_at__lte=now).order_by("notify_at", "id")

    def to_tell(self, now: datetime) -> Self:
        return self.filter(tell_at__lte=now).order_by("tell_at", "id")


class OfReviewQuerySet(VisibleQuerySet[Row]):
    workspace_path = "schedule__workspace_id"

    def limits(self, user: Any) -> Q | None:
        return open_schedules(user, path="schedule")

    def for_review(self, user: Any) -> Q | None:
        return schedules_for_review(user, path="schedule_id")


class OfLinkQuerySet(VisibleQuerySet[Row]):
    workspace_path = "review__workspace_id"

    def limits(self, user: Any) -> Q | None:
        return open_schedules(user, path="review__schedule")


class PolicyQuerySet(VisibleQuerySet[Row]):
    def limits(self, user: Any) -> Q | None:
        return Q(account=None) | Q(account_id__in=granted_account_ids(user))
