"""LinkedIn's "little" text format: what must be escaped, and what has a meaning in it. Pure.

An unescaped `\\ | { } @ [ ] ( ) < > # * _ ~` cuts the post off there, with a success answer. Mentions
`@[Name](urn:li:organization:1)` stay mentions, `#tag` becomes `{hashtag|\\#|tag}`.
Source: learn.microsoft.com, LinkedIn Marketing, "little Text Format".
"""

from __future__ import annotations

import re

_RESERVED = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_MENTION = r"@\[(?P<name>[^\[\]\n]{1,200})\]\((?P<urn>urn:li:(?:person|organization|organizationBrand|showcase|school):[\w-]+)\)"
_URL = r"(?P<url>https?://[^\s<>\"]+)"
_HASHTAG = r"(?<![\w#&/])#(?P<tag>\w*[^\W\d_]\w*)"
_TOKEN = re.compile(f"{_MENTION}|{_URL}|{_HASHTAG}")
_ESCAPED = re.compile(r"\\([\\|{}@\[\]()<>#*_~])")
_TEMPLATE = re.compile(r"{hashtag\|\\?#\|((?:\\.|[^|{}\\])*)}")


def escaped(text: str) -> str:
    """Every reserved character with a backslash before it."""
    return _RESERVED.sub(lambda found: "\\" + found.group(), text)


def little(text: str) -> str:
    """The text as `commentary`."""
    pieces, at = [], 0
    for found in _TOKEN.finditer(text):
        pieces.append(escaped(text[at : found.start()]))
        pieces.append(_piece(found))
        at = found.end()
    return "".join([*pieces, escaped(text[at:])])


def _piece(found: re.Match[str]) -> str:
    if found["name"]:
        return f"@[{escaped(found['name'])}]({found['urn']})"
    if found["tag"]:
        return f"{{hashtag|\\#|{escaped(found['tag'])}}}"
    return escaped(found["url"])


def plain(commentary: str) -> str:
    """A commentary as people read it, for comparison: LinkedIn gives escapes and templates back in its own way."""
    text = _TEMPLATE.sub(lambda found: "\\#" + found.group(1), commentary)
    return " ".join(_ESCAPED.sub(r"\1", text).split())
