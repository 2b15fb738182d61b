"""How a schedule is doing, as an answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from schedules.api.serializers.accounts import AccountName, account_words
from schedules.api.serializers.shapes import both
from schedules.api.serializers.shown import Instant, Shown
from schedules.domain.states import JobState
from schedules.models import Job
from schedules.reads.health import Health, Obstacle


class HealthRun(Shown):
    job: UUID
    state: JobState
    account: AccountName
    error: str
    run_at: Instant


class HealthObstacle(Shown):
    """What stands in the way of its next runs."""

    verdict: str
    code: str
    message: str
    remedy: str
    link: str
    accounts: list[AccountName]


class ScheduleHealthShown(Shown):
    """`success_rate` is a share from 0 to 1, null where nothing has ended; `runs` are the last twenty, the newest first."""

    timezone: str
    verdict: str
    success_rate: float | None
    counted: int
    succeeded: int
    missed: int
    late: int
    next_run_at: Instant | None
    runs: list[HealthRun]
    obstacles: list[HealthObstacle]


def health_words(found: Health, zone: str) -> dict[str, Any]:
    """`success_rate` is a share from 0 to 1, null where nothing has ended; `runs` are the last twenty, the newest first."""
    return {
        "verdict": found.tone,
        "success_rate": found.success_rate,
        "counted": found.counted,
        "succeeded": found.succeeded,
        "missed": found.missed,
        "late": found.late,
        **both("next_run_at", found.next_at, zone),
        "runs": [_run_words(job, zone) for job in found.runs],
        "obstacles": [_obstacle_words(item) for item in found.obstacles],
    }


def _run_words(job: Job, zone: str) -> dict[str, Any]:
    return {
        "job": str(job.public_id),
        "state": job.state,
        "account": account_words(job.account),
        "error": job.error_message,
        **both("run_at", job.run_at, zone),
    }


def _obstacle_words(item: Obstacle) -> dict[str, Any]:
    return {
        "verdict": item.tone,
        "code": item.code,
        "message": item.words,
        "remedy": item.remedy,
        "link": item.link,
        "accounts": [account_words(account) for account in item.accounts],
    }
