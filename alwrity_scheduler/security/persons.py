"""A person's data: all of it in one file for them, and none of it left when they go.

Each package says what it holds of people (`holders`). Deleting the row of the person takes along what is only theirs (memberships,
drafts, notices, second factors, sessions); posts they wrote stay the team's, and name nobody. What else carries a name is
rewritten by the holders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.sessions.models import Session
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.core.registry import Registry
from alwrity_scheduler.security.models import SecurityEvent
from alwrity_scheduler.security.services import forget_person
from alwrity_scheduler.workspaces.models import ApiToken, Invitation, Membership, User, Workspace

SHOWN = (
    "username", "email", "first_name", "last_name", "timezone", "language", "theme", "week_start", "hour_cycle", "density",
    "single_keys", "date_joined", "last_login",
)  # fmt: skip
MOST_EVENTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """export: what is held of a person, as JSON values. erase: takes the name out of what stays; runs in the erasing transaction,
    before the person's row goes, and gets the word that stands instead."""

    export: Callable[[User], Any]
    erase: Callable[[User, str], object]


holders: Registry[Holder] = Registry("holder of personal data")


def export(*, person: User, now: datetime) -> dict[str, Any]:
    """Everything that is held of one person, as JSON values; no password, no secret of a token or of a second factor."""
    return {
        "made_at": now.isoformat(),
        "person": {name: _plain(getattr(person, name)) for name in SHOWN},
        **{name: holder.export(person) for name, holder in holders.items()},
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


@unit()
def erase(*, person: User, actor: Actor, now: datetime) -> str:
    """Delete a person and take their name out of what stays. Returns the word that stands instead.

    Refused while a workspace would be left without an owner.
    """
    alone = [room.name for room in Workspace.objects.filter(memberships__user=person, memberships__role="owner")
             if not Membership.objects.filter(workspace=room, role="owner").exclude(user=person).exists()]  # fmt: skip
    if alone:
        words = _("Nobody else owns %(names)s. Make somebody else an owner there first.") % {"names": ", ".join(alone)}
        raise Refused(Problem(field="person", message=words, code="last_owner"))
    instead = f"erased-{person.pk}"
    memberships = Membership.objects.filter(user=person).order_by("workspace_id")
    rooms: list[int | None] = list(memberships.values_list("workspace_id", flat=True))
    for holder in holders.values():
        holder.erase(person, instead)
    _end_sessions(person)
    reference = str(person.pk)
    # by one's own hand: the name of who did it is the one that goes
    told = Actor(kind=actor.kind, id=actor.id, label=instead) if actor.id == reference else actor
    person.delete()
    for room in rooms or [None]:
        emit(
            Fact(
                name="person.erased", at=now, actor=told, workspace_id=room, object_type="person", object_id=reference,
                object_label=instead,
            )
        )  # fmt: skip
    return instead


def names_of(person: User) -> set[str]:
    """What a person may be called in a log."""
    return {person.get_username(), person.email, person.get_full_name()} - {""}


def _end_sessions(person: User) -> None:
    for session in Session.objects.iterator():
        if session.get_decoded().get("_auth_user_id") == str(person.pk):
            session.delete()


def _memberships(person: User) -> list[dict[str, Any]]:
    rows = Membership.objects.filter(user=person).select_related("workspace")
    return [{"workspace": row.workspace.name, "role": row.role, "since": row.created_at.isoformat()} for row in rows]


def _tokens(person: User) -> list[dict[str, Any]]:
    rows = ApiToken.objects.filter(created_by=person).select_related("workspace")
    return [{"workspace": row.workspace.name, "name": row.name, "made_at": row.created_at.isoformat()} for row in rows]


def _invitations(person: User) -> list[dict[str, Any]]:
    rows = Invitation.objects.filter(accepted_by=person).select_related("workspace")
    return [{"workspace": row.workspace.name, "email": row.email, "at": row.created_at.isoformat()} for row in rows]


def _events(person: User) -> list[dict[str, Any]]:
    names = ("at", "kind", "who", "address", "agent")
    rows = SecurityEvent.objects.of_person(person).order_by("-id").values(*names)[:MOST_EVENTS]
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def connect() -> None:
    """Called once, when Django is ready."""
    nothing: Callable[[User, str], object] = lambda person, instead: None  # noqa: E731 - the row's deletion takes it along
    holders.register("memberships", Holder(export=_memberships, erase=nothing))
    holders.register("tokens_made", Holder(export=_tokens, erase=nothing))
    holders.register(
        "invitations",
        Holder(
            export=_invitations, erase=lambda person, instead: Invitation.objects.filter(accepted_by=person).delete()
        ),
    )
    holders.register(
        "security_log",
        Holder(
            export=_events,
            erase=lambda person, instead: forget_person(user_id=person.pk, names=names_of(person), instead=instead),
        ),
    )
