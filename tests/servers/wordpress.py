"""The real WordPress, behind a proxy that can lose its answers. All its tests are of the xdist group `network-wordpress`."""

from __future__ import annotations

import base64
import functools
import json
import urllib.request
from typing import Any

from platforms.contracts import AccountRef
from tests.servers import real
from tests.servers.proxy import Proxy

GROUP = "network-wordpress"


class WordPress:
    def __init__(self) -> None:
        self.site = real.start("wordpress")
        self.proxy = Proxy(self.site["url"])
        for row in self.rest("GET", "posts?per_page=100&status=any"):  # a server that was left running has posts
            self.rest("DELETE", f"posts/{row['id']}?force=true")

    def rest(self, method: str, path: str, body: Any = None, user: str = "admin") -> Any:
        """A request of the test's own, straight to the site."""
        pair = f"{user}:{self.site['users'][user]['application_password']}"
        headers = {
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.site["rest"] + f"wp/v2/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def account(self, user: str = "author1", **options: Any) -> AccountRef:
        return AccountRef(
            id=1,
            public_id="a",
            platform="wordpress",
            name="Blog",
            handle=user,
            timezone="UTC",
            credentials={"application_password": self.site["users"][user]["application_password"]},
            options={"site_url": self.proxy.url, "username": user, **options},
        )

    def with_slug(self, slug: str) -> list[dict[str, Any]]:
        """The posts of this slug and of those WordPress makes of it (`-2`), in any state."""
        rows = self.rest("GET", "posts?per_page=100&status=any,trash&context=edit")
        return [row for row in rows if row["slug"].removesuffix("__trashed").startswith(slug)]

    def calm(self) -> None:
        """No fault is left over from the test before."""
        self.proxy.next, self.proxy.drop, self.proxy.requests = [], 0, []
        self.proxy.misbehaves = lambda request: True
        self.proxy.drops = is_the_post


def is_the_post(request: Any) -> bool:
    """Is it the request that makes a post?"""
    route = request.query.get("rest_route", request.path)
    return request.method == "POST" and route.rstrip("/").endswith("/wp/v2/posts")


@functools.lru_cache
def running() -> WordPress:
    return WordPress()
