"""The last line of defence for logs: what looks like a secret is blotted out. Whoever holds a secret must not log it anyway."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "[hidden]"
_NAMES = r"authorization|cookie|password|passwd|secret|token|credentials?|api[_-]?key|signature"
_SECRET_NAME = re.compile(rf"(?i)(?:{_NAMES})$")
_NOT_YET = rf"(?!{re.escape(HIDDEN)})"
_PATTERNS = (
    (re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    # the product's own secrets, wherever they stand
    (re.compile(r"\b(alw_|whsec_)[\w+/=-]{6,}"), rf"\1{HIDDEN}"),
    # user:password@ in an address
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), f"://{HIDDEN}@"),
    # access_token=…, "client_secret": "…"
    (
        re.compile(rf"(?i)([\w-]{{0,24}}(?:{_NAMES})[\"']?\s*[=:]\s*[\"']?){_NOT_YET}[^\s&\"',;)}}]{{4,}}"),
        rf"\1{HIDDEN}",
    ),
)


_MAIL = re.compile(r"\b([A-Za-z0-9])[A-Za-z0-9._%+-]*@([A-Za-z0-9-]+\.[A-Za-z0-9.-]*[A-Za-z])")


def hidden(text: str) -> str:
    """`text` without whatever looks like a token, a password or a key, and with mail addresses cut to their first letter."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    # people are told apart by it, and nobody can write to it
    return _MAIL.sub(r"\1…@\2", text)


def hidden_value(name: str, value: Any) -> Any:
    """A named value as it may be logged. Numbers are kept: a lease's token is one."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return HIDDEN if _SECRET_NAME.search(name) else hidden(str(value))
