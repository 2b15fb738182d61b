"""The engine's own two tables: who runs it, and what it does now and then. Generic, so they stand below the models of posts."""

from __future__ import annotations

from django.db import models


class Worker(models.Model):
    """The heartbeat of one scheduler process and its figures since it started. Removed a day after the last beat.

    `lateness` and `passes` hold `figures.Histogram.as_json()`, the second one also `worst`: the longest pass, in seconds,
    since the beat before the last.
    """

    name = models.CharField(max_length=120, unique=True)
    role = models.CharField(max_length=16, default="embedded")
    host = models.CharField(max_length=120)
    pid = models.PositiveIntegerField()
    process_mark = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    in_flight = models.PositiveIntegerField(default=0)
    completed_count = models.PositiveBigIntegerField(default=0)
    claimed_count = models.PositiveBigIntegerField(default=0)
    rescued_count = models.PositiveBigIntegerField(default=0)
    database_error_count = models.PositiveBigIntegerField(default=0)
    clock_skew_ms = models.IntegerField(default=0)
    rss_bytes = models.PositiveBigIntegerField(default=0)
    cpu_seconds = models.FloatField(default=0)
    lateness = models.JSONField(default=dict, blank=True)
    passes = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-beat_at", "-id"]

    def __str__(self) -> str:
        return self.name


class Duty(models.Model):
    """Something the engine does now and then, whoever gets to it first (compare-and-set on `next_at`)."""

    name = models.CharField(max_length=40, unique=True)
    every_seconds = models.PositiveIntegerField()
    enabled = models.BooleanField(default=True)
    next_at = models.DateTimeField()
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_duration_ms = models.PositiveIntegerField(null=True, blank=True, editable=False)
    last_result = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        ordering = ["name", "id"]
        verbose_name_plural = "duties"

    def __str__(self) -> str:
        return self.name
