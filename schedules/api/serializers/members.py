"""Workspaces, members, invitations and tokens, as the API shows and takes them. No secret but the one just made comes out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from alwrity_scheduler.workspaces.models import ApiToken, Invitation, Membership, Workspace
from alwrity_scheduler.workspaces.roles import Role
from alwrity_scheduler.workspaces.scopes import SCOPES
from schedules.api.serializers.shapes import Answer, Input, Moment, WorkspaceName, both, workspace_words
from schedules.api.serializers.shown import Instant, Shown, one_of


class Accounts(serializers.ListField):
    """The accounts that are seen, by id; null is every account."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.UUIDField(), **{"required": False, "allow_null": True, "max_length": 500, **options}
        )


class RoleName(serializers.CharField):
    """A role; one that there is none of is refused by the services, which name those that there are."""

    written: ClassVar[dict[str, Any]] = {"type": "string", "enum": [role.value for role in Role]}


class ScopeName(serializers.CharField):
    """A scope; as with roles."""

    written: ClassVar[dict[str, Any]] = {"type": "string", "enum": list(SCOPES)}


class OwnToken(Shown):
    """The token that asks."""

    id: UUID
    name: str
    prefix: str


class OwnWorkspace(WorkspaceName):
    """Where one is, in which role; `is_limited`: only accounts that were granted are seen."""

    role: Role
    is_limited: bool


class MeShown(Shown):
    """Who asks. A person has a name, a token has `token`; `scopes` null is everything that the role may."""

    optional = frozenset({"username", "name", "email", "token"})

    kind: one_of("person", "token")  # type: ignore[valid-type]
    timezone: str
    username: str
    name: str
    email: str
    token: OwnToken
    scopes: list[str] | None
    workspaces: list[OwnWorkspace]


class WorkspaceShown(OwnWorkspace):
    """A workspace, and one's own role in it. `paused_at`: since when nothing of it is published."""


class WorkspaceChange(Input):
    echoed: ClassVar[frozenset[str]] = frozenset(
        {"id", "slug", "role", "is_limited", "paused_at", "paused_at_local", "created_at", "created_at_local"}
    )

    name = serializers.CharField(required=False, max_length=120)
    timezone = serializers.CharField(required=False, max_length=64)


class WorkspaceAnswer(Answer):
    """Wants `roles` in the context: workspace id -> (role, is_limited) of the one who asks."""

    shown = WorkspaceShown
    times: ClassVar[tuple[str, ...]] = ("paused_at", "created_at")

    def zone(self, row: Workspace) -> str:
        return row.timezone

    def body(self, row: Workspace) -> dict[str, Any]:
        role, is_limited = self.context["roles"].get(row.pk, ("", False))
        return {**workspace_words(row), "role": role, "is_limited": is_limited}


class MemberChange(Input):
    echoed: ClassVar[frozenset[str]] = frozenset(
        {"username", "name", "email", "is_limited", "since", "since_local", "timezone"}
    )

    role = RoleName(required=False, max_length=16)
    accounts = Accounts()


class MemberShown(Shown):
    """Somebody in a workspace. `accounts` null is every account; `email` is shown to those who manage members."""

    optional = frozenset({"email"})

    username: str
    name: str
    role: Role
    is_limited: bool
    accounts: list[UUID] | None
    email: str
    since: Instant


class MemberAnswer(Answer):
    """Wants the person and the granted accounts joined. `shows_mail` in the context: to those who manage members."""

    shown = MemberShown

    def zone(self, row: Membership) -> str:
        return row.workspace.timezone

    def body(self, row: Membership) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "username": row.user.get_username(),
            "name": row.user.get_full_name(),
            "role": row.role,
            "is_limited": row.is_limited,
            "accounts": _granted(row),
        }
        if self.context.get("shows_mail"):
            shown["email"] = row.user.email
        return {**shown, **both("since", row.created_at, row.workspace.timezone)}


def _granted(row: Membership | ApiToken) -> list[str] | None:
    if not row.is_limited:
        return None
    return sorted(str(grant.account.public_id) for grant in row.account_grants.all())


