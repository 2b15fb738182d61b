"""Registers the duty that keeps the consumers of installed packages going, in whatever process does duties."""

from __future__ import annotations

from datetime import datetime

from schedules.engine.duties import DutyKind, duties


def connect() -> None:
    """Called once, when Django is ready."""
    duties.register("event consumers", DutyKind(_consumers, 10))


def _consumers(now: datetime) -> str:
    from schedules.events import consumers

    return consumers.keep_going()
