"""tweepy's client on our own way out: the account's address, our deadlines, our guard, and nothing of a secret in a log.

tweepy signs the requests (OAuth 2 bearer, OAuth 1.0a) and makes those that it knows. Its session is ours: the address it has
built in is replaced before the signature is made, and what carries the request is `platforms.outbound`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import requests
import tweepy  # type: ignore[import-untyped]
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from alwrity_scheduler.core import clock
from platforms.adapters.x.address import base_of, signs_with_keys
from platforms.adapters.x.errors import error_of, rate_of
from platforms.chains import Deadline
from platforms.contracts import AccountRef
from platforms.outbound import MEBIBYTE, Response, call

_BUILT_IN = "https://api.twitter.com"
_KEPT = frozenset({"authorization", "content-type"})
for _name in ("tweepy", "oauthlib", "requests_oauthlib"):  # they log headers, the token among them
    logging.getLogger(_name).setLevel(logging.WARNING)


class XClient:
    """One account for the length of one call."""

    def __init__(self, account: AccountRef, deadline: Deadline) -> None:
        given = account.credentials
        self._keys = signs_with_keys(given)
        self._client = (
            tweepy.Client(
                consumer_key=given["api_key"],
                consumer_secret=given["api_key_secret"],
                access_token=given["access_token"],
                access_token_secret=given["access_token_secret"],
                return_type=requests.Response,
                wait_on_rate_limit=False,
            )
            if self._keys
            else tweepy.Client(given.get("access_token", ""), return_type=requests.Response, wait_on_rate_limit=False)
        )
        self._client.session = _Session(base_of(account.options), deadline)

    def request(
        self, method: str, route: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> dict[str, Any]:
        """One request of the API, by tweepy. Answers the JSON object of a success, with `rate` (RateInfo) in it when the headers
        told one. Raises the five errors."""
        return _object(self._client.request(method, route, params=params, json=json, user_auth=self._keys))

    def upload(self, route: str, fields: Mapping[str, str], content: bytes, mime: str) -> dict[str, Any]:
        """A form with a file, which tweepy has no call for; signed as tweepy signs."""
        auth, headers = None, {}
        if self._keys:
            client = self._client
            auth = tweepy.OAuth1UserHandler(
                client.consumer_key, client.consumer_secret, client.access_token, client.access_token_secret
            ).apply_auth()
        else:
            headers["Authorization"] = f"Bearer {self._client.bearer_token}"
        answer = self._client.session.request(
            "POST",
            _BUILT_IN + route,
            data=fields,
            files={"media": ("media", content, mime)},
            headers=headers,
            auth=auth,
        )
        return _object(answer)


class _Session(requests.Session):
    def __init__(self, base: str, deadline: Deadline) -> None:
        super().__init__()
        self.trust_env = False  # no netrc, no proxies
        self.adapters.clear()
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Outbound(deadline))
        self._base = base

    def request(self, method: Any, url: Any, *args: Any, **more: Any) -> requests.Response:
        address = self._base + str(url).removeprefix(_BUILT_IN)
        return super().request(method, address, *args, **{**more, "allow_redirects": False})


class _Outbound(BaseAdapter):
    """Carries a prepared request. What is no success is raised here, as one of the five errors, and goes through requests and
    tweepy as it is: tweepy's own errors stumble over bodies that are not what it expects."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._deadline = deadline

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        given: Any = request  # oauthlib writes bytes where requests' types say text
        headers = {name: _text(value) for name, value in given.headers.items() if name.lower() in _KEPT}
        body = given.body.encode() if isinstance(given.body, str) else given.body
        answer = call(
            str(request.method),
            str(request.url),
            headers=headers,
            content=body,
            timeout=self._deadline.left(),
            max_bytes=4 * MEBIBYTE,
        )
        if not 200 <= answer.status < 300:
            raise error_of(answer, clock.now())
        made = requests.Response()
        made.status_code, made._content, made.url, made.request = answer.status, answer.body, str(request.url), request
        made.reason, made.encoding = str(answer.status), "utf-8"
        made.headers = CaseInsensitiveDict(answer.headers)
        return made

    def close(self) -> None:
        pass


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _plain(answer: requests.Response) -> Response:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(status=answer.status_code, headers=headers, body=answer.content)


def _object(answer: requests.Response) -> dict[str, Any]:
    plain = _plain(answer)
    data = plain.json()
    found = data if isinstance(data, dict) else {}
    if (rate := rate_of(plain, clock.now())) is not None:
        found["rate"] = rate
    return found
