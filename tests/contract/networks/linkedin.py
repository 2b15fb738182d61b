"""An organisation at LinkedIn, against a double of its API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from platforms.contracts import AccountRef
from tests.contract.networks import Network
from tests.servers.double import Answer
from tests.servers.linkedin import LinkedInDouble, problem


def network(request: Any) -> Network:
    from platforms.adapters.linkedin.adapter import LinkedInAdapter
    from platforms.adapters.linkedin.little import plain

    double = LinkedInDouble()
    request.addfinalizer(double.stop)
    account = AccountRef(
        id=1,
        public_id="a",
        platform="linkedin",
        name="Berg & Co",
        handle="berg-co",
        timezone="UTC",
        credentials={"access_token": double.TOKEN, "client_secret": double.SECRET},
        options={"author": double.COMPANY, "client_id": double.CLIENT, "api_url": double.url},
    )
    answers = {
        "rejected": problem(422, "UNPROCESSABLE_ENTITY", "ERROR :: /commentary :: is too long"),
        "auth": problem(401, "REVOKED_ACCESS_TOKEN", f"Token {double.TOKEN} was revoked", serviceErrorCode=65601),
        "rate_limited": Answer(429, {"status": 429, "message": "Resource level throttle limit"}, {"Retry-After": "7"}),
    }

    def misbehave(kind: str) -> None:
        if kind == "unknown":
            double.drop = 1
        else:
            double.next = [answers[kind]]

    return Network(
        adapter=LinkedInAdapter(),
        account=account,
        posts=lambda publication: sum(
            plain(publication.text) == plain(post["commentary"]) for post in double.posts.values()
        ),
        misbehave=misbehave,
        unreachable=replace(account, options={**account.options, "api_url": "http://127.0.0.1:1"}),
    )
