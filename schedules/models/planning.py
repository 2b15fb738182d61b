"""What a team plans towards, and what comes before what. Written by `services.planning` only."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.workspaces.models import Workspace
from schedules.models.content import Campaign
from schedules.models.schedules import Schedule
from schedules.querysets.planning import DependencyQuerySet, MilestoneQuerySet


class Milestone(models.Model):
    """A day by which something is to be there, of the workspace or of one campaign.

    due_on: a calendar day, the same for everybody. removed_at: taken away by a person, who may take that back.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="milestones", db_index=False)
    name = models.CharField(max_length=120)
    due_on = models.DateField()
    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, blank=True, related_name="milestones")
    done_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "id"]
        # standing(workspace), by day
        indexes = [models.Index(fields=["workspace", "due_on", "id"], name="milestone_of_workspace")]

    def __str__(self) -> str:
        return self.name


class Dependency(models.Model):
    """`schedule` is meant to go out after `waits_for`. It warns and does not hold: the engine publishes by time.

    workspace: that of both, so that all of a workspace are found without a look at its schedules.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="dependencies", db_index=False)
    waits_for = models.ForeignKey(Schedule, models.CASCADE, related_name="dependents")
    created_at = models.DateTimeField()

    objects = DependencyQuerySet.as_manager()

    class Meta:
        ordering = ["schedule_id", "id"]
        verbose_name_plural = "dependencies"
        constraints = [
            models.UniqueConstraint(fields=["schedule", "waits_for"], name="dependency_once"),
            models.CheckConstraint(condition=~Q(schedule=F("waits_for")), name="dependency_not_on_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} after {self.waits_for}"
