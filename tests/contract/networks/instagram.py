"""An Instagram account, against a double of the Graph API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from platforms.contracts import AccountRef, MediaRef
from tests.contract.networks import Network
from tests.servers.double import Answer
from tests.servers.facebook import graph_error
from tests.servers.instagram import InstagramDouble

IMAGE = MediaRef(
    url="https://media.example.org/a.jpg", mime="image/jpeg", alt="A cat", size=9, checksum="c", width=1080, height=1080
)


def network(request: Any) -> Network:
    from platforms.adapters.instagram.adapter import InstagramAdapter

    double = InstagramDouble()
    request.addfinalizer(double.stop)
    account = AccountRef(
        id=1,
        public_id="a",
        platform="instagram",
        name="Our Brand",
        handle="our.brand",
        timezone="UTC",
        credentials={"access_token": double.TOKEN},
        options={"user_id": double.USER, "login": "instagram", "app_id": "4242", "api_url": double.url},
    )
    answers = {
        "rejected": graph_error(36003, "The aspect ratio is not supported.", error_subcode=2207009),
        "auth": graph_error(190, f"Error validating access token {double.TOKEN}", error_subcode=463),
        "rate_limited": graph_error(4, "Application request limit reached"),
    }
    double.misbehaves = lambda asked: asked.method == "POST" and asked.path.endswith("/media")
    double.drops = lambda asked: asked.path.endswith("/media_publish")

    def misbehave(kind: str) -> None:
        if kind == "unknown":
            double.drop = 1
        else:
            double.next = [Answer(answers[kind].status, answers[kind].body)]

    return Network(
        adapter=InstagramAdapter(),
        account=account,
        posts=lambda publication: sum(publication.text == post["caption"] for post in double.media.values()),
        misbehave=misbehave,
        media=(IMAGE,),
        content_type="image",
        retry_after=3600,
        unreachable=replace(account, options={**account.options, "api_url": "http://127.0.0.1:1"}),
    )
