"""What the headers of an answer say about quotas. Pure; garbage is ignored. Adapters call `rate_of`.

Read, in this order: `RateLimit` in its present form (draft-ietf-httpapi-ratelimit-headers-10: `"name";r=3;t=60`) and in
the one before (draft 07: `limit=10, remaining=3, reset=60`); `RateLimit-Limit/-Remaining/-Reset`; `X-RateLimit-…`
(GitHub, Mastodon, Discord, Reddit); `x-rate-limit-…` (X). A reset is a number of seconds, a time in seconds or
milliseconds since 1970, or an ISO 8601 time: platforms write all of them under the same name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from platforms.contracts import RateInfo, Scope

LONGEST_SECONDS = 86_400.0  # no platform can park an account for longer; then it is asked again
_EPOCH_FROM = 1e9  # 2001; no reset is 31 years away
_EPOCH_MS_FROM = 1e11
_FAMILIES = ("ratelimit", "x-ratelimit", "x-rate-limit")
_ITEM = re.compile(r'\s*(?:"[^"]*"|[^,";]+)(?:\s*;\s*[a-z]+=(?:"[^"]*"|[^,;"]*))*')
_PARAMETER = re.compile(r";\s*([a-z]+)=([0-9.]+)")
_SHARED = frozenset({"app", "application", "global", "shared"})


def rate_of(headers: Mapping[str, str], now: datetime) -> RateInfo | None:
    """The tightest quota that the answer told of. `headers` by lower-case name; `now` aware UTC. None: nothing was said."""
    scope: Scope = "app" if headers.get("x-ratelimit-scope", "").strip().lower() in _SHARED else "account"
    return (
        _structured(headers, scope)
        or _listed(headers.get("ratelimit", ""), scope, now)
        or next((found for family in _FAMILIES if (found := _family(headers, family, scope, now))), None)
    )


def retry_after(value: str, now: datetime) -> float | None:
    """Retry-After in seconds from its two forms (RFC 9110 10.2.3), between 0 and a day; None when absent or unreadable."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_SECONDS)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return _until(at, now)


def _structured(headers: Mapping[str, str], scope: Scope) -> RateInfo | None:
    items = _items(headers.get("ratelimit", ""))
    policies = _items(headers.get("ratelimit-policy", ""))
    found = [
        RateInfo(
            limit=_count(policies.get(name, {}).get("q")),
            remaining=_count(parameters.get("r")),
            reset_seconds=_seconds(parameters.get("t")),
            scope=scope,
        )
        for name, parameters in items.items()
        if "r" in parameters
    ]
    return min(found, key=lambda rate: (rate.remaining or 0, -(rate.reset_seconds or 0)), default=None)


def _items(text: str) -> dict[str, dict[str, str]]:
    """A list of structured fields (RFC 9651): name -> its parameters that are numbers."""
    found = (match.group().strip() for match in _ITEM.finditer(text))
    return {item.split(";", 1)[0].strip().strip('"'): dict(_PARAMETER.findall(item)) for item in found if ";" in item}


def _listed(text: str, scope: Scope, now: datetime) -> RateInfo | None:
    pairs = dict(part.strip().lower().split("=", 1) for part in text.split(",") if "=" in part and ";" not in part)
    return _info(pairs.get("limit"), pairs.get("remaining"), pairs.get("reset"), scope, now)


def _family(headers: Mapping[str, str], family: str, scope: Scope, now: datetime) -> RateInfo | None:
    reset = headers.get(f"{family}-reset-after") or headers.get(f"{family}-reset")
    return _info(headers.get(f"{family}-limit"), headers.get(f"{family}-remaining"), reset, scope, now)


def _info(limit: str | None, remaining: str | None, reset: str | None, scope: Scope, now: datetime) -> RateInfo | None:
    left = _count(remaining)
    if left is None:
        return None
    return RateInfo(limit=_count(limit), remaining=left, reset_seconds=_reset(reset, now), scope=scope)


def _reset(text: str | None, now: datetime) -> float | None:
    value = _number(text)
    if value is None:
        return _moment(text or "", now)
    if value >= _EPOCH_MS_FROM:
        value /= 1000
    if value >= _EPOCH_FROM:
        value = max(0.0, value - now.timestamp())
    return min(value, LONGEST_SECONDS)


def _moment(text: str, now: datetime) -> float | None:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return _until(at, now)


def _until(at: datetime, now: datetime) -> float:
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - now).total_seconds(), 0.0), LONGEST_SECONDS)


def _seconds(text: str | None) -> float | None:
    value = _number(text)
    return None if value is None else min(value, LONGEST_SECONDS)


def _count(text: str | None) -> int | None:
    """The leading number, rounded down: older drafts append policies (`100, 100;w=60`), Reddit writes `98.0`."""
    value = _number((text or "").split(",")[0].split(";")[0])
    return None if value is None or value > 2**31 else int(value)


def _number(text: str | None) -> float | None:
    text = (text or "").strip()
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", text, re.ASCII):
        return None
    return max(0.0, float(text))
