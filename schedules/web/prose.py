"""HTML or Markdown of a blog article, made fit to be shown inside a page of ours."""

from __future__ import annotations

import re
from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_TAGS = {
    "a", "b", "blockquote", "br", "code", "dd", "del", "dl", "dt", "em", "h1", "h2", "h3", "h4", "hr", "i", "li", "ol", "p",
    "pre", "s", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_BLOCK = re.compile(r"<(p|div|h[1-6]|ul|ol|blockquote|figure|table)\b", re.IGNORECASE)
_HEADING = re.compile(r"<(/?)h[1-4]\b")


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True, "breaks": True}).enable("table")


def cleaned(text: str) -> SafeString:
    """Headings become those below the preview's own; scripts, styles, classes and pictures go."""
    html = text if _BLOCK.search(text) else _markdown().render(text)
    safe = nh3.clean(html, tags=_TAGS, attributes={}, link_rel=None, clean_content_tags={"script", "style"})
    return mark_safe(_HEADING.sub(r"<\1h4", safe))  # noqa: S308 - cleaned just above
