"""How alike two texts are, and what changed between them word by word. Pure."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

NEAR = 0.85
_ADDRESS = re.compile(r"https?://\S+")
_WORD = re.compile(r"\w+")
_PIECE = re.compile(r"\s+|\w+|[^\w\s]")
LONGEST = 5000  # characters of a text that are compared


def normal(text: str) -> str:
    """The words alone: without case, accents' forms, addresses, punctuation and spacing."""
    plain = unicodedata.normalize("NFKC", _ADDRESS.sub(" ", text)).casefold()
    return " ".join(_WORD.findall(plain[:LONGEST]))


def likeness(one: str, other: str) -> float:
    """0 to 1 for two normal texts; 1.0 only for the same words in the same order."""
    if one == other:
        return 1.0
    first, second = one.split(), other.split()
    if not first or not second:
        return 0.0
    shared = len(set(first) & set(second)) / max(len(set(first)), len(set(second)))
    if shared < NEAR - 0.25:
        return shared * 0.9
    return min(0.99, difflib.SequenceMatcher(None, first, second, autojunk=False).ratio())


@dataclass(frozen=True, slots=True)
class Change:
    """A piece of text that stayed, was added or was taken away."""

    kind: Literal["same", "added", "removed"]
    text: str


def changes(old: str, new: str) -> list[Change]:
    """What became of `old` in `new`, in order; all but the added is `old`, all but the removed is `new`, to the letter."""
    before, after = _PIECE.findall(old), _PIECE.findall(new)
    found: list[Change] = []
    for step, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if step == "equal":
            found.append(Change("same", "".join(before[a:b])))
            continue
        if b > a:
            found.append(Change("removed", "".join(before[a:b])))
        if d > c:
            found.append(Change("added", "".join(after[c:d])))
    return found
