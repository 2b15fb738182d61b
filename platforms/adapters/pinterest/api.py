"""Requests to Pinterest's API v5, and what its answers mean. Source: pinterest/api-description 5.23.0 (openapi)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.http import Response
from platforms import rates
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, Unavailable, UnknownOutcome
from platforms.outbound import call

API_URL = "https://api.pinterest.com/v5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinterest:
    """One account's way to the API. A call that shows nothing (`visible` false) and is lost did certainly not post."""

    base: str
    token: str = field(repr=False)

    def ask(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        visible: bool = False,
    ) -> Response:
        sent = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        return self._read(
            lambda: call(method, self.base + path, headers=sent, json=json, params=params, timeout=timeout), visible
        )

    def store(self, url: str, form: Mapping[str, str], file: tuple[str, bytes, str], *, timeout: float) -> None:
        """A file to the storage that Pinterest named, with the form that it gave; the account's token does not go there."""
        self._read(lambda: call("POST", url, form=form, files={"file": file}, timeout=timeout), False)

    def _read(self, ask: Callable[[], Response], visible: bool) -> Response:
        secrets = [self.token] if self.token else []
        try:
            answer = ask()
            if 200 <= answer.status < 300:
                return answer
            raise error_of(answer, clock.now())
        except UnknownOutcome as error:
            error.hide(secrets)
            if visible:
                raise
            raise Unavailable(
                f"A step before publishing got no clear answer; nothing was posted. {error}",
                status_code=error.status_code, platform_message=error.platform_message, response=error.response,
            ) from None  # fmt: skip
        except PlatformError as error:
            error.hide(secrets)
            raise


def data_of(answer: Response) -> dict[str, Any]:
    data = answer.json()
    return data if isinstance(data, dict) else {}


def error_of(answer: Response, now: datetime) -> PlatformError:
    """The class of an answer that is no success. `now` aware UTC."""
    data, status, rate = data_of(answer), answer.status, rates.rate_of(answer.headers, now)
    details: dict[str, Any] = {
        "status_code": status, "platform_message": str(data.get("message") or "") or answer.text()[:500],
        "response": {"code": data["code"]} if isinstance(data.get("code"), int) else {}, "rate": rate,
    }  # fmt: skip
    if status == 401:
        return AuthFailed("Pinterest: the sign-in is not accepted: connect again.", **details)
    if status == 403:
        return AuthFailed("Pinterest: the sign-in lacks a permission, or the board is somebody else's.", **details)
    if status == 429:
        wait = rates.retry_after(answer.headers.get("retry-after", ""), now)
        if wait is None and rate is not None and rate.remaining == 0:
            wait = rate.reset_seconds
        return RateLimited("Pinterest asks for fewer calls.", retry_after_seconds=wait, **details)
    if 400 <= status < 500 and status != 408:
        return Rejected(f"Pinterest refused it ({status}).", **details)
    return UnknownOutcome(f"Pinterest gave no clear answer ({status}).", **details)
