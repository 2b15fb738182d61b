"""What X's refusals mean. Pure: an answer in, one of the five errors out. Source: docs.x.com, response codes and errors."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from platforms import rates
from platforms.contracts import RateInfo
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, UnknownOutcome, clean
from platforms.outbound import Response

# parts of a problem's `type`, or words of its detail, that only a person at X can mend
_ACCOUNT = (
    "unsupported-authentication", "client-forbidden", "client-not-enrolled", "oauth1-permissions", "user-suspended", "usage-capped",
    "credits", "suspended", "temporarily locked", "account is locked", "oauth1 app permissions",
    "not configured with the appropriate",
)  # fmt: skip
_DAY_FAMILIES = ("x-user-limit-24hour", "x-app-limit-24hour")


class Duplicate(Rejected):
    """X has a post of the same text; it does not say which."""


def words(answer: Response) -> str:
    """X's own words: `detail` of a problem, else the first of `errors`, else the title."""
    data = answer.json()
    if not isinstance(data, dict):
        return clean(answer.text())
    found = [data.get("detail"), *(_said(item) for item in _list(data.get("errors"))), data.get("title")]
    return clean(next((text for text in found if isinstance(text, str) and text), answer.text()))


def error_of(answer: Response, now: datetime) -> PlatformError:
    """The error of an answer that is no success."""
    status, said, rate = answer.status, words(answer), rate_of(answer, now)
    kind = _kind(answer)
    told: dict[str, Any] = {"status_code": status, "platform_message": said, "rate": rate}
    if status == 401:
        return AuthFailed("X does not accept the sign-in.", **told)
    if status == 402 or (status in (403, 429) and any(mark in kind for mark in _ACCOUNT)):
        return AuthFailed("X does not let this account or app post now. It must be set right at X.", **told)
    if status == 403 and "duplicate content" in kind:
        return Duplicate("X has a post with this very text already.", **told)
    if status == 403:
        return Rejected("X does not allow this post.", **told)
    if status == 429:
        return RateLimited("X asks for fewer posts.", retry_after_seconds=_wait(answer, rate, now), **told)
    if status == 404:
        return Rejected("What the post refers to is not at X any more.", **told)
    if 300 <= status < 400:
        return Rejected("The API address answers with a redirect, which is not followed.", **told)
    if 400 <= status < 500 and status != 408:
        return Rejected(f"X refused the post ({status}).", **told)
    return UnknownOutcome(f"X gave no clear answer ({status}).", **told)


def rate_of(answer: Response, now: datetime) -> RateInfo | None:
    """The tightest window: 15 minutes (`x-rate-limit-…`), or a day of the user or the app."""
    found = [rates.rate_of(answer.headers, now)]
    for family in _DAY_FAMILIES:
        values = {name: answer.headers.get(f"{family}-{name}", "") for name in ("limit", "remaining", "reset")}
        found.append(rates.rate_of({f"x-rate-limit-{name}": value for name, value in values.items()}, now))
    told = [rate for rate in found if rate is not None and rate.remaining is not None]
    return min(told, key=lambda rate: (rate.remaining or 0, -(rate.reset_seconds or 0)), default=None)


def _wait(answer: Response, rate: RateInfo | None, now: datetime) -> float | None:
    wait = rates.retry_after(answer.headers.get("retry-after", ""), now)
    if wait is None and rate is not None and rate.reset_seconds is not None:
        wait = float(math.ceil(rate.reset_seconds))
    return wait


def _kind(answer: Response) -> str:
    """Everything in the answer that names its kind, in lower case."""
    data = answer.json()
    if not isinstance(data, dict):
        return ""
    items = [data, *(item for item in _list(data.get("errors")) if isinstance(item, dict))]
    names = ("type", "title", "detail", "message", "reason")
    return " ".join(str(item.get(name) or "") for item in items for name in names).lower()


def _said(item: Any) -> Any:
    return (item.get("detail") or item.get("message")) if isinstance(item, dict) else item


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
