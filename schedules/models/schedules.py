"""When and where content goes out. Written by `services.schedules` and `services.lifecycle` only."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from alwrity_scheduler.core.fields import LocalDateTimeField
from alwrity_scheduler.core.ids import uuid7
from alwrity_scheduler.workspaces.models import Workspace, validate_timezone
from platforms.models import PlatformAccount
from schedules.domain.misfire import CatchUp
from schedules.domain.recurrence import EditAction, RuleKind
from schedules.domain.states import ScheduleState
from schedules.models.content import ContentItem
from schedules.querysets.schedules import PartOfScheduleQuerySet, ScheduleQuerySet, TargetQuerySet


class Priority(models.IntegerChoices):
    """The named steps of the scale from 1 (first) to 10 (last)."""

    URGENT = 1
    HIGH = 3
    NORMAL = 5
    LOW = 8


class Schedule(models.Model):
    """A person's rule: this content, at these wall-clock times of this zone, on these targets.

    The truth is wall clock, zone and rule; instants are derived (ENGINE R6). `planned_until` says up to which
    instant occurrences stand as rows; planning always goes on from there, never from "now" (R2).
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="schedules")
    content = models.ForeignKey(ContentItem, models.PROTECT, related_name="schedules")
    rule_kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in RuleKind])
    expression = models.TextField(blank=True)
    timezone = models.CharField(max_length=64, validators=[validate_timezone])
    start_local = LocalDateTimeField()
    start_fold = models.PositiveSmallIntegerField(default=0)
    until_local = LocalDateTimeField(null=True, blank=True)
    occurrence_limit = models.PositiveIntegerField(null=True, blank=True)
    priority = models.PositiveSmallIntegerField(
        default=Priority.NORMAL, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    catch_up = models.CharField(
        max_length=8, choices=[(item.value, item.value) for item in CatchUp], default=CatchUp.LATEST
    )
    grace_seconds = models.PositiveIntegerField(null=True, blank=True)
    max_attempts = models.PositiveSmallIntegerField(default=5)
    retry_base_seconds = models.PositiveIntegerField(default=60)
    retry_cap_seconds = models.PositiveIntegerField(default=3600)
    deadline_seconds = models.PositiveIntegerField(null=True, blank=True)
    tags = models.JSONField(default=list, blank=True)
    state = models.CharField(
        max_length=12, choices=[(state.value, state.label) for state in ScheduleState], default=ScheduleState.DRAFT
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    planned_until = models.DateTimeField(null=True, blank=True, editable=False)
    tzdata_version = models.CharField(max_length=16, blank=True, editable=False)
    split_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="splits", editable=False
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in ScheduleState]), name="schedule_state"
            ),
            models.CheckConstraint(condition=Q(priority__range=(1, 10)), name="schedule_priority"),
            models.CheckConstraint(
                condition=Q(rule_kind__in=[kind.value for kind in RuleKind]), name="schedule_rule_kind"
            ),
        ]
        indexes = [
            # to_plan(horizon): active schedules whose rows end before the horizon, the least planned first
            models.Index(fields=["planned_until", "id"], name="schedule_to_plan", condition=Q(state="active")),
            # planned_with_other_tzdata(version)
            models.Index(
                fields=["tzdata_version", "id"], name="schedule_tzdata", condition=Q(state__in=["active", "paused"])
            ),
            # single times in a span of the calendar
            models.Index(fields=["workspace", "start_local"], name="schedule_calendar", condition=Q(rule_kind="once")),
            # rules that may have times in a span of the calendar
            models.Index(fields=["workspace", "id"], name="schedule_rules", condition=~Q(rule_kind="once")),
            # the list of a workspace, newest first
            models.Index(fields=["workspace", "-created_at", "-id"], name="schedule_list"),
            # the same in one state
            models.Index(fields=["workspace", "state", "-created_at", "-id"], name="schedule_by_state"),
        ]

    def __str__(self) -> str:
        return str(self.content)


class Target(models.Model):
    """One account of a schedule, with its own offset from the time and its own words where wanted."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="targets")
    account = models.ForeignKey(PlatformAccount, models.PROTECT, related_name="targets")
    offset_seconds = models.IntegerField(default=0)
    title = models.CharField(max_length=300, null=True, blank=True)  # noqa: DJ001 - null is "as the content"
    text = models.TextField(null=True, blank=True)  # noqa: DJ001

    objects = TargetQuerySet.as_manager()

    class Meta:
        ordering = ["schedule_id", "id"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "account"], name="target_once"),
            models.CheckConstraint(
                condition=Q(offset_seconds__range=(-86_400 * 7, 86_400 * 7)), name="target_offset_week"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} on {self.account}"


class ScheduleException(models.Model):
    """An edit of one occurrence: left out, or moved to another wall-clock time."""

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="exceptions")
    nominal_local = LocalDateTimeField()
    action = models.CharField(max_length=8, choices=[(action.value, action.value) for action in EditAction])
    moved_to_local = LocalDateTimeField(null=True, blank=True)

    objects = PartOfScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["schedule_id", "nominal_local", "id"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "nominal_local"], name="schedule_exception_once"),
            models.CheckConstraint(
                condition=Q(action="move", moved_to_local__isnull=False)
                | Q(action="skip", moved_to_local__isnull=True),
                name="schedule_exception_move",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule}: {self.action} {self.nominal_local}"
