"""From an attempt's result to the job's next state: the only writer of attempts' ends and of what follows from them.

Every write names the lease token. Whoever lost the lease writes the result on the attempt alone, and the look-up that
is due anyway finds it there (ENGINE R19).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from alwrity_scheduler.core.events import ENGINE, Actor, Fact, emit, unit
from alwrity_scheduler.core.secrets import CannotDecrypt
from platforms.contracts import Accepted, CallResult, Published
from platforms.errors import PlatformError
from platforms.registry import adapter_for
from platforms.services import accounts as platform_accounts
from platforms.services import publishing as platform
from platforms.services import tokens
from platforms.services.admission import SIGN_IN_PATIENCE
from schedules.domain import resolution
from schedules.domain.resolution import NextStep, RetryPolicy, Trouble
from schedules.domain.states import JobState
from schedules.engine import rows
from schedules.engine.work import Claim
from schedules.models import Attempt, Job, JobCheck
from schedules.services import holds, queues
from schedules.services.facts import JobName, job_fact

LOST_WORKER_DELAY = timedelta(seconds=2)


class NotCalled:
    """The call was not made: the lease would not have lasted, or the scheduler was stopping."""


Result = Published | Accepted | PlatformError | NotCalled
dice = random.SystemRandom()


def policy_of(job: Job) -> RetryPolicy:
    schedule = job.schedule
    return RetryPolicy(
        max_attempts=schedule.max_attempts,
        base=timedelta(seconds=schedule.retry_base_seconds),
        cap=timedelta(seconds=schedule.retry_cap_seconds),
    )


@dataclass(frozen=True, slots=True)
class Ended:
    """One call that has an end: the claim it was made under, its attempt's row, whose job it was, and the result."""

    claim: Claim
    attempt_id: int
    job: JobName
    account_id: int
    result: Result


@unit()
def record(ended: Sequence[Ended], now: datetime) -> None:
    """Write a batch of results in one transaction; a lost batch means "unconfirmed", which a look-up settles."""
    ended = sorted(ended, key=lambda item: item.claim.id)
    end_attempts([(item.attempt_id, attempt_values(item.result)) for item in ended], now)
    completed = _complete_many([item for item in ended if isinstance(item.result, Published)], now)
    others = [item for item in ended if item.claim.id not in completed]
    jobs = {
        job.pk: job
        for job in (
            Job.objects.filter(pk__in=[item.claim.id for item in others]).select_related("schedule", "account")
            if others
            else ()
        )
    }
    for item in others:
        job = jobs.get(item.claim.id)
        if job is None:
            continue
        ours = job.state == JobState.RUNNING and job.lease_token == item.claim.token
        fact = _apply(job, item.claim.token, item.result, now) if ours else _late(job, item.result, now)
        if fact:
            emit(fact)
    calls = [call for item in ended if (call := _call_result(item.account_id, item.result))]
    if uncalled := [item.account_id for item in ended if isinstance(item.result, NotCalled)]:
        platform.give_back(uncalled, now)
    if calls:
        queues.recovered(platform.settle(calls, now), now)


def _complete_many(ended: Sequence[Ended], now: datetime) -> set[int]:
    """The usual end, for all at once: published, and still ours. Returns the ids of those jobs."""
    completed = rows.update(
        Job,
        ["id", "lease_token", "remote_id", "remote_url"],
        [
            (item.claim.id, item.claim.token, item.result.remote_id[:300], item.result.url[:2000])
            for item in ended
            if isinstance(item.result, Published)
        ],
        match=["id", "lease_token"],
        only={"state": JobState.RUNNING.value},
        shared={"state": JobState.COMPLETED.value, "finished_at": now, "lease_until": None, **_CLEAN},
        adding={"tries": 1},
    )
    for item in ended:
        if item.claim.id in completed and isinstance(item.result, Published):
            after = {"state": JobState.COMPLETED.value, "url": item.result.url[:2000]}
            emit(
                job_fact(
                    "job.completed", item.job, ENGINE, now, after={key: value for key, value in after.items() if value}
                )
            )
    return completed


_CLEAN = {"reason": "", "error_class": "", "error_message": ""}
_END = ("id", "outcome", "error_class", "message", "status_code", "response")


