"""What is added to a post's words, so that Telegram shows it as it is in each way of formatting. Pure."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from platforms.contracts import Capabilities, Publication
from platforms.text.message import message

# https://core.telegram.org/bots/api#markdownv2-style
_SPECIAL = re.compile(r"([_*\[\]()~`>#+\-=|{}.!\\])")


def escaped(text: str, mode: str) -> str:
    """The text such that the mode shows it letter by letter."""
    if mode == "HTML":
        return html.escape(text, quote=False)
    return _SPECIAL.sub(r"\\\1", text) if mode == "MarkdownV2" else text


def formatted(publication: Publication, capabilities: Capabilities, mode: str) -> Publication:
    """The publication with link and hashtags in its text, escaped where the text is read as HTML or Markdown."""
    if not mode:
        return publication
    whole = message(publication, capabilities)
    own = message(replace(publication, link="", hashtags=()), capabilities)
    added = whole[len(own) :] if whole.startswith(own) else ""
    return replace(publication, text=own + escaped(added, mode), link="", hashtags=())
