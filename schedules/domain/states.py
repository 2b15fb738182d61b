"""The states of schedules and jobs, their words for people, and which step leads where. Pure."""

from __future__ import annotations

from enum import StrEnum

from schedules.domain.speech import gettext, gettext_noop


class ScheduleState(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    ARCHIVED = "archived"

    @property
    def label(self) -> str:
        return gettext(SCHEDULE_LABELS[self])


SCHEDULE_LABELS = {
    ScheduleState.DRAFT: gettext_noop("Draft"),
    ScheduleState.IN_REVIEW: gettext_noop("In review"),
    ScheduleState.ACTIVE: gettext_noop("Active"),
    ScheduleState.PAUSED: gettext_noop("Paused"),
    ScheduleState.FINISHED: gettext_noop("Finished"),
    ScheduleState.ARCHIVED: gettext_noop("Archived"),
}


class JobState(StrEnum):
    """`pending`, `running`, `completed` and `failed` are the headlines; the others are their sub-states."""

    PENDING = "pending"
    RUNNING = "running"
    PROCESSING = "processing"  # the platform has it and is still working on it
    COMPLETED = "completed"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"  # the platform may or may not have it
    MISSED = "missed"  # its time went by; `reason` says why it was not published late
    BLOCKED = "blocked"  # held back until a pause ends or an account is connected again
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"  # the schedule was edited

    @property
    def label(self) -> str:
        return gettext(JOB_LABELS[self])


JOB_LABELS = {
    JobState.PENDING: gettext_noop("Scheduled"),
    JobState.RUNNING: gettext_noop("Publishing"),
    JobState.PROCESSING: gettext_noop("Processing"),
    JobState.COMPLETED: gettext_noop("Published"),
    JobState.FAILED: gettext_noop("Failed"),
    JobState.UNCONFIRMED: gettext_noop("Unconfirmed"),
    JobState.MISSED: gettext_noop("Missed"),
    JobState.BLOCKED: gettext_noop("On hold"),
    JobState.CANCELLED: gettext_noop("Cancelled"),
    JobState.SUPERSEDED: gettext_noop("Replaced"),
}

NEEDS_YOU = (JobState.FAILED, JobState.UNCONFIRMED, JobState.MISSED, JobState.BLOCKED)
ENDED = (JobState.COMPLETED, JobState.FAILED, JobState.MISSED, JobState.CANCELLED, JobState.SUPERSEDED)

SCHEDULE_STEPS: dict[ScheduleState, frozenset[ScheduleState]] = {
    ScheduleState.DRAFT: frozenset({ScheduleState.IN_REVIEW, ScheduleState.ACTIVE, ScheduleState.ARCHIVED}),
    ScheduleState.IN_REVIEW: frozenset(
        {ScheduleState.DRAFT, ScheduleState.ACTIVE, ScheduleState.PAUSED, ScheduleState.ARCHIVED}
    ),
    # an edit of approved words leads back into review
    ScheduleState.ACTIVE: frozenset(
        {ScheduleState.IN_REVIEW, ScheduleState.PAUSED, ScheduleState.FINISHED, ScheduleState.ARCHIVED}
    ),
    ScheduleState.PAUSED: frozenset(
        {ScheduleState.IN_REVIEW, ScheduleState.ACTIVE, ScheduleState.FINISHED, ScheduleState.ARCHIVED}
    ),
    ScheduleState.FINISHED: frozenset({ScheduleState.IN_REVIEW, ScheduleState.ACTIVE, ScheduleState.ARCHIVED}),
    ScheduleState.ARCHIVED: frozenset({ScheduleState.DRAFT, ScheduleState.PAUSED}),
}

JOB_STEPS: dict[JobState, frozenset[JobState]] = {
    JobState.PENDING: frozenset(
        {
            JobState.RUNNING,
            JobState.MISSED,
            JobState.BLOCKED,
            JobState.CANCELLED,
            JobState.SUPERSEDED,
            JobState.FAILED,
        }
    ),
    JobState.RUNNING: frozenset(
        {
            JobState.COMPLETED,
            JobState.PROCESSING,
            JobState.PENDING,
            JobState.FAILED,
            JobState.UNCONFIRMED,
            JobState.BLOCKED,
            JobState.CANCELLED,  # claimed, and its time had not come yet
        }
    ),
    JobState.PROCESSING: frozenset({JobState.COMPLETED, JobState.FAILED, JobState.UNCONFIRMED}),
    JobState.UNCONFIRMED: frozenset({JobState.COMPLETED, JobState.PENDING, JobState.FAILED}),
    JobState.BLOCKED: frozenset({JobState.PENDING, JobState.CANCELLED, JobState.SUPERSEDED, JobState.MISSED}),
    JobState.FAILED: frozenset({JobState.PENDING, JobState.CANCELLED}),
    JobState.MISSED: frozenset({JobState.PENDING, JobState.CANCELLED}),
    JobState.COMPLETED: frozenset(),
    JobState.CANCELLED: frozenset({JobState.PENDING}),
    JobState.SUPERSEDED: frozenset(),
}


def schedule_may(old: str, new: str) -> bool:
    return ScheduleState(new) in SCHEDULE_STEPS[ScheduleState(old)]


def job_may(old: str, new: str) -> bool:
    """Staying where it is may always be."""
    return old == new or JobState(new) in JOB_STEPS[JobState(old)]
