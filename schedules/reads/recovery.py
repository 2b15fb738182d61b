"""The recovery desk: posts that need a person, by cause, each with its words. For the page and the API.

A fixed number of queries whatever the number of posts: one for the counts, two for a page of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Prefetch

from schedules.domain import recovery
from schedules.domain.recovery import Answer, Case, Cause, Known, Option, Verb
from schedules.domain.states import JobState
from schedules.models import Attempt, Job, JobCheck
from schedules.querysets.jobs import JobQuerySet
from schedules.services.recovery import can_look_up


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRow:
    """One post on the desk. `attempts`: the newest first, look-ups among them."""

    job: Job
    cause: Cause
    what_happened: str
    known: tuple[Known, ...]
    options: tuple[Option, ...]
    attempts: tuple[Attempt, ...]

    @property
    def verbs(self) -> frozenset[Verb]:
        return frozenset(option.verb for option in self.options)


def on_desk(jobs: JobQuerySet[Job], *, cause: str = "", account: str = "", words: str = "") -> JobQuerySet[Job]:
    """The posts of `jobs` that need a person; `account` is a public id. Empty wishes narrow nothing."""
    found = jobs.with_cause(Cause(cause)) if cause else jobs.needing_a_person()
    if account:
        found = found.filter(account__public_id=account)
    return found.about(words) if words else found


def counts(jobs: JobQuerySet[Job]) -> dict[Cause, int]:
    """How many of the jobs are on the desk for each cause, every cause named."""
    found = dict.fromkeys(Cause, 0)
    groups = jobs.needing_a_person().order_by().values_list("state", "reason").annotate(Count("pk"))
    for state, reason, number in groups:
        if cause := recovery.cause_of(state, reason):
            found[cause] += number
    return found


def with_cases(jobs: JobQuerySet[Job]) -> JobQuerySet[Job]:
    """What `rows` looks at, without a query a row."""
    attempts = Prefetch("attempts", queryset=Attempt.objects.defer("request").order_by("-id"))
    return jobs.with_names().select_related("check_row").prefetch_related(attempts)


def rows(jobs: Iterable[Job]) -> list[RecoveryRow]:
    """The desk's rows in the jobs' order; jobs that need nobody (any more) are left out. Wants `with_cases`."""
    asked: dict[int, bool] = {}
    found = []
    for job in jobs:
        cause = recovery.cause_of(job.state, job.reason)
        if cause is None:
            continue
        if cause is Cause.UNCONFIRMED and job.account_id not in asked:
            asked[job.account_id] = can_look_up(job.account)
        case = case_of(job, can_look_up=asked.get(job.account_id, False))
        found.append(
            RecoveryRow(
                job=job,
                cause=cause,
                what_happened=recovery.what_happened(case),
                known=recovery.known(case),
                options=recovery.options(case),
                attempts=tuple(job.attempts.all()),
            )
        )
    return found


def case_of(job: Job, *, can_look_up: bool) -> Case:
    """What the words depend on, from the job and what was loaded with it."""
    attempts = list(job.attempts.all())
    looks = [item for item in attempts if item.purpose == "check" and item.outcome]
    check: JobCheck | None = getattr(job, "check_row", None)
    waiting = check is not None and check.state == "pending" and job.state == JobState.UNCONFIRMED
    return Case(
        state=JobState(job.state),
        reason=job.reason,
        message=job.error_message,
        account=job.account.name,
        scheduled_for=job.scheduled_for,
        account_state=job.account.state,
        schedule_state=job.schedule.state,
        workspace_paused=job.workspace.paused_at is not None,
        attempt_count=job.attempt_count,
        max_attempts=job.schedule.max_attempts,
        look_count=len(looks),
        last_answer=_answer([item for item in attempts if item.purpose == "publish" and item.outcome]),
        last_look=_answer(looks),
        can_look_up=can_look_up,
        looking=check is not None and check.state == "running",
        next_look_at=check.run_at if check and waiting else None,
    )


def _answer(attempts: Sequence[Attempt]) -> Answer | None:
    """The newest one's; the platform's own words before ours."""
    if not attempts:
        return None
    last = attempts[0]
    words = str(last.response.get("platform_message") or last.message)
    return Answer(words=words, at=last.finished_at or last.started_at, status_code=last.status_code)
