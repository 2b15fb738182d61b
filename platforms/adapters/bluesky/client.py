"""XRPC calls with a session. Source: docs.bsky.app, com.atproto.server/repo/identity lexicons (20 Aug 2026).

A session is two tokens: access for two hours, refresh for about 90 days. `refresh` keeps them in the account's credentials. An
account that has none yet, or an old one, gets a session here that lives in this process, because sessions are scarce (30 in 5
minutes, 300 a day for an account).
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from alwrity_scheduler.core import clock
from platforms import rates
from platforms.chains import Deadline
from platforms.contracts import AccountRef
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome, clean
from platforms.outbound import Response, call

SERVICE_URL = "https://bsky.social"
DIRECTORY_URL = "https://plc.directory"
APPVIEW_URL = "https://public.api.bsky.app"
SPARE = timedelta(seconds=60)  # a token with less life left is not used any more
_OLD = frozenset({"ExpiredToken", "InvalidToken"})
_SIGN_IN = frozenset(
    {
        "AuthenticationRequired", "AuthMissing", "AuthFactorTokenRequired", "AccountTakedown", "AccountDeactivated",
        "AccountSuspended", "InvalidToken", "ExpiredToken", "BadTokenScope",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A sign-in: whose (DID, handle), where the account's records live (base address), and its tokens."""

    did: str
    handle: str
    base: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)

    def expires_at(self) -> datetime | None:
        return expiry_of(self.access)


_sessions: dict[str, Session] = {}
_lock = threading.Lock()


