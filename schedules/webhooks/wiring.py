"""Registers the kind of work that delivers, the look for what is to be delivered, and the duties that tidy up."""

from __future__ import annotations

from datetime import datetime

from alwrity_scheduler.core import retention
from alwrity_scheduler.core.retention import Kept
from schedules.engine import loop
from schedules.engine.duties import DutyKind, duties
from schedules.engine.kinds import kinds


def connect() -> None:
    """Called once, when Django is ready. After the kinds of posts: a pass claims in this order."""
    from schedules.webhooks import collecting, rules
    from schedules.webhooks.sending import DeliverKind

    what = "what was sent to webhooks, with each try and its answer"
    retention.kinds.register(rules.KEPT, Kept(days=rules.KEPT_DAYS, what=what, least=2, why="tries go on for a day"))
    kinds.register("deliver", DeliverKind())
    loop.housekeeping.append(collecting.look)
    duties.register("collect for webhooks", DutyKind(_collect, 15))
    duties.register("tidy webhooks", DutyKind(_tidy, 300))


def _collect(now: datetime) -> str:
    """What a pass has set going already; this is for the case that its threads die."""
    from schedules.webhooks import collecting

    return f"{collecting.collect(now=now)} facts looked at"


def _tidy(now: datetime) -> str:
    from schedules.webhooks import services

    return services.tidy(now=now)
