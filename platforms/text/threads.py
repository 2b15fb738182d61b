"""A long text as a chain of posts. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

from platforms.contracts import Capabilities
from platforms.problems import ContentLike
from platforms.text import links
from platforms.text.lazily import unicode_pattern
from platforms.text.message import appended, message
from platforms.text.ruler import ruler_for

Fits = Callable[[str], bool]

_BREAK = re.compile(r"^[ \t]*---[ \t]*\r?$", re.MULTILINE)
_GRAPHEME = unicode_pattern(r"\X")
_NAME = re.compile(r"(?<![\w/])[@＠#＃$][\w.\-@]*\w")  # a mention, a hashtag, a cashtag
_PARAGRAPH = re.compile(r"\r?\n[ \t]*(?:\r?\n[ \t]*)+")
_LINE = re.compile(r"\r?\n[ \t]*")
_SENTENCE = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+|[。！？]+[」』）]*\s*")
_SPACE = re.compile(r"\s+")
MOST_DIGITS = 4


def parts(content: ContentLike, capabilities: Capabilities) -> list[str]:
    """The posts of the chain, in order: where the author wrote a line of `---`, and where a part would be longer than the
    account takes. A post that is no thread is one part.

    A text is cut between paragraphs, lines, sentences, words or characters, never inside an address, a mention, a hashtag or a
    grapheme; one that is too long by itself stays whole, and too long. Link and hashtags come last. The option `number_parts`
    adds " 1/5", within the limit. The same content always gives the same parts, and parts that are joined again by lines of
    `---` give themselves.
    """
    if content.content_type != "thread" or not capabilities.threads:
        return [message(content, capabilities)]
    written = [part for part in map(str.strip, _BREAK.split(content.text)) if part]
    behind = appended(content, capabilities)
    fits = ruler_for(content, capabilities).fits
    if not content.options.get("number_parts"):
        return _split(written, behind, fits) or [""]
    return _numbered(_unnumbered(written), behind, fits) or [""]


def _numbered(written: list[str], behind: list[str], fits: Fits) -> list[str]:
    found: list[str] = []
    for digits in range(1, MOST_DIGITS + 1):
        widest = f" {'9' * digits}/{'9' * digits}"
        found = _split(written, behind, lambda text, widest=widest: fits(text + widest))  # type: ignore[misc]
        if len(str(len(found))) <= digits:
            break
    if len(found) < 2:
        return _split(written, behind, fits)
    return [f"{part} {number}/{len(found)}" for number, part in enumerate(found, start=1)]


def _unnumbered(written: list[str]) -> list[str]:
    """The parts without the numbers of an earlier numbering; an author's own "1/2" stays."""
    ends = [f" {number}/{len(written)}" for number in range(1, len(written) + 1)]
    if len(written) > 1 and all(map(str.endswith, written, ends)):
        return [part.removesuffix(end).rstrip() for part, end in zip(written, ends, strict=True)]
    return written


def _split(written: list[str], behind: list[str], fits: Fits) -> list[str]:
    found = [piece for part in written for piece in split(part, fits)]
    for piece in behind:
        if found and fits(f"{found[-1]}\n\n{piece}"):
            found[-1] = f"{found[-1]}\n\n{piece}"
        else:
            found += split(piece, fits)
    return found


def split(text: str, fits: Fits) -> list[str]:
    """The text in pieces that fit, as few as may be without tearing what belongs together. `fits` says of a piece whether it is
    short enough."""
    text = text.strip()
    if not text or fits(text):
        return [text] if text else []
    places = list(_places(text))
    ends = [end for end, _ in places]
    found, start = [], 0
    while start < len(text):
        if fits(text[start:].strip()):
            found.append(text[start:].strip())
            break
        first = bisect_right(ends, start)
        end = _cut(text, start, places[first:] if first else places, fits)
        found.append(text[start:end].strip())
        start = end + len(text[end:]) - len(text[end:].lstrip())
    return [piece for piece in found if piece]


def _cut(text: str, start: int, places: list[tuple[int, int]], fits: Fits) -> int:
    """The best place to end a piece that begins at `start`: the strongest break of those that leave it at least a third full."""
    last = _last_that_fits(text, start, places, fits)
    if last < 0:
        return places[0][0] if places else len(text)
    third = start + (places[last][0] - start) / 3
    ahead = [(level, end) for end, level in places[: last + 1] if level > 1 and end >= third]
    if ahead:
        return max(ahead)[1]
    words = [end for end, level in places[: last + 1] if level > 0]
    return words[-1] if words else places[last][0]


def _last_that_fits(text: str, start: int, places: list[tuple[int, int]], fits: Fits) -> int:
    """Index of a late place up to which the piece still fits, or -1: by doubling, then halving."""
    low, high = -1, 64
    while high < len(places) and fits(text[start : places[high][0]].strip()):
        low, high = high, high * 2
    high = min(high, len(places))
    while high - low > 1:
        middle = (low + high) // 2
        if fits(text[start : places[middle][0]].strip()):
            low = middle
        else:
            high = middle
    return low


def _places(text: str) -> Iterator[tuple[int, int]]:
    """(end of a piece, how strong the break is): 4 paragraph, 3 line, 2 sentence, 1 word, 0 between two characters."""
    strength: dict[int, int] = {}
    for level, pattern in ((1, _SPACE), (2, _SENTENCE), (3, _LINE), (4, _PARAGRAPH)):
        for item in pattern.finditer(text):
            if level != 2 or not text[item.end() : item.end() + 1].islower():
                strength[item.end()] = level
    whole = sorted(
        [(link.start, link.end) for link in links.found(text)]
        + links.spans(text)
        + [item.span() for item in _NAME.finditer(text)]
    )
    at, until = 0, 0
    for grapheme in _GRAPHEME.finditer(text):
        end = grapheme.end()
        while at < len(whole) and whole[at][0] < end:
            until = max(until, whole[at][1])
            at += 1
        if end >= until:
            yield end, strength.get(end, 0)
