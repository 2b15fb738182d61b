"""Signing in at a platform and coming back (OAuth 2, authorization code, RFC 6749 section 4.1, with PKCE, RFC 7636).

`start` sends the person there, `answered` takes what they bring back, `finish` connects what they chose. The calls to the platform
are made between the transactions. What must not leave the server (the verifier, what was granted) lies encrypted on the attempt's
row, and is forgotten as soon as it has been used.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, unit
from alwrity_scheduler.core.secrets import CannotDecrypt
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.base import SignsIn
from platforms.contracts import ClientApp, Grant, Place
from platforms.errors import PlatformError, Rejected, UnknownOutcome, clean
from platforms.models import PlatformAccount, SignInAttempt
from platforms.oauth2 import challenge_of
from platforms.registry import adapters
from platforms.services import accounts, apps

logger = logging.getLogger(__name__)
LIFE = timedelta(minutes=10)  # from here to the platform and back
CHOICE = timedelta(minutes=30)  # to choose what to connect
CALL_SECONDS = 20.0
MOST_PLACES = 500
LONGEST_WORDS = 300
Answer = TypeVar("Answer")


class NotSignedIn(Exception):
    """The sign-in did not work out. `str(error)` says why and what to do; `by_choice`: the person said no at the platform."""

    def __init__(self, words: str, *, attempt: SignInAttempt | None = None, by_choice: bool = False) -> None:
        super().__init__(words)
        self.attempt = attempt
        self.by_choice = by_choice


@dataclass(frozen=True, slots=True)
class Choice:
    """One place that can be connected. account: what it is connected as already."""

    number: int
    handle: str
    name: str
    kind: str
    account: PlatformAccount | None


def start(
    *,
    workspace: Workspace,
    platform: str,
    options: Mapping[str, Any],
    person: User,
    browser: str,
    account: PlatformAccount | None = None,
    actor: Actor,
    now: datetime,
) -> str:
    """The address at the platform to which the person is sent. `browser`: what names the session they sit in. May call the
    platform, to get an app there. Raises Refused."""
    adapter = _signing(platform)
    label = str(getattr(adapter, "label", platform))
    missing = [
        Problem(field=name, message=_("Fill this in before signing in."), code="required")
        for name in adapter.sign_in_fields
        if not str(options.get(name) or "").strip()
    ]
    if missing:
        raise Refused(missing)
    field = adapter.sign_in_fields[0] if adapter.sign_in_fields else "sign_in"
    try:
        app = _asked(
            lambda: apps.client_app(workspace=workspace, platform=platform, options=options, actor=actor, now=now)
        )
    except CannotDecrypt as error:
        raise Refused(
            Problem(field="sign_in", message=_("The app's secret: %(error)s") % {"error": error}, code="app_unreadable")
        ) from None
    except PlatformError as error:
        raise Refused(Problem(field=field, message=words_of(error), code="no_app")) from None
    if app is None:
        message = _("There is no sign-in app for %(label)s yet. Enter one under Accounts, Sign-in apps.") % {
            "label": label
        }
        raise Refused(Problem(field="sign_in", message=message, code="no_app"))
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48) if adapter.uses_pkce else ""
    try:
        url: str = _asked(
            lambda: adapter.authorize_url(app, state=state, challenge=challenge_of(verifier) if verifier else "")
        )
    except PlatformError as error:
        raise Refused(Problem(field=field, message=words_of(error), code="no_app")) from None
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Refused(
            Problem(field=field, message=_("This is not the address of a server: write https://…"), code="url")
        )
    with unit():
        SignInAttempt.objects.filter(expires_at__lte=now).delete()
        SignInAttempt.objects.create(
            workspace=workspace,
            user=person,
            browser=digest(browser),
            platform=platform,
            account=account,
            state_hash=digest(state),
            client_id=app.client_id,
            redirect_uri=app.redirect_uri,
            options=dict(app.options),
            secrets={"verifier": verifier, "client_secret": app.client_secret},
            created_at=now,
            expires_at=now + LIFE,
        )
    return url


def answered(
    *,
    state: str,
    code: str,
    error: str = "",
    description: str = "",
    person: User,
    browser: str,
    now: datetime,
) -> SignInAttempt:
    """Take the platform's answer, once, from the person and browser that began: exchange the code and ask what it may publish to.
    Raises NotSignedIn."""
    attempt = _mine(SignInAttempt.objects.filter(state_hash=digest(state)).first() if state else None, person, browser)
    if attempt.used_at is not None:
        raise NotSignedIn(
            _("This sign-in was answered already. Begin it again if nothing was connected."), attempt=attempt
        )
    if attempt.expires_at <= now:
        raise NotSignedIn(_("The sign-in took longer than ten minutes. Begin it again."), attempt=attempt)
    if not SignInAttempt.objects.filter(pk=attempt.pk, used_at=None).update(used_at=now):
        raise NotSignedIn(
            _("This sign-in was answered already. Begin it again if nothing was connected."), attempt=attempt
        )
    try:
        return _exchanged(attempt, code, error, description, now)
    except NotSignedIn:
        SignInAttempt.objects.filter(pk=attempt.pk).update(secrets={})
        raise


def _exchanged(attempt: SignInAttempt, code: str, error: str, description: str, now: datetime) -> SignInAttempt:
    if error:
        raise _told_no(attempt, error, description)
    if not code:
        raise NotSignedIn(_("The platform's answer brings no code. Begin the sign-in again."), attempt=attempt)
    try:
        held = dict(attempt.secrets)
    except CannotDecrypt as lost:
        raise NotSignedIn(" ".join([_("The sign-in cannot be finished."), str(lost)]), attempt=attempt) from None
    app = ClientApp(
        client_id=attempt.client_id,
        client_secret=held.get("client_secret", ""),
        redirect_uri=attempt.redirect_uri,
        options=attempt.options,
    )
    hide = [value for value in (code, *held.values()) if len(value) > 3]
    try:
        adapter = _signing(attempt.platform)
        grant: Grant = _asked(
            lambda: adapter.exchange(app, code=code, verifier=held.get("verifier", ""), timeout=CALL_SECONDS)
        )
        hide += [value for value in grant.credentials.values() if len(value) > 3]
        places = list(_asked(lambda: adapter.places(app, grant, timeout=CALL_SECONDS)))[:MOST_PLACES]
    except Refused as refused:
        raise NotSignedIn(refused.problems[0].message, attempt=attempt) from None
    except PlatformError as failed:
        failed.hide(hide)
        raise NotSignedIn(" ".join([_("The sign-in did not work out."), words_of(failed)]), attempt=attempt) from None
    if not places:
        raise NotSignedIn(
            "You signed in, but there is nothing there that you may publish to: no page, no profile. "
            "Ask whoever owns it for the right to publish, then sign in again.",
            attempt=attempt,
        )
    attempt.secrets = {"places": json.dumps([_kept(place) for place in places])}
    attempt.missing_scopes = [] if grant.scopes is None else sorted(set(adapter.scopes) - grant.scopes)
    attempt.grant_expires_at = grant.expires_at
    attempt.answered_at, attempt.expires_at = now, now + CHOICE
    attempt.save(update_fields=["secrets", "missing_scopes", "grant_expires_at", "answered_at", "expires_at"])
    return attempt


def waiting(*, public_id: UUID, person: User, browser: str, now: datetime) -> SignInAttempt:
    """The answered attempt whose places this person, in this browser, may still choose from. Raises NotSignedIn."""
    attempt = _mine(SignInAttempt.objects.filter(public_id=public_id).first(), person, browser)
    if attempt.finished_at is not None:
        raise NotSignedIn("What this sign-in brought is connected already.", attempt=attempt)
    if attempt.answered_at is None or attempt.expires_at <= now:
        raise NotSignedIn(
            _("The choice was open for half an hour and is over. Begin the sign-in again."), attempt=attempt
        )
    return attempt


def choices(attempt: SignInAttempt) -> list[Choice]:
    """What the sign-in may publish to, in the platform's order. Names only; the secrets stay where they are."""
    found = []
    for number, place in enumerate(_places(attempt)):
        account = accounts.standing_for(attempt.workspace, attempt.platform, accounts.handle_of(place))
        found.append(Choice(number, accounts.handle_of(place), place.name or place.handle, place.kind, account))
    return found


