"""Jobs and their attempts as the API shows them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from schedules.api.serializers.accounts import account_words
from schedules.api.serializers.shapes import Answer, Input, both, workspace_words
from schedules.domain.recovery import MONITOR_VERBS
from schedules.domain.states import JobState
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

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("filter" in attrs):
            words = _("Name the jobs by `ids`, or say by `filter` which: one of the two.")
            raise serializers.ValidationError({"ids": [serializers.ErrorDetail(words, code="required")]})
        return attrs


class JobAnswer(Answer):
    """One post on one account; times are shown in the schedule's zone. Wants `JobQuerySet.with_names`."""

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

    def body(self, row: Job) -> dict[str, Any]:
        return {
            **super().body(row),
            "attempts": [attempt_words(item, row.schedule.timezone) for item in row.attempts.all()],
        }


class JobFigures(Answer):
    """What a post has reached: `latest` is the last reading that told something, `readings` all of the last hundred."""

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
