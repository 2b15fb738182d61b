"""Web addresses in a text. Pure."""

from __future__ import annotations

import re

_URL = re.compile(r"https?://[^\s<>\"]+")


def urls(text: str) -> list[str]:
    """The http and https addresses in the text, in order, without the punctuation behind them."""
    return [found.group().rstrip(".,;:!?)") for found in _URL.finditer(text)]