@unit()
def finish(
    *,
    attempt: SignInAttempt,
    chosen: Collection[int],
    despite_missing: bool = False,
    timezone: str,
    actor: Actor,
    now: datetime,
) -> list[PlatformAccount]:
    """Connect the chosen places, all or none. Rights that are missing must have been accepted. Raises Refused."""
    row = SignInAttempt.objects.select_for_update().get(pk=attempt.pk)
    if row.finished_at is not None:
        raise Refused(
            Problem(field="chosen", message=_("What this sign-in brought is connected already."), code="used")
        )
    places = _places(row)
    picked = [place for number, place in enumerate(places) if number in set(chosen)]
    if not picked:
        raise Refused(Problem(field="chosen", message=_("Choose at least one to connect."), code="required"))
    if row.missing_scopes and not despite_missing:
        message = _("Rights are missing: %(rights)s. Sign in again and allow them, or connect anyway.") % {
            "rights": ", ".join(row.missing_scopes)
        }
        raise Refused(Problem(field="despite", message=message, code="missing_scopes"))
    made = [
        accounts.sign_in(
            workspace=row.workspace,
            platform=row.platform,
            place=place,
            grant_key=row.public_id,
            expires_at=row.grant_expires_at,
            missing_scopes=row.missing_scopes,
            timezone=timezone,
            actor=actor,
            now=now,
        )
        for place in picked
    ]
    SignInAttempt.objects.filter(pk=row.pk).update(finished_at=now, secrets={})
    return made


