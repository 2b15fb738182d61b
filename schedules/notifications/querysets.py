from __future__ import annotations

from typing import Any, Self

from django.db.models import Q

from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet, is_limited, reviewed_workspace_ids
from platforms.models import PlatformAccount
from platforms.querysets import granted_account_ids
from schedules.notifications.rules import PERSONAL, Kind
from schedules.querysets.limits import dashed_ids

OPEN = Q(needs_act=True, settled_at__isnull=True)


class NoticeQuerySet(VisibleQuerySet[Row]):
    def visible_to(self, user: Any) -> Self:
        """A person's own, in the workspaces that person may still see. A token has none."""
        if getattr(user, "api_token", None) is not None:
            return self.none()
        return super().visible_to(user).filter(user_id=getattr(user, "pk", None))

    def limits(self, user: Any) -> Q | None:
        """Of accounts, those that are granted: a notice may be older than the limit."""
        accounts = PlatformAccount.objects.filter(pk__in=granted_account_ids(user))
        return ~Q(object_type="account") | Q(object_id__in=dashed_ids(accounts))

    def for_review(self, user: Any) -> Q | None:
        """An outside reviewer keeps what they are told about reviews."""
        return Q(workspace_id__in=reviewed_workspace_ids(user), kind__in=sorted(PERSONAL))

    def of(self, person: Any, workspace: Workspace) -> Self:
        rows = self.filter(user=person, workspace=workspace)
        return rows.visible_to(person) if is_limited(person) else rows

    def open(self) -> Self:
        """Somebody has something to do about it."""
        return self.filter(OPEN)

    def unread(self) -> Self:
        return self.filter(read_at=None)

    def of_kind(self, kind: Kind) -> Self:
        return self.filter(kind=kind.value)
