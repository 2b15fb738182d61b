"""Bluesky, against its reference server (@atproto/pds)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.contract.networks import Network
from tests.contract.social import pds
from tests.servers import real

SKIP = real.missing("bluesky_pds")


def network(request: Any) -> Network:
    from platforms.adapters.bluesky.adapter import BlueskyAdapter

    server = pds.server()
    proxy = pds.proxy(request, server)
    account = server.signed_in(0, proxy.url)
    return Network(
        adapter=BlueskyAdapter(),
        account=account,
        posts=server.posts,
        misbehave=proxy.misbehave,
        unreachable=replace(account, credentials={**account.credentials, "pds": "http://127.0.0.1:1"}),
    )
