"""The parts of a Bluesky post that are links, mentions and tags, with their places in its UTF-8 bytes. Pure.

Source: app.bsky.richtext.facet (lexicon), and the rules by which the network's own client finds them (@atproto/api 0.21,
rich-text detection, Aug 2026). White space is what ECMAScript calls so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from platforms.text.domains import TLDS
from platforms.text.lazily import unicode_pattern

FacetKind = Literal["link", "mention", "tag"]
MAX_TAG = 64  # UTF-16 units

_SPACE = r"\t\n\v\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_INVISIBLE = r"\u00ad\u2060\u200a-\u200d\u20e2"
_MENTION = unicode_pattern(rf"(?a)(?<![^{_SPACE}(])@([a-zA-Z0-9.-]+)\b")
_LINK = unicode_pattern(
    rf"(?<![^{_SPACE}(])(?:(?i:https?)://[^{_SPACE}]+|(?P<domain>[a-zA-Z][a-zA-Z0-9]*(?:\.[a-zA-Z0-9]+)+)[^{_SPACE}]*)"
)
_TAG = unicode_pattern(rf"(?<![^{_SPACE}])[#＃](?!\ufe0f)([^{_SPACE}{_INVISIBLE}]+)")
_WORTH_A_TAG = unicode_pattern(r"[^0-9\p{P}]")
_PUNCTUATION_BEHIND = unicode_pattern(r"\p{P}+\Z")
_CASHTAG = unicode_pattern(rf"(?<![^{_SPACE}(])\$([A-Za-z][A-Za-z0-9]{{0,4}})(?=[{_SPACE}.,;:!?)\"'\u2019]|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One part of the text: bytes [byte_start, byte_end) of its UTF-8. value: a link's full address, a mention's handle
    without @ (to be resolved to a DID; one that does not resolve stays plain text), a tag without #, a cashtag with $."""

    kind: FacetKind
    byte_start: int
    byte_end: int
    value: str


def facets(text: str) -> list[Facet]:
    """Every link, mention, hashtag and cashtag, in the order of the text. A tag may hold a link behind a parenthesis."""
    found = sorted([*_mentions(text), *_links(text), *_tags(text), *_cashtags(text)])
    places = _byte_offsets(text, sorted({place for start, end, _, _ in found for place in (start, end)}))
    return [
        Facet(kind=kind, byte_start=places[start], byte_end=places[end], value=value)
        for start, end, kind, value in found
    ]


def _byte_offsets(text: str, places: list[int]) -> dict[int, int]:
    """The byte offset of each of these rising character offsets; each stretch of the text is encoded once."""
    offsets, char, byte = {}, 0, 0
    for place in places:
        byte += len(text[char:place].encode("utf-8", "surrogatepass"))
        char, offsets[place] = place, byte
    return offsets


_Span = tuple[int, int, FacetKind, str]


def _mentions(text: str) -> Iterator[_Span]:
    for found in _MENTION.finditer(text):
        if _is_domain(found[1]) or found[1].endswith(".test"):
            yield found.start(), found.end(), "mention", found[1]


def _links(text: str) -> Iterator[_Span]:
    for found in _LINK.finditer(text):
        address, domain = found[0], found["domain"]
        if domain is None and not address.startswith("http"):
            continue
        if domain is not None and not _is_domain(domain):
            continue
        if address[-1] in ".,;:!?":
            address = address[:-1]
        if address.endswith(")") and "(" not in address:
            address = address[:-1]
        value = address if domain is None else f"https://{address}"
        yield found.start(), found.start() + len(address), "link", value


def _tags(text: str) -> Iterator[_Span]:
    for found in _TAG.finditer(text):
        if not _WORTH_A_TAG.search(found[1]):
            continue
        tag = _PUNCTUATION_BEHIND.sub("", found[1])
        if tag and len(tag.encode("utf-16-le", "surrogatepass")) // 2 <= MAX_TAG:
            yield found.start(), found.start() + 1 + len(tag), "tag", tag


def _cashtags(text: str) -> Iterator[_Span]:
    for found in _CASHTAG.finditer(text):
        yield found.start(), found.end(), "tag", f"${found[1].upper()}"


def _is_domain(name: str) -> bool:
    """Is the last of several labels a top-level domain? In lower case, as the network's client asks it."""
    head, _, last = name.rpartition(".")
    return last in TLDS and (bool(head) or name.startswith("."))
