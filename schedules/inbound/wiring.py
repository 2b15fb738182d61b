"""Registers the events that hooks bring, and the duty that tidies the log of calls."""

from __future__ import annotations

from datetime import datetime

from schedules.engine.duties import DutyKind, duties
from schedules.events import values as v
from schedules.events.catalogue import register


def connect() -> None:
    """Called once, when Django is ready."""
    hook = {
        **dict.fromkeys(("name", "proof", "header", "makes", "when"), v.TEXT),
        **dict.fromkeys(("is_active", "is_on"), v.FLAG),
        **dict.fromkeys(("accounts", "groups"), v.WORDS),
        "delay_minutes": v.COUNT,
        "mapping": v.THING,
    }
    register("hook.created", "An inbound hook was made.", "inbound_hook", after=hook)
    register("hook.changed", "An inbound hook was changed.", "inbound_hook", before=hook, after=hook)
    register("hook.secret_rotated", "An inbound hook got a new secret.", "inbound_hook", after={"old_until": v.TIME})
    register("hook.removed", "An inbound hook was removed; what it made stays.", "inbound_hook", before=v.NAME)
    duties.register("tidy hook calls", DutyKind(_tidy, 3600))


def _tidy(now: datetime) -> str:
    from schedules.inbound import receiving

    return f"{receiving.tidy(now=now)} calls removed"
