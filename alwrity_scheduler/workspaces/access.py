"""`can(user, action, workspace)` and the acting person as an `Actor`. Asked by interfaces, never by services."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import NotAllowed, Problem
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces.models import ROLE_WORDS, Workspace
from alwrity_scheduler.workspaces.querysets import is_limited
from alwrity_scheduler.workspaces.roles import GRANTS, Action, Role, allows

# what the history keeps of an actor's name
LONGEST_LABEL = 150
REFUSALS = {
    Action.VIEW: gettext_lazy("Your role may not see this workspace. Ask someone who is %(roles)s."),
    Action.WRITE: gettext_lazy("Your role may not write and schedule posts. Ask someone who is %(roles)s."),
    Action.APPROVE: gettext_lazy("Your role may not approve posts. Ask someone who is %(roles)s."),
    Action.REVIEW: gettext_lazy("Your role may not say yes or no to posts. Ask someone who is %(roles)s."),
    Action.OPERATE: gettext_lazy("Your role may not pause, resume, cancel and retry. Ask someone who is %(roles)s."),
    Action.ACCOUNTS: gettext_lazy(
        "Your role may not connect and change platform accounts. Ask someone who is %(roles)s."
    ),
    Action.MEMBERS: gettext_lazy("Your role may not manage members and tokens. Ask someone who is %(roles)s."),
    Action.INTEGRATE: gettext_lazy("Your role may not manage webhooks and apps. Ask someone who is %(roles)s."),
    Action.AUDIT: gettext_lazy("Your role may not read the security log. Ask someone who is %(roles)s."),
}


def role_of(user: Any, workspace: Workspace) -> str:
    """The role of a person or token in a workspace; empty for a stranger. A superuser is an owner everywhere.

    An app that acts for a person has the person's own role, in the one workspace that it was let into.
    """
    token = getattr(user, "api_token", None)
    if token is not None:
        return str(token.role) if token.workspace_id == workspace.pk else ""
    if getattr(user, "is_anonymous", True) or not user.is_active:
        return ""
    delegated = getattr(user, "delegated_workspace_id", None)
    if delegated is not None and delegated != workspace.pk:
        return ""
    if user.is_superuser and delegated is None:
        return "owner"
    return user.memberships.filter(workspace=workspace).values_list("role", flat=True).first() or ""


def can(user: Any, action: Action, workspace: Workspace) -> bool:
    return allows(role_of(user, workspace), action)


def workspaces_where(user: Any, action: Action) -> Any:
    """The workspaces in which this person or token may do that."""
    roles = [role for role, actions in GRANTS.items() if action in actions]
    token = getattr(user, "api_token", None)
    rooms = Workspace.objects.visible_to(user)
    if token is not None:
        return rooms if token.role in roles else rooms.none()
    is_delegated = getattr(user, "delegated_workspace_id", None) is not None
    if getattr(user, "is_superuser", False) and user.is_active and not is_delegated:
        return rooms
    return rooms.filter(memberships__user=getattr(user, "pk", None), memberships__role__in=roles)


def require(user: Any, action: Action, workspace: Workspace) -> None:
    """Raise NotAllowed, saying which roles may, unless this person or token may."""
    if can(user, action, workspace):
        return
    roles = [str(ROLE_WORDS[Role(role)]).lower() for role, actions in GRANTS.items() if action in actions]
    words = REFUSALS[action] % {"roles": _(" or ").join(roles)}
    raise NotAllowed(Problem(field="role", message=words, code="not_allowed"))


def actor_of(request: Any) -> Actor:
    """Who acts in this request, for the audit log."""
    user, request_id = request.user, str(getattr(request, "id", ""))
    token = getattr(user, "api_token", None)
    if token is not None:
        return Actor(
            kind="token", id=str(token.public_id), label=f"API token {token.name}", request_id=request_id,
            is_limited=token.is_limited,
        )  # fmt: skip
    label = user.get_username()
    if (app := getattr(user, "application", None)) is not None:
        label = f"{label} through {app.name}"[:LONGEST_LABEL]
    return Actor(kind="user", id=str(user.pk), label=label, request_id=request_id, is_limited=is_limited(user))
