"""Faults that a person switches on to see what the product does about them. Pure but for the waiting.

Options of an account: fault_mode, fault_rate (0 to 1: of how many posts), fault_seconds (slow: how slow; rate_limited:
the Retry-After).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MODES = (
    ("none", "No fault"),
    ("slow", "Slow: answers late"),
    ("rate_limited", "Rate limited: asks for fewer posts"),
    ("rejected", "Rejected: refuses the post"),
    ("dropped_after_accepting", "Lost answer: keeps the post and says nothing"),
    ("auth", "Signed out: no longer takes the credentials"),
)
LONGEST_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    mode: str = "none"
    rate: float = 1.0
    seconds: float = 5.0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Fault:
        """Read from an account's options; what cannot be read is no fault."""
        mode = str(options.get("fault_mode") or "none")
        return cls(
            mode=mode if mode in dict(MODES) else "none",
            rate=_number(options.get("fault_rate"), 1.0, 1.0),
            seconds=_number(options.get("fault_seconds"), 5.0, LONGEST_SECONDS),
        )

    def strikes(self) -> str:
        """The mode this one call suffers, `none` when it is spared."""
        spared = self.mode == "none" or (self.rate < 1 and random.random() >= self.rate)  # noqa: S311
        return "none" if spared else self.mode


def problems(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(field, message) for options that make no sense."""
    found: list[tuple[str, str]] = []
    if str(options.get("fault_mode") or "none") not in dict(MODES):
        found.append(("fault_mode", "Choose one of the listed faults."))
    for name, most in (("fault_rate", 1.0), ("fault_seconds", LONGEST_SECONDS)):
        value = options.get(name)
        if value not in (None, "") and _number(value, -1.0, most) != _as_float(value):
            found.append((name, f"Write a number from 0 to {most:g}."))
    return found


def _as_float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _number(value: Any, default: float, most: float) -> float:
    number = _as_float(value)
    if number is None or number != number:
        return default
    return min(max(number, 0.0), most)
