"""An authenticator app: RFC 6238 with the standard library, so that the library is not asked to check itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time


def code(secret: str, *, steps: int = 0) -> str:
    """The six digits now, or so many half minutes from now."""
    counter = int(time.time()) // 30 + steps
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
