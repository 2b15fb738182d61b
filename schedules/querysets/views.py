from __future__ import annotations

from typing import Any, Self

from django.db.models import Q

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet


class SavedViewQuerySet(VisibleQuerySet[Row]):
    def of(self, person: Any, workspace: Any, *pages: str) -> Self:
        """This person's own, and what others share, by name."""
        return self.filter(Q(person=person) | Q(shared=True), workspace=workspace, page__in=pages)
