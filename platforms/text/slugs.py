"""The name of a post in its address, with a part that only this post has. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_WORDS = 80
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "þ": "th", "ð": "d"})


def short(key: str, length: int = 12) -> str:
    """A few letters of a key's own (a-f, 0-9), the same for the same key."""
    return hashlib.sha256(key.encode()).hexdigest()[:length]


def words(text: str) -> str:
    """The text as a part of an address: a-z, 0-9 and hyphens, at most 80 of them, cut between words. Empty for other scripts."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS)).encode("ascii", "ignore").decode()
    made = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['’]", "", plain)).strip("-")
    if len(made) <= LONGEST_WORDS:
        return made
    return made[: LONGEST_WORDS + 1].rpartition("-")[0] or made[:LONGEST_WORDS]


def slug(text: str, key: str) -> str:
    """`<words of the text>-<short key>`: a blog's look-up by it finds this post and no other."""
    return f"{words(text) or 'post'}-{short(key)}"
