"""Groups of accounts: chosen together when a post is written, and the list's filter."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import AccountGroup, PlatformAccount

LONGEST_NAME = 80


def groups_of(workspace: Workspace) -> list[AccountGroup]:
    """The workspace's groups by name, with their accounts loaded, as far as the one sees them for whom the workspace was opened:
    two queries."""
    accounts = PlatformAccount.objects.within(workspace)
    rows = AccountGroup.objects.within(workspace).prefetch_related(Prefetch("accounts", accounts))
    return list(rows.order_by("name", "id"))


def expand(*, workspace: Workspace, group_ids: Sequence[UUID]) -> list[PlatformAccount]:
    """The accounts of these groups, each once, in the groups' order; disconnected ones are left out. Raises Refused for a group
    that is not there, and for one that has no account."""
    rows = {row.public_id: row for row in groups_of(workspace) if row.public_id in set(group_ids)}
    problems: list[Problem] = []
    found: dict[int, PlatformAccount] = {}
    for public_id in dict.fromkeys(group_ids):
        row = rows.get(public_id)
        if row is None:
            problems.append(
                Problem(
                    field="account_groups",
                    message=_("There is no group %(public_id)s here.") % {"public_id": public_id},
                    code="not_found",
                )
            )
            continue
        members = [account for account in row.accounts.all() if account.state != "disconnected"]
        if not members:
            words = _("The group %(name)s has no connected account.") % {"name": row.name}
            problems.append(Problem(field="account_groups", message=words, code="empty"))
        found |= {account.pk: account for account in members}
    if problems:
        raise Refused(problems)
    return list(found.values())


@unit()
def create(
    *, workspace: Workspace, name: str, account_ids: Collection[UUID] = (), actor: Actor, now: datetime
) -> AccountGroup:
    """A new group of these accounts. Raises Refused."""
    members = _members(workspace, account_ids)
    row = AccountGroup(workspace=workspace, name=_named(name), created_at=now, updated_at=now)
    _save(row)
    row.accounts.set(members)
    emit(_fact("account_group.created", row, actor, now, {"name": row.name, "accounts": _names(members)}))
    return row


@unit()
def update(
    *,
    group: AccountGroup,
    name: str | None = None,
    account_ids: Collection[UUID] | None = None,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> AccountGroup:
    """Another name, other accounts, or both; None leaves it as it is. Raises Refused, StaleVersion."""
    row = AccountGroup.objects.select_for_update().get(pk=group.pk)
    if version is not None and version != row.version:
        words = _("Somebody changed this group meanwhile. Look at it again.")
        raise StaleVersion(Problem(field="version", message=words, code="stale"))
    before, old = row.name, list(row.accounts.order_by("id"))
    members = old if account_ids is None else _members(row.workspace, account_ids)
    row.name = before if name is None else _named(name)
    if row.name == before and {item.pk for item in members} == {item.pk for item in old}:
        return row
    row.version, row.updated_at = row.version + 1, now
    _save(row)
    row.accounts.set(members)
    emit(
        _fact(
            "account_group.changed",
            row,
            actor,
            now,
            {"name": row.name, "accounts": _names(members)},
            before={"name": before, "accounts": _names(old)},
        )
    )
    return row


@unit()
def delete(*, group: AccountGroup, actor: Actor, now: datetime) -> None:
    """The accounts stay, and so does what was scheduled through it."""
    row = AccountGroup.objects.select_for_update().filter(pk=group.pk).first()
    if row is None:
        return
    emit(_fact("account_group.deleted", row, actor, now, {}, before={"name": row.name}))
    row.delete()


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        words = _("Give the group a name of at most %(most)s characters.") % {"most": LONGEST_NAME}
        raise Refused(Problem(field="name", message=words, code="required"))
    return name


def _members(workspace: Workspace, account_ids: Collection[UUID]) -> list[PlatformAccount]:
    wanted = set(account_ids)
    rows = list(PlatformAccount.objects.filter(workspace=workspace, public_id__in=wanted).order_by("id"))
    if len(rows) != len(wanted):
        words = _("One of these accounts is not in this workspace.")
        raise Refused(Problem(field="accounts", message=words, code="not_found"))
    return rows


def _save(row: AccountGroup) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        words = _("There is a group %(name)s already. Choose another name.") % {"name": row.name}
        raise Refused(Problem(field="name", message=words, code="taken")) from None


def _names(rows: Sequence[PlatformAccount]) -> list[str]:
    return [f"{row.platform}:{row.handle}" for row in rows]


def _fact(
    name: str,
    row: AccountGroup,
    actor: Actor,
    now: datetime,
    after: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
) -> Fact:
    return Fact(
        name=name,
        at=now,
        actor=actor,
        object_type="account_group",
        object_id=str(row.public_id),
        object_label=row.name,
        workspace_id=row.workspace_id,
        before=before or {},
        after=after,
    )
