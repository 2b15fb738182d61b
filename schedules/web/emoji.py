"""Emoji by name, from Python's own copy of the Unicode character database: no list of others is needed."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# the blocks in which emoji stand that every system draws in colour by itself, without a variation selector
_RANGES = (
    (0x1F600, 0x1F64F),
    (0x1F900, 0x1F9FF),
    (0x1F440, 0x1F4FC),
    (0x1F300, 0x1F320),
    (0x1F32D, 0x1F335),
    (0x1F337, 0x1F37C),
    (0x1F37E, 0x1F393),
    (0x1F3A0, 0x1F3CA),
    (0x1F3E0, 0x1F3F0),
    (0x1F400, 0x1F43E),
    (0x1F500, 0x1F53D),
    (0x1F680, 0x1F6C5),
    (0x1FA70, 0x1FAF6),
)
_SINGLE = "⌚⌛⏩⏰⏳☔☕♈♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓❔❕❗➕➖➗➰⬛⬜⭐⭕🔥🎉🚀"
_FIRST = "😀😂😍🥳🤔😎🙏👍👏🎉✨🔥🚀💡✅⭐📣📅📈💬🔗📸☕🌍🙌💪👀🤝🎁🏆"
MOST = 120


@lru_cache(maxsize=1)
def known() -> tuple[tuple[str, str], ...]:
    """(sign, name in lower case), the usual ones first."""
    signs = [*_FIRST, *_SINGLE, *(chr(code) for first, last in _RANGES for code in range(first, last + 1))]
    named = ((sign, unicodedata.name(sign, "").lower()) for sign in dict.fromkeys(signs))
    return tuple((sign, name) for sign, name in named if name and "fitzpatrick" not in name)


def find(words: str) -> list[tuple[str, str]]:
    """The emoji whose names hold every word, at most MOST."""
    wanted = words.lower().split()
    return [(sign, name) for sign, name in known() if all(word in name for word in wanted)][:MOST]