class NewInvitation(Input):
    workspace = serializers.CharField(required=False)
    email = serializers.CharField(max_length=254)
    role = RoleName(max_length=16)
    accounts = Accounts(default=None)


class InvitationShown(Shown):
    """Somebody asked to join. `accounts` null is every account; `sent_at` null where the mail could not be sent."""

    id: UUID
    workspace: WorkspaceName
    email: str
    role: Role
    accounts: list[UUID] | None
    state: one_of("open", "accepted", "taken_back", "expired")  # type: ignore[valid-type]


class InvitationMade(InvitationShown):
    """An invitation with its link where no mail could be sent: it is shown this once."""

    url: Annotated[str | None, {"format": "uri"}]


class InvitationAnswer(Answer):
    shown: type[Shown] = InvitationShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "sent_at", "expires_at", "accepted_at", "revoked_at")

    def zone(self, row: Invitation) -> str:
        return row.workspace.timezone

    def body(self, row: Invitation) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "email": row.email,
            "role": row.role,
            "accounts": row.accounts,
            "state": invitation_state(row, self.context["now"]),
        }


class InvitationAnswerOnce(InvitationAnswer):
    """As `answer_once` of the views writes it."""

    shown = InvitationMade


def invitation_state(row: Invitation, now: datetime) -> str:
    """`open`, `accepted`, `taken_back` or `expired`."""
    if row.accepted_at is not None:
        return "accepted"
    if row.revoked_at is not None:
        return "taken_back"
    return "expired" if row.expires_at <= now else "open"


class _TokenFields(Input):
    scopes = serializers.ListField(child=ScopeName(max_length=40), required=False, max_length=50)
    networks = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=50)
    expires_at = Moment(required=False, allow_null=True, default_timezone=UTC)

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= self.context["now"]:
            raise serializers.ValidationError("Give a time to come, or null for never.", code="past")
        return value


class NewToken(_TokenFields):
    workspace = serializers.CharField(required=False)
    name = serializers.CharField(max_length=120)
    role = RoleName(max_length=16)
    accounts = Accounts(default=None)


class TokenChange(_TokenFields):
    echoed: ClassVar[frozenset[str]] = frozenset(
        {
            "id", "workspace", "role", "prefix", "created_by", "state", "last_used_from", "timezone", "is_limited",
            *(f"{name}{end}" for name in ("created_at", "last_used_at", "revoked_at") for end in ("", "_local")),
            "expires_at_local",
        }
    )  # fmt: skip

    name = serializers.CharField(required=False, max_length=120)
    accounts = Accounts()


class TokenShown(Shown):
    """A token without its secret. An empty list of `scopes` is all that the role may, one of `networks` is from anywhere, and
    `accounts` null is every account."""

    id: UUID
    workspace: WorkspaceName
    name: str
    role: Role
    prefix: str
    scopes: list[str]
    networks: list[str]
    is_limited: bool
    accounts: list[UUID] | None
    created_by: str | None
    last_used_from: str | None
    state: one_of("usable", "expired", "revoked")  # type: ignore[valid-type]


class TokenMade(TokenShown):
    """A token with its secret, which is shown this once."""

    token: str


class TokenAnswer(Answer):
    """Wants workspace, maker and granted accounts joined."""

    shown: type[Shown] = TokenShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "expires_at", "last_used_at", "revoked_at")

    def zone(self, row: ApiToken) -> str:
        return row.workspace.timezone

    def body(self, row: ApiToken) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "name": row.name,
            "role": row.role,
            "prefix": row.prefix,
            "scopes": list(row.scopes),
            "networks": list(row.networks),
            "is_limited": row.is_limited,
            "accounts": _granted(row),
            "created_by": row.created_by.get_username() if row.created_by else None,
            "last_used_from": row.last_used_from,
            "state": token_state(row, self.context["now"]),
        }


class TokenAnswerOnce(TokenAnswer):
    """As `answer_once` of the views writes it."""

    shown = TokenMade


def token_state(row: ApiToken, now: datetime) -> str:
    """`usable`, `expired` or `revoked`."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "usable"
