from __future__ import annotations

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet


class PartOfContentQuerySet(VisibleQuerySet[Row]):
    workspace_path = "content__workspace_id"
