"""Slack by a bot, against its double."""

from __future__ import annotations

from typing import Any

from platforms.contracts import AccountRef
from tests.contract.networks import Network
from tests.servers.double import Answer
from tests.servers.slack import CHANNEL, TOKEN, Slack, error

ORDERS = {
    "rejected": error("is_archived"),
    "auth": error("token_revoked"),
    "rate_limited": Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "7"}),
}


def account(url: str, **options: Any) -> AccountRef:
    return AccountRef(
        id=1, public_id="a", platform="slack", name="News", handle="news", timezone="UTC",
        credentials={"bot_token": TOKEN}, options={"channel_id": CHANNEL, "api_url": url, **options},
    )  # fmt: skip


def of(request: Any, made: Any) -> Network:
    """The suite's network for an account that `made` makes of the double's address."""
    from platforms.adapters.slack.adapter import ADAPTER

    double = Slack()
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
        unreachable=made("http://127.0.0.1:1"),
    )


def network(request: Any) -> Network:
    return of(request, account)
