"""Web addresses in a text, as platforms find them. Pure.

`found` follows X's rules (twitter-text 3: its conformance suite, extract.yml and tlds.yml, Oct 2021), which Mastodon shares for
addresses with a scheme. `urls` is for platforms that say nothing of the kind.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from platforms.text.domains import X_TLDS
from platforms.text.lazily import pattern

_HTTP = pattern(r"https?://[^\s<>\"]+")


def urls(text: str) -> list[str]:
    """The http and https addresses in the text, in order, without the punctuation behind them."""
    return [text[start:end] for start, end in spans(text)]


def spans(text: str) -> list[tuple[int, int]]:
    """Where `urls` are: half-open, in characters."""
    return [(item.start(), item.start() + len(item[0].rstrip(".,;:!?)"))) for item in _HTTP.finditer(text)]


@dataclass(frozen=True, slots=True)
class Link:
    """An address at characters [start, end); `url` as X reads it, which is shorter than that stretch in rare cases."""

    start: int
    end: int
    url: str


def found(text: str, *, bare: bool = True) -> list[Link]:
    """The addresses that X makes links of; with `bare` also those without a scheme (example.com/page)."""
    if "." not in text or (not bare and "://" not in text):
        return []
    links: list[Link] = []
    after = 0
    for chain in _CHAIN.finditer(text):
        if chain.end() > after:
            after = _read(text, chain, after, bare, links)
    return links


# The alphabet of twitter-text. A domain's letter is whatever is no punctuation, space, or mark of direction.
_DIRECTIONS = r"\u202a-\u202e\u061c\u200e\u200f\u2066-\u2069"
_INVALID = r"\ufffe\ufeff\uffff"
_SPACES = r"\x09-\x0d\x20\x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NO_LETTER = rf"!'#%&()*+,\\\-./:;<=>?@\[\]\^_{{|}}~${_SPACES}{_INVALID}{_DIRECTIONS}"
_LATIN = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\xff\u0100-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b\u02bb"
    r"\u0300-\u036f\u1e00-\u1eff"
)
_LABEL = rf"(?:[^{_NO_LETTER}]|[_\-])"
_CHAIN = pattern(rf"(?<![^{_NO_LETTER}])(?<![_\-]){_LABEL}++(?:\.{_LABEL}++)+")
_BEFORE = pattern(rf"[^A-Za-z0-9@＠$#＃{_INVALID}]")
_SCHEME = pattern(r"https?://\Z", re.IGNORECASE | re.ASCII)
_ASCII_DOMAIN = pattern(rf"(?:[\-0-9A-Za-z{_LATIN}]++\.)++")
_IN_PATH = rf"[A-Za-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_LATIN}]"
_PARENTHESES = rf"\((?:{_IN_PATH}+|{_IN_PATH}*\({_IN_PATH}+\){_IN_PATH}*)\)"
_END_OF_PATH = rf"(?:[+\-A-Za-z\u0400-\u04ff0-9=_#/{_LATIN}]|{_PARENTHESES})"
_PATH = rf"(?:{_IN_PATH}*(?:{_PARENTHESES}{_IN_PATH}*)*{_END_OF_PATH}|@{_IN_PATH}+/)"
_QUERY = r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[A-Za-z0-9\-_&=#/]"
_REST = pattern(rf"(?::[0-9]+)?(?P<path>/{_PATH}*)?(?:{_QUERY})?")
_SHORTENED = pattern(rf"https?://t\.co/([a-z0-9]+)(?:{_QUERY})?", re.IGNORECASE | re.ASCII)
LONGEST_LABEL, LONGEST_URL, LONGEST_SLUG = 63, 4096, 40
ASTRAL = "\U00010000"

_IDN = frozenset(name for name in X_TLDS if not name.isascii())
_IDN_LENGTHS = sorted({len(name) for name in _IDN}, reverse=True)
_ASCII_WORD = pattern(r"[0-9A-Za-z]+")
_PUNYCODE = pattern(r"xn--[\-0-9a-z]+", re.IGNORECASE | re.ASCII)
_INSIDE_A_WORD = pattern(r"[0-9A-Za-z@+\-]")


def _tld(text: str, at: int) -> int:
    """The end of the top-level domain that begins at `at`, or -1."""
    word = _ASCII_WORD.match(text, at)
    if word and word[0].lower() in X_TLDS and not _INSIDE_A_WORD.match(text, word.end()):
        return word.end()
    for length in _IDN_LENGTHS:
        if (
            at + length <= len(text)
            and text[at : at + length].lower() in _IDN
            and not _INSIDE_A_WORD.match(text, at + length)
        ):
            return at + length
    punycode = _PUNYCODE.match(text, at) if word else None
    return punycode.end() if punycode else -1


class _Labels:
    """A chain of labels with dots between them, and for each label where a domain that begins in it ends."""

    def __init__(self, text: str, chain: re.Match[str]) -> None:
        self.starts, self.ends = [], []
        at = chain.start()
        for label in chain[0].split("."):
            self.starts.append(at)
            self.ends.append(at + len(label))
            at += len(label) + 1
        count = len(self.starts)
        self._tlds = [-1, *(_tld(text, start) for start in self.starts[1:])]
        self._plain = ["_" not in text[self.starts[at] : self.ends[at]] for at in range(count)]
        self._closed = [text[end - 1] not in "_-" for end in self.ends]
        whole = [self._closed[at] and text[self.starts[at]] not in "_-" for at in range(count)]
        # the end of the longest domain whose name (the label before the TLD) comes after label `at`; from the right
        self._far = [-1] * count
        for at in range(count - 3, -1, -1):
            if whole[at + 1]:
                here = self._tlds[at + 2] if self._plain[at + 1] else -1
                self._far[at] = self._far[at + 1] if self._far[at + 1] >= 0 else here

    def end(self, text: str, label: int, start: int) -> int:
        """Where the domain ends that begins at `start`, inside of `label`; -1 when none does."""
        if text[start] in "_-" or not self._closed[label]:
            return -1
        if self._far[label] >= 0:
            return self._far[label]
        plain = self._plain[label] or "_" not in text[start : self.ends[label]]
        return self._tlds[label + 1] if plain else -1

    def hopeless(self, label: int) -> bool:
        return not self._closed[label] or (self._far[label] < 0 and self._tlds[label + 1] < 0)


def _read(text: str, chain: re.Match[str], after: int, bare: bool, links: list[Link]) -> int:
    """Find the addresses of one chain, from character `after` on. Returns where the text is read up to."""
    labels = _Labels(text, chain)
    scheme = _SCHEME.search(text, max(0, chain.start() - 8), chain.start())
    if scheme and _may_begin(text, scheme.start(), after):
        end = labels.end(text, 0, chain.start())
        if end >= 0:
            after = _with_scheme(text, scheme.start(), chain.start(), end, links)
    label = 0
    while label < len(labels.starts) - 1:
        start = _next_start(text, labels, label, after)
        if start is None:
            label += 1
            continue
        end = labels.end(text, label, start)
        after = _bare(text, start, end, after, bare, links)
        label = max(label, bisect_right(labels.starts, after) - 1)
    return after


def _next_start(text: str, labels: _Labels, label: int, after: int) -> int | None:
    if labels.hopeless(label):
        return None
    first, last = max(labels.starts[label], after), labels.ends[label]
    if first == 0:
        # the second character comes first when the first one can stand before an address
        second = last > 1 and text[0] < ASTRAL and _BEFORE.match(text, 0) and labels.end(text, label, 1) >= 0
        if not second and labels.end(text, label, 0) >= 0:
            return 0
    for start in range(max(first, 1), last):
        if _may_begin(text, start, after) and labels.end(text, label, start) >= 0:
            return start
    return None


def _may_begin(text: str, start: int, after: int) -> bool:
    """An address begins the text, or behind one character that is not part of something else. X reads UTF-16, and to it the
    first half of a character outside the BMP is such a one."""
    if start == 0 or (start > after and _BEFORE.match(text, start - 1)):
        return True
    return text[start] >= ASTRAL


def _with_scheme(text: str, start: int, domain: int, end: int, links: list[Link]) -> int:
    rest = _REST.match(text, end)
    stop = rest.end() if rest else end
    url = text[start:stop]
    if not _valid(text[domain:end], url, domain - start):
        return stop
    short = _SHORTENED.match(url)
    if short:
        if len(short[1]) > LONGEST_SLUG:
            return stop
        url = short[0]
    links.append(Link(start, start + len(url), url))
    return stop


def _is_tail(text: str, start: int, after: int) -> bool:
    """Is it the rest of something that had to begin before, like a path?"""
    return start > after and text[start - 1] in "-_./"


def _bare(text: str, start: int, end: int, after: int, wanted: bool, links: list[Link]) -> int:
    """Without a scheme only the parts of the domain that are ASCII (with accents) make links."""
    rest = _REST.match(text, end)
    stop, path = (rest.end(), rest["path"]) if rest else (end, None)
    domain = text[start:end]
    seen = domain
    if domain[0] >= ASTRAL and not (start > after and _BEFORE.match(text, start - 1)):
        seen = chr(0xDC00 + (ord(domain[0]) & 0x3FF)) + domain[1:]  # its first half stood before the address
    if not wanted or not _valid(seen, text[start:stop], 8) or _is_tail(text, start, after):
        return stop
    made = [Link(start + at, start + to, domain[at:to]) for at, to in _ascii_domains(domain)]
    if made and path:
        last = made.pop()
        made.append(Link(last.start, stop, last.url + text[end:stop]))
    links.extend(made)
    return stop


def _ascii_domains(domain: str) -> Iterator[tuple[int, int]]:
    at = 0
    while chain := _ASCII_DOMAIN.search(domain, at):
        at = chain.end()
        for dot in range(chain.end() - 1, chain.start(), -1):
            end = _tld(domain, dot + 1) if domain[dot] == "." else -1
            if end >= 0:
                yield chain.start(), end
                at = end
                break


def _valid(domain: str, url: str, scheme: int) -> bool:
    """Labels of at most 63 characters in Punycode, and an address that is not endless (its scheme counts twice)."""
    if domain.startswith("xn--") and next(_ascii_domains(domain), None) is None:
        return False
    if scheme + len(url.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_URL:
        return False
    return all(0 < _label_length(label) <= LONGEST_LABEL for label in domain.split("."))


def _label_length(label: str) -> int:
    if label.isascii() or len(label) > LONGEST_LABEL:
        return len(label)
    pieces = re.split("[\u3002\uff0e\uff61]", label)  # ideographic full stops divide labels, too
    return (
        sum(len(piece) if piece.isascii() else 4 + len(piece.encode("punycode")) for piece in pieces) + len(pieces) - 1
    )