def end_attempts(ended: Sequence[tuple[int, dict[str, Any]]], now: datetime) -> None:
    """The attempts' ends, (id, what `attempt_values` says): outcome, the platform's words and its answer."""
    rows.update(
        Attempt,
        _END,
        [
            (
                pk, values["outcome"], values.get("error_class", ""), values.get("message", ""), values.get("status_code"),
                values.get("response", {}),
            )
            for pk, values in ended
        ],
        shared={"finished_at": now},
    )  # fmt: skip
    if spared := [pk for pk, values in ended if values is NOT_CALLED]:
        Attempt.objects.filter(pk__in=spared).update(called_at=None)


NOT_CALLED: dict[str, Any] = {
    "outcome": "not_called",
    "called_at": None,
    "message": "Not sent: the scheduler was stopping, or its lease was ending.",
}


def attempt_values(result: Result) -> dict[str, Any]:
    """What a result means for its attempt's row."""
    match result:
        case Published():
            said = ["The platform had it already."] if result.already else []
            return {
                "outcome": "published", "status_code": result.response.get("status_code"),
                "message": " ".join([*said, *result.notes])[:500],
                "response": {**result.response, "id": result.remote_id, "url": result.url},
            }  # fmt: skip
        case Accepted():
            return {
                "outcome": "accepted",
                "status_code": result.response.get("status_code"),
                # with what the poll needs: a worker that lost its lease leaves it here for the look-up
                "response": {**result.response, "remote_state": dict(result.remote_state)},
            }
        case PlatformError():
            response = dict(result.response)
            if result.platform_message:
                response["platform_message"] = result.platform_message
            return {
                "outcome": result.error_class, "error_class": result.error_class, "message": str(result)[:500],
                "status_code": result.status_code, "response": response,
            }  # fmt: skip
    return NOT_CALLED


def _call_result(account_id: int, result: Result) -> CallResult | None:
    if isinstance(result, PlatformError):
        return CallResult(
            account_id=account_id,
            error_class=result.error_class,
            message=str(result),
            retry_after_seconds=result.retry_after_seconds,
            rate=result.rate,
        )
    return CallResult(account_id=account_id, rate=result.rate) if isinstance(result, Published | Accepted) else None


def _apply(job: Job, token: int, result: Result, now: datetime) -> Fact | None:
    match result:
        case Published():
            return complete(job, result, now, token=token)
        case Accepted():
            job.state, job.reason, job.remote_state = JobState.PROCESSING, "accepted", dict(result.remote_state)
            write(job, token, tries=F("tries") + 1)
            plan_check(job, "poll", now + timedelta(seconds=result.poll_after_seconds), now)
            return job_fact("job.processing", job, ENGINE, now)
        case PlatformError():
            return _trouble(job, token, result, now)
    # not called: back to where it was, as if it had not been claimed
    job.state, job.reason = JobState.PENDING, job.reason or "released"
    write(job, token)
    return None


def complete(job: Job, result: Published, now: datetime, *, token: int, actor: Actor = ENGINE) -> Fact:
    """The post is out. Success needs the platform's id (a database constraint keeps that)."""
    job.state, job.reason, job.error_class, job.error_message = JobState.COMPLETED, "", "", ""
    job.remote_id, job.remote_url, job.finished_at = result.remote_id[:300], result.url[:2000], now
    write(job, token, tries=F("tries") + 1)
    return job_fact("job.completed", job, actor, now)


def _trouble(job: Job, token: int, error: PlatformError, now: datetime) -> Fact:
    retry_after = None if error.retry_after_seconds is None else timedelta(seconds=error.retry_after_seconds)
    trouble = Trouble(
        error_class=error.error_class, retry_after=retry_after, tests_platform=job.reason == queues.REASONS["outage"]
    )
    step = _renewal_first(job, error, now) or resolution.after_trouble(
        trouble,
        tries=job.tries, policy=policy_of(job), deadline_at=job.deadline_at, now=now, dice=dice.random(),
    )  # fmt: skip
    job.error_class, job.error_message = error.error_class, str(error)[:500]
    take_step(job, step, now, token=token)
    if step.reason == "auth":
        platform_accounts.mark_needs_auth(account_id=job.account_id, message=str(error), actor=ENGINE, now=now)
        holds.hold(job, "auth", now)
    if step.state is JobState.UNCONFIRMED:
        plan_look_up(job, now)
    return job_fact(_FACTS[step.state], job, ENGINE, now)


