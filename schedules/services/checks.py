"""The checking kind of work: settle unknown outcomes and follow accepted posts (ENGINE R23).

It sends nothing anew: a poll may only take the next step of a post that is out in part or accepted, and looks first whether a
lost call has taken it.

An unknown outcome is settled by look-up, or by sending the same key again where the platform promises that this is
harmless. "Absent" is believed only when seen twice: a slow platform may still be working on the first request.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Count, F, Q

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.events import ENGINE, emit, unit
from alwrity_scheduler.core.secrets import CannotDecrypt
from platforms.contracts import Accepted, Publication, Published
from platforms.errors import PlatformError, Rejected, UnknownOutcome
from platforms.registry import adapter_for
from platforms.services import publishing as platform
from schedules.domain import resolution
from schedules.domain.backoff import retry_delay
from schedules.domain.states import JobState
from schedules.engine import rows
from schedules.engine.work import Claim, WorkKind, WorkRow
from schedules.models import Attempt, Job, JobCheck
from schedules.services import outcomes, posts
from schedules.services.facts import job_fact

logger = logging.getLogger(__name__)
ABSENCES_NEEDED = 2
MOST_CHECKS = 12
BASE, CAP = timedelta(seconds=2), timedelta(hours=1)
CALL_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class CheckTask:
    """What to ask: `known` is an answer that an attempt has brought in the meantime, so that nobody need be asked."""

    attempt_id: int
    purpose: str
    publication: Publication
    remote_state: dict[str, Any]
    known: Published | Accepted | None = None
    job: UUID | None = None


class Absent:
    """The platform does not have the post."""


class CheckKind(WorkKind):
    name: ClassVar[str] = "check"
    model: ClassVar[type[WorkRow]] = JobCheck
    most_a_claim: ClassVar[int] = 25  # each is settled by a few statements of its own

    def arm(self, claims: Sequence[Claim], now: datetime) -> list[tuple[Claim, Any]]:
        found = JobCheck.objects.select_related("job__account").in_bulk([claim.id for claim in claims])
        last = _last_calls([row.job_id for row in found.values()])
        asked: list[Asked] = []
        for claim in claims:
            row = found[claim.id]
            if row.job.state not in (JobState.UNCONFIRMED, JobState.PROCESSING) or row.job_id not in last:
                _close(row, now)
                continue
            try:
                publication = posts.from_json(last[row.job_id].request, platform.account_ref(row.job.account))
            except (CannotDecrypt, PlatformError, LookupError, TypeError, ValueError) as error:
                _unreadable(row, error, now)
                continue
            asked.append((claim, row, last[row.job_id], publication))
        attempts = _insert_attempts(asked, now)
        return [(claim, _task(row, attempts[row.job_id], call, publication)) for claim, row, call, publication in asked]

    def ids(self, task: CheckTask) -> dict[str, Any]:
        return {"job": task.job, "account": task.publication.account.public_id, "attempt": task.attempt_id}

    def perform(self, task: CheckTask) -> Any:
        try:
            return task.known or _ask(task)
        except PlatformError as error:
            return error

    def finish(self, results: Sequence[tuple[Claim, Any, Any]], now: datetime) -> None:
        with unit():
            found = JobCheck.objects.select_related("job__schedule", "job__account").in_bulk(
                [claim.id for claim, _, _ in results]
            )
            outcomes.end_attempts([(task.attempt_id, _attempt_values(result)) for _, task, result in results], now)
            for claim, _, result in results:
                row = found[claim.id]
                if row.state == "running" and row.lease_token == claim.token:
                    _settle(row, result, now)

    def release(self, claims: Sequence[tuple[Claim, Any]], now: datetime) -> None:
        with unit():
            for claim, task in claims:
                Attempt.objects.filter(pk=task.attempt_id).update(outcome="not_called", called_at=None, finished_at=now)
                JobCheck.objects.filter(pk=claim.id, lease_token=claim.token, state="running").update(
                    state="pending", lease_until=None
                )

    def rescue(self, now: datetime, *, dead_workers: Sequence[str] = ()) -> int:
        """A check reads only, so a lost one is simply made again."""
        with unit():
            lost = list(
                JobCheck.objects.filter(Q(lease_until__lt=now) | Q(worker__in=dead_workers), state="running")
                .order_by("lease_until", "id")
                .values_list("pk", "job_id", "lease_token")
            )
            for pk, job_id, token in lost:
                JobCheck.objects.filter(pk=pk, state="running", lease_token=token).update(
                    state="pending", lease_until=None
                )
                Attempt.objects.filter(job_id=job_id, purpose="check", outcome="").update(
                    outcome="lost", finished_at=now, message="The worker stopped during the look-up; it is made again."
                )
        return len(lost)


Asked = tuple[Claim, JobCheck, Attempt, Publication]


def _last_calls(job_ids: Sequence[int]) -> dict[int, Attempt]:
    """The latest call of each job, by its id."""
    calls = Attempt.objects.filter(job_id__in=job_ids, purpose="publish").order_by("job_id", "no")
    return {call.job_id: call for call in calls}


def _insert_attempts(asked: Sequence[Asked], now: datetime) -> dict[int, int]:
    """One open attempt for each look, in one statement. Returns the attempts' ids by those of their jobs."""
    looks = Attempt.objects.filter(job_id__in=[row.job_id for _, row, _, _ in asked], purpose="check")
    counted = dict(looks.order_by().values_list("job_id").annotate(Count("pk")))
    written = [
        (row.job_id, counted.get(row.job_id, 0) + 1, call.idempotency_key, claim.worker)
        for claim, row, call, _ in asked
    ]
    shared = {"purpose": "check", "started_at": now, "worker_clock": clock.now(), "called_at": now}
    columns = ("job_id", "no", "idempotency_key", "worker")
    answers = rows.insert(Attempt, columns, written, shared=shared, answer=["job_id"])
    return {job_id: pk for pk, job_id in answers}


