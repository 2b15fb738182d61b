"""The rows of lists as files (`reads.exports`), as the API describes them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from schedules.api.serializers.shown import Shown, one_of
from schedules.domain.states import JobState, ScheduleState
from schedules.models.content import ContentType
from schedules.reads.calendar import LOOKS

At = Annotated[str, {"format": "date-time"}]
MaybeAt = Annotated[str | None, {"format": "date-time"}]


class ScheduleLine(Shown):
    """One schedule."""

    id: UUID
    state: ScheduleState
    title: str
    text: str
    accounts: list[str]
    platforms: list[str]
    content_type: ContentType
    campaign: str
    labels: list[str]
    tags: list[str]
    description: str
    timezone: str
    next_run_at: MaybeAt
    next_run_at_local: MaybeAt
    priority: int
    owner: str
    last_result: str
    created_at: At


class JobLine(Shown):
    """One job. `took_seconds`: of its last call; null until it has ended."""

    id: UUID
    state: JobState
    title: str
    schedule: UUID
    account: str
    platform: str
    content_type: ContentType
    scheduled_for: At
    started_at: MaybeAt
    finished_at: MaybeAt
    took_seconds: float | None
    attempt_count: int
    next_attempt_at: MaybeAt
    reason: str
    error_class: str
    message: str
    remote_id: str
    remote_url: str


class EventLine(Shown):
    """One post on the calendar. `conflicts_with`: the key of the nearest one that stands too close."""

    key: str
    at: At
    at_local: At
    look: one_of(*LOOKS)  # type: ignore[valid-type]
    title: str
    platform: str
    account: str
    content_type: ContentType
    campaign: str
    recurring: bool
    conflicts_with: str | None
