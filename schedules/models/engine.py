"""The switch over the engine; its own tables stand with it, in `engine.tables`."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from schedules.engine.tables import Duty, Worker

__all__ = ["Duty", "EngineControl", "Worker"]


class EngineControl(models.Model):
    """One row: the switch that holds everything. While `paused_at` is set nothing is claimed anywhere."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    paused_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "engine control"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="engine_control_single")]

    def __str__(self) -> str:
        return "paused" if self.paused_at else "running"
