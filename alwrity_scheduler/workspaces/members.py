"""The only writer of memberships: give a role, take somebody out, leave. Each one transaction and one fact.

Nobody raises their own role, nobody gives a role above their own, and a workspace keeps an owner. Which accounts a member
sees is set by `platforms.services.grants`.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import NotAllowed, Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces import rules
from alwrity_scheduler.workspaces.models import Membership, User, Workspace
from alwrity_scheduler.workspaces.roles import Role

# roles whose holders see every account
SEE_ALL = frozenset({Role.OWNER.value, Role.MANAGER.value})


@unit()
def set_role(*, workspace: Workspace, user: User, role: str, actor: Actor, now: datetime) -> Membership:
    """Give a person a role, as a new member or instead of the old role. Raises Refused, NotAllowed."""
    rules.known_role(role)
    # two owners who step down at the same time wait for each other here
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    old = Membership.objects.filter(workspace=workspace, user=user).values_list("role", flat=True).first()
    is_self = actor.kind == "user" and actor.id == str(user.pk)
    if old and is_self and rules.is_above(role, old):
        words = _("Nobody raises their own role. Ask an owner.")
        raise NotAllowed(Problem(field="role", message=words, code="not_allowed"))
    rules.not_above_the_actor(role, actor, workspace)
    if old:
        rules.not_above_the_actor(old, actor, workspace)
        _keep_an_owner(workspace, user, role)
    membership, _made = Membership.objects.update_or_create(
        workspace=workspace, user=user, defaults={"role": role}, create_defaults={"role": role, "created_at": now}
    )
    if membership.is_limited and role in SEE_ALL:
        set_limited(membership, limited=False)
    note_limits(user)
    emit(
        _fact(
            "member.role_set", workspace, actor, now,
            before={"user": user.get_username(), "role": old}, after={"user": user.get_username(), "role": role},
        )
    )  # fmt: skip
    return membership


@unit()
def remove_member(*, membership: Membership, actor: Actor, now: datetime) -> None:
    """Take somebody out of a workspace. What they made stays. Raises Refused for the last owner."""
    _end(membership, "member.removed", actor, now)


@unit()
def leave(*, membership: Membership, actor: Actor, now: datetime) -> None:
    """Go oneself. Raises Refused for the last owner."""
    _end(membership, "member.left", actor, now)


def _end(membership: Membership, name: str, actor: Actor, now: datetime) -> None:
    workspace, user = membership.workspace, membership.user
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    if name == "member.removed":
        rules.not_above_the_actor(membership.role, actor, workspace)
    _keep_an_owner(workspace, user, "")
    number, _rows = Membership.objects.filter(pk=membership.pk).delete()
    if not number:
        return
    note_limits(user)
    emit(_fact(name, workspace, actor, now, before={"user": user.get_username(), "role": membership.role}))


def set_limited(membership: Membership, *, limited: bool) -> None:
    """In the caller's transaction: does this member see only the accounts that are granted?"""
    Membership.objects.filter(pk=membership.pk).update(is_limited=limited)
    membership.is_limited = limited
    if not limited:
        membership.account_grants.all().delete()
    note_limits(membership.user)


def note_limits(user: User) -> None:
    """Keep on the person whether any membership narrows what they see, so that nobody else pays for the question."""
    narrowed = Membership.objects.filter(Q(is_limited=True) | Q(role=Role.REVIEWER), user=user).exists()
    User.objects.filter(pk=user.pk).update(is_limited=narrowed)
    user.is_limited = narrowed


def _keep_an_owner(workspace: Workspace, user: User, role: str) -> None:
    others = Membership.objects.filter(workspace=workspace, role=Role.OWNER).exclude(user=user)
    was_owner = Membership.objects.filter(workspace=workspace, user=user, role=Role.OWNER).exists()
    if was_owner and role != Role.OWNER and not others.exists():
        raise Refused(
            Problem(field="role", message=_("A workspace needs an owner: make somebody else an owner first."))
        )


def _fact(
    name: str, workspace: Workspace, actor: Actor, now: datetime, *,
    before: dict[str, object] | None = None, after: dict[str, object] | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, workspace_id=workspace.pk, object_type="workspace", object_id=str(workspace.public_id),
        object_label=workspace.name, before=before or {}, after=after or {},
    )  # fmt: skip
