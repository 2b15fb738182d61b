"""What the engine does: occurrences, one job for each account, and every attempt. Written by services, never edited by hand."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from alwrity_scheduler.core.fields import LocalDateTimeField
from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import PlatformAccount
from schedules.domain.states import JobState
from schedules.engine.work import WorkRow, work_constraints
from schedules.models.schedules import Schedule
from schedules.querysets.jobs import JobQuerySet, PartOfJobQuerySet
from schedules.querysets.schedules import PartOfScheduleQuerySet

JOB_INDEXES, JOB_CONSTRAINTS = work_constraints("job")
CHECK_INDEXES, CHECK_CONSTRAINTS = work_constraints("job_check")


class Occurrence(models.Model):
    """One time at which a schedule fires: by its `rule`, or because a person asked ("manual", "backfill").

    `nominal_at` is its identity (R1); a moved one fires at `fires_at`. One of cause "backfill" stands for a time of the
    rule that went by, `makes_up_for` (R36).
    """

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="occurrences", db_index=False)
    nominal_at = models.DateTimeField()
    nominal_local = LocalDateTimeField()
    fires_at = models.DateTimeField()
    cause = models.CharField(max_length=12, default="rule")
    makes_up_for = models.DateTimeField(null=True, blank=True)
    tzdata_version = models.CharField(max_length=16)

    objects = PartOfScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["schedule_id", "nominal_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "nominal_at"], name="occurrence_once"),
            models.UniqueConstraint(
                fields=["schedule", "makes_up_for"],
                name="occurrence_made_up_once",
                condition=Q(makes_up_for__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} at {self.nominal_at:%Y-%m-%d %H:%M} UTC"


class Job(WorkRow):
    """One occurrence on one account: the thing that is published once. Kept for ever; pruning leaves its identity.

    `scheduled_for` is when a person wants it on this account (the occurrence plus the target's offset) and stays, unless
    a person gives this one post another time;
    `run_at` is when the engine looks at it next and moves with retries and waits.
    Narrow on purpose: texts and answers live in the content and the attempts, so that the due index stays small.
    A key that starts another index has none of its own (db_index=False): each index is written with each change of state.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="jobs", db_index=False)
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="jobs", db_index=False)
    occurrence = models.ForeignKey(Occurrence, models.CASCADE, related_name="jobs", db_index=False)
    account = models.ForeignKey(PlatformAccount, models.PROTECT, related_name="jobs")
    scheduled_for = models.DateTimeField()
    reason = models.CharField(max_length=24, blank=True)
    error_class = models.CharField(max_length=16, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    attempt_count = models.PositiveIntegerField(default=0)
    content_version = models.PositiveIntegerField(default=0)
    idempotency_key = models.CharField(max_length=64, blank=True)
    remote_id = models.CharField(max_length=300, blank=True)
    remote_url = models.CharField(max_length=2000, blank=True)
    remote_state = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    # deleted at the platform by a person's wish; the job stays completed: it was published
    taken_down_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-run_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["occurrence", "account"], name="job_once"),
            models.CheckConstraint(condition=Q(state__in=[state.value for state in JobState]), name="job_state"),
            models.CheckConstraint(condition=~Q(state="completed") | ~Q(remote_id=""), name="job_completed_has_id"),
            *JOB_CONSTRAINTS,
        ]
        indexes = [
            *JOB_INDEXES,
            # the job lists of a workspace: one state at a time, newest first
            models.Index(fields=["workspace", "state", "-run_at", "-id"], name="job_list"),
            # what stands in a span of the calendar: in_span(start, end)
            models.Index(fields=["workspace", "scheduled_for"], name="job_calendar"),
            # strip of last runs, earlier and later runs of a schedule
            models.Index(fields=["schedule", "-run_at", "-id"], name="job_of_schedule"),
            # an account's queue, in the order in which it goes: to move it back, and to let it go. Without run_at, which
            # would make it a candidate for the claim's own query
            models.Index(
                fields=["account", "priority", "scheduled_for", "id"], name="job_queue", condition=Q(state="pending")
            ),
            # account's jobs held back, to be let go when it is connected again
            models.Index(fields=["account", "id"], name="job_blocked", condition=Q(state="blocked")),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} on {self.account}"


PURPOSES = [("publish", "Publish"), ("check", "Look up"), ("delete", "Delete"), ("edit", "Update")]


class Attempt(models.Model):
    """One call to a platform, or one look-up. Committed before the call (R18); append-only but for its end.

    Deleting and updating a post that is out is harmless to do twice: those are written when they have ended.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="attempts", db_index=False)
    no = models.PositiveIntegerField()
    purpose = models.CharField(max_length=8, choices=PURPOSES, default="publish")
    idempotency_key = models.CharField(max_length=64)
    worker = models.CharField(max_length=120)
    started_at = models.DateTimeField()
    worker_clock = models.DateTimeField(null=True, blank=True)
    called_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, blank=True)
    error_class = models.CharField(max_length=16, blank=True)
    message = models.CharField(max_length=500, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    request_digest = models.CharField(max_length=64, blank=True)
    request = models.JSONField(default=dict, blank=True)
    response = models.JSONField(default=dict, blank=True)

    objects = PartOfJobQuerySet.as_manager()

    class Meta:
        ordering = ["job_id", "id"]
        constraints = [models.UniqueConstraint(fields=["job", "purpose", "no"], name="attempt_once")]
        indexes = [
            # attempts in flight, for the rescue and the operator
            models.Index(fields=["started_at", "id"], name="attempt_open", condition=Q(outcome="")),
        ]

    def __str__(self) -> str:
        return f"{self.job}, {self.purpose} {self.no}"


class JobCheck(WorkRow):
    """A read-only look at the platform: has an unconfirmed post arrived, is an accepted one finished? Work like any other."""

    job = models.OneToOneField(Job, models.CASCADE, related_name="check_row")
    purpose = models.CharField(max_length=12, choices=[("reconcile", "Reconcile"), ("poll", "Poll")])
    absences = models.PositiveSmallIntegerField(default=0)

    objects = PartOfJobQuerySet.as_manager()

    class Meta:
        ordering = ["-run_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["pending", "running", "done"]), name="job_check_state"),
            *CHECK_CONSTRAINTS,
        ]
        indexes = CHECK_INDEXES

    def __str__(self) -> str:
        return f"{self.purpose} {self.job}"
