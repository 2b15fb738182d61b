"""The facts about jobs and schedules, in one shape for every service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from alwrity_scheduler.core.events import Actor, Fact
from schedules.domain.recovery import cause_of
from schedules.models import Job, Schedule

# Not reverse(): it would import every page and the API into the scheduler, for a second of work and in the middle of a
# transaction that others wait for. A test keeps it true.
JOB_PAGE = "/app/jobs/%s/"


@dataclass(frozen=True, slots=True)
class JobName:
    """What a fact says of which job it is about: enough where `after` is given."""

    public_id: UUID
    workspace_id: int
    scheduled_for: datetime


def job_fact(
    name: str,
    job: Job | JobName,
    actor: Actor,
    now: datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Fact:
    """`after` defaults to the job's state, reason, message and address as they are on the row in hand.

    What only a person can settle also says which post it is, on which account, and where to settle it.
    """
    return Fact(
        name=name, at=now, actor=actor, workspace_id=job.workspace_id, object_type="job", object_id=str(job.public_id),
        object_label=f"{job.scheduled_for:%Y-%m-%d %H:%M} UTC",
        before=before or {},
        after=_state(job) if after is None and isinstance(job, Job) else after or {},
    )  # fmt: skip


def _state(job: Job) -> dict[str, Any]:
    shown = {"state": job.state, "reason": job.reason, "message": job.error_message, "url": job.remote_url}
    if job.state == "pending":
        shown["run_at"] = job.run_at.isoformat()
    if job.state == "unconfirmed":
        shown |= _for_a_person(job)
    return {name: value for name, value in shown.items() if value}


def _for_a_person(job: Job) -> dict[str, str]:
    cause = cause_of(job.state, job.reason)
    return {
        "cause": cause.label if cause else "",
        "title": str(job.schedule.content)[:300],
        "account": job.account.name,
        "page": settings.PUBLIC_URL + JOB_PAGE % job.public_id,
    }


def schedule_fact(
    name: str, schedule: Schedule, actor: Actor, now: datetime, *,
    before: dict[str, Any] | None = None, after: dict[str, Any] | None = None,
) -> Fact:  # fmt: skip
    return Fact(
        name=name, at=now, actor=actor, workspace_id=schedule.workspace_id, object_type="schedule",
        object_id=str(schedule.public_id), object_label=str(schedule), before=before or {}, after=after or {},
    )  # fmt: skip
