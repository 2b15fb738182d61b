"""States inside a sentence: lower case, without an article, as the refusals name them."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

from schedules.domain.states import JobState, ScheduleState

_SCHEDULE = {
    ScheduleState.DRAFT: pgettext_lazy("of a schedule, in a sentence", "draft"),
    ScheduleState.IN_REVIEW: pgettext_lazy("of a schedule, in a sentence", "in review"),
    ScheduleState.ACTIVE: pgettext_lazy("of a schedule, in a sentence", "active"),
    ScheduleState.PAUSED: pgettext_lazy("of a schedule, in a sentence", "paused"),
    ScheduleState.FINISHED: pgettext_lazy("of a schedule, in a sentence", "finished"),
    ScheduleState.ARCHIVED: pgettext_lazy("of a schedule, in a sentence", "archived"),
}
_JOB = {
    JobState.PENDING: pgettext_lazy("of a post, in a sentence", "scheduled"),
    JobState.RUNNING: pgettext_lazy("of a post, in a sentence", "publishing"),
    JobState.PROCESSING: pgettext_lazy("of a post, in a sentence", "processing"),
    JobState.COMPLETED: pgettext_lazy("of a post, in a sentence", "published"),
    JobState.FAILED: pgettext_lazy("of a post, in a sentence", "failed"),
    JobState.UNCONFIRMED: pgettext_lazy("of a post, in a sentence", "unconfirmed"),
    JobState.MISSED: pgettext_lazy("of a post, in a sentence", "missed"),
    JobState.BLOCKED: pgettext_lazy("of a post, in a sentence", "on hold"),
    JobState.CANCELLED: pgettext_lazy("of a post, in a sentence", "cancelled"),
    JobState.SUPERSEDED: pgettext_lazy("of a post, in a sentence", "replaced"),
}


def of_schedule(state: str) -> str:
    return str(_SCHEDULE[ScheduleState(state)])


def of_job(state: str) -> str:
    return str(_JOB[JobState(state)])
