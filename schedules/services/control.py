"""The switch that holds everything, and its reading in each pass."""

from __future__ import annotations

from datetime import datetime

from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from schedules.engine import wakeup
from schedules.models import EngineControl


def is_paused() -> bool:
    return EngineControl.objects.filter(paused_at__isnull=False).exists()


@unit()
def pause_everything(*, actor: Actor, now: datetime) -> None:
    """Claim nothing anywhere from the next pass on; calls under way finish. Asking twice changes nothing."""
    EngineControl.objects.get_or_create(pk=1)
    if EngineControl.objects.filter(pk=1, paused_at=None).update(paused_at=now):
        emit(_fact("engine.paused", actor, now))


@unit()
def resume_everything(*, actor: Actor, now: datetime) -> None:
    """Go on; what went by is treated by each schedule's catch-up rule."""
    if EngineControl.objects.filter(pk=1, paused_at__isnull=False).update(paused_at=None):
        emit(_fact("engine.resumed", actor, now))
        wakeup.announce()


def _fact(name: str, actor: Actor, now: datetime) -> Fact:
    paused = name == "engine.paused"
    return Fact(
        name=name, at=now, actor=actor, object_type="engine", object_id="1", object_label="Scheduler",
        before={"paused": not paused}, after={"paused": paused},
    )  # fmt: skip
