"""Patterns that are compiled when they are first used: a scheduler that starts has no text to look at. Pure."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import regex


class _Pattern:
    """Stands for the compiled pattern until, and after, it is asked for anything."""

    def __init__(self, source: str, flags: int, with_regex: bool) -> None:
        self._source, self._flags, self._with_regex = source, flags, with_regex

    @cached_property
    def _compiled(self) -> Any:
        if not self._with_regex:
            return re.compile(self._source, self._flags)
        import regex

        return regex.compile(self._source, self._flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._compiled, name)
        setattr(self, name, found)  # the next time it is not asked for here
        return found


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """`re.compile`, later."""
    return cast("re.Pattern[str]", _Pattern(source, flags, with_regex=False))


def unicode_pattern(source: str) -> regex.Pattern[str]:
    """`regex.compile` (grapheme clusters, properties), later. Flags stand in the pattern: regex numbers them as re does not."""
    return cast("regex.Pattern[str]", _Pattern(source, 0, with_regex=True))
