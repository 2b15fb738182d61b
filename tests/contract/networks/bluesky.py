"""Bluesky, against its reference server (@atproto/pds)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.contract.networks import Network
from tests.contract.social import pds
from tests.servers import real
from tests.servers.double import Double, Request, route


class AppView(Double):
    """The part of the network that counts; the reference server has none. Source: docs.bsky.app, app.bsky.feed.getPosts."""

    @route("GET", "/xrpc/app.bsky.feed.getPosts")
    def posts(self, request: Request) -> Any:
        return {
            "posts": [
                {"uri": request.query["uris"], "likeCount": 2, "repostCount": 0, "replyCount": 1, "quoteCount": 0}
            ]
        }


SKIP = real.missing("bluesky_pds")


def network(request: Any) -> Network:
    from platforms.adapters.bluesky.adapter import BlueskyAdapter

    server = pds.server()
    proxy = pds.proxy(request, server)
    counting = AppView()
    request.addfinalizer(counting.stop)
    account = server.signed_in(0, proxy.url)
    account = replace(account, options={**account.options, "appview_url": counting.url})
    return Network(
        adapter=BlueskyAdapter(),
        account=account,
        posts=server.posts,
        misbehave=proxy.misbehave,
        unreachable=replace(account, credentials={**account.credentials, "pds": "http://127.0.0.1:1"}),
    )
