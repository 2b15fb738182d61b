"""A person's verbs on one job: cancel, retry, run now, and what settles an unconfirmed post.

The verbs that only the recovery desk needs (a new time, discard, look again, undo) stand in `services.recovery`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db.models import F
from django.utils.translation import gettext as _

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, emit, unit
from platforms.services.publishing import give_back
from schedules.domain import localtime, misfire
from schedules.domain.recurrence import RuleKind
from schedules.domain.states import JobState, ScheduleState, job_may
from schedules.engine import wakeup
from schedules.engine.lastlook import NOTICE
from schedules.models import Attempt, Job, JobCheck, Occurrence, Schedule
from schedules.services import materialise, reviewing
from schedules.services.facts import job_fact, schedule_fact
from schedules.services.schedules import check_for_accounts, put_to_work
from schedules.services.words import of_job

# what a verb changes and an undo puts back; `attempt_count` tells whether anything was sent in between
KEPT = (
    "state",
    "reason",
    "error_class",
    "error_message",
    "run_at",
    "scheduled_for",
    "deadline_at",
    "tries",
    "finished_at",
    "attempt_count",
)


def kept(job: Job) -> dict[str, Any]:
    """The values of KEPT as a fact holds them: JSON, times as ISO text, the message under `message` as in every fact."""
    found = {name: getattr(job, name) for name in KEPT}
    found["message"] = found.pop("error_message")
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.items()}


def step(
    job: Job, old: tuple[JobState, ...], words: str, *, remedies: Mapping[str, str] | None = None, **values: object
) -> dict[str, Any]:
    """Compare-and-set from one of `old`; returns what was kept. Refused with `words` when the job is elsewhere, and with
    what `remedies` says for the state it is in.
    """
    job.refresh_from_db(fields=KEPT)
    before = kept(job)
    was = job.state
    allowed = was in old and job_may(was, str(values.get("state", was)))
    if not allowed or not Job.objects.filter(pk=job.pk, state=was).update(**values):
        current = JobState(Job.objects.values_list("state", flat=True).get(pk=job.pk))
        remedy = (remedies or {}).get(current, "")
        message = " ".join([words, _("It is %(state)s now.") % {"state": of_job(current)}, remedy]).strip()
        raise IllegalTransition(Problem(field="state", message=message))
    job.refresh_from_db()
    return before


def check_schedule(job: Job) -> None:
    """A post of an archived schedule would be cancelled before it is sent, so say so at once."""
    if job.schedule.state == ScheduleState.ARCHIVED:
        raise IllegalTransition(
            Problem(field="state", message=_("Its schedule is archived: restore the schedule first."))
        )


@unit()
def cancel(*, job: Job, actor: Actor, now: datetime) -> Job:
    """Do not publish this one (R34). One that is claimed is taken back while its time has not come; then it is too late,
    and the words say how to get rid of it at the platform.
    """
    ended = {"state": JobState.CANCELLED, "reason": "by_person", "error_message": "", "finished_at": now}
    if _take_back(job, now, ended):
        emit(job_fact("job.cancelled", job, actor, now, before={"state": JobState.RUNNING.value}))
        return job
    allowed = (JobState.PENDING, JobState.BLOCKED)
    before = step(job, allowed, _("This post can no longer be cancelled."), remedies=_delete_there(job), **ended)
    emit(job_fact("job.cancelled", job, actor, now, before=before, after=kept(job)))
    return job


def _take_back(job: Job, now: datetime, ended: dict[str, object]) -> bool:
    """End a claimed job that waits for its time: see `engine.lastlook` for why this and the call exclude each other."""
    row = Job.objects.select_for_update().filter(pk=job.pk, state=JobState.RUNNING).first()
    # not the caller's `now`: the decision is between this moment, with the row locked, and the call's
    if row is None or clock.database_now() >= row.run_at - NOTICE:
        return False
    Job.objects.filter(pk=row.pk).update(lease_until=None, **ended)
    Attempt.objects.filter(job=row, purpose="publish", outcome="").update(
        outcome="not_called", called_at=None, finished_at=now, message="Not sent: it was cancelled before its time."
    )
    give_back([row.account_id], now)
    job.refresh_from_db()
    return True


def _delete_there(job: Job) -> dict[str, str]:
    """What is left to somebody who cancels too late."""
    sending = _("The platform has been called, so it is too late. When the post is out, delete it at the platform.")
    address = Job.objects.values_list("remote_url", flat=True).get(pk=job.pk)
    out = (
        _("It is out, so it is too late. Delete it at the platform: %(address)s") % {"address": address}
        if address
        else _("It is out, so it is too late. Delete it at the platform.")
    )
    return {JobState.RUNNING: sending, JobState.PROCESSING: sending, JobState.COMPLETED: out}


@unit()
def retry(*, job: Job, actor: Actor, now: datetime) -> Job:
    """Publish a failed, missed or cancelled post after all, now, with all its attempts anew."""
    check_schedule(job)
    before = step(
        job, (JobState.FAILED, JobState.MISSED, JobState.CANCELLED), _("Only a failed, missed or cancelled post can be retried."),
        state=JobState.PENDING, reason="by_person", run_at=now, tries=0, deadline_at=now + misfire.DEFAULT_DEADLINE,
        error_class="", error_message="", finished_at=None,
    )  # fmt: skip
    emit(job_fact("job.retried", job, actor, now, before=before, after=kept(job)))
    wakeup.announce()
    return job


@unit()
def run_now(*, job: Job, actor: Actor, now: datetime) -> Job:
    """Do not wait for its time."""
    before = job.run_at
    step(
        job, (JobState.PENDING,), _("Only a scheduled post can be published now."),
        run_at=now, reason="by_person", deadline_at=now + misfire.DEFAULT_DEADLINE,
    )  # fmt: skip
    emit(job_fact("job.run_now", job, actor, now, before={"run_at": before.isoformat()}))
    wakeup.announce()
    return job


@unit()
def publish_now(*, schedule: Schedule, actor: Actor, now: datetime) -> list[Job]:
    """Publish at once. A rule gets an extra run with an identity of its own and keeps its times (R36); a single time is
    replaced by now, so that the post does not go out twice.
    """
    if schedule.state in (ScheduleState.ARCHIVED, ScheduleState.PAUSED):
        archived = schedule.state == ScheduleState.ARCHIVED
        words = (
            _("This schedule is archived: restore it first.")
            if archived
            else _("This schedule is paused: resume it first.")
        )
        raise IllegalTransition(Problem(field="state", message=words))
    check_for_accounts(schedule, now=now)
    reviewing.require(schedule)
    waiting = (
        list(schedule.jobs.filter(state=JobState.PENDING, attempt_count=0))
        if schedule.rule_kind == RuleKind.ONCE
        else []
    )
    if waiting:
        return [run_now(job=job, actor=actor, now=now) for job in waiting]
    local = localtime.wall_clock(now, localtime.zone(schedule.timezone)).replace(microsecond=0)
    occurrence, _made = Occurrence.objects.get_or_create(
        schedule=schedule, nominal_at=now,
        defaults={"nominal_local": local, "fires_at": now, "cause": "manual", "tzdata_version": materialise.TZDATA},
    )  # fmt: skip
    if schedule.state in (ScheduleState.DRAFT, ScheduleState.IN_REVIEW):
        if schedule.rule_kind == RuleKind.ONCE:
            Schedule.objects.filter(pk=schedule.pk).update(state=ScheduleState.ACTIVE, planned_until=materialise.FAR)
        else:
            put_to_work(schedule, now=now)
        Schedule.objects.filter(pk=schedule.pk).update(version=F("version") + 1, updated_at=now)
        schedule.refresh_from_db()
        reviewing.withdraw_waiting(schedule, now=now)
    materialise.insert_jobs(schedule, [occurrence], now)
    Job.objects.filter(occurrence=occurrence).update(run_at=now, scheduled_for=now, reason="by_person")
    emit(schedule_fact("schedule.published_now", schedule, actor, now, after={"at": now}))
    wakeup.announce()
    return list(Job.objects.filter(occurrence=occurrence).order_by("id"))


@unit()
def confirm(*, job: Job, remote_url: str, actor: Actor, now: datetime) -> Job:
    """A person has seen the post at the platform."""
    try:
        URLValidator(schemes=["http", "https"])(remote_url)
    except ValidationError as error:
        raise Refused(
            Problem(field="remote_url", message=_("Paste the post's whole address, with http:// or https://."))
        ) from error
    before = step(
        job, (JobState.UNCONFIRMED,), _("Only an unconfirmed post can be confirmed."),
        state=JobState.COMPLETED, reason="by_person", remote_id=remote_url[:300], remote_url=remote_url[:2000],
        error_class="", error_message="", finished_at=now,
    )  # fmt: skip
    stop_checks(job, now)
    emit(job_fact("job.completed", job, actor, now, before={"state": before["state"]}))
    return job


@unit()
def publish_again(*, job: Job, actor: Actor, now: datetime) -> Job:
    """A person has seen that the post is not there: publish it."""
    check_schedule(job)
    before = step(
        job, (JobState.UNCONFIRMED,), _("Only an unconfirmed post can be published again."),
        state=JobState.PENDING, reason="by_person", run_at=now, tries=0, deadline_at=now + misfire.DEFAULT_DEADLINE,
        error_class="", error_message="",
    )  # fmt: skip
    stop_checks(job, now)
    emit(job_fact("job.retried", job, actor, now, before=before, after=kept(job)))
    wakeup.announce()
    return job


@unit()
def dismiss(*, job: Job, actor: Actor, now: datetime) -> Job:
    """A person gives the unconfirmed post up: it counts as failed and is not published again."""
    before = step(
        job, (JobState.UNCONFIRMED,), _("Only an unconfirmed post can be dismissed."),
        state=JobState.FAILED, reason="by_person", finished_at=now,
    )  # fmt: skip
    stop_checks(job, now)
    emit(job_fact("job.failed", job, actor, now, before=before, after=kept(job)))
    return job


def stop_checks(job: Job, now: datetime) -> None:
    JobCheck.objects.filter(job=job, state="pending").update(state="done", finished_at=now)
