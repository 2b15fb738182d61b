"""One request of an adapter, with what went wrong told in the five classes: for all adapters that speak HTTP.

`call` says what is certain without knowing the platform: nothing was sent (Unavailable, or Rejected for an address that may not
be called), or nobody can tell (UnknownOutcome). What an answer's status and body mean is the adapter's to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alwrity_scheduler.core import http
from platforms.errors import Rejected, Unavailable, UnknownOutcome

MEBIBYTE = http.MEBIBYTE
Response = http.Response


def call(
    method: str,
    url: str,
    *,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    content: bytes | Iterator[bytes] | None = None,
    form: Mapping[str, Any] | None = None,
    files: Any = None,
    max_bytes: int = MEBIBYTE,
) -> http.Response:
    """Send one request, read its whole answer. `params` go into the query, `form` and `files` make a form (files as httpx
    takes them: name -> (file name, bytes or open file, type), or a list of such pairs). Redirects are not followed."""
    try:
        return http.request(
            method, url, headers=headers, params=params, json=json, content=content, form=form, files=files,
            timeout=timeout, max_bytes=max_bytes,
        )  # fmt: skip
    except http.AddressRefused as error:
        raise Rejected(str(error)) from error
    except http.NotSent as error:
        raise Unavailable(f"Nothing was sent. {error}") from error
    except http.MaybeSent as error:
        raise UnknownOutcome(f"The platform gave no clear answer. {error}") from error
