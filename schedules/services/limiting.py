"""What limited people and tokens may not change: whatever also hangs on accounts that are not granted to them.

One place for every interface: what they did is looked at as facts, before it is kept (`core.events.guard`). Whoever is not
limited is never asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import NotAllowed, Problem
from alwrity_scheduler.core.events import Actor, Fact
from alwrity_scheduler.workspaces.models import Membership, User
from platforms.models import AccountGrant, PlatformAccount
from schedules.models import Job, Schedule
from schedules.models.schedules import Target


def check(facts: Sequence[Fact]) -> None:
    """Raise NotAllowed, which undoes what was done, when something of it touches an account that is not granted."""
    granted: dict[tuple[str, int], frozenset[int] | None] = {}
    for fact in facts:
        if fact.workspace_id is None:
            continue
        key = (fact.actor.id, fact.workspace_id)
        if key not in granted:
            granted[key] = _granted(fact.actor, fact.workspace_id)
        allowed = granted[key]
        if allowed is not None and set(_touched(fact)) - allowed:
            raise _not_yours(allowed)


def require_all(schedule: Schedule, actor: Actor) -> None:
    """Before a change that may take accounts away: are all of them granted? Free for whoever is not limited."""
    if not actor.is_limited:
        return
    allowed = _granted(actor, schedule.workspace_id)
    if allowed is not None and _accounts_of(schedule) - allowed:
        raise _not_yours(allowed)


def has_foreign(schedule: Schedule, person: User) -> bool:
    """Does it go to an account that is not granted to this person?"""
    allowed = _granted(Actor(kind="user", id=str(person.pk), label=""), schedule.workspace_id)
    return allowed is not None and bool(_accounts_of(schedule) - allowed)


def _accounts_of(schedule: Schedule) -> set[int]:
    return set(Target.objects.filter(schedule=schedule).values_list("account_id", flat=True))


def _granted(actor: Actor, workspace_id: int) -> frozenset[int] | None:
    """The accounts granted in this workspace; None where the actor sees all of it."""
    rows = AccountGrant.objects.filter(account__workspace_id=workspace_id)
    if actor.kind == "token":
        return frozenset(rows.filter(token__public_id=UUID(actor.id)).values_list("account_id", flat=True))
    member = Membership.objects.filter(user_id=int(actor.id), workspace_id=workspace_id, is_limited=True).first()
    return None if member is None else frozenset(rows.filter(membership=member).values_list("account_id", flat=True))


def _touched(fact: Fact) -> Iterable[int]:
    """The accounts on which that has an effect."""
    if fact.object_type == "schedule":
        rows = Target.objects.filter(schedule__public_id=fact.object_id)
    elif fact.object_type == "content":
        rows = Target.objects.filter(schedule__content__public_id=fact.object_id)
    elif fact.object_type == "job":
        return Job.objects.filter(public_id=fact.object_id).values_list("account_id", flat=True)
    elif fact.object_type == "account":
        return PlatformAccount.objects.filter(public_id=fact.object_id).values_list("pk", flat=True)
    else:
        return ()
    return rows.order_by().values_list("account_id", flat=True)


def _not_yours(allowed: frozenset[int]) -> NotAllowed:
    mine = PlatformAccount.objects.filter(pk__in=allowed).order_by("name", "id").values_list("name", flat=True)
    if mine:
        words = _(
            "This also goes to accounts that are not given to you, so you cannot change it. Yours are %(accounts)s; ask an "
            "owner for the others."
        ) % {"accounts": ", ".join(mine)}
    else:
        words = _("No account is given to you here, so you cannot change this. Ask an owner.")
    return NotAllowed(Problem(field="accounts", message=words, code="not_granted"))
