"""Requests to LinkedIn's versioned API, and what its answers mean.

Source: learn.microsoft.com/linkedin: "Versioning", "Error Handling", "Posts API"; the 422 of a duplicate as seen in production by a
well-kept client (Postiz, 21 August 2026).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.http import Response
from platforms import rates
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from platforms.outbound import call

API_URL = "https://api.linkedin.com"
API_VERSION = "202607"
_URN = re.compile(r"urn:li:(?:share|ugcPost|activity):\d+")
_WHY = {
    65600: "The sign-in is not valid: connect again.",
    65601: "The sign-in was taken back: connect again.",
    65602: "The sign-in has run out: connect again.",
}


class Duplicate(Rejected):
    """LinkedIn has the same post; `urn` names it."""

    urn: str = ""


def until_midnight(now: datetime) -> float:
    """Seconds until LinkedIn's daily quotas start anew: midnight UTC. `now` aware UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - now).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedIn:
    """One account's way to the API. A call that shows nothing (`visible` false) and is lost did certainly not post."""

    base: str
    token: str = field(repr=False)
    version: str = API_VERSION

    def ask(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        json: Any = None,
        visible: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        sent = {
            "Authorization": f"Bearer {self.token}", "LinkedIn-Version": self.version, "X-Restli-Protocol-Version": "2.0.0",
            "Accept": "application/json", **(headers or {}),
        }  # fmt: skip
        return self._read(lambda: call(method, self.base + path, headers=sent, json=json, timeout=timeout), visible)

    def put(self, url: str, content: bytes, *, timeout: float) -> Response:
        """Bytes to an upload address that LinkedIn named."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/octet-stream"}
        return self._read(lambda: call("PUT", url, headers=headers, content=content, timeout=timeout), False)

    def _read(self, ask: Callable[[], Response], visible: bool) -> Response:
        try:
            answer = ask()
            if 200 <= answer.status < 300:
                return answer
            raise error_of(answer, clock.now())
        except UnknownOutcome as error:
            error.hide([self.token] if self.token else [])
            if visible:
                raise
            raise Unavailable(
                f"A step before publishing got no clear answer; nothing was posted. {error}",
                status_code=error.status_code, platform_message=error.platform_message, response=error.response,
            ) from None  # fmt: skip
        except PlatformError as error:
            error.hide([self.token] if self.token else [])
            raise


def segment(urn: str) -> str:
    """A URN as a part of a path."""
    return quote(urn, safe="")


def data_of(answer: Response) -> dict[str, Any]:
    data = answer.json()
    return data if isinstance(data, dict) else {}


def rows_of(answer: Response) -> list[dict[str, Any]]:
    found = data_of(answer).get("elements")
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def error_of(answer: Response, now: datetime) -> PlatformError:
    """The class of an answer that is no success. `now` aware UTC."""
    data, status = data_of(answer), answer.status
    said = str(data.get("message") or "") or answer.text()[:500]
    details: dict[str, Any] = {
        "status_code": status,
        "platform_message": said,
        "response": {
            name: data[name] for name in ("code", "serviceErrorCode") if isinstance(data.get(name), str | int)
        },
    }
    if urn := _duplicate_of(data, said, status):
        duplicate = Duplicate(f"LinkedIn has the same post already ({urn}).", **details)
        duplicate.urn = urn
        return duplicate
    if "unable to obtain activity" in said.lower():  # it may have made the post and not found it again
        return UnknownOutcome("LinkedIn lost sight of the post while it made it.", **details)
    if status == 401:
        number = data.get("serviceErrorCode")
        words = _WHY.get(number, _WHY[65600]) if isinstance(number, int) else _WHY[65600]
        return AuthFailed(f"LinkedIn: {words}", **details)
    if status == 403 and "resource is forbidden" in said.lower():
        return Unavailable("LinkedIn would not take it just now, as it sometimes does.", **details)
    if status == 403:
        return AuthFailed("LinkedIn: the sign-in lacks a permission, or a role on the organisation.", **details)
    if status == 426:
        words = "LinkedIn no longer serves the API version that is set: write a newer one (YYYYMM) in the account's settings."
        return AuthFailed(words, **details)
    if status == 429:
        wait = rates.retry_after(answer.headers.get("retry-after", ""), now)
        wait = until_midnight(now) if wait is None else wait
        return RateLimited(
            "LinkedIn's daily quota is used up; it starts anew at midnight UTC.", retry_after_seconds=wait, **details
        )
    if 400 <= status < 500 and status != 408:
        return Rejected(f"LinkedIn refused it ({status}).", **details)
    return UnknownOutcome(f"LinkedIn gave no clear answer ({status}).", **details)


def _duplicate_of(data: Mapping[str, Any], said: str, status: int) -> str:
    """The URN of the post that this one repeats; empty when the answer says nothing of the kind."""
    if status not in (400, 409, 422):
        return ""
    details = data.get("errorDetails")
    inputs = details.get("inputErrors") if isinstance(details, dict) else None
    inputs = [item for item in inputs if isinstance(item, dict)] if isinstance(inputs, list) else []
    codes = [str(item.get("code")) for item in inputs] + [str(data.get("code"))]
    words = " ".join([said, *(str(item.get("description") or "") for item in inputs)])
    if "DUPLICATE_POST" not in codes and "duplicate of urn:li:" not in words:
        return ""
    found = _URN.search(words)
    return found.group() if found else ""


def made_at(urn: str) -> float | None:
    """When a post was made, in seconds since 1970, as its number tells (41 bits of milliseconds before 22 others)."""
    number = urn.rpartition(":")[2]
    seconds = (int(number) >> 22) / 1000 if number.isascii() and number.isdigit() else 0.0
    return seconds if 1e9 < seconds < 1e10 else None
