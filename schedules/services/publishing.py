"""The publishing kind of work: the last look, the call, the result. Exactly once in effect (ENGINE, "The protocol").

The last look, the claim and the attempt's row are one transaction: nothing is called that was not written down first,
and nothing is written down as called that was not meant to be.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.db import DatabaseError

from alwrity_scheduler.core import clock, http
from alwrity_scheduler.core.events import ENGINE, emit
from alwrity_scheduler.core.secrets import CannotDecrypt
from platforms.contracts import Publication, Published
from platforms.errors import PlatformError
from platforms.models import AccountState
from platforms.registry import adapter_for
from platforms.services import publishing as platform
from platforms.validation import check
from schedules.domain import misfire
from schedules.domain.misfire import Verdict
from schedules.domain.states import ScheduleState
from schedules.engine import rows
from schedules.engine.work import Claim, WorkKind, WorkRow
from schedules.models import Attempt, Job
from schedules.services import holds, misfires, outcomes, posts, queues
from schedules.services.facts import JobName, job_fact
from schedules.services.material import Candidate, Material, gather
from schedules.services.outcomes import Ended, NotCalled, Result

logger = logging.getLogger(__name__)
CALL_SECONDS = 30.0
MARGIN_SECONDS = 5.0  # a call must have ended this long before the lease does


@dataclass(frozen=True, slots=True)
class Task:
    """All that a pool thread needs; no row, no connection. `start_by` and `timeout` in seconds, the first monotonic."""

    attempt_id: int
    job: JobName
    schedule_id: uuid.UUID
    publication: Publication
    start_by: float
    timeout: float
    marks: Mapping[str, Any]


def idempotency_key(job_id: uuid.UUID, content_version: int) -> str:
    """The same for every retry of the same content (R24). `job_id` is the public one."""
    return str(uuid.uuid5(job_id, f"content {content_version}"))


class PublishKind(WorkKind):
    name: ClassVar[str] = "publish"
    model: ClassVar[type[WorkRow]] = Job
    taken_back: ClassVar[bool] = True  # by `services.jobs.cancel`

    def arm(self, claims: Sequence[Claim], now: datetime) -> list[tuple[Claim, Any]]:
        material = gather([claim.id for claim in claims], now)
        pairs = _not_out([(claim, material.candidates[claim.id]) for claim in claims], now)
        going = _admitted(_looked_at(pairs, material, now), material, now)
        return _attempts(going, material, now)

    def ids(self, task: Task) -> dict[str, Any]:
        account = task.publication.account.public_id
        return {"job": task.job.public_id, "schedule": task.schedule_id, "account": account, "attempt": task.attempt_id}

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
        outcomes.record(
            [
                Ended(claim, task.attempt_id, task.job, task.publication.account.id, result)
                for claim, task, result in results
            ],
            now,
        )

    def release(self, claims: Sequence[tuple[Claim, Any]], now: datetime) -> None:
        self.finish([(claim, task, NotCalled()) for claim, task in claims], now)

    def rescue(self, now: datetime, *, dead_workers: Sequence[str] = ()) -> int:
        return outcomes.rescue(now, dead_workers=dead_workers)


Pair = tuple[Claim, Candidate]


def _not_out(pairs: Sequence[Pair], now: datetime) -> Sequence[Pair]:
    """Without those of which an earlier call was answered "published", too late to be written on the job: they are out."""
    again = [item.pk for _, item in pairs if item.attempt_count]
    if not again:
        return pairs
    answers = Attempt.objects.filter(job_id__in=again, purpose="publish", outcome="published").order_by("id")
    out = {attempt.job_id: attempt.response for attempt in answers}
    for job in Job.objects.filter(pk__in=out):
        known = Published(remote_id=out[job.pk]["id"], url=out[job.pk]["url"])
        emit(outcomes.complete(job, known, now, token=job.lease_token))
    return [pair for pair in pairs if pair[1].pk not in out]


def _looked_at(pairs: Sequence[Pair], material: Material, now: datetime) -> list[Pair]:
    """The last look: those that may be published now. The others are put where they belong."""
    held_up = [item.pk for _, item in pairs if not _is_clear(item, material, now)]
    jobs = Job.objects.select_related("workspace", "account", "schedule").in_bulk(held_up) if held_up else {}
    judged = misfires.verdicts(jobs.values(), now) if jobs else {}
    return [pair for pair in pairs if pair[1].pk not in jobs or _last_look(jobs[pair[1].pk], judged[pair[1].pk], now)]


def _is_clear(item: Candidate, material: Material, now: datetime) -> bool:
    """Nothing speaks against it, and nothing about it is late: the usual case, told from what was read anyway."""
    return (
        item.workspace_paused_at is None
        and item.schedule_state in _PUBLISHING
        and material.accounts[item.account_id].state == AccountState.ACTIVE
        and (item.deadline_at is None or now <= item.deadline_at)
        and (bool(item.reason) or item.attempt_count > 0 or now - item.scheduled_for <= misfire.LATE_AFTER)
    )


_PUBLISHING = (ScheduleState.ACTIVE, ScheduleState.FINISHED)


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


def _admitted(going: list[Pair], material: Material, now: datetime) -> list[Pair]:
    """Those whose account may be called now; the others wait."""
    if not going:
        return []
    pace = {item.account_id: queues.pace_of(item, now) for _, item in going}
    accounts = [material.accounts[item.account_id] for _, item in going]
    admissions = platform.admit(accounts, now, pace=pace, fresh=True)
    allowed = []
    for claim, item in going:
        admission = admissions[item.account_id]
        if admission.allowed:
            allowed.append((claim, item))
        elif admission.retry_at is not None:
            queues.wait(Job.objects.select_related("account").get(pk=item.pk), admission, now)
        else:
            holds.hold(Job.objects.get(pk=item.pk), "auth", now)
    return allowed


def _attempts(going: list[Pair], material: Material, now: datetime) -> list[tuple[Claim, Any]]:
    """Write the attempts and return the tasks. A post that its platform would refuse fails here, without a call."""
    ready: list[Ready] = []
    for claim, item in going:
        publication = _publication(item, material, now)
        if publication is None:
            platform.give_back([item.account_id], now)
        else:
            ready.append((claim, item, publication))
    attempts = _insert_attempts(ready, now)
    return [(claim, _task(claim, attempts[item.pk], item, publication, now)) for claim, item, publication in ready]


def _task(claim: Claim, attempt_id: int, item: Candidate, publication: Publication, now: datetime) -> Task:
    left = (claim.lease_until - now).total_seconds() - MARGIN_SECONDS
    timeout = max(1.0, min(CALL_SECONDS, left / 2))
    name = JobName(item.public_id, item.workspace_id, item.scheduled_for)
    marks = {
        "attempt_count": item.attempt_count + 1, "content_version": item.content_version, "idempotency_key": publication.key,
        "started_at": item.started_at or max(now, item.run_at), "error_message": "", "error_class": "",
    }  # fmt: skip
    start_by = claim.read_at + left - timeout
    return Task(attempt_id, name, item.schedule_public_id, publication, start_by, timeout, marks)


Ready = tuple[Claim, Candidate, Publication]
_ATTEMPT = (
    "job_id", "no", "purpose", "idempotency_key", "worker", "started_at", "worker_clock", "called_at", "request_digest", "request",
)  # fmt: skip


def _insert_attempts(ready: Sequence[Ready], now: datetime) -> dict[int, int]:
    """One open attempt for each post, in one statement. Returns the attempts' ids by those of their jobs."""
    written, here = [], clock.now()
    for claim, item, publication in ready:
        request, at = posts.to_json(publication), max(now, item.run_at)
        written.append(
            (
                item.pk, item.attempt_count + 1, "publish", publication.key, claim.worker, at, here, at, _digest(request), request,
            )
        )  # fmt: skip
    return {job_id: pk for pk, job_id in rows.insert(Attempt, _ATTEMPT, written, answer=["job_id"])}


