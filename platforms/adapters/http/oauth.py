"""Renewing an access token (RFC 6749 section 6) and what the token address's answers mean.

Refresh tokens may rotate (RFC 9700 section 4.14): the one in the answer replaces the one that was sent. A time-out is an
unknown outcome: the old token is tried again later, and if it was used up the server says so.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from alwrity_scheduler.core import clock, http
from platforms import rates
from platforms.base import SettingsProblem
from platforms.contracts import AccountRef, Refreshed
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome

LONGEST_LIFE_SECONDS = 10 * 365 * 86_400
# What only a person can mend: the grant is gone, or the client is not the one it was given to.
REVOKED = frozenset({"invalid_grant", "invalid_client", "unauthorized_client", "access_denied"})


def can_refresh(account: AccountRef) -> bool:
    return bool(account.options.get("token_url") and account.credentials.get("refresh_token"))


def problems(options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
    found: list[SettingsProblem] = []
    if credentials.get("refresh_token") and not options.get("token_url"):
        found.append(("token_url", "Write the address at which the refresh token is used."))
    if options.get("token_url") and not str(options.get("client_id") or "").strip():
        found.append(("client_id", "Write the client id that the token address knows you by."))
    return found


def refresh(account: AccountRef, *, timeout: float) -> Refreshed:
    """One POST of grant_type=refresh_token. The client's secret goes as HTTP Basic (RFC 6749 section 2.3.1)."""
    client, secret = str(account.options.get("client_id") or ""), account.credentials.get("client_secret", "")
    form = {"grant_type": "refresh_token", "refresh_token": account.credentials.get("refresh_token", "")}
    headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
    if secret:
        headers["Authorization"] = _basic(client, secret)
    else:
        form["client_id"] = client
    url = str(account.options.get("token_url") or "")
    try:
        answer = http.request("POST", url, headers=headers, content=urlencode(form).encode(), timeout=timeout)
    except http.AddressRefused as error:
        raise Rejected(str(error)) from error
    except http.NotSent as error:
        raise Unavailable(f"The token address cannot be reached. {error}") from error
    except http.MaybeSent as error:
        raise UnknownOutcome(f"The token address gave no clear answer. {error}") from error
    return _read(answer)


def _basic(client: str, secret: str) -> str:
    """Both parts form-encoded first, as RFC 6749 asks."""
    pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _read(answer: http.Response) -> Refreshed:
    data = answer.json()
    data = data if isinstance(data, dict) else {}
    token = data.get("access_token")
    if answer.status == 200 and isinstance(token, str) and token and token.isascii() and token.isprintable():
        given = {"bearer_token": token}
        if isinstance(data.get("refresh_token"), str) and data["refresh_token"]:
            given["refresh_token"] = data["refresh_token"]
        return Refreshed(credentials=given, expires_at=_expiry(data.get("expires_in")))
    raise _error(answer, str(data.get("error") or ""))


def _expiry(seconds: Any) -> datetime | None:
    try:
        life = float(seconds)
    except (TypeError, ValueError):
        return None
    return clock.now() + timedelta(seconds=life) if 0 < life <= LONGEST_LIFE_SECONDS else None


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
