"""Discord by a bot, against its double."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from platforms.contracts import AccountRef
from tests.contract.networks import Network
from tests.servers.discord import CHANNEL, TOKEN, Discord, refusal

ORDERS = {
    "rejected": refusal(400, 50035, "Invalid Form Body"),
    "auth": refusal(401, 0, "401: Unauthorized"),
    "rate_limited": refusal(429, 0, "You are being rate limited.", retry_after=7.0),
}


def account(url: str, **options: Any) -> AccountRef:
    return AccountRef(
        id=1, public_id="a", platform="discord", name="News", handle="news", timezone="UTC",
        credentials={"bot_token": TOKEN}, options={"channel_id": CHANNEL, "api_url": url, **options},
    )  # fmt: skip


def of(request: Any, made: Any) -> Network:
    """The suite's network for an account that `made` makes of the double's address."""
    from platforms.adapters.discord.adapter import ADAPTER

    double = Discord()
    request.addfinalizer(double.stop)

    def misbehave(kind: str) -> None:
        if kind == "unknown":
            double.drop = 1
        else:
            double.next.append(ORDERS[kind])

    return Network(
        adapter=ADAPTER,
        account=made(double.url),
        posts=lambda publication: double.texts().count(publication.text),
        misbehave=misbehave,
        unreachable=replace(made("http://127.0.0.1:1")),
    )


def network(request: Any) -> Network:
    return of(request, account)
