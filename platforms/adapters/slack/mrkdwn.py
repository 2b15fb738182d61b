"""A plain text in Slack's own markup. https://docs.slack.dev/messaging/formatting-message-text#escaping Pure."""

from __future__ import annotations

from typing import Any

SECTION = 3_000
MOST_SECTIONS = 4  # of 3,000 each: Slack refuses a message whose blocks hold more than about 13,200 characters


def escaped(text: str) -> str:
    """The three signs that mean something else to Slack. A mention therefore never rings by accident."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def sections(text: str) -> list[dict[str, Any]]:
    """The text, escaped, as section blocks; cut at the last line end or blank before the limit."""
    found = []
    rest = escaped(text)
    while rest:
        cut = len(rest) if len(rest) <= SECTION else max(rest.rfind("\n", 0, SECTION), rest.rfind(" ", 0, SECTION))
        cut = cut if cut > 0 else _before_entity(rest)
        found.append({"type": "section", "text": {"type": "mrkdwn", "text": rest[:cut]}})
        rest = rest[cut:].lstrip("\n ")
    return found


def _before_entity(text: str) -> int:
    """SECTION, or a little less where it would cut `&amp;` in two."""
    start = text.rfind("&", SECTION - 4, SECTION)
    return start if start > 0 and ";" not in text[start:SECTION] else SECTION
