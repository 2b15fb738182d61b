"""Who hears of what in one workspace: members by role, each by their own rules. A few queries, however much is told."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from alwrity_scheduler.workspaces.models import Membership, Workspace
from alwrity_scheduler.workspaces.roles import allows
from platforms.models import AccountGrant
from schedules.models import Review
from schedules.notifications.gathering import Group
from schedules.notifications.models import NoticeRules
from schedules.notifications.rules import NATURES, PERSONAL, Kind, wanted
from schedules.services import approval


class Audience:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    @cached_property
    def _roles(self) -> dict[int, str]:
        members = Membership.objects.filter(workspace=self.workspace, user__is_active=True)
        return dict(members.order_by("user_id").values_list("user_id", "role"))

    @cached_property
    def _rules(self) -> dict[int, dict[str, Any]]:
        return dict(NoticeRules.objects.filter(user_id__in=self._roles).values_list("user_id", "kinds"))

    def wants(self, kind: Kind) -> bool:
        """Does anybody here want to hear of this kind?"""
        return any(self._hears(pk, kind) for pk in self._roles)

    def of(self, group: Group) -> list[int]:
        """The ids of those who hear of it; not of the one who did it."""
        audience = NATURES[group.kind].audience
        able = (pk for pk, role in self._roles.items() if allows(role, audience))
        candidates = self._named(group) if group.kind in PERSONAL else able
        heard = [pk for pk in candidates if pk != group.actor_id and pk in self._roles and self._hears(pk, group.kind)]
        return [pk for pk in heard if self._sees(pk, group)]

    @cached_property
    def _granted(self) -> dict[int, set[str]]:
        """Of the limited members: the ids of the accounts that they see."""
        limited = Membership.objects.filter(workspace=self.workspace, is_limited=True)
        found: dict[int, set[str]] = {pk: set() for pk in limited.values_list("user_id", flat=True)}
        rows = (
            AccountGrant.objects.filter(membership__workspace=self.workspace) if found else AccountGrant.objects.none()
        )
        for pk, account in rows.values_list("membership__user_id", "account__public_id"):
            found.setdefault(pk, set()).add(str(account))
        return found

    def _sees(self, pk: int, group: Group) -> bool:
        """Of accounts, limited members hear of those they were given."""
        return group.object_type != "account" or pk not in self._granted or group.object_id in self._granted[pk]

    def _hears(self, pk: int, kind: Kind) -> bool:
        return wanted(kind, self._rules.get(pk, {}))

    def _named(self, group: Group) -> Iterable[int]:
        """A request is for the reviewers, an answer for the author and whoever asked."""
        rows = Review.objects.filter(schedule__public_id=group.object_id).select_related("schedule")
        review = rows.order_by("-requested_at", "-id").first()
        if review is None:
            return ()
        if group.kind is Kind.REVIEW:
            return [person.pk for person in approval.reviewers_of(review.schedule, review)]
        asked = {review.requested_by_id, review.schedule.created_by_id}
        return sorted(pk for pk in asked if pk is not None)
