"""The six roles and what each may do: pure, one table. Asked through `access.can`."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    APPROVER = "approver"
    AUTHOR = "author"
    VIEWER = "viewer"
    # somebody from outside: sees what is to be reviewed, and says yes or no to it; nothing else of the workspace
    REVIEWER = "reviewer"


class Action(StrEnum):
    """What can be asked for. A sentence each, because the refusals quote them."""

    VIEW = "see this workspace"
    WRITE = "write and schedule posts"
    APPROVE = "approve posts"
    REVIEW = "say yes or no to posts given to them for review"
    OPERATE = "pause, resume, cancel and retry"
    ACCOUNTS = "connect and change platform accounts"
    MEMBERS = "manage members and tokens"
    INTEGRATE = "manage webhooks and apps"
    AUDIT = "read the history and the security log"


_VIEWER = frozenset({Action.VIEW})
_REVIEWER = frozenset({Action.REVIEW})
_AUTHOR = _VIEWER | {Action.WRITE, Action.OPERATE}
_APPROVER = _AUTHOR | {Action.APPROVE, Action.REVIEW}
_MANAGER = _APPROVER | {Action.ACCOUNTS, Action.INTEGRATE}
_OWNER = _MANAGER | {Action.MEMBERS, Action.AUDIT}
GRANTS: dict[str, frozenset[Action]] = {
    Role.REVIEWER: _REVIEWER,
    Role.VIEWER: _VIEWER,
    Role.AUTHOR: _AUTHOR,
    Role.APPROVER: _APPROVER,
    Role.MANAGER: _MANAGER,
    Role.OWNER: _OWNER,
}


# the order in which a role holds more than the next; the outside reviewer stands beside them
RANK = (Role.OWNER, Role.MANAGER, Role.APPROVER, Role.AUTHOR, Role.VIEWER)
# those who see a workspace from inside
INSIDE = tuple(role.value for role in RANK)


def allows(role: str, action: Action) -> bool:
    return action in GRANTS.get(role, frozenset())
