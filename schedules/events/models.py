"""How the consumers of installed packages are doing. Written by `events.consumers` only."""

from __future__ import annotations

from django.db import models


class EventConsumer(models.Model):
    """One consumer that was ever seen. holder: the process that feeds it, until `held_until`; it renews that while it lives.
    failures: of the event it stands at. passed_over: events that were given up. Where it stands: `EventCursor`."""

    name = models.CharField(max_length=60, unique=True)
    holder = models.CharField(max_length=64, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    passed_over = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
