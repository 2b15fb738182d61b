"""A Pinterest board, against a double that holds each body against Pinterest's own description."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from platforms.contracts import AccountRef, MediaRef
from tests.contract.networks import Network
from tests.servers.double import Answer
from tests.servers.pinterest import PinterestDouble


def network(request: Any) -> Network:
    from platforms.adapters.pinterest.adapter import PinterestAdapter

    double = PinterestDouble()
    request.addfinalizer(double.stop)
    path = request.getfixturevalue("tmp_path") / "a.png"
    path.write_bytes(b"an image")
    account = AccountRef(
        id=1,
        public_id="a",
        platform="pinterest",
        name="Summer",
        handle="ourpins/Summer",
        timezone="UTC",
        credentials={"access_token": double.TOKEN},
        options={"board_id": double.BOARD, "client_id": double.APP, "api_url": f"{double.url}/v5"},
    )
    answers = {
        "rejected": Answer(400, {"code": 1, "message": "Sorry! This site doesn't allow you to save Pins."}),
        "auth": Answer(401, {"code": 2, "message": f"Token {double.TOKEN} expired"}),
        "rate_limited": Answer(
            429,
            {"code": 8, "message": "You have exceeded your rate limit."},
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7"},
        ),
    }

    def misbehave(kind: str) -> None:
        if kind == "unknown":
            double.drop = 1
        else:
            double.next = [answers[kind]]

    return Network(
        adapter=PinterestAdapter(),
        account=account,
        posts=lambda publication: sum(publication.text == pin["description"] for pin in double.pins.values()),
        misbehave=misbehave,
        media=(
            MediaRef(
                url="https://m.example.org/a", mime="image/png", alt="A cat", size=8, checksum="c", path=str(path)
            ),
        ),
        content_type="image",
        unreachable=replace(account, options={**account.options, "api_url": "http://127.0.0.1:1"}),
    )
