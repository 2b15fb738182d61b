"""X, against a double written from docs.x.com."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from platforms.contracts import AccountRef
from tests.contract.networks import Network
from tests.contract.social.x_double import ME, TOKEN, X


def account_on(url: str) -> AccountRef:
    return AccountRef(
        id=1,
        public_id="x",
        platform="x",
        name="News",
        handle="news",
        timezone="UTC",
        credentials={"access_token": TOKEN},
        options={"api_url": url, "user_id": ME["id"]},
    )


def network(request: Any) -> Network:
    from platforms.adapters.x.adapter import XAdapter

    double = X()
    request.addfinalizer(double.stop)
    account = account_on(double.url)
    return Network(
        adapter=XAdapter(),
        account=account,
        posts=lambda publication: sum(post["sent"] == publication.text for post in double.posts.values()),
        misbehave=double.misbehave,
        retry_after=pytest.approx(7, abs=2),  # a whole second of the clock
        unreachable=replace(account, options={**account.options, "api_url": "http://127.0.0.1:1"}),
    )
