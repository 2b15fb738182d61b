"""The publishing kind of work: the last look, the call, the result. Exactly once in effect (ENGINE, "The protocol").

The last look, the claim and the attempt's row are one transaction: nothing is called that was not written down first,
and nothing is written down as called that was not meant to be.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from alwrity_scheduler.core import clock, http
from alwrity_scheduler.core.events import ENGINE, emit
from alwrity_scheduler.core.secrets import CannotDecrypt
from platforms.contracts import Accepted, Publication, Published
from platforms.errors import PlatformError
from platforms.registry import adapter_for
from platforms.services import publishing as platform
from platforms.validation import validate
from schedules.domain.misfire import Verdict
from schedules.domain.states import ScheduleState
from schedules.engine.work import Claim, WorkKind, WorkRow
from schedules.models import Attempt, Job
from schedules.services import holds, misfires, outcomes, posts
from schedules.services.facts import job_fact

CALL_SECONDS = 30.0
MARGIN_SECONDS = 5.0  # a call must have ended this long before the lease does


@dataclass(frozen=True, slots=True)
class Task:
    """All that a pool thread needs; no row, no connection. `start_by` and `timeout` in seconds, the first monotonic."""

    attempt_id: int
    publication: Publication
    start_by: float
    timeout: float


class NotCalled:
    """The call was not made: the lease would not have lasted."""


Result = Published | Accepted | PlatformError | NotCalled


def idempotency_key(job: Job, content_version: int) -> str:
    """The same for every retry of the same content (R24)."""
    return str(uuid.uuid5(job.public_id, f"content {content_version}"))


class PublishKind(WorkKind):
    name: ClassVar[str] = "publish"
    model: ClassVar[type[WorkRow]] = Job

    def arm(self, claims: Sequence[Claim], now: datetime) -> list[tuple[Claim, Any]]:
        jobs = _loaded([claim.id for claim in claims])
        judged = misfires.verdicts(jobs.values(), now)
        going: list[tuple[Claim, Job]] = []
        for claim in claims:
            job = jobs[claim.id]
            if _last_look(job, judged[job.pk], now):
                going.append((claim, job))
        going = _admitted(going, now)
        return _attempts(going, now)

    def perform(self, task: Task) -> Result:
        if clock.monotonic() > task.start_by:
            return NotCalled()
        try:
            # frozen here and woken after the lease, this process must not send any more (R26)
            with http.ended_by(task.start_by + task.timeout):
                return platform.send(task.publication, timeout=task.timeout)
        except PlatformError as error:
            return error

    def finish(self, results: Sequence[tuple[Claim, Any, Any]], now: datetime) -> None:
        outcomes.record([(claim, task.attempt_id, result) for claim, task, result in results], now)

    def release(self, claims: Sequence[tuple[Claim, Any]], now: datetime) -> None:
        outcomes.record([(claim, task.attempt_id, NotCalled()) for claim, task in claims], now)

    def rescue(self, now: datetime, *, dead_workers: Sequence[str] = ()) -> int:
        return outcomes.rescue(now, dead_workers=dead_workers)


def _loaded(ids: list[int]) -> dict[int, Job]:
    """The jobs with all that the last look and the post need, in a fixed number of queries."""
    jobs = (
        Job.objects.filter(pk__in=ids)
        .select_related("workspace", "account__workspace", "occurrence", "schedule__content__workspace")
        .prefetch_related(
            "schedule__targets", "schedule__content__variants", "schedule__content__media_links__asset__workspace"
        )
    )
    return {job.pk: job for job in jobs}


def _last_look(job: Job, verdict: Verdict, now: datetime) -> bool:
    """May this job be published now? If not, it is put where it belongs."""
    if job.schedule.state in (ScheduleState.DRAFT, ScheduleState.ARCHIVED):
        reason = "archived" if job.schedule.state == ScheduleState.ARCHIVED else "cancelled"
        _end(job, "cancelled", reason, "It was cancelled before it was sent.", now)
        return False
    if reason := holds.reason_to_hold(job):
        holds.hold(job, reason, now)
        emit(job_fact("job.held", job, ENGINE, now, after={"state": "blocked", "reason": reason}))
        return False
    if not verdict.publishes:
        misfires.mark_missed(job, verdict, now)
        emit(job_fact("job.missed", job, ENGINE, now))
        return False
    return True


def _end(job: Job, state: str, reason: str, words: str, now: datetime, error_class: str = "") -> None:
    Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(
        state=state,
        reason=reason,
        error_message=words[:500],
        error_class=error_class,
        finished_at=now,
        lease_until=None,
    )
    job.state, job.reason, job.error_message = state, reason, words[:500]
    emit(job_fact(f"job.{state}", job, ENGINE, now))


def _admitted(going: list[tuple[Claim, Job]], now: datetime) -> list[tuple[Claim, Job]]:
    """Those whose account may be called now; the others wait."""
    admissions = platform.admit([job.account for _, job in going], now) if going else {}
    allowed = []
    for claim, job in going:
        admission = admissions[job.account_id]
        if admission.allowed:
            allowed.append((claim, job))
        elif admission.retry_at is not None:
            holds.wait(job, admission.retry_at, admission.reason, now)
        else:
            holds.hold(job, "auth", now)
    return allowed


def _attempts(going: list[tuple[Claim, Job]], now: datetime) -> list[tuple[Claim, Any]]:
    """Write the attempts and return the tasks. A post that its platform would refuse fails here, without a call."""
    publications: list[tuple[Claim, Job, Publication]] = []
    for claim, job in going:
        publication = _publication(job, now)
        if publication is None:
            platform.give_back([job.account_id], now)
        else:
            publications.append((claim, job, publication))
    attempts = Attempt.objects.bulk_create(
        [
            Attempt(
                job=job,
                no=job.attempt_count + 1,
                purpose="publish",
                idempotency_key=publication.key,
                worker=job.worker,
                started_at=max(now, job.run_at),
                worker_clock=clock.now(),
                called_at=max(now, job.run_at),
                request_digest=_digest(publication),
                request=posts.to_json(publication),
            )
            for _, job, publication in publications
        ]
    )  # fmt: skip
    tasks: list[tuple[Claim, Any]] = []
    for (claim, job, publication), attempt in zip(publications, attempts, strict=True):
        Job.objects.filter(pk=job.pk).update(
            attempt_count=attempt.no, content_version=job.schedule.content.version, idempotency_key=publication.key,
            started_at=job.started_at or max(now, job.run_at), error_message="", error_class="",
        )  # fmt: skip
        left = (claim.lease_until - now).total_seconds() - MARGIN_SECONDS
        timeout = max(1.0, min(CALL_SECONDS, left / 2))
        tasks.append((claim, Task(attempt.pk, publication, claim.read_at + left - timeout, timeout)))
    return tasks


def _publication(job: Job, now: datetime) -> Publication | None:
    target = next((item for item in job.schedule.targets.all() if item.account_id == job.account_id), None)
    try:
        adapter = adapter_for(job.account.platform)
        account = platform.account_ref(job.account)
    except (CannotDecrypt, PlatformError) as error:
        _end(job, "failed", "unloadable", str(error), now, "rejected")
        return None
    publication = posts.compose(
        job.schedule,
        target,
        account,
        now=now,
        key=idempotency_key(job, job.schedule.content.version),
        scheduled_for=job.scheduled_for,
    )
    problems = [item for item in validate(publication, adapter.capabilities(account)) if item.severity == "error"]
    if problems:
        _end(job, "failed", "invalid", " ".join(f"{item.message} {item.remedy}" for item in problems), now, "rejected")
        return None
    return publication


def _digest(publication: Publication) -> str:
    return hashlib.sha256(json.dumps(posts.to_json(publication), sort_keys=True).encode()).hexdigest()
