"""How a person signs in, for the pages that show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from alwrity_scheduler.workspaces.models import Membership, User
from alwrity_scheduler.workspaces.roles import Role


def people_named(name: str) -> list[User]:
    """Whom a user name or an e-mail address can mean: nearly always one person or none. By name first."""
    from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username

    if not name:
        return []
    by_name = get_user_by_username(name)
    by_address = filter_users_by_email(name, prefer_verified=True, for_login=True) if "@" in name else []
    found = [person for person in (by_name, *by_address) if person is not None]
    return list({person.pk: person for person in found}.values())


@dataclass(frozen=True, slots=True)
class Standing:
    """codes_left is None where there are none to have; passkeys are (name, used without a password)."""

    has_password: bool
    has_app: bool
    keys: tuple[str, ...]
    codes_left: int | None
    sessions: int
    logins: tuple[str, ...]
    providers: bool
    addresses: tuple[tuple[str, bool], ...]
    must: bool

    @property
    def has_second_step(self) -> bool:
        return self.has_app or bool(self.keys)


def standing(person: User) -> Standing:
    """Four queries, however much there is."""
    from allauth.account.models import EmailAddress
    from allauth.mfa.models import Authenticator
    from allauth.socialaccount.models import SocialAccount
    from allauth.usersessions.models import UserSession

    factors = list(Authenticator.objects.filter(user=person).order_by("pk"))
    codes = next((row for row in factors if row.type == Authenticator.Type.RECOVERY_CODES), None)
    names = {app["provider_id"]: app["name"] for app in settings.SIGNIN_OIDC}
    linked = SocialAccount.objects.filter(user=person).order_by("pk").values_list("provider", flat=True)
    rows = EmailAddress.objects.filter(user=person).order_by("-primary", "email").values_list("email", "verified")
    addresses = tuple((str(email), bool(verified)) for email, verified in rows)
    return Standing(
        has_password=person.has_usable_password(),
        has_app=any(row.type == Authenticator.Type.TOTP for row in factors),
        keys=tuple(str(row.data.get("name", "")) for row in factors if row.type == Authenticator.Type.WEBAUTHN),
        codes_left=len(codes.wrap().get_unused_codes()) if codes else None,
        sessions=UserSession.objects.filter(user=person).count(),
        logins=tuple(str(names.get(provider, provider)) for provider in linked),
        providers=bool(names),
        addresses=addresses or (((person.email, False),) if person.email else ()),
        must=must_have_second_step(person),
    )


def held(person: User) -> list[dict[str, Any]]:
    """What is kept of a person's ways in, for their copy of it; seeds and keys stay out. All of it goes with them."""
    from allauth.account.models import EmailAddress
    from allauth.mfa.models import Authenticator
    from allauth.socialaccount.models import SocialAccount
    from allauth.usersessions.models import UserSession

    return [
        *({"address": row.email, "confirmed": row.verified} for row in EmailAddress.objects.filter(user=person)),
        *(
            {"second_step": row.type, "since": row.created_at.isoformat()}
            for row in Authenticator.objects.filter(user=person).order_by("pk")
        ),
        *({"login": row.provider, "said": row.extra_data} for row in SocialAccount.objects.filter(user=person)),
        *(
            {"session": row.ip, "agent": row.user_agent, "since": row.created_at.isoformat()}
            for row in UserSession.objects.filter(user=person).order_by("pk")
        ),
    ]


def must_have_second_step(person: Any) -> bool:
    """By `SIGNIN_REQUIRE_MFA`; each of its values holds the ones before."""
    rule = settings.SIGNIN_REQUIRE_MFA
    if rule == "none":
        return False
    if rule == "everyone" or person.is_staff or person.is_superuser:
        return True
    return rule == "owners" and Membership.objects.filter(user=person, role=Role.OWNER).exists()


def lacks_second_step(person: Any) -> bool:
    from allauth.mfa.models import Authenticator

    if not must_have_second_step(person):
        return False
    strong = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    return not Authenticator.objects.filter(user=person, type__in=strong).exists()


@dataclass(frozen=True, slots=True)
class Device:
    """One open session, in words that a person knows their device by."""

    pk: int
    browser: str
    system: str
    address: str
    since: datetime
    seen: datetime
    is_this: bool


# what an agent string holds -> what people call it; the first that is found counts
BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def _named(agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for part, name in names if part in agent), "")


def devices(rows: list[Any], key: str | None) -> list[Device]:
    """This one first, then the ones seen last."""
    found = [
        Device(
            pk=row.pk,
            browser=_named(row.user_agent, BROWSERS) or row.user_agent[:60],
            system=_named(row.user_agent, SYSTEMS),
            address=row.ip,
            since=row.created_at,
            seen=row.last_seen_at,
            is_this=row.session_key == key,
        )
        for row in rows
    ]
    return sorted(found, key=lambda device: (not device.is_this, -device.seen.timestamp()))