def _publication(item: Candidate, material: Material, now: datetime) -> Publication | None:
    row = material.accounts[item.account_id]
    try:
        adapter = adapter_for(row.platform)
        account = platform.account_ref(row)
        publication = posts.assemble(
            item.words,
            material.overrides(item),
            account,
            media=tuple(material.media.get(item.content_id, ())),
            key=idempotency_key(item.public_id, item.content_version),
            scheduled_for=item.scheduled_for,
            earlier=item.attempt_count > 0,
        )
        problems = [found for found in check(publication, adapter, account) if found.severity == "error"]
    except (CannotDecrypt, PlatformError) as error:
        _end(Job.objects.get(pk=item.pk), "failed", "unloadable", str(error), now, "rejected")
        return None
    except DatabaseError:
        raise
    except Exception:
        # the edge to what is stored and to adapters of others: one post that cannot be put together must fail alone,
        # and not keep the claim of all others from happening, again and again (R39)
        logger.exception("A post cannot be put together.", extra={"action": "unloadable", "job": str(item.public_id)})
        words = "The stored post or its platform's adapter cannot be read. The log of the scheduler says more."
        _end(Job.objects.get(pk=item.pk), "failed", "unloadable", words, now, "rejected")
        return None
    if problems:
        words = " ".join(f"{found.message} {found.remedy}" for found in problems)
        _end(Job.objects.get(pk=item.pk), "failed", "invalid", words, now, "rejected")
        return None
    return publication


def _digest(request: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