def _task(row: JobCheck, attempt_id: int, call: Attempt, publication: Publication) -> CheckTask:
    return CheckTask(
        attempt_id,
        row.purpose,
        publication,
        row.job.remote_state,
        _known(call) if row.purpose == "reconcile" else None,
        row.job.public_id,
    )


def _known(attempt: Attempt) -> Published | Accepted | None:
    """What the call's own worker has written meanwhile, though its lease was lost: better than any look-up."""
    answer = attempt.response
    if attempt.outcome == "published":
        return Published(remote_id=answer["id"], url=answer["url"], response=answer)
    if attempt.outcome == "accepted" and "remote_state" in answer:
        return Accepted(remote_state=answer["remote_state"], poll_after_seconds=1.0)
    return None


def _unreadable(row: JobCheck, error: Exception, now: datetime) -> None:
    """What was sent, or the account it was sent with, cannot be read any more: a person decides (R39)."""
    logger.warning(
        "A post cannot be looked up: %s.", type(error).__name__, extra={"action": "unloadable", "job": str(row.job.public_id)}
    )  # fmt: skip
    job, was = row.job, row.job.state
    job.state, job.reason = JobState.UNCONFIRMED, "unloadable"
    job.error_message = (
        "Whether the platform has it cannot be looked up: what was sent, or the account, cannot be read."
    )
    outcomes.write(job, job.lease_token)
    _close(row, now)
    emit(job_fact("job.unconfirmed", job, ENGINE, now, before={"state": was}))


def _ask(task: CheckTask) -> Published | Accepted | Absent:
    if task.purpose == "poll":
        return platform.poll(task.publication.account, task.remote_state, timeout=CALL_SECONDS)
    capabilities = adapter_for(task.publication.account.platform).capabilities(task.publication.account)
    if capabilities.can_find:
        return platform.find(task.publication, timeout=CALL_SECONDS) or Absent()
    if not capabilities.replays:
        # the account's settings may have changed since the look-up was planned
        raise UnknownOutcome("The platform offers no look-up, so only a person can tell whether it has the post.")
    # sends again, with the same key, what the platform promised to recognise
    return platform.send(task.publication, timeout=CALL_SECONDS)


