"""How long things are kept: one entry for each kind, with a default that an operator changes by `RETENTION_DAYS`.

`RETENTION_DAYS=security log:90,webhook deliveries:14`. Whatever removes old rows asks `kept`; `manage.py retention` shows the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from alwrity_scheduler.core.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """days: by default. least: fewer would break something, which `why` says."""

    days: int
    what: str
    least: int = 1
    why: str = ""


kinds: Registry[Kept] = Registry("kind of what is kept")


def days(kind: str) -> int:
    """Whole days, of an operator's own where given; never below what the product needs."""
    entry = kinds[kind]
    return max(entry.least, settings.RETENTION_DAYS.get(kind, entry.days))


def kept(kind: str) -> timedelta:
    return timedelta(days=days(kind))
