"""Discord by a webhook, against its double."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from platforms.contracts import AccountRef
from tests.contract.networks import Network
from tests.contract.networks.discord import account as by_bot
from tests.contract.networks.discord import of
from tests.servers.discord import WEBHOOK


def account(url: str, **options: Any) -> AccountRef:
    return replace(by_bot(url), credentials={"webhook_url": WEBHOOK}, options={"api_url": url, **options})


def network(request: Any) -> Network:
    return of(request, account)
