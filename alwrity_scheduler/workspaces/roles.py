"""The five roles and what each may do: pure, one table. Asked through `access.can`."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    APPROVER = "approver"
    AUTHOR = "author"
    VIEWER = "viewer"


class Action(StrEnum):
    """What can be asked for. A sentence each, because the refusals quote them."""

    VIEW = "see this workspace"
    WRITE = "write and schedule posts"
    APPROVE = "approve posts"
    OPERATE = "pause, resume, cancel and retry"
    ACCOUNTS = "connect and change platform accounts"
    MEMBERS = "manage members and tokens"


_VIEWER = frozenset({Action.VIEW})
_AUTHOR = _VIEWER | {Action.WRITE, Action.OPERATE}
_APPROVER = _AUTHOR | {Action.APPROVE}
_MANAGER = _APPROVER | {Action.ACCOUNTS}
_OWNER = _MANAGER | {Action.MEMBERS}
GRANTS: dict[str, frozenset[Action]] = {
    Role.VIEWER: _VIEWER,
    Role.AUTHOR: _AUTHOR,
    Role.APPROVER: _APPROVER,
    Role.MANAGER: _MANAGER,
    Role.OWNER: _OWNER,
}


def allows(role: str, action: Action) -> bool:
    return action in GRANTS.get(role, frozenset())
