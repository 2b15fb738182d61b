"""What happens at the door, told on: what is tried as a sighting, what changed as a fact. The library's signals end here."""

from __future__ import annotations

from typing import Any

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.sightings import tell_request
from alwrity_scheduler.signin import reads, services
from alwrity_scheduler.workspaces.models import User


def start() -> None:
    """Connect once, when the apps are ready."""
    from allauth.account import signals as account
    from allauth.mfa import signals as factors
    from allauth.socialaccount import signals as providers
    from django.contrib.auth import signals as auth

    for signal, receiver in (
        (account.user_logged_in, signed_in),
        (auth.user_login_failed, failed),
        (auth.user_logged_out, signed_out),
        (account.password_changed, password_changed),
        (account.password_set, password_changed),
        (account.password_reset, password_reset),
        (account.email_confirmed, address_confirmed),
        (account.email_changed, address_changed),
        (account.email_removed, address_removed),
        (account.user_signed_up, signed_up),
        (factors.authenticator_added, factor_added),
        (factors.authenticator_removed, factor_removed),
        (factors.authenticator_reset, codes_made),
        (factors.authenticator_used, factor_used),
        (factors.authentication_failed, factor_failed),
        (providers.social_account_added, linked),
        (providers.social_account_removed, unlinked),
    ):
        signal.connect(receiver, dispatch_uid=f"signin.{receiver.__name__}.{id(signal)}")


def see(kind: str, request: Any, person: Any = None, *, who: str = "", **details: Any) -> None:
    """One sighting of this request, of a person where it is one's."""
    known = person if isinstance(person, User) and person.pk else None
    tell_request(
        kind,
        request,
        at=clock.now(),
        who=known.get_username() if known else who[:150],
        user_id=known.pk if known else None,
        details=details,
    )


def _record(name: str, request: Any, person: User, **after: Any) -> None:
    services.record(name=name, person=person, actor=services.own_actor(request, person), now=clock.now(), after=after)


def signed_in(request: Any, user: User, **_: Any) -> None:
    from allauth.account.authentication import get_authentication_records

    see("sign_in.succeeded", request, user, methods=[row["method"] for row in get_authentication_records(request)])


def failed(credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    if request is not None:
        name = str(credentials.get("username") or credentials.get("email") or "")
        meant = reads.people_named(name)
        see("sign_in.failed", request, meant[0] if len(meant) == 1 else None, who=name)


def signed_out(request: Any, user: Any, **_: Any) -> None:
    if user is not None:
        see("signed_out", request, user)


def password_changed(request: Any, user: User, **_: Any) -> None:
    see("password.changed", request, user)


def password_reset(request: Any, user: User, **_: Any) -> None:
    see("password.reset", request, user)


def address_confirmed(request: Any, email_address: Any, **_: Any) -> None:
    _record("person.address_confirmed", request, email_address.user)


def address_changed(request: Any, user: User, **_: Any) -> None:
    _record("person.address_changed", request, user)


def address_removed(request: Any, user: User, **_: Any) -> None:
    _record("person.address_removed", request, user)


def signed_up(request: Any, user: User, **_: Any) -> None:
    _record("person.created", request, user)


def factor_added(request: Any, user: User, authenticator: Any, **_: Any) -> None:
    see("mfa.added", request, user, type=authenticator.type)
    _record("person.mfa_added", request, user, type=authenticator.type)


def factor_removed(request: Any, user: User, authenticator: Any, **_: Any) -> None:
    see("mfa.removed", request, user, type=authenticator.type)
    _record("person.mfa_removed", request, user, type=authenticator.type)


def codes_made(request: Any, user: User, **_: Any) -> None:
    see("mfa.added", request, user, type="recovery_codes")
    _record("person.recovery_codes_made", request, user)


def factor_used(request: Any, user: User, authenticator: Any, **_: Any) -> None:
    if authenticator.type == authenticator.Type.RECOVERY_CODES:
        see("mfa.recovery_used", request, user, left=len(authenticator.wrap().get_unused_codes()))


def factor_failed(request: Any, user: User, authenticator: Any, **_: Any) -> None:
    see("mfa.failed", request, user, type=authenticator.type)


def linked(request: Any, sociallogin: Any, **_: Any) -> None:
    see("provider.linked", request, sociallogin.user, provider=sociallogin.account.provider)
    _record("person.login_linked", request, sociallogin.user, provider=sociallogin.account.provider)


def unlinked(request: Any, socialaccount: Any, **_: Any) -> None:
    see("provider.unlinked", request, socialaccount.user, provider=socialaccount.provider)
    _record("person.login_unlinked", request, socialaccount.user, provider=socialaccount.provider)
