"""Mastodon, against a double written from docs.joinmastodon.org."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from platforms.contracts import AccountRef
from tests.contract.networks import Network
from tests.contract.social.mastodon_double import TOKEN, Mastodon


def account_on(url: str) -> AccountRef:
    return AccountRef(
        id=1,
        public_id="mastodon",
        platform="mastodon",
        name="News",
        handle="news",
        timezone="UTC",
        credentials={"access_token": TOKEN},
        options={"instance_url": url},
    )


def network(request: Any) -> Network:
    from platforms.adapters.mastodon.adapter import MastodonAdapter

    double = Mastodon()
    request.addfinalizer(double.stop)
    account = account_on(double.url)
    return Network(
        adapter=MastodonAdapter(),
        account=account,
        posts=lambda publication: sum(status["sent"] == publication.text for status in double.statuses.values()),
        misbehave=double.misbehave,
        retry_after=pytest.approx(7, abs=2),
        unreachable=replace(account, options={**account.options, "instance_url": "http://127.0.0.1:1"}),
    )
