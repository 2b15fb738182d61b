"""The length of a post's text by the rule that holds for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from platforms.contracts import Capabilities, TextRule, Unit
from platforms.problems import ContentLike
from platforms.text import counting


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """`used` of `limit` in `unit`: the limit that is exceeded most, else the rule's first. None: no limit is known."""

    used: int
    limit: int | None
    unit: Unit

    @property
    def over(self) -> int:
        return 0 if self.limit is None else max(0, self.used - self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruler:
    """`before` counts along without being part of the text, like Mastodon's content warning."""

    rule: TextRule | None
    before: str = ""

    def fits(self, text: str) -> bool:
        return self.rule is None or counting.fits(self.before + text, self.rule)

    def measure(self, text: str) -> Measured:
        if self.rule is None:
            return Measured(used=len(text), limit=None, unit="code_points")
        whole, rule = self.before + text, self.rule
        first = Measured(used=counting.length(whole, rule), limit=rule.max, unit=rule.unit)
        others = (
            Measured(used=counting.count(whole, unit, rule.url_weight), limit=most, unit=unit)
            for most, unit in rule.also
        )
        return max(first, *others, key=lambda item: item.over) if rule.also else first


def ruler_for(content: ContentLike, capabilities: Capabilities) -> Ruler:
    """What this content's text is measured by: the rule of captions where there are files. A content warning (the option
    `spoiler_text` of Mastodon and its kin) counts along with the text of every part."""
    if capabilities.caption is not None and content.media:
        rule: TextRule | None = capabilities.caption
    elif capabilities.text is not None:
        rule = capabilities.text
    else:
        rule = None if capabilities.max_text is None else TextRule(max=capabilities.max_text)
    return Ruler(rule=rule, before=str(content.options.get("spoiler_text") or "").strip())
