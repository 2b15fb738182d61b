"""What a post has reached, as its platform told it over time. Written by `services.afterwards` and `services.measuring`."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from platforms.models import PlatformAccount
from platforms.querysets import OfAccountQuerySet
from schedules.engine.work import WorkRow, work_constraints
from schedules.models.jobs import Job
from schedules.querysets.jobs import PartOfJobQuerySet

READING_INDEXES, READING_CONSTRAINTS = work_constraints("reading")


class Engagement(models.Model):
    """The figures of one post at one time: {"likes": 3, …}, by the names of `platforms.contracts.Metrics`. Empty with a `message`
    when the platform did not tell them."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="engagement", db_index=False)
    measured_at = models.DateTimeField()
    values = models.JSONField(default=dict)
    message = models.CharField(max_length=300, blank=True)

    objects = PartOfJobQuerySet.as_manager()

    class Meta:
        ordering = ["job_id", "measured_at", "id"]
        verbose_name_plural = "engagement"
        indexes = [models.Index(fields=["job", "measured_at"], name="engagement_of_job")]

    def __str__(self) -> str:
        return f"{self.job} at {self.measured_at:%Y-%m-%d %H:%M} UTC"


class Reading(WorkRow):
    """Read the figures of this account's recent posts at `run_at`. One row an account; stays with it."""

    account = models.OneToOneField(PlatformAccount, models.CASCADE, related_name="reading_row")

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        ordering = ["run_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["pending", "running", "done"]), name="reading_state"),
            *READING_CONSTRAINTS,
        ]
        indexes = READING_INDEXES

    def __str__(self) -> str:
        return f"figures of {self.account}"
