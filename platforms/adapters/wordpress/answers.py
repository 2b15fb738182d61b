"""What a WordPress site's answers mean. Pure: an answer in, a value or one of the five errors out.

Source: WordPress REST API handbook (developer.wordpress.org/rest-api), codes as WordPress 6 gives them.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from platforms import rates
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

# What only a person can mend: the account's password, or its rights on the site.
NO_RIGHT = frozenset(
    {
        "rest_cannot_create",
        "rest_cannot_publish",
        "rest_cannot_edit",
        "rest_cannot_view",
        "rest_forbidden",
        "rest_forbidden_context",
        "rest_forbidden_status",
        "rest_forbidden_author",
    }
)
_REMEDIES = {
    "rest_cannot_publish": "This user may not publish there. Give the user the role Author, or choose “Waiting for review”.",
    "rest_cannot_create": "This user may not do that there. Give the user the role Author or a higher one.",
    "rest_cannot_assign_sticky": "This user may not keep posts on top. Leave that out, or give the user a higher role.",
    "rest_cannot_assign_term": "This user may not use one of these categories or tags.",
    "rest_upload_sideload_error": "The site does not take this kind of file, or it is too large for it.",
    "rest_upload_file_too_big": "The file is larger than the site takes.",
    "rest_upload_limited_space": "The site has no space left for this file.",
    "rest_no_route": "The site's REST API does not offer posts; a security plug-in may have switched it off.",
    "application_passwords_disabled": "Application passwords are switched off on this site.",
}
_WORDS_OF_MAINTENANCE = re.compile(r"maintenance|wartung|mantenimiento", re.IGNORECASE)
_MARKUP = re.compile(r"<(script|style|head)\b.*?</\1>|<[^>]+>", re.IGNORECASE | re.DOTALL)
_JSON_START = re.compile(r"[\[{]")


def data_of(answer: Response) -> Any:
    """The answer's JSON, also behind the warnings that badly set-up sites print before it; None when there is none."""
    data = answer.json()
    if data is not None:
        return data
    text = answer.text()
    for found in list(_JSON_START.finditer(text))[:20]:
        try:
            value, end = json.JSONDecoder().raw_decode(text, found.start())
        except ValueError:
            continue
        if isinstance(value, dict | list) and not text[end:].strip() and value:
            return value
    return None


def code_of(answer: Response) -> str:
    """WordPress's own code of an error; empty when it was not WordPress's REST API that answered."""
    data = data_of(answer)
    code = data.get("code") if isinstance(data, dict) else None
    return code if isinstance(code, str) else ""


def words(answer: Response) -> str:
    """The site's own words: message and named parameters of an error, else the text of the page."""
    data = data_of(answer)
    if isinstance(data, dict) and isinstance(data.get("message"), str):
        details = data.get("data")
        named = details.get("params") if isinstance(details, dict) else None
        more = "; ".join(f"{name}: {text}" for name, text in named.items()) if isinstance(named, dict) else ""
        said = html.unescape(_MARKUP.sub(" ", data["message"]))
        return clean(" ".join(f"{said} {more}".split()))
    return clean(" ".join(html.unescape(_MARKUP.sub(" ", answer.text()[:20_000])).split()))[:500]


def error_of(answer: Response, now: datetime, *, sending: bool) -> PlatformError:
    """The class of an answer that is no success.

    sending: the request was the one that makes the post, so that an answer in doubt leaves the outcome unknown; all requests
    before it made none.
    """
    status, code, said = answer.status, code_of(answer), words(answer)
    wait = rates.retry_after(answer.headers.get("retry-after", ""), now)
    given: dict[str, Any] = {"status_code": status, "platform_message": f"{code}: {said}" if code else said}
    if 300 <= status < 400:
        return Rejected(_redirected(answer), **given)
    if status == 429:
        return RateLimited("The site asks for fewer requests.", retry_after_seconds=wait, **given)
    if status == 401 or (status == 403 and code in NO_RIGHT) or _is_forbidden_parameter(answer):
        return AuthFailed(_REMEDIES.get(code) or _who(403 if status == 403 else 401), **given)
    if status == 403 and not code:
        return Unavailable(
            "A firewall in front of the site refused the request (403). Its log says why; it may have to let this address in.",
            retry_after_seconds=wait, **given,
        )  # fmt: skip
    if status == 413:
        return Rejected("This is larger than the site takes.", **given)
    if status == 503 and not code and _WORDS_OF_MAINTENANCE.search(said):
        return Unavailable("The site is in maintenance.", retry_after_seconds=wait, **given)
    if 400 <= status < 500 and status not in (408, 425):
        return _refused(status, code, given)
    if sending:
        return UnknownOutcome(f"The site failed while it had the post ({status}).", **given)
    return Unavailable(f"The site failed before the post was sent ({status}).", retry_after_seconds=wait, **given)


def post_of(answer: Response) -> Mapping[str, Any] | None:
    """The post in the answer; None when the answer holds none."""
    data = data_of(answer)
    is_post = isinstance(data, dict) and isinstance(data.get("id"), int) and not isinstance(data.get("id"), bool)
    return data if is_post else None


def rows_of(answer: Response) -> list[dict[str, Any]] | None:
    """The list in the answer; None when it is none."""
    data = data_of(answer)
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else None


def is_elsewhere(answer: Response) -> bool:
    """Did nobody know the address: a site whose permalinks are plain has no /wp-json/, and its theme says 404."""
    return answer.status in (404, 405) and not code_of(answer)


def unknown(look: Callable[[], Any]) -> Any:
    """What `look` brings; every failure of it as UnknownOutcome, because a look-up that failed proves nothing."""
    try:
        return look()
    except UnknownOutcome:
        raise
    except PlatformError as error:
        raise UnknownOutcome(
            f"The look-up told nothing. {error}", status_code=error.status_code, platform_message=error.platform_message
        ) from error


def _is_forbidden_parameter(answer: Response) -> bool:
    """A look-up without the right to see drafts is answered 400: what a wrong password comes to, because WordPress then goes
    on as if nobody had signed in."""
    data = data_of(answer)
    details = (
        (data.get("data") or {}).get("details")
        if isinstance(data, dict) and isinstance(data.get("data"), dict)
        else None
    )
    return isinstance(details, dict) and any(
        isinstance(item, dict) and item.get("code") in NO_RIGHT for item in details.values()
    )


def _refused(status: int, code: str, given: dict[str, Any]) -> PlatformError:
    if status == 404 and not code:
        return Rejected("No WordPress REST API answers at this address.", **given)
    return Rejected(_REMEDIES.get(code) or f"The site refused this ({status}).", **given)


def _who(status: int) -> str:
    if status == 401:
        return (
            "The site does not accept the user name and application password. Some web servers keep the Authorization header from "
            "WordPress; the site's own page Tools, Site Health says so."
        )
    return "The site does not let this user do that."


def _redirected(answer: Response) -> str:
    to = urlsplit(answer.headers.get("location", ""))
    where = f" to {to.scheme}://{to.netloc}" if to.scheme and to.netloc else ""
    return clean(f"The site answers with a redirect{where}, which is not followed. Enter the address it leads to.")
