"""How long a text is, in each platform's own unit. Pure."""

from __future__ import annotations

from platforms.contracts import TextRule, Unit


def count(text: str, unit: Unit, url_weight: int | None = None) -> int:
    """The length of `text` in `unit`; each web address counts as `url_weight`, where one is given."""
    if unit == "utf8_bytes":
        return len(text.encode())
    if unit == "utf16":
        return len(text.encode("utf-16-le")) // 2
    return len(text)


def length(text: str, rule: TextRule) -> int:
    """The length of `text` as the rule counts it."""
    return count(text, rule.unit, rule.url_weight)


def excess(text: str, rule: TextRule) -> int:
    """By how much, in the unit that is exceeded most, the text is too long; 0 when it fits."""
    return max(
        0, length(text, rule) - rule.max, *(count(text, unit, rule.url_weight) - most for most, unit in rule.also)
    )
