"""A long text as a chain of posts. Pure."""

from __future__ import annotations

import re

from platforms.contracts import Capabilities
from platforms.problems import ContentLike
from platforms.text.message import message

_BREAK = re.compile(r"\n[ \t]*---[ \t]*(?:\n|$)")


def parts(content: ContentLike, capabilities: Capabilities) -> list[str]:
    """The posts of the chain, in order: where the author wrote a line of `---`, and where a part would be too long. A post that
    is no thread is one part."""
    whole = message(content, capabilities)
    if content.content_type != "thread" or not capabilities.threads:
        return [whole]
    return [part.strip() for part in _BREAK.split(whole) if part.strip()] or [whole]
