"""One verb for many schedules, done in small steps. Written by `services.bulk`; goes a month after its end."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.querysets import VisibleQuerySet
from schedules.models.schedules import Schedule


class BulkState(models.TextChoices):
    PLANNED = "planned"  # shown to the person, not yet confirmed
    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


class BulkVerb(models.TextChoices):
    PAUSE = "pause"
    RESUME = "resume"
    ACTIVATE = "activate"
    SHIFT = "shift"
    CLONE = "clone"
    LABEL = "label"
    UNLABEL = "unlabel"
    ARCHIVE = "archive"
    RESTORE = "restore"


class ItemState(models.TextChoices):
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    LEFT_OUT = "left_out"  # its schedule could not take the verb when the run was planned


class BulkRun(models.Model):
    """A verb, its options, and the schedules it is for: those that matched when it was planned, whatever changes since.

    `total` counts the items that are not left out.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    verb = models.CharField(max_length=10, choices=BulkVerb)
    options = models.JSONField(default=dict, blank=True)
    # the run that this one takes back
    undoes = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=BulkState, default=BulkState.PLANNED)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=BulkState.values), name="bulk_run_state"),
            models.CheckConstraint(condition=Q(verb__in=BulkVerb.values), name="bulk_run_verb"),
        ]
        indexes = [
            # a person's runs that are not over
            models.Index(fields=["workspace", "person", "state"], name="bulk_run_open"),
        ]

    def __str__(self) -> str:
        return f"{self.verb}, {self.done} of {self.total}"


class BulkItem(models.Model):
    """One schedule of a run. `was`: its state before; `message`: why it was not done."""

    run = models.ForeignKey(BulkRun, models.CASCADE, related_name="items", db_index=False)
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.WAITING)
    was = models.CharField(max_length=12, blank=True)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["run_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "schedule"], name="bulk_item_once"),
            models.CheckConstraint(condition=Q(state__in=ItemState.values), name="bulk_item_state"),
        ]
        indexes = [
            # what of a run is still to be done, in order
            models.Index(fields=["run", "state", "id"], name="bulk_item_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id}: {self.state}"
