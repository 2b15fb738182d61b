"""The real PDS of `../shared/servers`, and a relay in front of it that misbehaves: answers of its own, or none after the PDS has
done what was asked (docs.bsky.app, HTTP reference: errors)."""

from __future__ import annotations

import functools
import http.client
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from platforms.contracts import AccountRef, Publication
from tests.servers import real
from tests.servers.double import Answer, Double, Request


class Pds:
    def __init__(self, info: dict[str, Any]) -> None:
        self.url = str(info["url"])
        self.people = info["accounts"]
        self.sessions: dict[int, dict[str, str]] = {}

    def account(self, number: int) -> AccountRef:
        person = self.people[number]
        return AccountRef(
            id=number + 1,
            public_id=f"bluesky-{number}",
            platform="bluesky",
            name=person["handle"],
            handle=person["handle"],
            timezone="UTC",
            credentials={"identifier": person["handle"], "app_password": person["appPassword"]},
            options={"service_url": self.url},
        )

    def signed_in(self, number: int, base: str) -> AccountRef:
        """The account with a session at the address `base`."""
        account = self.account(number)
        if number not in self.sessions:
            from platforms.adapters.bluesky.adapter import ADAPTER

            self.sessions[number] = dict(ADAPTER.refresh(account, timeout=10).credentials)
        credentials = {**account.credentials, **self.sessions[number], "pds": base}
        return replace(account, credentials=credentials, options={**account.options, "service_url": base})

    def get(self, method: str, **params: Any) -> Any:
        return httpx.get(f"{self.url}/xrpc/{method}", params=params, timeout=10).json()

    def records(self, number: int = 0) -> list[dict[str, Any]]:
        """All posts of the account, newest key first."""
        found: list[dict[str, Any]] = []
        params = {"repo": self.people[number]["did"], "collection": "app.bsky.feed.post", "limit": 100}
        while True:
            page = self.get("com.atproto.repo.listRecords", **params)
            found += page["records"]
            if not page.get("cursor") or not page["records"]:
                return found
            params["cursor"] = page["cursor"]

    def posts(self, publication: Publication) -> int:
        return sum(record["value"]["text"] == publication.text for record in self.records())


@functools.lru_cache
def server() -> Pds:
    return Pds(real.start("bluesky_pds", ("RATE", "1")))  # its limits are on, and named in its headers


class Relay(Double):
    """Hands every request on to the PDS."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.target = urlsplit(url).netloc
        self.misbehaves = lambda request: request.path.endswith("putRecord")
        self.drops = self.misbehaves

    def answer(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self.target, timeout=10)
        query = f"?{urlencode(request.query)}" if request.query else ""
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "connection")}
        connection.request(request.method, request.path + query, request.body or None, headers)
        answer = connection.getresponse()
        kept = {
            name: value for name, value in answer.getheaders() if name.lower().startswith(("ratelimit", "content-type"))
        }
        made = Answer(answer.status, answer.read(), kept)
        connection.close()
        return made

    def misbehave(self, kind: str) -> None:
        if kind == "unknown":
            self.drop += 1
            return
        self.next.append(
            {
                "rejected": Answer(
                    400, {"error": "InvalidRequest", "message": "Record/text must not be longer than 300 graphemes"}
                ),
                "auth": Answer(401, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"}),
                "rate_limited": Answer(
                    429, {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, {"Retry-After": "7"}
                ),
            }[kind]
        )


def proxy(request: Any, pds: Pds) -> Relay:
    relay = Relay(pds.url)
    request.addfinalizer(relay.stop)
    return relay
