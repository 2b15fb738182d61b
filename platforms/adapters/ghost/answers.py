"""What Ghost's answers mean. Pure: an answer in, a value or one of the five errors out.

Source: docs.ghost.org/admin-api (errors: `{"errors": [{message, context, type, code, property, help}]}`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from platforms import rates
from platforms.contracts import Published
from platforms.errors import (
    AuthFailed,
    PlatformError,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownOutcome,
    clean,
)
from platforms.outbound import Response
from platforms.validation import is_http_url

_MARKUP = re.compile(r"<(script|style|head)\b.*?</\1>|<[^>]+>", re.IGNORECASE | re.DOTALL)
# what Ghost tells of a post that somebody can have: its states but `draft`
OUT = frozenset({"published", "sent", "scheduled"})


def first_error(answer: Response) -> Mapping[str, Any]:
    """Ghost's own error object; empty when it was not Ghost that answered."""
    data = answer.json()
    errors = data.get("errors") if isinstance(data, dict) else None
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}


def words(answer: Response) -> str:
    """Ghost's own words, else the text of the page."""
    error = first_error(answer)
    if error:
        parts = [str(error[name]) for name in ("message", "context", "help") if error.get(name)]
        return clean(" ".join(dict.fromkeys(parts)))
    return clean(" ".join(html.unescape(_MARKUP.sub(" ", answer.text()[:20_000])).split()))[:500]


def posts_of(answer: Response) -> list[dict[str, Any]] | None:
    """The posts in the answer; None when it holds none that can be read."""
    data = answer.json()
    rows = data.get("posts") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        return None
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str) and row["id"]]


def error_of(answer: Response, now: datetime, *, sending: bool) -> PlatformError:
    """The class of an answer that is no success.

    sending: the request was one that makes or sends the post, so that an answer in doubt leaves the outcome unknown.
    """
    status, error, said = answer.status, first_error(answer), words(answer)
    kind, code = str(error.get("type") or ""), str(error.get("code") or "")
    wait = rates.retry_after(answer.headers.get("retry-after", ""), now)
    named = " ".join(part for part in (kind, code) if part)
    given: dict[str, Any] = {"status_code": status, "platform_message": f"{named}: {said}" if named else said}
    if 300 <= status < 400:
        return Rejected(_redirected(answer), **given)
    if status == 429:
        return RateLimited("Ghost asks for fewer requests.", retry_after_seconds=wait, **given)
    if kind == "MaintenanceError":
        return Unavailable("Ghost is in maintenance.", retry_after_seconds=wait, **given)
    if status == 401 or (status == 403 and kind == "NoPermissionError"):
        return AuthFailed("Ghost does not accept the Admin API key, or the key may not do this.", **given)
    if status == 403 and not error:
        return Unavailable("A firewall in front of Ghost refused the request (403).", retry_after_seconds=wait, **given)
    if status == 404 and not error:
        return Rejected("No Ghost answers at this address. Enter the one under which /ghost/ opens.", **given)
    if status == 413:
        return Rejected("This is larger than Ghost or the server in front of it takes.", **given)
    if status == 406:
        return Rejected("This Ghost is too old: version 5 or newer is needed.", **given)
    if 400 <= status < 500 and status not in (408, 425):
        return Rejected(_refusal(error, status), **given)
    if sending:
        return UnknownOutcome(f"Ghost failed while it had the post ({status}).", **given)
    return Unavailable(f"Ghost failed before the post was sent ({status}).", retry_after_seconds=wait, **given)


def published(row: Mapping[str, Any], *, already: bool = False, notes: tuple[str, ...] = ()) -> Published:
    url = row.get("url")
    shown = url if isinstance(url, str) and is_http_url(url) and len(url) <= 2_000 else ""
    response = {"id": row["id"], "url": shown, "status": row.get("status"), "slug": row.get("slug")}
    return Published(remote_id=str(row["id"]), url=shown, response=response, already=already, notes=notes)


def _refusal(error: Mapping[str, Any], status: int) -> str:
    field = error.get("property")
    return f"Ghost refused this ({field})." if field else f"Ghost refused this ({status})."


def _redirected(answer: Response) -> str:
    to = urlsplit(answer.headers.get("location", ""))
    where = f" to {to.scheme}://{to.netloc}" if to.scheme and to.netloc else ""
    return clean(
        f"Ghost answers with a redirect{where}, which is not followed. Enter the address under which /ghost/ opens."
    )
