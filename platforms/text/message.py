"""The text of a post as it is really sent, and counted: one function for composer, validation and adapters. Pure."""

from __future__ import annotations

import re

from platforms.contracts import Capabilities
from platforms.problems import ContentLike

_HASHTAG = re.compile(r"(?<![\w&#/])[#＃](\w+)")


def message(content: ContentLike, capabilities: Capabilities) -> str:
    """The text, then the link and the hashtags where the platform has no field of their own for them; what the text says
    already is not said again."""
    pieces = [content.text.strip(), *appended(content, capabilities)]
    return "\n\n".join(piece for piece in pieces if piece)


def appended(content: ContentLike, capabilities: Capabilities) -> list[str]:
    """What `message` puts behind the text: the link, and a line of hashtags."""
    pieces = []
    link = content.link.strip() if capabilities.link_in_text else ""
    if link and not _says(content.text, link):
        pieces.append(link)
    if capabilities.hashtags_in_text and content.hashtags:
        said = {tag.casefold() for tag in hashtags_in(content.text)}
        words = content.text.casefold().split()
        tags = dict.fromkeys(f"#{tag.strip().lstrip('#＃')}" for tag in content.hashtags)
        pieces.append(
            " ".join(
                tag for tag in tags if len(tag) > 1 and tag[1:].casefold() not in said and tag.casefold() not in words
            )
        )
    return [piece for piece in pieces if piece]


def hashtags_in(text: str) -> list[str]:
    """The hashtags that people wrote in the text, without their signs; one of digits only is none."""
    if "#" not in text and "＃" not in text:
        return []
    return [tag for tag in _HASHTAG.findall(text) if not tag.isdecimal()]


def all_hashtags(content: ContentLike) -> list[str]:
    """Those of the field and those of the text, each once."""
    tags = [tag.strip().lstrip("#＃") for tag in content.hashtags] + hashtags_in(content.text)
    return list({tag.casefold(): tag for tag in reversed(tags) if tag}.values())


def _says(text: str, link: str) -> bool:
    """Does the text hold this very address, and not only a longer one that begins like it?"""
    return link in text and re.search(rf"{re.escape(link)}(?=[.,;:!?)\"'>]*(?:\s|\Z))", text) is not None
