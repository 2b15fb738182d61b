"""Calls to one Mastodon-compatible server, and what its answers mean. Source: docs.joinmastodon.org (2 Jul 2026)."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from alwrity_scheduler.core import clock
from platforms import rates
from platforms.chains import Deadline
from platforms.contracts import AccountRef
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome, clean
from platforms.outbound import Response, call

_WORD = re.compile(r"\w+")


def instance_of(options: Mapping[str, Any]) -> str:
    """The server's address, with https where none is named; empty when there is none."""
    value = str(options.get("instance_url") or "").strip().rstrip("/")
    return f"https://{value}" if value and "://" not in value else value


def host_of(options: Mapping[str, Any]) -> str:
    return urlsplit(instance_of(options)).netloc.lower()


class MastodonClient:
    """One account for the length of one call."""

    def __init__(self, account: AccountRef, deadline: Deadline) -> None:
        self.deadline = deadline
        self._base = instance_of(account.options)
        token = account.credentials.get("access_token", "")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def request(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
        """One request; an answer that is a success. Raises the five errors."""
        url = path if "://" in path else f"{self._base}{path}"
        sent = {"Accept": "application/json", **self._headers, **(headers or {})}
        answer = call(method, url, headers=sent, timeout=self.deadline.left(), max_bytes=8 * 1024 * 1024, **more)
        if 200 <= answer.status < 300:
            return answer
        raise error_of(answer, clock.now())


def error_of(answer: Response, now: datetime) -> PlatformError:
    """What an answer that is no success means. A 422 (Mastodon) and a 400 (GoToSocial) both say that the post is wrong."""
    status, said, rate = answer.status, words(answer), rates.rate_of(answer.headers, now)
    told: dict[str, Any] = {"status_code": status, "platform_message": said, "rate": rate}
    if status == 401:
        return AuthFailed("The server does not accept the sign-in.", **told)
    if status == 403:
        return AuthFailed("The server does not let this account do that.", **told)
    if status == 429:
        wait = rates.retry_after(answer.headers.get("retry-after", ""), now)
        if wait is None and rate is not None:
            wait = rate.reset_seconds
        return RateLimited("The server asks for fewer calls.", retry_after_seconds=wait, **told)
    if status == 422 and "processing" in said.lower():
        return Unavailable("The server is still working on a file.", retry_after_seconds=10.0, **told)
    if 300 <= status < 400:
        return Rejected(
            "The server's address answers with a redirect, which is not followed. Enter the one it leads to.", **told
        )
    if 400 <= status < 500 and status != 408:
        return Rejected(f"The server refused it ({status}).", **told)
    return UnknownOutcome(f"The server gave no clear answer ({status}).", **told)


def words(answer: Response) -> str:
    """The server's own words: `error` and its explanation."""
    data = answer.json()
    if not isinstance(data, dict):
        return clean(plain_text(answer.text()))
    said = [data[name] for name in ("error", "error_description") if isinstance(data.get(name), str)]
    return clean(": ".join(said))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.pieces.append("\n")
        elif tag == "p" and self.pieces:
            self.pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)


def plain_text(content: str) -> str:
    """What HTML says, with line ends where it has paragraphs and breaks."""
    parser = _Text()
    parser.feed(content)
    parser.close()
    return html.unescape("".join(parser.pieces)).strip()


def compared(text: str) -> str:
    """A text in the form in which two are compared: NFC, white space evened out."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def alike(shown: str, text: str) -> bool:
    """Could a status that shows this have been written as that? A third of the words in common is worth a request for its source:
    servers leave out the domains of mentions and the signs of Markdown."""
    wanted = set(_WORD.findall(text.casefold()))
    common = wanted & set(_WORD.findall(shown.casefold()))
    return not wanted or len(common) >= max(1, len(wanted) // 3)
