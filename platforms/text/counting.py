"""How long a text is, in each platform's own unit. Pure.

`count` and `length` are what everybody asks; `parse` says of a text for X all that twitter-text says (`parseTweet`).

Sources: X: docs.x.com, counting characters, and twitter-text 3 with configuration v3 (conformance suite of Oct 2021). Mastodon:
its StatusLengthValidator. Threads: developers.facebook.com/documentation/threads, "emojis count as their UTF-8 bytes".
Graphemes: Unicode UAX 29, extended grapheme clusters.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from platforms.contracts import TextRule, Unit
from platforms.text.emoji import SEQUENCE
from platforms.text.lazily import unicode_pattern
from platforms.text.links import Link, found

TWITTER_LIMIT, TWITTER_URL = 280, 23
MASTODON_URL = 23

_GRAPHEME = unicode_pattern(r"\X")
_EMOJI = unicode_pattern(r"[\p{Extended_Pictographic}\U0001f1e6-\U0001f1ff\u20e3]")
_PLAIN_PICTURES = frozenset("©®™‼⁉ℹ↔↕")  # text, unless U+FE0F follows
_LIGHT = re.compile("[\x00-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_REFUSED = re.compile("[\ufffe\ufeff\uffff]")
_MENTION = re.compile(r"(?<![=/\w])@(?P<name>[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)@\w+(?:[.-]+\w+)*", re.IGNORECASE)


def count(text: str, unit: Unit, url_weight: int | None = None) -> int:
    """The length of `text` in `unit`; each web address counts as `url_weight`, where one is given."""
    if unit == "twitter_weighted":
        return weighted(text, TWITTER_URL if url_weight is None else url_weight)
    if unit == "mastodon":
        return _mastodon(text, MASTODON_URL if url_weight is None else url_weight)
    if url_weight is not None and "://" in text:
        text, links = _without_links(text)
        return _plain(text, unit) + links * url_weight
    return _plain(text, unit)


def length(text: str, rule: TextRule) -> int:
    """The length of `text` as the rule counts it."""
    return count(text, rule.unit, rule.url_weight)


def excess(text: str, rule: TextRule) -> int:
    """By how much, in the unit that is exceeded most, the text is too long; 0 when it fits."""
    return max(
        0, length(text, rule) - rule.max, *(count(text, unit, rule.url_weight) - most for most, unit in rule.also)
    )


def fits(text: str, rule: TextRule) -> bool:
    """Is the text short enough by all the rule's limits?"""
    return excess(text, rule) == 0


def graphemes(text: str) -> int:
    """What people see as characters."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    return sum(1 for _ in _GRAPHEME.finditer(text))


def utf16(text: str) -> int:
    """UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_bytes(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _plain(text: str, unit: Unit) -> int:
    if unit == "code_points":
        return len(text)
    if unit in ("utf16", "characters"):  # "characters" of nobody knows which kind: the larger of code points and UTF-16
        return utf16(text)
    if unit == "utf8_bytes":
        return utf8_bytes(text)
    return graphemes(text) if unit == "graphemes" else _threads(text)


def _threads(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        utf8_bytes(item) if _is_emoji(item) else len(item) for item in (hit[0] for hit in _GRAPHEME.finditer(text))
    )


def _is_emoji(grapheme: str) -> bool:
    if grapheme in _PLAIN_PICTURES or grapheme.isascii():
        return False
    return _EMOJI.search(grapheme) is not None


def _without_links(text: str) -> tuple[str, int]:
    links = found(text, bare=False)
    kept, at = [], 0
    for link in links:
        kept.append(text[at : link.start])
        at = link.start + len(link.url)
    return "".join([*kept, text[at:]]), len(links)


def _mastodon(text: str, url_weight: int) -> int:
    """Graphemes; an address with a scheme counts as many as the server reserves, a mention without its server."""
    if "://" not in text and "@" not in text:
        return graphemes(text)
    kept, at = [], 0
    for link in found(text, bare=False):
        kept += [text[at : link.start], "x" * url_weight]
        at = link.start + len(link.url)
    rest = "".join([*kept, text[at:]])
    return graphemes(_MENTION.sub(r"@\g<name>", rest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What X says of a text. length: weighted; valid: may be posted as it is (not empty, not too long, no refused character);
    permillage of the limit. Ranges are UTF-16 offsets, both ends inclusive: the whole text, and the part that fits."""

    length: int
    valid: bool
    permillage: int
    display_start: int
    display_end: int
    valid_start: int
    valid_end: int


def weighted(text: str, url_weight: int = TWITTER_URL) -> int:
    """The length of a text as X weighs it: 280 is the limit."""
    if text.isascii() and "." not in text:
        return len(text)
    text = unicodedata.normalize("NFC", text)
    links = found(text)
    if text.isascii():
        return len(text) + sum(url_weight - len(link.url) for link in links)
    total, at = 0, 0
    for start, end, weight in _pieces(text, links, url_weight, True):
        total += _weight(text[at:start]) + weight
        at = end
    return total + _weight(text[at:])


def _weight(stretch: str) -> int:
    """Light characters (Latin, Cyrillic, Arabic, Thai, Georgian…, most punctuation) weigh 1, all others 2."""
    return 2 * len(stretch) - (len(stretch) if stretch.isascii() else len(_LIGHT.findall(stretch)))


def _pieces(text: str, links: list[Link], url_weight: int, emoji: bool) -> list[tuple[int, int, int]]:
    """(start, end, weight) of what counts as one: addresses, and emoji of several characters outside of them."""
    taken = [(link.start, link.start + len(link.url), url_weight) for link in links]
    if not emoji or text.isascii():
        return taken
    joined, at = [], 0
    for item in SEQUENCE.finditer(text):
        while at < len(taken) and taken[at][1] <= item.start():
            at += 1
        if at == len(taken) or item.start() < taken[at][0]:
            joined.append((item.start(), item.end(), 2))
    return sorted([*taken, *joined])


def parse(text: str, *, limit: int = TWITTER_LIMIT, url_weight: int = TWITTER_URL, emoji: bool = True) -> Weighed:
    """All that X says of a text. With `emoji` False each part of an emoji counts, as in its configuration v2."""
    normal = unicodedata.normalize("NFC", text)
    total = at = offset = reached = 0
    sound = True
    for start, end, weight in [*_pieces(normal, found(normal), url_weight, emoji), (len(normal), len(normal), 0)]:
        for letter in normal[at:start]:
            total += 1 if _LIGHT.match(letter) else 2
            offset += utf16(letter)
            sound = sound and not _REFUSED.match(letter)
            if sound and total <= limit:
                reached = offset - 1
        at = end
        if weight:
            total += weight
            offset += utf16(normal[start:end])
            if sound and total <= limit:
                reached = offset - 1
    whole = utf16(text)
    return Weighed(
        length=total,
        valid=sound and 0 < total <= limit,
        permillage=total * 1000 // limit,
        display_start=0,
        display_end=max(0, whole - 1),
        valid_start=0,
        valid_end=reached + whole - offset,
    )