def _renewal_first(job: Job, error: PlatformError, now: datetime) -> NextStep | None:
    """A refused sign-in that can be renewed is renewed before a person is asked."""
    if error.error_class != "auth" or not tokens.expired_early(account_id=job.account_id, now=now):
        return None
    return NextStep(
        state=JobState.PENDING, reason=queues.REASONS["sign_in"], run_at=now + SIGN_IN_PATIENCE, counts=False
    )


_FACTS = {
    JobState.PENDING: "job.retry_planned",
    JobState.FAILED: "job.failed",
    JobState.UNCONFIRMED: "job.unconfirmed",
    JobState.BLOCKED: "job.held",
}


def take_step(job: Job, step: NextStep, now: datetime, *, token: int) -> None:
    """Write a step that the domain decided, on the row and on `job`."""
    job.state, job.reason = step.state, step.reason
    if step.run_at is not None:
        job.run_at = step.run_at
    job.finished_at = now if step.state is JobState.FAILED else None
    write(job, token, **({"tries": F("tries") + 1} if step.counts else {}))


def write(job: Job, token: int, **extra: Any) -> None:
    """Put the job's outcome fields on its row, if the token is still the row's."""
    Job.objects.filter(pk=job.pk, lease_token=token).update(
        state=job.state, reason=job.reason, run_at=job.run_at, error_class=job.error_class, error_message=job.error_message,
        remote_id=job.remote_id, remote_url=job.remote_url, remote_state=job.remote_state, finished_at=job.finished_at,
        lease_until=None, **extra,
    )  # fmt: skip


def _late(job: Job, result: Result, now: datetime) -> Fact | None:
    """The lease was lost: what this worker saw is on its attempt; the look-up reads it there, so hurry it."""
    if isinstance(result, Published | Accepted) and job.state == JobState.UNCONFIRMED:
        plan_check(job, "reconcile", now, now)
    return None


def plan_look_up(job: Job, now: datetime, *, least: timedelta = timedelta()) -> None:
    """Have an unknown outcome settled where the platform offers a way; otherwise it waits for a person."""
    try:
        adapter = adapter_for(job.account.platform)
        capabilities = adapter.capabilities(platform.account_ref(job.account))
    except (CannotDecrypt, PlatformError):
        return
    if capabilities.can_find or capabilities.replays:
        delay = max(timedelta(seconds=capabilities.consistency_delay_seconds), least)
        plan_check(job, "reconcile", now + delay, now)


def plan_check(job: Job, purpose: str, run_at: datetime, now: datetime) -> None:
    """The job's one check row, due at `run_at`."""
    JobCheck.objects.update_or_create(
        job=job,
        defaults={
            "purpose": purpose,
            "run_at": run_at,
            "state": "pending",
            "tries": 0,
            "absences": 0,
            "lease_until": None,
            "finished_at": None,
        },
        create_defaults={"purpose": purpose, "run_at": run_at, "created_at": now, "priority": job.priority},
    )


@unit()
def rescue(now: datetime, *, dead_workers: Sequence[str] = (), most: int = 500) -> int:
    """Jobs whose worker is gone: they may have been posted, so they become unconfirmed and are looked up (R22)."""
    lost = list(
        Job.objects.filter(state=JobState.RUNNING)
        .filter(Q(lease_until__lt=now) | Q(worker__in=dead_workers))
        .select_related("schedule__content", "account")
        .order_by("lease_until", "id")[:most]
    )
    for job in lost:
        job.state, job.reason, job.error_class = JobState.UNCONFIRMED, "worker_lost", "unknown"
        job.error_message = (
            "The scheduler stopped during the call, so it is not known whether the platform has the post."
        )
        changed = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, lease_token=job.lease_token).update(
            state=job.state, reason=job.reason, error_class=job.error_class, error_message=job.error_message,
            lease_until=None, tries=F("tries") + 1,
        )  # fmt: skip
        if not changed:
            continue
        Attempt.objects.filter(job=job, purpose="publish", outcome="").update(
            outcome="unknown", error_class="unknown", finished_at=now, message="The worker stopped during the call."
        )
        plan_look_up(job, now, least=LOST_WORKER_DELAY)
        emit(job_fact("job.unconfirmed", job, ENGINE, now, before={"state": "running"}))
    return len(lost)