class BlueskyClient:
    """One account for the length of one call."""

    def __init__(self, account: AccountRef, deadline: Deadline) -> None:
        self._account, self.deadline = account, deadline
        self._session: Session | None = None

    # the session

    def session(self) -> Session:
        """The account's sign-in. Raises the errors of a call by which nothing is posted."""
        if self._session is None:
            self._session = self._kept() or self._shared() or self._remembered(self.sign_in())
        return self._session

    def sign_in(self) -> Session:
        """A new session by the app password."""
        service = self._home()
        body = {
            "identifier": self._account.credentials.get("identifier", "").strip().lstrip("@"),
            "password": self._account.credentials.get("app_password", ""),
        }
        if not body["password"]:
            raise AuthFailed("The account has no app password: enter one.")
        answer = before_posting(
            lambda: self._call("POST", f"{service}/xrpc/com.atproto.server.createSession", json=body)
        )
        return self._made(answer, service)

    def _home(self) -> str:
        """Where to sign in: the server that was named; else, for a handle of an own domain, the one its DID document names."""
        service, handle = service_of(self._account), self._handle()
        if service != SERVICE_URL or handle.endswith(".bsky.social") or "@" in handle:
            return service
        try:
            did = handle
            if not handle.startswith("did:"):
                did = str(
                    self.public(service, "com.atproto.identity.resolveHandle", {"handle": handle}).get("did") or ""
                )
            kind, _, name = did.removeprefix("did:").partition(":")
            address = f"https://{name}/.well-known/did.json" if kind == "web" else f"{DIRECTORY_URL}/{did}"
            home = pds_of(_object(self._call("GET", address)))
        except PlatformError:
            return service  # it answers the sign-in itself, with a better word than ours
        return service if not home or home.endswith(".host.bsky.network") else home

    def renewed(self) -> Session:
        """The next session by the refresh token; by the app password when that token is used up or old."""
        given = self._account.credentials
        if given.get("refresh_jwt"):
            base = given.get("pds") or service_of(self._account)
            headers = {"Authorization": f"Bearer {given['refresh_jwt']}"}
            url = f"{base}/xrpc/com.atproto.server.refreshSession"
            try:
                return self._made(before_posting(lambda: self._call("POST", url, headers=headers)), base)
            except AuthFailed:
                if not given.get("app_password"):
                    raise
        return self.sign_in()

    def _kept(self) -> Session | None:
        given = self._account.credentials
        access, did = given.get("access_jwt", ""), given.get("did", "")
        if not (access and did and _is_fresh(access)):
            return None
        base = given.get("pds") or service_of(self._account)
        return Session(did=did, handle=self._handle(), base=base, access=access, refresh=given.get("refresh_jwt", ""))

    def _shared(self) -> Session | None:
        with _lock:
            found = _sessions.get(self._name())
        return found if found and _is_fresh(found.access) else None

    def _remembered(self, session: Session) -> Session:
        with _lock:
            if len(_sessions) > 10_000:
                _sessions.clear()
            _sessions[self._name()] = session
        return session

    def _name(self) -> str:
        given = self._account.credentials
        whole = "\0".join([service_of(self._account), given.get("identifier", ""), given.get("app_password", "")])
        return hashlib.sha256(whole.encode()).hexdigest()

    def _made(self, answer: Response, base: str) -> Session:
        data = _object(answer)
        access, refresh, did = (str(data.get(name) or "") for name in ("accessJwt", "refreshJwt", "did"))
        if not (access and refresh and did and access.isascii() and access.isprintable()):
            raise Unavailable("The server's answer to the sign-in is no session.", status_code=answer.status)
        # the entry of the big network tells where the account really lives
        home = pds_of(data.get("didDoc")) if base == SERVICE_URL else ""
        return Session(did=did, handle=str(data.get("handle") or ""), base=home or base, access=access, refresh=refresh)

    def _handle(self) -> str:
        return self._account.credentials.get("identifier", "").strip().lstrip("@")

    # calls

    def query(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """A read by the session."""
        return _object(self._with_session("GET", method, params=params))

    def procedure(
        self, method: str, body: Mapping[str, Any] | None = None, *, content: bytes | None = None, mime: str = ""
    ) -> tuple[dict[str, Any], Response]:
        """A write by the session. Answers the JSON object and the whole answer."""
        headers = {"Content-Type": mime} if mime else {}
        answer = self._with_session("POST", method, json=body, content=content, headers=headers)
        return _object(answer), answer

    def _with_session(
        self, verb: str, method: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Response:
        """A token that is refused as too old did nothing: a new session, and once more."""
        session = self.session()
        url = f"{session.base}/xrpc/{method}"
        sent = {**(headers or {}), "Authorization": f"Bearer {session.access}"}
        try:
            return self._call(verb, url, headers=sent, **more)
        except AuthFailed as error:
            if error.response.get("error") not in _OLD or not self._account.credentials.get("app_password"):
                raise
        self._session = self._remembered(self.sign_in())
        sent["Authorization"] = f"Bearer {self._session.access}"
        return self._call(verb, url, headers=sent, **more)

    def public(self, base: str, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """A read without a sign-in."""
        return _object(self._call("GET", f"{base}/xrpc/{method}", params=params))

    def _call(self, verb: str, url: str, **more: Any) -> Response:
        answer = call(verb, url, timeout=self.deadline.left(), max_bytes=4 * 1024 * 1024, **more)
        if 200 <= answer.status < 300:
            return answer
        raise error_of(answer, clock.now())


def before_posting(request: Any) -> Any:
    """The answer of a call that publishes nothing, so that no answer at all is no unknown outcome."""
    try:
        return request()
    except UnknownOutcome as error:
        raise Unavailable(
            f"Nothing was posted. {error}",
            status_code=error.status_code,
            platform_message=error.platform_message,
            rate=error.rate,
        ) from error


def service_of(account: AccountRef) -> str:
    return str(account.options.get("service_url") or SERVICE_URL).rstrip("/")


def pds_of(document: Any) -> str:
    """The home server in a DID document (service `#atproto_pds`); empty when it names none."""
    services = document.get("service") if isinstance(document, dict) else None
    for item in services if isinstance(services, list) else []:
        if isinstance(item, dict) and str(item.get("id", "")).endswith("#atproto_pds"):
            return str(item.get("serviceEndpoint") or "").rstrip("/")
    return ""


def expiry_of(token: str) -> datetime | None:
    """When a JWT ends, by its own `exp`; nothing is verified, the server does that."""
    try:
        body = token.split(".")[1]
        seconds = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"]
        return datetime.fromtimestamp(float(seconds), tz=UTC)
    except (IndexError, KeyError, ValueError, TypeError, OverflowError):
        return None


def _is_fresh(token: str) -> bool:
    expires_at = expiry_of(token)
    return expires_at is not None and expires_at - SPARE > clock.now()


def error_of(answer: Response, now: datetime) -> PlatformError:
    """What an answer that is no success means."""
    data = answer.json()
    data = data if isinstance(data, dict) else {}
    code, status = str(data.get("error") or ""), answer.status
    said = clean(data.get("message") or code or answer.text())
    rate = rates.rate_of(answer.headers, now)
    told: dict[str, Any] = {"status_code": status, "platform_message": said, "response": {"error": code}, "rate": rate}
    if status == 429 or code == "RateLimitExceeded":
        wait = rates.retry_after(answer.headers.get("retry-after", ""), now)
        if wait is None and rate is not None:
            wait = rate.reset_seconds
        return RateLimited("Bluesky asks for fewer calls.", retry_after_seconds=wait, **told)
    if status == 401 or code in _SIGN_IN:
        return AuthFailed("Bluesky does not accept the sign-in.", **told)
    if status == 403:
        return AuthFailed("Bluesky does not let this account post.", **told)
    if 300 <= status < 400:
        return Rejected("The server address answers with a redirect, which is not followed.", **told)
    if 400 <= status < 500 and status != 408:
        return Rejected(f"Bluesky refused it ({code or status}).", **told)
    return UnknownOutcome(f"Bluesky gave no clear answer ({status}).", **told)


def _object(answer: Response) -> dict[str, Any]:
    data = answer.json()
    return data if isinstance(data, dict) else {}
