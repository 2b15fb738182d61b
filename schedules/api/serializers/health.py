"""How a schedule is doing, as an answer."""

from __future__ import annotations

from typing import Any

from schedules.api.serializers.accounts import account_words
from schedules.api.serializers.shapes import both
from schedules.models import Job
from schedules.reads.health import Health, Obstacle


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
