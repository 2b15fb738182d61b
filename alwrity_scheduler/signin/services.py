"""The only writers of how a person signs in, beside the library's own flows: one transaction and one fact each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.core.sightings import Sighting, tell
from alwrity_scheduler.workspaces.models import User


def own_actor(request: HttpRequest | None, person: User) -> Actor:
    """The person themselves, also where nobody is signed in yet: at the end of a link from an e-mail."""
    request_id = str(getattr(request, "id", ""))
    return Actor(kind="user", id=str(person.pk), label=person.get_username(), request_id=request_id)


@unit()
def change_password(*, person: User, password: str, actor: Actor, now: datetime) -> None:
    """Set a password that was checked already. Every other session of the person ends: their hash is another's."""
    person.set_password(password)
    person.save(update_fields=["password"])
    emit(_fact("person.password_changed", person, actor, now))


@unit()
def record(*, name: str, person: User, actor: Actor, now: datetime, after: dict[str, Any] | None = None) -> None:
    """The fact of what the library has just written: a factor, a login at a provider, an address. No secrets in `after`."""
    emit(_fact(name, person, actor, now, after))


@unit()
def forget_second_factors(*, person: User, actor: Actor, now: datetime) -> int:
    """For who lost the telephone and the codes: away with all factors and all sessions. Says how many factors there were."""
    from allauth.mfa.models import Authenticator
    from allauth.usersessions.models import UserSession

    factors = Authenticator.objects.filter(user=person)
    types = sorted(factors.values_list("type", flat=True))
    factors.delete()
    for row in UserSession.objects.filter(user=person):
        row.end()
    if types:
        emit(_fact("person.mfa_removed", person, actor, now, {"types": types}))
        seen = Sighting(
            kind="mfa.removed", at=now, who=person.get_username(), user_id=person.pk, request_id=actor.request_id,
            details={"types": types, "by": actor.label},
        )  # fmt: skip
        transaction.on_commit(lambda: tell(seen))
    return len(types)


@unit()
def confirm_address(*, person: User, address: str, actor: Actor, now: datetime) -> None:
    """This address is the person's: a link sent to it was opened. Logins at a provider are matched by such addresses only.

    Nothing changes where it is confirmed already, for this person or (then it stays there) for another.
    """
    from allauth.account.models import EmailAddress

    address = address.strip().lower()
    if not address or EmailAddress.objects.filter(email=address, verified=True).exists():
        return
    has_primary = EmailAddress.objects.filter(user=person, primary=True).exclude(email=address).exists()
    EmailAddress.objects.update_or_create(
        user=person, email=address, defaults={"verified": True, "primary": not has_primary}
    )
    emit(_fact("person.address_confirmed", person, actor, now))


def _fact(name: str, person: User, actor: Actor, now: datetime, after: dict[str, Any] | None = None) -> Fact:
    return Fact(
        name=name,
        at=now,
        actor=actor,
        object_type="person",
        object_id=str(person.pk),
        object_label=person.get_username(),
        after=after or {},
    )
