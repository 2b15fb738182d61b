"""The lock on guessing: whose it is, how long it holds, and who is told. The counting is the library's (its rate limits)."""

from __future__ import annotations

import math

from allauth.account import app_settings
from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.sightings import address_of
from alwrity_scheduler.signin import mails, reads
from alwrity_scheduler.workspaces.models import User

ACTION = "login_failed"


def person_named(name: str) -> User | None:
    """Who is meant by a user name or an e-mail address, where it is exactly one person."""
    found = reads.people_named(name)
    return found[0] if len(found) == 1 else None


def key_of(name: str) -> str:
    """One lock for a person, by whichever name they are tried; one of its own for a name that is nobody's."""
    person = person_named(name)
    return f"person:{person.pk}" if person else f"name:{name.lower()}"


def minutes_left(request: HttpRequest, key: str) -> int:
    """Until the next try counts again, at least 1."""
    now = clock.now().timestamp()
    waits = [1.0]
    for rate in ratelimit.parse_rates(app_settings.RATE_LIMITS.get(ACTION)):
        history = cache.get(ratelimit.get_cache_key(request, action=ACTION, rate=rate, key=key), [])
        fresh = [at for at in history if at > now - rate.duration]
        if len(fresh) >= rate.amount:
            waits.append((min(fresh) + rate.duration - now) / 60)
    return math.ceil(max(waits))


def tell_the_person(request: HttpRequest, person: User | None, *, minutes: int) -> None:
    """By mail, once for each lock."""
    if person is None or not person.email or not person.is_active:
        return
    if not cache.add(f"signin.lock-told.{person.pk}", True, timeout=60 * minutes):
        return
    # not in the language of whoever guesses
    with translation.override(person.language or settings.LANGUAGE_CODE):
        words = _(
            "Somebody tried to sign in as %(name)s too often, the last time from %(address)s. For %(minutes)s minutes nobody "
            "can sign in with this name.\n\nIf that was you, wait and try again, or reset your password. If it was not you, "
            "nothing was opened; a second step at sign-in makes guessing useless: %(page)s\n"
        ) % {
            "name": person.get_username(),
            "address": address_of(request),
            "minutes": minutes,
            "page": f"{settings.PUBLIC_URL}/account/2fa/",
        }
        mails.send(EmailMessage(_("ALwrity Scheduler: your sign-in is locked for a while"), words, to=[person.email]))
