"""Standard Webhooks signatures (standardwebhooks.com, spec 1.0.0): what we send carries them, and we can check them.

Pure: no Django, no clock. Signed text is `id.timestamp.body`; HMAC-SHA256; `v1,` + base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from datetime import datetime

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300


class BadSignature(Exception):
    """The message is not signed with this secret, or not now."""


class BadSecret(ValueError):
    """A signing secret is `whsec_` and base64 of at least one byte (24 to 64 are recommended)."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def generate_secret() -> str:
    return PREFIX + base64.b64encode(os.urandom(32)).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret, with or without its prefix and padding. Raises BadSecret."""
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret from None
    if not key:
        raise BadSecret
    return key


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, `v1,…`. `timestamp` in whole epoch seconds; `message_id` holds no dot."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def headers(secrets: str | Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers. Several secrets, while one replaces another, give several signatures."""
    timestamp = int(at.timestamp())
    every = [secrets] if isinstance(secrets, str) else secrets
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp, body) for secret in every),
    }


def verify(secret: str, given: Mapping[str, str], body: bytes, *, now: datetime) -> None:
    """Raise BadSignature unless one v1 signature is right and the time is within five minutes of `now` (aware UTC)."""
    lower = {name.lower(): value for name, value in given.items()}
    message_id, stamp, signatures = (lower.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (message_id and stamp and signatures):
        raise BadSignature("a webhook header is missing")
    if not (stamp.isascii() and stamp.isdigit()):
        raise BadSignature("webhook-timestamp is not a number of seconds")
    if abs(int(stamp) - now.timestamp()) > TOLERANCE_SECONDS:
        raise BadSignature("webhook-timestamp is more than five minutes off")
    expected = sign(secret, message_id, int(stamp), body).encode()
    for signature in signatures.split():
        if hmac.compare_digest(signature.encode(), expected):
            return
    raise BadSignature("no signature fits")
