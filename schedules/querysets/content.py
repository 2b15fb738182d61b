from __future__ import annotations

from typing import Any

from django.db.models import Q

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet
from schedules.querysets.limits import content_for_review, open_content


class ContentQuerySet(VisibleQuerySet[Row]):
    """A limited person sees posts that are scheduled nowhere, or through a schedule that they see."""

    def limits(self, user: Any) -> Q | None:
        return open_content(user)

    def for_review(self, user: Any) -> Q | None:
        return content_for_review(user)


class PartOfContentQuerySet(VisibleQuerySet[Row]):
    workspace_path = "content__workspace_id"

    def limits(self, user: Any) -> Q | None:
        return open_content(user, path="content")

    def for_review(self, user: Any) -> Q | None:
        return content_for_review(user, path="content_id")
