from __future__ import annotations

from datetime import datetime
from typing import Self

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet


class EndpointQuerySet(VisibleQuerySet[Row]):
    def standing(self) -> Self:
        """Not deleted."""
        return self.filter(deleted_at=None)

    def listening(self) -> Self:
        """Those for which events are kept: a paused one gets them when it goes on."""
        return self.standing().filter(state__in=("active", "paused"))


class DeliveryQuerySet(VisibleQuerySet[Row]):
    workspace_path = "endpoint__workspace_id"

    def standing(self) -> Self:
        return self.filter(endpoint__deleted_at=None)

    def made_in(self, since: datetime | None, until: datetime | None) -> Self:
        """Half-open: `since` is in, `until` is out. Either may be open."""
        rows = self
        if since is not None:
            rows = rows.filter(created_at__gte=since)
        return rows if until is None else rows.filter(created_at__lt=until)


class AttemptQuerySet(VisibleQuerySet[Row]):
    workspace_path = "delivery__endpoint__workspace_id"
