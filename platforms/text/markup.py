"""Markdown, HTML or plain text as safe HTML, and as plain text for people who read without it. Pure: for blogs and newsletters.

Markdown is CommonMark with tables and strike-through; HTML in it is shown, not obeyed. HTML is taken as it is, less whatever can
run or reach over the page: scripts, style sheets, frames, forms, event handlers. A body may say where its own files belong:
`![a cat](media:2)` or `<img src="media:2">` is the second file of the post.
"""

from __future__ import annotations

import functools
import html as entities
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Literal, get_args

from platforms.text.links import urls

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

BodyFormat = Literal["auto", "markdown", "html", "text"]
FORMATS = (("auto", "By itself"), ("markdown", "Markdown"), ("html", "HTML"), ("text", "Plain text"))
_TAGS = frozenset(
    re.findall(
        r"\w+",
        """a abbr audio b blockquote br caption cite code col colgroup dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5
        h6 hr i img ins kbd li mark ol p pre q s samp small source span strong sub summary sup table tbody td tfoot th thead tr u ul
        var video""",
    )
)
_MEDIA = {"src", "controls", "poster", "width", "height", "preload", "loop", "muted"}
_ATTRIBUTES = {
    "*": {"class", "id", "lang", "dir", "title", "style"},
    "table": {"width", "cellpadding", "cellspacing", "border", "align", "bgcolor", "role"},
    "a": {"href", "rel", "target"},
    "img": {"src", "alt", "width", "height", "loading", "srcset", "sizes"},
    "audio": _MEDIA,
    "video": _MEDIA,
    "source": {"src", "type"},
    "td": {"colspan", "rowspan", "align", "valign", "width", "height", "bgcolor"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "col": {"span"},
    "ol": {"start", "type"},
    "li": {"value"},
    "q": {"cite"},
    "blockquote": {"cite"},
}
# none of these can load anything or lay itself over the page
_STYLES = set(
    re.findall(
        r"[\w-]+",
        """color background-color font-family font-size font-style font-weight line-height letter-spacing text-align text-decoration
        text-transform vertical-align white-space width max-width min-width height max-height padding padding-top padding-right
        padding-bottom padding-left margin margin-top margin-right margin-bottom margin-left border border-top border-right
        border-bottom border-left border-color border-radius border-collapse border-spacing""",
    )
)
_SCHEMES = {"http", "https", "mailto", "tel", "media"}
# a body that is HTML says so at its beginning, or by closing a block
_HTML = re.compile(
    r"\A\s*<(?:!--|!doctype|(?:p|div|h[1-6]|ul|ol|table|figure|section|article|blockquote|pre|img|a|strong|em|b|i|span|br|hr)\b)"
    r"|</(?:p|div|h[1-6]|ul|ol|li|table|figure|blockquote|pre)>",
    re.IGNORECASE,
)
_PLACE = re.compile(r'(<(?:img|audio|video|source)\b[^>]*?\ssrc=")media:(\d{1,3})(")')
_PLACED_TAG = re.compile(r'<(?:img|audio|video|source)\b[^>]*?\ssrc="media:\d+"[^>]*>')
_KEPT = "\x00"  # a space that stays; HTML holds no such letter
_SPACES = re.compile(r"[ \t\r\f\v]+")


def format_of(text: str, asked: object = "auto") -> Literal["markdown", "html", "text"]:
    """What the text is to be read as. `auto`: HTML where it looks like it, else Markdown, of which plain text is a case."""
    if asked in ("markdown", "html", "text"):
        return asked
    return "html" if _HTML.search(text) else "markdown"


def to_html(text: str, asked: object = "auto", *, comments: bool = False, lone_addresses: bool = True) -> str:
    """The body as safe HTML.

    comments: keep HTML comments, which blogs use for blocks. lone_addresses: make a link of a web address that stands alone in its
    paragraph; a blog may show what is there instead of a link.
    """
    kind = format_of(text, asked)
    if kind == "html":
        made = text
    elif kind == "text":
        made = _paragraphs(text, lone_addresses)
    else:
        made = _markdown(text, lone_addresses)
    return sanitised(made, comments=comments).strip()


def sanitised(html: str, *, comments: bool = False) -> str:
    """The HTML without whatever can run, load or track; what is left is well-formed."""
    import nh3

    return nh3.clean(
        html, tags=set(_TAGS), attributes=_ATTRIBUTES, url_schemes=_SCHEMES, strip_comments=not comments, link_rel=None,
        filter_style_properties=_STYLES,
        clean_content_tags={"script", "style", "iframe", "object", "template", "noscript", "title"},
    )  # fmt: skip


def placed_numbers(html: str) -> frozenset[int]:
    """The files (from 1) that the body itself has a place for."""
    return frozenset(int(found.group(2)) for found in _PLACE.finditer(html))


def with_files(html: str, addresses: Mapping[int, str]) -> str:
    """The HTML with the addresses of its files (number from 1 -> address); a place for a file that is not there goes."""

    def put(found: re.Match[str]) -> str:
        address = addresses.get(int(found.group(2)))
        return found.group() if address is None else found.group(1) + entities.escape(address) + found.group(3)

    return _PLACED_TAG.sub("", _PLACE.sub(put, html))


def to_text(html: str, *, width_of_rule: int = 30) -> str:
    """The same words without markup: links with their address behind them, lists with their signs, pictures by their words."""
    reader = _Reader(width_of_rule)
    reader.feed(html)
    reader.close()
    return reader.text()


def excerpt(text: str, most: int) -> str:
    """The beginning of a plain text in one line of at most `most` characters, cut between words."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[:most]
    return (cut.rpartition(" ")[0] or cut[:-1]).rstrip(" ,;:.–-")[: most - 1] + "…"


def escaped(text: str) -> str:
    return entities.escape(text)


def is_format(value: object) -> bool:
    return value in get_args(BodyFormat)


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])


def _markdown(text: str, lone_addresses: bool) -> str:
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type == "inline" and token.children:
            token.children = _linked(token.children, lone_addresses or len(token.children) > 1)
    return str(parser.renderer.render(tokens, parser.options, {}))


def _linked(children: list[Token], is_wanted: bool) -> list[Token]:
    """The pieces of a paragraph with its bare web addresses as links."""
    from markdown_it.token import Token

    made: list[Token] = []
    inside = 0
    for child in children:
        inside += child.nesting if child.type in ("link_open", "link_close") else 0
        found = urls(child.content) if child.type == "text" and not inside else []
        if not found or (not is_wanted and found == [child.content.strip()]):
            made.append(child)
            continue
        rest = child.content
        for url in found:
            before, _, rest = rest.partition(url)
            made += [
                _text(before),
                Token("link_open", "a", 1, attrs={"href": url}),
                _text(url),
                Token("link_close", "a", -1),
            ]
        made.append(_text(rest))
    return made


def _text(content: str) -> Token:
    from markdown_it.token import Token

    return Token("text", "", 0, content=content)


def _paragraphs(text: str, lone_addresses: bool) -> str:
    """Plain text: empty lines part paragraphs, line ends are kept, web addresses become links."""
    made = []
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip()):
        pieces, rest = [], paragraph.strip()
        for url in urls(rest) if lone_addresses or urls(rest) != [rest] else []:
            before, _, rest = rest.partition(url)
            pieces += [entities.escape(before), f'<a href="{entities.escape(url)}">{entities.escape(url)}</a>']
        made.append("<p>" + "".join([*pieces, entities.escape(rest)]).replace("\n", "<br>\n") + "</p>")
    return "\n".join(made)


class _Reader(HTMLParser):
    """HTML to plain text. Blocks are parted by an empty line, items of a list by a line end."""

    BLOCKS = frozenset(
        (
            "p",
            "div",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "blockquote",
            "pre",
            "table",
            "figure",
            "figcaption",
            "ul",
            "ol",
            "dl",
        )
    )
    LINES = frozenset(("li", "tr", "dt", "dd", "br"))
    HIDDEN = frozenset(("script", "style", "template", "title"))

    def __init__(self, width_of_rule: int) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._lists: list[int] = []  # the next number of each open list, -1 for signs
        self._links: list[tuple[str, int]] = []
        self._hidden = self._verbatim = 0
        self._rule = "-" * width_of_rule

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._hidden += tag in self.HIDDEN
        self._verbatim += tag == "pre"
        opening: dict[str, Callable[[], None]] = {
            "hr": lambda: self._out.append(f"\n\n{self._rule}\n\n"),
            "img": lambda: self._out.append(f"[{found['alt']}]" if found.get("alt") else ""),
            "a": lambda: self._links.append((found.get("href", ""), len(self._out))),
            "li": self._item,
        }
        if tag in ("ul", "ol"):
            self._lists.append(1 if tag == "ol" else -1)
        if tag in self.BLOCKS:
            self._out.append("\n\n" if len(self._lists) < 2 or tag not in ("ul", "ol") else "")
        elif tag in self.LINES:
            self._out.append("\n")
        if tag in ("td", "th"):
            self._out.append(" ")
        if tag in opening:
            opening[tag]()

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in self.HIDDEN))
        self._verbatim = max(0, self._verbatim - (tag == "pre"))
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag == "a" and self._links:
            address, start = self._links.pop()
            said = "".join(self._out[start:]).strip()
            if (
                address
                and address != said
                and not address.startswith(("#", "media:", "cid:"))
                and address != f"mailto:{said}"
            ):
                self._out.append(f" ({address.removeprefix('mailto:')})")
        if tag in self.BLOCKS:
            self._out.append("" if self._lists and tag in ("ul", "ol") else "\n\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._out.append(data.replace(" ", _KEPT) if self._verbatim else _SPACES.sub(" ", data.replace("\n", " ")))

    def text(self) -> str:
        whole = re.sub(r"\n +", "\n", "".join(self._out))
        lines = "\n".join(line.rstrip() for line in whole.split("\n"))
        return re.sub(r"\n{3,}", "\n\n", lines).strip().replace(_KEPT, " ")

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else -1
        if number > 0:
            self._lists[-1] += 1
        self._out.append(f"{number}. " if number > 0 else "- ")
