from __future__ import annotations

from typing import Any, Self

from django.db.models import Q

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet
from platforms.querysets import granted_account_ids


class DraftQuerySet(VisibleQuerySet[Row]):
    def of(self, person: Any, workspace: Any) -> Self:
        """This person's own, in one workspace."""
        return self.filter(person=person, workspace=workspace)

    def kept(self) -> Self:
        """Those that were not put aside."""
        return self.filter(discarded_at=None)


class PostingSlotQuerySet(VisibleQuerySet[Row]):
    workspace_path = "account__workspace_id"

    def limits(self, user: Any) -> Q | None:
        return Q(account_id__in=granted_account_ids(user))
