"""The text of a post as it is really sent, and counted: one function for composer, validation and adapters. Pure."""

from __future__ import annotations

from platforms.contracts import Capabilities
from platforms.problems import ContentLike


def message(content: ContentLike, capabilities: Capabilities) -> str:
    """The text, then the link and the hashtags where the platform has no field of their own for them; what the text says
    already is not said again."""
    pieces = [content.text.strip()]
    if capabilities.link_in_text and content.link and content.link not in content.text:
        pieces.append(content.link)
    if capabilities.hashtags_in_text:
        said = content.text.casefold().split()
        tags = [f"#{tag.lstrip('#')}" for tag in content.hashtags]
        pieces.append(" ".join(tag for tag in tags if tag.casefold() not in said))
    return "\n\n".join(piece for piece in pieces if piece)