def _attempt_values(result: Any) -> dict[str, Any]:
    if isinstance(result, Absent):
        return {"outcome": "absent", "message": "The platform does not have the post."}
    return outcomes.attempt_values(result)


def _settle(row: JobCheck, result: Any, now: datetime) -> None:
    job = row.job
    was = job.state
    if was not in (JobState.UNCONFIRMED, JobState.PROCESSING):
        _close(row, now)
    elif isinstance(result, Published):
        fact = outcomes.complete(job, result, now, token=job.lease_token)
        _close(row, now)
        emit(fact)
    elif isinstance(result, Accepted):
        # a post that is found to be processing is followed until it is finished
        Job.objects.filter(pk=job.pk, state=was).update(
            state=JobState.PROCESSING, remote_state=dict(result.remote_state)
        )
        _again(row, now, now + timedelta(seconds=result.poll_after_seconds), purpose="poll", tries=0)
    elif isinstance(result, Absent):
        _absent(row, now)
    elif isinstance(result, Rejected) and row.purpose == "poll":
        job.state, job.reason, job.error_class, job.error_message = (
            JobState.FAILED,
            "rejected",
            "rejected",
            str(result)[:500],
        )
        job.finished_at = now
        outcomes.write(job, job.lease_token)
        _close(row, now)
        emit(job_fact("job.failed", job, ENGINE, now, before={"state": was}))
    else:
        _cannot_tell(row, result, now)


def _absent(row: JobCheck, now: datetime) -> None:
    """Seen to be absent: look once more, then publish again."""
    job = row.job
    if row.absences + 1 < ABSENCES_NEEDED:
        adapter = adapter_for(job.account.platform)
        delay = adapter.capabilities(platform.account_ref(job.account)).consistency_delay_seconds
        _again(row, now, now + timedelta(seconds=max(0.5, 2 * delay)), absences=row.absences + 1)
        return
    step = resolution.after_absence(
        tries=job.tries,
        policy=outcomes.policy_of(job),
        deadline_at=job.deadline_at,
        now=now,
        dice=outcomes.dice.random(),
    )
    was = job.state
    outcomes.take_step(job, step, now, token=job.lease_token)
    _close(row, now)
    emit(
        job_fact(
            "job.retry_planned" if step.state is JobState.PENDING else "job.failed",
            job,
            ENGINE,
            now,
            before={"state": was},
        )
    )


def _cannot_tell(row: JobCheck, result: Any, now: datetime) -> None:
    """Ask again later; after the last time the post waits for a person, and says so."""
    if row.tries + 1 < MOST_CHECKS:
        retry_after = getattr(result, "retry_after_seconds", None)
        delay = retry_delay(
            tries=row.tries + 2, base=BASE, cap=CAP, dice=0.5 + outcomes.dice.random() / 2,
            retry_after=None if retry_after is None else timedelta(seconds=retry_after),
        )  # fmt: skip
        _again(row, now, now + delay)
        return
    job, was = row.job, row.job.state
    job.state, job.reason = JobState.UNCONFIRMED, "cannot_tell"
    job.error_message = f"The platform could not tell whether it has the post: {result}"[:500]
    outcomes.write(job, job.lease_token)
    _close(row, now)
    emit(job_fact("job.unconfirmed", job, ENGINE, now, before={"state": was}))


def _again(
    row: JobCheck, now: datetime, run_at: datetime, purpose: str = "", absences: int = 0, tries: int | None = None
) -> None:
    JobCheck.objects.filter(pk=row.pk, lease_token=row.lease_token).update(
        state="pending",
        run_at=run_at,
        lease_until=None,
        tries=F("tries") + 1 if tries is None else tries,  # those that told nothing, in a row
        purpose=purpose or row.purpose,
        absences=absences,
    )


def _close(row: JobCheck, now: datetime) -> None:
    JobCheck.objects.filter(pk=row.pk, lease_token=row.lease_token).update(
        state="done", lease_until=None, finished_at=now
    )
