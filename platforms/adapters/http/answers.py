"""What an endpoint's answers mean. Pure: a Response in, a value or one of the five errors out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from alwrity_scheduler.core.http import Response
from platforms import rates
from platforms.contracts import Accepted, Published
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, UnknownOutcome, clean
from platforms.validation import is_http_url

POLL_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 600.0
MOST_MISSES = 12


def encoded(payload: Mapping[str, Any]) -> bytes:
    """The exact bytes that are sent and signed."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def published(answer: Response, *, allowed_hosts: frozenset[str], base_url: str, now: datetime) -> Published | Accepted:
    """The answer to a POST, with what its headers say about the quota."""
    rate = rates.rate_of(answer.headers, now)
    try:
        return replace(_published(answer, allowed_hosts, base_url, now), rate=rate)
    except PlatformError as error:
        error.rate = rate
        raise


def _published(answer: Response, allowed_hosts: frozenset[str], base_url: str, now: datetime) -> Published | Accepted:
    status = answer.status
    if status == 202:
        return _accepted(answer, allowed_hosts, base_url, now)
    if 200 <= status < 300:
        post = _post(answer)
        if post is None:
            raise UnknownOutcome(
                "The platform took the post but did not say under which id.",
                status_code=status,
                platform_message=words(answer),
            )
        return post
    if status == 409:
        post = _post(answer, already=True)
        if post is None:
            raise Rejected(
                "The platform says the post conflicts with another.",
                status_code=409,
                platform_message=words(answer),
            )
        return post
    raise _error(answer, now)


def found(answer: Response) -> Published | None:
    """The answer to a look-up: only 404 proves absence, only a readable 200 presence."""
    if answer.status == 404:
        return None
    post = _post(answer, already=True) if answer.status == 200 else None
    if post is None:
        raise _cannot_tell(answer)
    return post


def polled(answer: Response, *, state: Mapping[str, Any], now: datetime) -> Published | Accepted:
    """The answer to a poll. A 4xx is the platform's last word, except the four that say nothing about the post."""
    status = answer.status
    if status == 202:
        return _again(answer, str(state["poll_url"]), now)
    if status in (200, 201):
        post = _post(answer)
        if post is None:
            raise UnknownOutcome(
                "The platform says it is done but not under which id.",
                status_code=status,
                platform_message=words(answer),
            )
        return post
    if 400 <= status < 500 and status not in (401, 403, 408, 429):
        raise Rejected("The platform gave the post up.", status_code=status, platform_message=words(answer))
    return missed(state, wait=retry_after(answer, now), why=f"answered {status}")


def missed(state: Mapping[str, Any], *, wait: float | None = None, why: str) -> Accepted:
    """A poll that told nothing: ask again, each time later. The platform may still be at work, so a look-up that finds
    nothing would prove nothing; only after 12 misses in a row (about an hour) is the outcome called unknown."""
    misses = int(state.get("misses") or 0) + 1
    if misses >= MOST_MISSES:
        raise UnknownOutcome(
            f"The platform took the post and then gave no account of it {misses} times; it last {why}."
        )
    pause = min(POLL_SECONDS * 2 ** (misses - 1), LONGEST_PAUSE_SECONDS)
    return Accepted(
        remote_state={"poll_url": state["poll_url"], "misses": misses},
        poll_after_seconds=max(pause, wait or 0.0),
        response={"missed": why},
    )


def is_pollable(url: str, base_url: str, allowed_hosts: frozenset[str]) -> bool:
    """May this address be asked with the account's token? Only the endpoint's own host and port, or a named host."""
    if not is_http_url(url):
        return False
    asked, own = urlsplit(url), urlsplit(base_url)
    try:
        same = (asked.scheme, asked.hostname, asked.port) == (own.scheme, own.hostname, own.port)
    except ValueError:
        return False
    named = (asked.hostname or "").lower() in allowed_hosts and (asked.scheme == "https" or own.scheme == "http")
    return (same or named) and asked.username is None


def retry_after(answer: Response, now: datetime) -> float | None:
    """Retry-After in seconds, between 0 and a day; None when absent or unreadable."""
    return rates.retry_after(answer.headers.get("retry-after", ""), now)


def words(answer: Response) -> str:
    """The platform's own words: the usual fields of a JSON error, else the body."""
    data = answer.json()
    if isinstance(data, dict):
        for name in ("detail", "message", "error", "title"):
            if isinstance(data.get(name), str):
                return clean(data[name])
    return clean(answer.text())


def _post(answer: Response, *, already: bool = False) -> Published | None:
    data = answer.json()
    if not isinstance(data, dict) or not isinstance(data.get("id"), str | int) or isinstance(data.get("id"), bool):
        return None
    remote_id, url = clean(data["id"]), data.get("url")
    if not remote_id:
        return None
    shown = url if isinstance(url, str) and is_http_url(url) and len(url) <= 2_000 else ""
    return Published(
        remote_id=remote_id,
        url=shown,
        response={"status": answer.status, "id": remote_id, "url": shown},
        already=already,
    )


def _accepted(answer: Response, allowed_hosts: frozenset[str], base_url: str, now: datetime) -> Accepted:
    data = answer.json()
    url = data.get("poll_url") if isinstance(data, dict) else None
    if not isinstance(url, str) or not is_pollable(url, base_url, allowed_hosts):
        raise UnknownOutcome(
            "The platform took the post but named no address of its own at which to ask about it.",
            status_code=202,
            platform_message=words(answer),
        )
    return _again(answer, url, now)


def _again(answer: Response, poll_url: str, now: datetime) -> Accepted:
    wait = retry_after(answer, now)
    return Accepted(
        remote_state={"poll_url": poll_url},
        poll_after_seconds=POLL_SECONDS if wait is None else max(wait, 1.0),
        response={"status": answer.status},
    )


def _error(answer: Response, now: datetime) -> PlatformError:
    status, said = answer.status, words(answer)
    if status in (401, 403):
        return AuthFailed("The platform does not accept the credentials.", status_code=status, platform_message=said)
    if status == 429:
        wait, rate = retry_after(answer, now), rates.rate_of(answer.headers, now)
        if wait is None and rate is not None and rate.remaining == 0:
            wait = rate.reset_seconds
        return RateLimited(
            "The platform asks for fewer posts.",
            status_code=429,
            retry_after_seconds=wait,
            platform_message=said,
        )
    if 300 <= status < 400:
        return Rejected(
            "The address answers with a redirect, which is not followed. Enter the address it leads to.",
            status_code=status,
            platform_message=said,
        )
    if 400 <= status < 500 and status != 408:
        return Rejected(f"The platform refused the post ({status}).", status_code=status, platform_message=said)
    return UnknownOutcome(
        f"The platform failed while it had the post ({status}).", status_code=status, platform_message=said
    )


def _cannot_tell(answer: Response) -> UnknownOutcome:
    return UnknownOutcome(
        f"The look-up told nothing ({answer.status}).",
        status_code=answer.status,
        platform_message=words(answer),
    )
