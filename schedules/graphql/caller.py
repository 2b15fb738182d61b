"""Who asks, when, and in which workspace: what every resolver gets as `info.context`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from alwrity_scheduler.core.errors import NotAllowed, Problem, Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces.access import actor_of, require
from alwrity_scheduler.workspaces.models import User, Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.reads.standing import Standing, standings


@dataclass(slots=True)
class Caller:
    """One request. `now` is aware UTC and the same for all of it."""

    request: Any
    now: datetime
    # how accounts stand, by the workspace they are of
    _standings: dict[int, dict[int, Standing]] = field(default_factory=dict)
    _roles: dict[int, str] | None = None

    @property
    def user(self) -> Any:
        return self.request.user

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    @property
    def person(self) -> User | None:
        """The signed-in person; None where a token acts."""
        return self.user if isinstance(self.user, User) else None

    @property
    def own_zone(self) -> str:
        """The zone in which the one who asks reads times: the person's, or that of the token's workspace."""
        token = getattr(self.user, "api_token", None)
        return str(token.workspace.timezone) if token else str(getattr(self.user, "timezone", "UTC"))

    def require(self, action: Action, workspace: Workspace) -> None:
        require(self.user, action, workspace)

    def workspace_of(self, named: str | None) -> Workspace:
        """The workspace meant: the named one (id or slug), the token's, or the only one this person is in."""
        visible = Workspace.objects.visible_to(self.user).order_by("id")
        if named:
            found: Workspace | None = visible.filter(**_named(named)).first()
            if found is None:
                words = "You are in no workspace of this name."
                raise Refused(Problem(field="workspace", message=words, code="not_found"))
            return found
        rooms = list(visible[:20])
        if not rooms:
            words = "You are in no workspace. Ask an owner to add you."
            raise NotAllowed(Problem(field="workspace", message=words, code="not_allowed"))
        if len(rooms) > 1:
            names = ", ".join(room.slug for room in rooms)
            raise Refused(Problem(field="workspace", message=f"Say in which workspace: {names}.", code="required"))
        return rooms[0]

    def standing_of(self, account: PlatformAccount) -> Standing | None:
        """How an account stands. Asked once for all accounts of its workspace, so that a list costs no query a row."""
        known = self._standings.get(account.workspace_id)
        if known is None:
            rows: Iterable[PlatformAccount] = (
                PlatformAccount.objects.visible_to(self.user)
                .filter(workspace_id=account.workspace_id)
                .select_related("service", "circuit")
                .defer("credentials")
            )
            known = self._standings[account.workspace_id] = standings(rows, self.now)
        return known.get(account.pk)

    def role_in(self, workspace: Workspace) -> str:
        """The role of whoever asks; one query for all workspaces."""
        token = getattr(self.user, "api_token", None)
        if token is not None:
            return str(token.role) if token.workspace_id == workspace.pk else ""
        if self.user.is_superuser:
            return "owner"
        if self._roles is None:
            self._roles = dict(self.user.memberships.values_list("workspace_id", "role"))
        return self._roles.get(workspace.pk, "")


def _named(named: str) -> dict[str, Any]:
    try:
        return {"public_id": UUID(named)}
    except ValueError:
        return {"slug": named}
