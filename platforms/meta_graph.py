"""Meta's Graph API, as its Facebook and Instagram adapters call it: requests, errors in the five classes, usage headers.

Source: developers.facebook.com, Graph API "Handle Errors" (codes 1 to 613, subcodes of 190), "Rate Limits" (the X-…-Usage
headers) and "Secure Requests" (appsecret_proof). A platform's own codes are given by its adapter (`known`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from alwrity_scheduler.core.http import Response
from platforms.contracts import RateInfo
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome, clean
from platforms.outbound import call

API_VERSION = "v25.0"
HOUR = 3_600.0

Kind = Literal["rejected", "auth", "rate_limited", "unavailable", "unknown", "duplicate"]


class Duplicate(Rejected):
    """The platform says that it has the same post already, without saying which."""


@dataclass(frozen=True, slots=True)
class Known:
    """What one code means: class, the sentence for people, and how long to wait (seconds) where that is known."""

    kind: Kind
    words: str
    wait: float | None = None


# Subcodes of 190 and 102: why the sign-in is not accepted.
SIGN_IN = {
    458: "The app was removed from the account: connect it again.",
    459: "Meta wants the person to log in at facebook.com and confirm something first; then connect again.",
    460: "The password was changed, which ended the sign-in: connect again.",
    463: "The sign-in has run out: connect again.",
    464: "The person's account is not confirmed: log in at facebook.com first; then connect again.",
    467: "The sign-in is no longer valid: connect again.",
    492: "The person who signed in has no role on the page any more: connect again with someone who has.",
}
_TABLE: dict[int, Known] = {
    1: Known("unknown", "Meta had a fault of its own while it had the request."),
    2: Known("unknown", "Meta's service was not available while it had the request."),
    4: Known("rate_limited", "The app has made too many calls.", HOUR),
    10: Known("auth", "The sign-in lacks a permission that this needs: connect again and allow it."),
    17: Known("rate_limited", "The account has made too many calls.", HOUR),
    32: Known("rate_limited", "The page has made too many calls.", HOUR),
    100: Known("rejected", "Meta does not take a part of the post."),
    102: Known("auth", "The session has ended: connect again."),
    190: Known("auth", "The sign-in is no longer accepted: connect again."),
    341: Known("rate_limited", "The app's limit is reached.", HOUR),
    368: Known("rate_limited", "Meta has blocked this for a while, for what it takes as a breach of its rules.", HOUR),
    506: Known("duplicate", "Meta says that the same was posted just before."),
    613: Known("rate_limited", "Too many calls in a short time.", HOUR),
}
_PERMISSION = Known("auth", "The sign-in lacks a permission that this needs: connect again and allow it.")
_USED_UP = Known("rate_limited", "The account has used up its calls.", HOUR)
_GONE = Known("auth", "The account cannot be reached with this sign-in: it is gone, or the permission is.")


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer."""

    data: Mapping[str, Any]
    rate: RateInfo | None
    status: int

    def text(self, name: str) -> str:
        """A field as a cleaned string; empty when it is missing."""
        value = self.data.get(name)
        return clean(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""

    def rows(self, name: str = "data") -> list[Mapping[str, Any]]:
        """A list of objects; what is none is left out."""
        found = self.data.get(name)
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """One account's way to the API. base: address with version. known: codes and subcodes of the platform itself.

    A call that shows nothing to anybody (`visible` false) and that is lost did certainly not post: it raises Unavailable where
    a visible one raises UnknownOutcome.
    """

    base: str
    token: str = field(repr=False)
    app_secret: str = field(repr=False, default="")
    platform: str = "Meta"
    known: Mapping[int, Known] = field(default_factory=dict)

    def get(self, path: str, *, timeout: float, **params: Any) -> Reply:
        return self._read(
            lambda: call("GET", self.base + path, params={**params, **self.proof()}, timeout=timeout), False
        )

    def post(
        self,
        path: str,
        fields: Mapping[str, Any],
        *,
        timeout: float,
        visible: bool = False,
        files: Any = None,
        base: str = "",
    ) -> Reply:
        form = {name: _sent(value) for name, value in fields.items() if value not in (None, "", [], {})} | self.proof()
        return self._read(
            lambda: call("POST", (base or self.base) + path, form=form, files=files, timeout=timeout), visible
        )

    def delete(self, path: str, *, timeout: float) -> Reply:
        return self._read(lambda: call("DELETE", self.base + path, params=self.proof(), timeout=timeout), True)

    def upload(self, url: str, content: bytes, *, offset: int, size: int, timeout: float) -> Reply:
        """The rest of a file to a resumable upload's address (rupload)."""
        headers = {
            "Authorization": f"OAuth {self.token}", "offset": str(offset), "file_size": str(size),
            "Content-Type": "application/octet-stream",
        }  # fmt: skip
        return self._read(lambda: call("POST", url, headers=headers, content=content, timeout=timeout), False)

    def proof(self) -> dict[str, str]:
        """The token and, where the app's secret is known, the proof that it is the app that calls."""
        if not self.token:
            return {}
        if not self.app_secret:
            return {"access_token": self.token}
        made = hmac.new(self.app_secret.encode(), self.token.encode(), hashlib.sha256).hexdigest()
        return {"access_token": self.token, "appsecret_proof": made}

    def _read(self, ask: Any, visible: bool) -> Reply:
        try:
            answer: Response = ask()
            data = answer.json()
            if 200 <= answer.status < 300 and isinstance(data, dict) and "error" not in data:
                return Reply(data, usage(answer.headers), answer.status)
            raise error_of(answer, self.known, self.platform)
        except UnknownOutcome as error:
            error.hide(self._secrets())
            if visible:
                raise
            raise Unavailable(
                f"A step before publishing got no clear answer; nothing was posted. {error}",
                status_code=error.status_code, platform_message=error.platform_message, response=error.response, rate=error.rate,
            ) from None  # fmt: skip
        except PlatformError as error:
            error.hide(self._secrets())
            raise

    def _secrets(self) -> list[str]:
        return [secret for secret in (self.token, self.app_secret) if len(secret) > 5]


def is_gone(error: PlatformError) -> bool:
    """Does the error say that the object asked for is not there (or not for this sign-in)?"""
    return error.status_code == 404 or error.response.get("error_subcode") == 33


def error_of(answer: Response, known: Mapping[int, Known], platform: str) -> PlatformError:
    """The class of an answer that is no success, by subcode, then code, then status. The platform's words are kept."""
    data = answer.json()
    said = data.get("error") if isinstance(data, dict) else None
    said = said if isinstance(said, dict) else {}
    code, subcode = _whole(said.get("code")), _whole(said.get("error_subcode"))
    rate = usage(answer.headers)
    meaning = _meaning(code, subcode, known, said, answer.status)
    details: dict[str, Any] = {
        "status_code": answer.status,
        "platform_message": _words(said, answer),
        "response": _offsets(said.get("error_data"))
        | {
            name: said[name] for name in ("code", "error_subcode", "type", "fbtrace_id") if isinstance(said.get(name), int | str)
        },
        "rate": rate,
    }  # fmt: skip
    words = f"{platform}: {meaning.words}"
    wait = rate.reset_seconds if rate is not None and rate.remaining == 0 and rate.reset_seconds else meaning.wait
    match meaning.kind:
        case "auth":
            return AuthFailed(words, **details)
        case "rate_limited":
            return RateLimited(words, retry_after_seconds=wait, **details)
        case "unavailable":
            return Unavailable(words, retry_after_seconds=meaning.wait, **details)
        case "unknown":
            return UnknownOutcome(words, **details)
        case "duplicate":
            return Duplicate(words, **details)
    return Rejected(words, **details)


def _offsets(data: Any) -> dict[str, Any]:
    """Where a resumable upload goes on, as its error tells (an object, or one as text)."""
    data = _loaded(data) if isinstance(data, str) else data
    found = {name: _whole(data.get(name)) for name in ("start_offset", "end_offset")} if isinstance(data, dict) else {}
    return {name: value for name, value in found.items() if value is not None}


def _meaning(
    code: int | None, subcode: int | None, known: Mapping[int, Known], said: Mapping[str, Any], status: int
) -> Known:
    for number in (subcode, code):
        if number is not None and number in known:
            return known[number]
    if code == 100 and subcode == 33:
        return _GONE
    if code in (102, 190) and subcode in SIGN_IN:
        return Known("auth", SIGN_IN[subcode])
    if code in _TABLE:
        return _TABLE[code]
    if code is not None and 200 <= code <= 299:
        return _PERMISSION
    if code is not None and 80_000 <= code <= 80_014:
        return _USED_UP
    return _by_status(status, transient=said.get("is_transient") is True)


def _by_status(status: int, *, transient: bool) -> Known:
    if status >= 500 or status == 408 or 200 <= status < 400 or transient:
        return Known("unknown", f"There was no clear answer ({status}).")
    if status == 429:
        return Known("rate_limited", "Too many calls.", HOUR)
    if status == 401:
        return Known("auth", "The sign-in is not accepted: connect again.")
    return Known("rejected", f"The post was refused ({status}).")


def _words(said: Mapping[str, Any], answer: Response) -> str:
    parts = [said.get(name) for name in ("error_user_title", "error_user_msg", "message")]
    words = " ".join(dict.fromkeys(part for part in parts if isinstance(part, str) and part))
    return words or answer.text()[:500]


def usage(headers: Mapping[str, str]) -> RateInfo | None:
    """The tightest of the usage headers, in percent. At 100 the account waits for the minutes that are named, else an hour."""
    cases = [
        row
        for rows in _loaded(headers.get("x-business-use-case-usage")).values()
        if isinstance(rows, list)
        for row in rows
    ]
    found = [
        *(_rate(share, None, "app") for share in _percentages(headers.get("x-app-usage"))),
        *(_rate(share, None, "account") for share in _percentages(headers.get("x-page-usage"))),
        *(
            _rate(used, _number(row.get("estimated_time_to_regain_access")), "account")
            for row in cases
            if isinstance(row, dict) and (used := _share(row)) is not None
        ),
    ]
    return min(found, key=lambda rate: rate.remaining or 0, default=None)


def _rate(share: float, minutes: float | None, scope: Literal["account", "app"]) -> RateInfo:
    left = max(0, int(100 - share))
    if minutes:  # access is closed until then, whatever the percentages say
        return RateInfo(limit=100, remaining=0, reset_seconds=min(minutes * 60, 24 * HOUR), scope=scope)
    return RateInfo(limit=100, remaining=left, reset_seconds=HOUR, scope=scope)


def _percentages(text: str | None) -> list[float]:
    share = _share(_loaded(text))
    return [] if share is None else [share]


def _share(row: Mapping[str, Any]) -> float | None:
    shares = [_number(row.get(name)) for name in ("call_count", "total_time", "total_cputime")]
    return max((share for share in shares if share is not None), default=None)


def _loaded(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None


def _sent(value: Any) -> str:
    """A form field as the Graph API reads it: lists and objects as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
