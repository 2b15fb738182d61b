"""OAuth 2 as a client: the address a person is sent to, and the token address (RFC 6749, 7636). For all adapters that sign in.

Refresh tokens may rotate (RFC 9700 section 4.14): the one in the answer replaces the one that was sent. A time-out of a renewal
is an unknown outcome: the old token is tried again later, and if it was used up the server says so.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote, urlencode

from alwrity_scheduler.core import clock, http
from platforms import rates
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from platforms.outbound import call

LONGEST_LIFE_SECONDS = 10 * 365 * 86_400
# What only a person can mend: the grant is gone, or the client is not the one it was given to.
REVOKED = frozenset({"invalid_grant", "invalid_client", "unauthorized_client", "access_denied"})
ClientAuth = Literal["basic", "form"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A token address's answer. expires_at (aware UTC) None: not said. `raw` is the whole answer, secrets included."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False, default="")
    expires_at: datetime | None = None
    scopes: frozenset[str] | None = None
    raw: Mapping[str, Any] = field(repr=False, default_factory=dict)


def challenge_of(verifier: str) -> str:
    """The S256 code challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorize_url(
    address: str,
    *,
    client_id: str,
    redirect_uri: str,
    scopes: str,
    state: str,
    challenge: str = "",
    **more: str,
) -> str:
    """Where the person is sent. `scopes` as the platform joins them; `more` are the platform's own parameters."""
    query = {
        "response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "scope": scopes, "state": state,
    }  # fmt: skip
    if challenge:
        query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return f"{address}{'&' if '?' in address else '?'}{urlencode(query | more)}"


def token_request(
    url: str,
    form: Mapping[str, str],
    *,
    client_id: str,
    client_secret: str = "",
    client_auth: ClientAuth = "basic",
    headers: Mapping[str, str] | None = None,
    timeout: float,
) -> Tokens:
    """One POST to the token address. The client's secret goes as HTTP Basic (RFC 6749 section 2.3.1), or in the form.

    Raises AuthFailed when a person must sign in again; any other of the five errors says that it may be tried again.
    """
    sent = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    fields = dict(form)
    if client_secret and client_auth == "basic":
        sent["Authorization"] = basic(client_id, client_secret)
    else:
        fields["client_id"] = client_id
        if client_secret:
            fields["client_secret"] = client_secret
    return _read(call("POST", url, headers=sent, content=urlencode(fields).encode(), timeout=timeout))


def basic(client_id: str, client_secret: str) -> str:
    """The Authorization header of a client, both parts form-encoded first, as RFC 6749 asks."""
    pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def expiry(seconds: Any) -> datetime | None:
    """`expires_in` as a time (aware UTC); None when it is missing or nonsense."""
    try:
        life = float(seconds)
    except (TypeError, ValueError):
        return None
    return clock.now() + timedelta(seconds=life) if 0 < life <= LONGEST_LIFE_SECONDS else None


def _read(answer: http.Response) -> Tokens:
    data = answer.json()
    data = data if isinstance(data, dict) else {}
    token = data.get("access_token")
    if answer.status in (200, 201) and isinstance(token, str) and token and token.isascii() and token.isprintable():
        refresh, scope = data.get("refresh_token"), data.get("scope")
        return Tokens(
            access_token=token,
            refresh_token=refresh if isinstance(refresh, str) else "",
            expires_at=expiry(data.get("expires_in")),
            scopes=frozenset(scope.replace(",", " ").split()) if isinstance(scope, str) and scope.strip() else None,
            raw=data,
        )
    raise _error(answer, str(data.get("error") or ""))


def _error(answer: http.Response, code: str) -> PlatformError:
    """The body is never quoted: it may hold a token."""
    status = answer.status
    if code in REVOKED or (status == 401 and not code):
        return AuthFailed(
            "The sign-in was taken back: sign in again.", status_code=status, platform_message=code or str(status)
        )
    if status == 429:
        wait = rates.retry_after(answer.headers.get("retry-after", ""), clock.now())
        return RateLimited("The token address asks to wait.", status_code=429, retry_after_seconds=wait)
    if status == 503:
        wait = rates.retry_after(answer.headers.get("retry-after", ""), clock.now())
        return Unavailable("The token address is not available.", status_code=503, retry_after_seconds=wait)
    if 400 <= status < 500 and status != 408:
        words = f"The token address refused the renewal ({code[:60] or status})."
        return Rejected(words, status_code=status)
    return UnknownOutcome(f"The token address failed ({status}).", status_code=status)