def forget_old(*, now: datetime) -> int:
    """Remove attempts whose time is over, and what they hold."""
    return SignInAttempt.objects.filter(expires_at__lte=now).delete()[0]


def words_of(error: PlatformError) -> str:
    """What went wrong, with the platform's own words."""
    said = error.platform_message.strip()
    return f"{error} It said: {said[:LONGEST_WORDS]}" if said and said not in str(error) else str(error)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _mine(attempt: SignInAttempt | None, person: User, browser: str) -> SignInAttempt:
    if attempt is None:
        raise NotSignedIn(
            _("This answer belongs to no sign-in that was begun here, or to one that is long over. Begin it again.")
        )
    if attempt.user_id != person.pk or not secrets.compare_digest(attempt.browser, digest(browser)):
        raise NotSignedIn(
            _(
                "This sign-in was begun in another browser, or before you signed in here anew. Nothing was connected. "
                "Begin it again in this browser."
            )
        )
    return attempt


def _told_no(attempt: SignInAttempt, error: str, description: str) -> NotSignedIn:
    if error in ("access_denied", "user_cancelled_login", "user_cancelled_authorize"):
        return NotSignedIn(
            _("You did not allow it at the platform. Nothing was connected."), attempt=attempt, by_choice=True
        )
    said = clean(description or error)[:LONGEST_WORDS]
    return NotSignedIn(_("The platform did not let you sign in. It said: %(words)s") % {"words": said}, attempt=attempt)


def _signing(platform: str) -> Any:
    adapter: Any = adapters.get(platform)
    if not isinstance(adapter, SignsIn):
        raise Refused(Problem(field="platform", message=_("Nobody signs in at this platform."), code="unknown"))
    return adapter


def _asked(question: Callable[[], Answer]) -> Answer:
    """The edge to foreign code: what it raises besides the five errors is told of by its class alone, for it may quote a secret."""
    try:
        return question()
    except (PlatformError, CannotDecrypt):
        raise
    except Exception as error:
        logger.error(
            "An adapter failed while a person signed in (%s).", type(error).__name__, extra={"action": "sign_in_failed"}
        )
        raise UnknownOutcome(f"The adapter failed ({type(error).__name__}). This is a fault of the adapter.") from None


def _kept(place: Any) -> dict[str, Any]:
    if not isinstance(place, Place):
        raise Rejected("The adapter names no usable place.")
    return {**asdict(place), "credentials": dict(place.credentials), "options": dict(place.options)}


def _places(attempt: SignInAttempt) -> list[Place]:
    try:
        return [Place(**item) for item in json.loads(attempt.secrets.get("places", "[]"))]
    except CannotDecrypt as error:
        raise Refused(Problem(field="chosen", message=str(error), code="unreadable")) from None
