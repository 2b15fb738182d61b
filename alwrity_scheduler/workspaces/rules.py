"""What a role, a scope, a network or an address of mail given from outside must be. Raises Refused; reads, and writes nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import NotAllowed, Problem, Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces.models import ApiToken, Membership, User, Workspace
from alwrity_scheduler.workspaces.roles import RANK, Role
from alwrity_scheduler.workspaces.scopes import SCOPES, covers

MOST_NETWORKS = 50


def known_role(role: str) -> str:
    if role not in list(Role):
        raise Refused(
            Problem(
                field="role",
                message=_("'%(role)s' is not a role; choose one of %(roles)s.")
                % {"role": role, "roles": ", ".join(Role)},
            )
        )
    return role


def is_above(role: str, other: str) -> bool:
    """Does `role` hold more than `other`? The outside reviewer holds less than all."""
    return _place(role) < _place(other)


def _place(role: str) -> int:
    return RANK.index(Role(role)) if role in RANK else len(RANK)


def role_of_actor(actor: Actor, workspace: Workspace) -> str:
    """The role in which somebody acts in the workspace; empty for commands, the engine, and administrators from outside, whom
    the interfaces have let through."""
    found: Any
    if actor.kind == "token":
        found = ApiToken.objects.filter(public_id=actor.id, workspace=workspace).values_list("role", flat=True)
    elif actor.kind == "user" and actor.id.isdecimal():
        rows = Membership.objects.filter(workspace=workspace, user_id=int(actor.id), user__is_superuser=False)
        found = rows.values_list("role", flat=True)
    else:
        return ""
    return str(found.first() or "")


def not_above_the_actor(role: str, actor: Actor, workspace: Workspace) -> None:
    """Nobody gives more than they have."""
    own = role_of_actor(actor, workspace)
    if own and is_above(role, own):
        words = _("You are %(own)s here, so you cannot give the role %(role)s. Ask somebody who has it.")
        raise NotAllowed(Problem(field="role", message=words % {"own": own, "role": role}, code="not_allowed"))


def known_scopes(scopes: Iterable[str], *, within: Collection[str] | None = None) -> list[str]:
    """In the order of the table, each once. `within`: the scopes of whoever gives them; None is no narrowing."""
    wanted = set(scopes)
    problems = [
        Problem(
            field="scopes",
            message=_("'%(scope)s' is not a scope; choose of %(scopes)s.")
            % {"scope": scope, "scopes": ", ".join(SCOPES)},
            code="unknown",
        )
        for scope in sorted(wanted.difference(SCOPES))
    ]
    if problems:
        raise Refused(problems)
    if within is not None and not wanted:
        words = _("You are narrowed to some scopes yourself, so say which of them the token gets.")
        raise NotAllowed(Problem(field="scopes", message=words, code="not_allowed"))
    for scope in sorted(wanted):
        area, _colon, way = scope.partition(":")
        if not covers(within, area, writes=way == "write"):
            words = _("You do not have the scope %(scope)s yourself, so you cannot give it.") % {"scope": scope}
            raise NotAllowed(Problem(field="scopes", message=words, code="not_allowed"))
    return [scope for scope in SCOPES if scope in wanted]


def known_networks(networks: Iterable[str]) -> list[str]:
    """Addresses and networks in CIDR form, written out: `192.0.2.7` becomes `192.0.2.7/32`."""
    found: dict[str, None] = {}
    problems = []
    for given in networks:
        try:
            found[str(ipaddress.ip_network(given.strip()))] = None
        except ValueError:
            words = _("'%(given)s' is no network; write an address like 192.0.2.7 or a network like 192.0.2.0/24.")
            problems.append(Problem(field="networks", message=words % {"given": given[:60]}, code="network"))
    if len(found) > MOST_NETWORKS:
        problems.append(
            Problem(field="networks", message=_("List at most %(most)s networks.") % {"most": MOST_NETWORKS})
        )
    if problems:
        raise Refused(problems)
    return list(found)


def holds_address(networks: Iterable[str], address: str) -> bool:
    """Is the address in one of the networks? No networks is from anywhere; what is no address is in none."""
    listed = list(networks)
    if not listed:
        return True
    try:
        one = ipaddress.ip_address(address)
    except ValueError:
        return False
    one = getattr(one, "ipv4_mapped", None) or one
    return any(one in ipaddress.ip_network(network) for network in listed)


def mail_address(given: str) -> str:
    """The address in the form in which it is kept and compared."""
    address = given.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        words = _("Write an e-mail address like ana@example.com.")
        raise Refused(Problem(field="email", message=words, code="email")) from None
    if len(address) > 254:
        raise Refused(Problem(field="email", message=_("This address is too long."), code="email"))
    return address


def not_a_member_yet(workspace: Workspace, email: str) -> None:
    if User.objects.filter(email__iexact=email, memberships__workspace=workspace).exists():
        words = _("Somebody with this address is in the workspace already; change their role there.")
        raise Refused(Problem(field="email", message=words, code="member"))
