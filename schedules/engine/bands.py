"""Priorities in three bands, each with a queue of its own. Values only: Celery's app reads them before Django is ready."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Band:
    """`priority_to`: the least urgent priority in it. `message_priority`: on Redis 0 comes first and 9 last."""

    name: str
    priority_to: int
    message_priority: int


BANDS = (Band("urgent", 3, 0), Band("normal", 7, 6), Band("low", 10, 9))
ENGINE_QUEUE = "engine"  # passes and duties
ENGINE_MESSAGE_PRIORITY = 3


def queue_names(prefix: str) -> list[str]:
    """Every queue, the most urgent first."""
    return [f"{prefix}.{name}" for name in (BANDS[0].name, ENGINE_QUEUE, *(band.name for band in BANDS[1:]))]


def band_of(priority: int) -> Band:
    return next((band for band in BANDS if priority <= band.priority_to), BANDS[-1])
