"""A Ghost written from its documentation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from platforms.adapters.ghost.adapter import GhostAdapter
from platforms.adapters.ghost.content import tag_of
from tests.contract.networks import Network
from tests.servers.double import Answer
from tests.servers.ghost import Ghost, problem


def network(request: Any) -> Network:
    ghost = Ghost()
    request.addfinalizer(ghost.stop)

    def posts(publication: Any) -> int:
        name = f"#{tag_of(publication.key)}"
        return sum(name in [tag["name"] for tag in row["tags"]] for row in ghost.posts.values())

    def misbehave(kind: str) -> None:
        orders = {
            "rejected": problem(422, "ValidationError", "Validation failed.", property="title"),
            "auth": problem(401, "UnauthorizedError", "Unknown Admin API Key", code="UNKNOWN_ADMIN_API_KEY"),
            "rate_limited": Answer(429, {"errors": [{"type": "TooManyRequestsError"}]}, {"Retry-After": "7"}),
        }
        ghost.misbehaves = ghost.drops
        if kind == "unknown":
            ghost.drop = 1
        else:
            ghost.next = [orders[kind]]

    return Network(
        adapter=GhostAdapter(),
        account=ghost.account(),
        posts=posts,
        misbehave=misbehave,
        words={"title": "Guten Morgen"},
        unreachable=replace(ghost.account(), options={"site_url": "http://127.0.0.1:1"}),
    )
