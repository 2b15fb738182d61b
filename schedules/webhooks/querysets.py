from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from alwrity_scheduler.workspaces.querysets import Row, VisibleQuerySet
from alwrity_scheduler.workspaces.roles import GRANTS, Action, allows

INTEGRATING = tuple(role for role, actions in GRANTS.items() if Action.INTEGRATE in actions)


def managed_by(rows: VisibleQuerySet[Row], user: Any, workspace: str) -> Any:
    """Of what this person or token may see, what they may manage too: addresses and what is sent there is not for everybody.

    `workspace`: the path to it.
    """
    seen = rows.visible_to(user)
    token = getattr(user, "api_token", None)
    if token is not None:
        return seen if allows(token.role, Action.INTEGRATE) else seen.none()
    if getattr(user, "is_superuser", False):
        return seen
    members = {f"{workspace}__memberships__user_id": user.pk, f"{workspace}__memberships__role__in": INTEGRATING}
    return seen.filter(**members)


class EndpointQuerySet(VisibleQuerySet[Row]):
    def managed_by(self, user: Any) -> Self:
        found: Self = managed_by(self, user, "workspace")
        return found

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
