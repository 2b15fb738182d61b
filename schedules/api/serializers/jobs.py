"""Jobs and their attempts as the API shows them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework import serializers

from schedules.api.serializers.accounts import AccountName, account_words
from schedules.api.serializers.shapes import Answer, Input, WorkspaceName, both, either, of_list, workspace_words
from schedules.api.serializers.shown import Instant, LocalTime, Shown
from schedules.domain.recovery import MONITOR_VERBS
from schedules.domain.states import JobState
from schedules.filters import JobFilter
from schedules.models import Attempt, Engagement, Job
from schedules.services import afterwards, recovery


class Confirmation(Input):
    remote_url = serializers.CharField(
        max_length=2000, error_messages={"required": "Give the post's address at the platform."}
    )


class JobsInput(Input):
    """One verb, and either `ids` or a `filter` with the names that the list of jobs takes."""

    verb = serializers.ChoiceField(choices=list(MONITOR_VERBS))
    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, min_length=1, max_length=recovery.MOST_AT_ONCE
    )
    filter = serializers.DictField(child=serializers.CharField(max_length=500), required=False)
    workspace = serializers.CharField(required=False, allow_null=True, default=None, max_length=100)

    @staticmethod
    def as_schema(schema: dict[str, Any]) -> dict[str, Any]:
        return {
            **schema,
            "properties": {**schema["properties"], "filter": of_list(JobFilter, texts=True)},
            **either("ids", "filter"),
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("filter" in attrs):
            words = _("Name the jobs by `ids`, or say by `filter` which: one of the two.")
            raise serializers.ValidationError({"ids": [serializers.ErrorDetail(words, code="required")]})
        return attrs


class JobOccurrence(Shown):
    """The time of the rule that the job is for, as its wall clock says it, and why it is there."""

    nominal_local: LocalTime
    cause: str


class JobShown(Shown):
    """One post on one account. `scheduled_for` is what a person wanted and stays; `run_at` moves with each retry."""

    id: UUID
    workspace: WorkspaceName
    schedule: UUID
    title: str
    account: AccountName
    occurrence: JobOccurrence
    state: JobState
    state_label: str
    reason: str
    error_class: str
    message: str
    priority: int
    attempt_count: int
    content_version: int | None
    idempotency_key: str
    remote_id: str
    remote_url: str
    scheduled_for: Instant
    run_at: Instant


class AttemptShown(Shown):
    """One call and what the platform answered. `duration_ms` is null until it has ended."""

    no: int
    purpose: str
    outcome: str
    error_class: str
    message: str
    status_code: int | None
    response: Any
    idempotency_key: str
    worker: str
    started_at: Instant | None
    called_at: Instant | None
    finished_at: Instant | None
    duration_ms: int | None


class JobWithAttempts(JobShown):
    """A job with every attempt, the first one first."""

    attempts: list[AttemptShown]


class Reading(Shown):
    """What the platform counted; a name that is missing is not told, which is not zero."""

    measured_at: Instant
    values: dict[str, Any]
    message: str


class FiguresShown(Shown):
    """What a post has reached. `can`: what the platform lets one do with it."""

    job: UUID
    remote_url: str
    can: list[str]
    latest: Reading | None
    readings: list[Reading]


class JobAnswer(Answer):
    """One post on one account; times are shown in the schedule's zone. Wants `JobQuerySet.with_names`."""

    shown: ClassVar[type[Shown]] = JobShown
    times: ClassVar[tuple[str, ...]] = (
        "scheduled_for",
        "run_at",
        "deadline_at",
        "started_at",
        "finished_at",
        "taken_down_at",
        "created_at",
    )

    def zone(self, row: Job) -> str:
        return row.schedule.timezone

    def body(self, row: Job) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "schedule": str(row.schedule.public_id),
            "title": str(row.schedule.content),
            "account": account_words(row.account),
            "occurrence": {
                "nominal_local": row.occurrence.nominal_local.isoformat(),
                "cause": row.occurrence.cause,
            },
            "state": row.state,
            "state_label": JobState(row.state).label,
            "reason": row.reason,
            "error_class": row.error_class,
            "message": row.error_message,
            "priority": row.priority,
            "attempt_count": row.attempt_count,
            "content_version": row.content_version,
            "idempotency_key": row.idempotency_key,
            "remote_id": row.remote_id,
            "remote_url": row.remote_url,
        }


class JobDetail(JobAnswer):
    """The same with every attempt, the first one first. Wants the attempts prefetched."""

    shown = JobWithAttempts

    def body(self, row: Job) -> dict[str, Any]:
        return {
            **super().body(row),
            "attempts": [attempt_words(item, row.schedule.timezone) for item in row.attempts.all()],
        }


class JobsMade(Shown):
    """The jobs of the extra run, one an account."""

    jobs: list[JobAnswer]


class JobFigures(Answer):
    """What a post has reached: `latest` is the last reading that told something, `readings` all of the last hundred."""

    shown = FiguresShown

    def zone(self, row: Job) -> str:
        return row.schedule.timezone

    def body(self, row: Job) -> dict[str, Any]:
        latest = afterwards.latest(row)
        readings = afterwards.readings(row, most=100)
        return {
            "job": str(row.public_id),
            "remote_url": row.remote_url,
            "can": sorted(afterwards.abilities(row)),
            "latest": None if latest is None else _reading(latest, self.zone(row)),
            "readings": [_reading(item, self.zone(row)) for item in readings],
        }


def _reading(item: Engagement, zone: str) -> dict[str, Any]:
    return {**both("measured_at", item.measured_at, zone), "values": item.values, "message": item.message}


def attempt_words(attempt: Attempt, zone: str) -> dict[str, Any]:
    """One call and what the platform answered. `duration_ms` is the call's own; null until it has ended."""
    took = attempt.finished_at - attempt.called_at if attempt.finished_at and attempt.called_at else None
    return {
        "no": attempt.no,
        "purpose": attempt.purpose,
        "outcome": attempt.outcome,
        "error_class": attempt.error_class,
        "message": attempt.message,
        "status_code": attempt.status_code,
        "response": attempt.response,
        "idempotency_key": attempt.idempotency_key,
        "worker": attempt.worker,
        **both("started_at", attempt.started_at, zone),
        **both("called_at", attempt.called_at, zone),
        **both("finished_at", attempt.finished_at, zone),
        "duration_ms": None if took is None else round(took.total_seconds() * 1000),
    }
