"""Which accounts a limited member or token sees and uses, and what is made together with it: invitations accepted, tokens.

The only writer of `AccountGrant`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces import invitations, members, tokens
from alwrity_scheduler.workspaces.models import ApiToken, Invitation, Membership, User, Workspace
from alwrity_scheduler.workspaces.roles import Role
from platforms.models import AccountGrant, PlatformAccount


@unit()
def set_grants(
    *, of: Membership | ApiToken, accounts: Collection[UUID] | None, actor: Actor, now: datetime
) -> Membership | ApiToken:
    """Let a member or token see these accounts only; None is every account. Raises Refused for a role that sees all, and for an
    account that is not of the workspace."""
    if accounts is not None and of.role in {*members.SEE_ALL, Role.REVIEWER.value}:
        words = _("This role is not narrowed to accounts. Choose author, approver or viewer for that.")
        raise Refused(Problem(field="accounts", message=words, code="role"))
    rows = [] if accounts is None else accounts_of(of.workspace, accounts)
    before = _shown(of)
    _grants(of).delete()
    link: dict[str, Any] = {"membership": of} if isinstance(of, Membership) else {"token": of}
    AccountGrant.objects.bulk_create([AccountGrant(account=row, **link) for row in rows])
    if isinstance(of, Membership):
        members.set_limited(of, limited=accounts is not None)
    else:
        ApiToken.objects.filter(pk=of.pk).update(is_limited=accounts is not None)
        of.is_limited = accounts is not None
    after = _shown(of)
    if after != before:
        emit(_fact(of, actor, now, {"accounts": before}, {"accounts": after}))
    return of


@unit()
def create_token(
    *, workspace: Workspace, accounts: Collection[UUID] | None, actor: Actor, now: datetime, **values: Any
) -> tuple[ApiToken, str]:
    """A token (`workspaces.tokens.create_token`) that sees these accounts only; None is every account."""
    row, secret = tokens.create_token(workspace=workspace, actor=actor, now=now, **values)
    if accounts is not None:
        set_grants(of=row, accounts=accounts, actor=actor, now=now)
    return row, secret


@unit()
def change_token(
    *, token: ApiToken, changes: dict[str, Any], actor: Actor, now: datetime, within: Collection[str] | None = None
) -> ApiToken:
    """What `workspaces.tokens.change_token` changes, and `accounts`."""
    values = dict(changes)
    accounts = values.pop("accounts", ...)
    row = tokens.change_token(token=token, actor=actor, now=now, within=within, **values)
    if accounts is not ...:
        set_grants(of=row, accounts=accounts, actor=actor, now=now)
    return row


@unit()
def change_member(*, membership: Membership, changes: dict[str, Any], actor: Actor, now: datetime) -> Membership:
    """`role`, `accounts` or both. Raises Refused, NotAllowed."""
    row = membership
    if "role" in changes and changes["role"] != row.role:
        row = members.set_role(workspace=row.workspace, user=row.user, role=changes["role"], actor=actor, now=now)
    if "accounts" in changes:
        set_grants(of=row, accounts=changes["accounts"], actor=actor, now=now)
    return row


@unit()
def invite(
    *, workspace: Workspace, accounts: Collection[UUID] | None, actor: Actor, now: datetime, **values: Any
) -> tuple[Invitation, str]:
    """An invitation (`workspaces.invitations.invite`), whose accounts are of the workspace."""
    named = None if accounts is None else [str(row.public_id) for row in accounts_of(workspace, accounts)]
    return invitations.invite(workspace=workspace, accounts=named, actor=actor, now=now, **values)


@unit()
def accept(*, invitation: Invitation, person: User, now: datetime) -> Membership:
    """Join, with the accounts that the invitation names (those that are still there)."""
    actor = Actor(kind="user", id=str(person.pk), label=person.get_username())
    row = invitations.accept(invitation=invitation, person=person, actor=actor, now=now)
    if invitation.accounts is not None:
        named = [UUID(text) for text in invitation.accounts]
        there = PlatformAccount.objects.filter(workspace=invitation.workspace, public_id__in=named)
        set_grants(of=row, accounts=list(there.values_list("public_id", flat=True)), actor=actor, now=now)
    return row


@unit()
def accept_as_new(*, invitation: Invitation, username: str, name: str, password: str, now: datetime) -> User:
    """Make the person who was invited, and let them join. Raises Refused at the field."""
    person = invitations.new_person(invitation=invitation, username=username, name=name, password=password)
    accept(invitation=invitation, person=person, now=now)
    return person


def granted_to(of: Membership | ApiToken) -> list[PlatformAccount] | None:
    """None is every account."""
    if not of.is_limited:
        return None
    return list(PlatformAccount.objects.filter(pk__in=_grants(of).values("account_id")).order_by("name", "id"))


def accounts_of(workspace: Workspace, wanted: Collection[UUID]) -> list[PlatformAccount]:
    """The accounts of these ids. Raises Refused for one that is not of the workspace."""
    rows = list(PlatformAccount.objects.filter(workspace=workspace, public_id__in=set(wanted)).order_by("name", "id"))
    there = {row.public_id for row in rows}
    problems = [
        Problem(
            field="accounts",
            message=_("There is no account %(id)s in this workspace.") % {"id": public_id},
            code="not_found",
        )
        for public_id in wanted
        if public_id not in there
    ]
    if problems:
        raise Refused(problems)
    return rows


def _grants(of: Membership | ApiToken) -> Any:
    return (
        AccountGrant.objects.filter(membership=of)
        if isinstance(of, Membership)
        else AccountGrant.objects.filter(token=of)
    )


def _shown(of: Membership | ApiToken) -> list[str] | str:
    rows = granted_to(of)
    return "all" if rows is None else [str(row) for row in rows]


def _fact(
    of: Membership | ApiToken, actor: Actor, now: datetime, before: dict[str, Any], after: dict[str, Any]
) -> Fact:
    if isinstance(of, ApiToken):
        return Fact(
            name="token.accounts_set", at=now, actor=actor, workspace_id=of.workspace_id, object_type="api_token",
            object_id=str(of.public_id), object_label=of.name, before=before, after=after,
        )  # fmt: skip
    who = {"user": of.user.get_username()}
    return Fact(
        name="member.accounts_set", at=now, actor=actor, workspace_id=of.workspace_id, object_type="workspace",
        object_id=str(of.workspace.public_id), object_label=of.workspace.name, before={**who, **before},
        after={**who, **after},
    )  # fmt: skip
