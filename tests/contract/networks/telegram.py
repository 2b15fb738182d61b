"""Telegram, against its double."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from platforms.contracts import AccountRef
from tests.contract.networks import Network
from tests.servers.telegram import TOKEN, Telegram, refusal

ORDERS = {
    "rejected": refusal(400, "Bad Request: can't parse entities: Can't find end of the entity"),
    "auth": refusal(401, "Unauthorized"),
    "rate_limited": refusal(429, "Too Many Requests: retry after 7", retry_after=7),
}


def account(url: str, **options: Any) -> AccountRef:
    return AccountRef(
        id=1, public_id="a", platform="telegram", name="News", handle="newsroom", timezone="UTC",
        credentials={"bot_token": TOKEN}, options={"chat_id": "@newsroom", "api_url": url, **options},
    )  # fmt: skip


def network(request: Any) -> Network:
    from platforms.adapters.telegram.adapter import ADAPTER

    double = Telegram()
    request.addfinalizer(double.stop)

    def misbehave(kind: str) -> None:
        if kind == "unknown":
            double.drop = 1
        else:
            double.next.append(ORDERS[kind])

    return Network(
        adapter=ADAPTER,
        account=account(double.url),
        posts=lambda publication: double.texts().count(publication.text),
        misbehave=misbehave,
        unreachable=replace(account("http://127.0.0.1:1")),
    )
