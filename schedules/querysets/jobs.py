from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db.models import Q

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet
from platforms.querysets import granted_account_ids
from schedules.domain.recovery import Cause
from schedules.domain.states import NEEDS_YOU

# a person gave an unconfirmed post up: domain.recovery.is_settled
SETTLED = Q(state="failed", reason="by_person")
OF_CAUSE = {
    Cause.UNCONFIRMED: Q(state="unconfirmed"),
    Cause.FAILED: Q(state="failed") & ~SETTLED,
    Cause.MISSED: Q(state="missed"),
    Cause.SIGN_IN: Q(state="blocked", reason="auth"),
    Cause.ON_HOLD: Q(state="blocked") & ~Q(reason="auth"),
}


class JobQuerySet(VisibleQuerySet[Row]):
    def limits(self, user: Any) -> Q | None:
        return Q(account_id__in=granted_account_ids(user))

    def pending(self) -> Self:
        return self.filter(state="pending")

    def due(self, now: datetime) -> Self:
        """Pending and due at `now` (aware UTC), by time."""
        return self.pending().filter(run_at__lte=now).order_by("run_at", "id")

    def needing_a_person(self) -> Self:
        return self.filter(~SETTLED, state__in=NEEDS_YOU)

    def with_cause(self, cause: Cause) -> Self:
        """The posts on the recovery desk for this cause."""
        return self.filter(OF_CAUSE[cause])

    def about(self, words: str) -> Self:
        """Those whose post has the words in its title or text."""
        return self.filter(Q(schedule__content__title__icontains=words) | Q(schedule__content__text__icontains=words))

    def with_names(self) -> Self:
        """What a list shows, without a query a row."""
        return self.select_related("schedule__content", "account", "workspace", "occurrence")


class PartOfJobQuerySet(VisibleQuerySet[Row]):
    workspace_path = "job__workspace_id"

    def limits(self, user: Any) -> Q | None:
        return Q(job__account_id__in=granted_account_ids(user))
