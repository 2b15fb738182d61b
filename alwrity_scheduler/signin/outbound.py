"""How the library reaches OpenID providers: what looks like `requests` to it, and leaves through core.http as everything does."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import requests

from alwrity_scheduler.core import http


class Session:
    """The few methods that the library calls. Raises what it catches: requests.RequestException."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def get(self, url: str, **values: Any) -> requests.Response:
        return self.request("GET", url, **values)

    def post(self, url: str, **values: Any) -> requests.Response:
        return self.request("POST", url, **values)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: Any = None,
        timeout: float | None = None,
    ) -> requests.Response:
        sent = dict(headers or {})
        if auth is not None:
            pair = f"{auth.username}:{auth.password}".encode()
            sent["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        try:
            got = http.request(method, url, params=params, form=data, headers=sent, timeout=timeout or self._timeout)
        except http.OutboundError as error:
            raise requests.ConnectionError(str(error)) from error
        answer = requests.Response()
        answer.status_code, answer.url = got.status, url
        answer.headers.update(got.headers)
        answer._content = got.body
        return answer
