"""Standard Webhooks, against the shared vectors and the reference package."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import standardwebhooks

from alwrity_scheduler.core import signing

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "webhooks" / "vectors.json"
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


def signed(**changes):
    return {**signing.headers(SECRET, "msg_1", AT, BODY), **changes}


@pytest.mark.skipif(not VECTORS.exists(), reason=f"the shared vectors are not here ({VECTORS})")
def test_the_fixed_signatures_of_the_reference_libraries():
    rows = [
        row for row in json.loads(VECTORS.read_text()) if row["scheme"] == "standard-webhooks v1" and "signature" in row
    ]
    assert len(rows) == 3
    for row in rows:
        assert signing.sign(row["secret"], row["id"], row["timestamp"], row["body"].encode()) == row["signature"]


def test_a_fixed_signature():
    given = signing.sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_reference_package_takes_what_we_sign(monkeypatch):
    secret, now = signing.generate_secret(), datetime.now(tz=UTC)
    headers = signing.headers(secret, "msg_1", now, BODY)
    assert standardwebhooks.Webhook(secret).verify(BODY, headers)


def test_we_take_what_the_reference_package_signs():
    signature = standardwebhooks.Webhook(SECRET).sign("msg_1", AT, BODY.decode())
    signing.verify(SECRET, signed(**{"webhook-signature": signature}), BODY, now=AT)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "whsec_ü"])
def test_a_secret_must_hold_bytes(secret):
    with pytest.raises(signing.BadSecret):
        signing.key_of(secret)


@pytest.mark.parametrize("secret", ["whsec_YWFhYQ", "YWFhYQ==", "whsec_YWFhYQ=="])
def test_prefix_and_padding_may_be_missing(secret):
    assert signing.key_of(secret) == b"aaaa"


GOOD = signed()["webhook-signature"]


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": ""},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "hello"},
        {"webhook-timestamp": str(int(AT.timestamp()) - 301)},
        {"webhook-timestamp": str(int(AT.timestamp()) + 301)},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": GOOD[:11]},
        {"webhook-signature": GOOD.replace("v1,", "v2,")},
        {"webhook-signature": "v1,AAAA v1,BBBB v1,CCCC"},
        {"webhook-signature": GOOD[:-2] + ("A=" if GOOD[-2] != "A" else "B=")},
    ],
)
def test_what_is_refused(changes):
    with pytest.raises(signing.BadSignature):
        signing.verify(SECRET, signed(**changes), BODY, now=AT)


@pytest.mark.parametrize(("seconds", "taken"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_a_true_signature_holds_for_five_minutes_each_way(seconds, taken):
    now = AT + timedelta(seconds=seconds)
    if taken:
        signing.verify(SECRET, signed(), BODY, now=now)
    else:
        with pytest.raises(signing.BadSignature, match="five minutes"):
            signing.verify(SECRET, signed(), BODY, now=now)


def test_several_signatures_and_header_case_are_taken():
    signing.verify(SECRET, signed(**{"webhook-signature": f"v1,AAAA v2,BBBB {GOOD} v1,CCCC"}), BODY, now=AT)
    signing.verify(SECRET, {name.title(): value for name, value in signed().items()}, BODY, now=AT)
    rotating = signing.headers([signing.generate_secret(), SECRET], "msg_1", AT, BODY)
    signing.verify(SECRET, rotating, BODY, now=AT)
