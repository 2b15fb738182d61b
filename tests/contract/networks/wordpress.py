"""A real WordPress."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from platforms.adapters.wordpress.adapter import WordPressAdapter
from platforms.adapters.wordpress.content import slug_of
from tests.contract.networks import Network
from tests.servers import real
from tests.servers.double import Answer

SKIP = real.missing("wordpress")


def network(request: Any) -> Network:
    from tests.servers import wordpress

    site = wordpress.running()
    site.calm()
    found = Network(
        adapter=WordPressAdapter(),
        account=site.account(),
        posts=lambda publication: len(site.with_slug(slug_of(publication))),
        misbehave=lambda kind: None,
        words={"title": "Guten Morgen"},
        unreachable=site.account(site_url="http://127.0.0.1:1"),
    )

    def misbehave(kind: str) -> None:
        if kind == "rejected":
            found.account = site.account(default_status="no-such-state")
        elif kind == "auth":
            found.account = replace(site.account(), credentials={"application_password": "abcd efgh ijkl"})
        elif kind == "rate_limited":
            site.proxy.next = [Answer(429, b"<h1>Too many requests</h1>", {"Retry-After": "7"})]
        else:
            site.proxy.drop = 1

    found.misbehave = misbehave
    return found
