"""A person's verbs on a post that is out: delete it at its platform, put its present words there, read its figures.

Each calls the platform outside of any transaction and writes what came of it afterwards, compare-and-set. All three are harmless
to do twice, so that an unclear answer, or a process that died in between, asks for nothing but another try.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, emit, unit
from alwrity_scheduler.core.secrets import CannotDecrypt
from platforms.contracts import AccountRef, CallResult, Metrics, Publication, Published
from platforms.errors import PlatformError, Rejected, UnknownOutcome
from platforms.registry import adapter_for
from platforms.services import afterwards as platform
from platforms.services import publishing
from platforms.validation import check
from schedules.domain.states import JobState
from schedules.models import Attempt, ContentItem, Engagement, Job, Target
from schedules.services import outcomes, posts, queues
from schedules.services.facts import job_fact

CALL_SECONDS = 20.0
FRESH = timedelta(seconds=10)  # two people who ask at once need no two calls


def abilities(job: Job) -> frozenset[str]:
    """Which of `delete`, `edit`, `metrics` can be asked for: none unless the post is out, under an id that its platform told."""
    if job.state != JobState.COMPLETED or job.taken_down_at or job.reason == "by_person" or not job.remote_id:
        return frozenset()
    try:
        return platform.abilities(publishing.account_ref(job.account))
    except CannotDecrypt:
        return frozenset()


def take_down(*, job: Job, actor: Actor, now: datetime) -> Job:
    """Delete the post at its platform. The job stays completed: it was published."""
    account = _ready(job, "delete", _("This post cannot be deleted from here; delete it at the platform."), now)
    trouble: PlatformError | None = None
    try:
        platform.delete(account, job.remote_id, timeout=CALL_SECONDS)
    except PlatformError as error:
        trouble = error
    _settle(job, trouble, now)
    _written(job, "delete", None, trouble, "Deleted at the platform.", now)
    if trouble:
        raise _refusal(trouble, "deleted", job)
    with unit():
        # whoever comes second finds it gone, which is what was asked for
        if Job.objects.filter(pk=job.pk, taken_down_at=None).update(taken_down_at=now):
            after = {"url": job.remote_url, "taken_down_at": now.isoformat()}
            emit(job_fact("job.taken_down", job, actor, now, after=after))
    job.refresh_from_db()
    return job


def amend(*, job: Job, actor: Actor, now: datetime) -> Job:
    """Put the words that the content has now over the post that is out."""
    account = _ready(job, "edit", _("This post cannot be changed from here; change it at the platform."), now)
    version, publication = _present(job, account, now)
    problems = [
        found for found in check(publication, adapter_for(account.platform), account) if found.severity == "error"
    ]
    if problems:
        raise Refused([Problem(field=found.field, message=f"{found.message} {found.remedy}") for found in problems])
    result: Published | PlatformError
    try:
        result = platform.edit(publication, job.remote_id, timeout=CALL_SECONDS)
    except PlatformError as error:
        result = error
    _settle(job, result if isinstance(result, PlatformError) else None, now)
    _written(job, "edit", publication, result, "Updated at the platform.", now)
    if isinstance(result, PlatformError):
        raise _refusal(result, "changed", job)
    with unit():
        before = {"content_version": job.content_version}
        values = {
            "content_version": version,
            "remote_id": result.remote_id[:300] or job.remote_id,
            "remote_url": result.url[:2000] or job.remote_url,
        }
        Job.objects.filter(pk=job.pk, state=JobState.COMPLETED).update(**values)
        emit(
            job_fact(
                "job.amended",
                job,
                actor,
                now,
                before=before,
                after={"content_version": version, "url": values["remote_url"]},
            )
        )
    job.refresh_from_db()
    return job


def refresh_figures(*, jobs: Iterable[Job], now: datetime) -> int:
    """Ask the platforms how these posts are doing, account by account, at most a hundred posts each; returns how many told.
    A reading is a row of its own (`Engagement`) and no change of the post, so no fact is told.

    Refused with words when a platform cannot be asked; what the others told is kept.
    """
    by_account: dict[int, list[Job]] = {}
    for job in jobs:
        by_account.setdefault(job.account_id, []).append(job)
    told = 0
    problems: list[Problem] = []
    for rows in by_account.values():
        rows = [job for job in rows if not _is_fresh(job, now)]
        if not rows:
            continue
        try:
            account = _ready(rows[0], "metrics", _("This platform tells no figures."), now)
            found = _asked(rows, account, now)
        except Refused as refused:
            problems += refused.problems
            continue
        told += record(rows, found, now)
    if problems:
        raise IllegalTransition(problems)
    return told


def record(jobs: Sequence[Job], found: Mapping[str, Metrics], now: datetime) -> int:
    """Write what was told; a post that the platform does not know gets a reading that says so. Returns how many were told."""
    gone = "The platform told nothing about this post. Perhaps it was deleted there."
    Engagement.objects.bulk_create(
        [
            Engagement(job=job, measured_at=now, values=dict(found[job.remote_id].values))
            if job.remote_id in found
            else Engagement(job=job, measured_at=now, message=gone)
            for job in jobs
        ]
    )
    return sum(job.remote_id in found for job in jobs)


def latest(job: Job) -> Engagement | None:
    """The last reading that told something."""
    return Engagement.objects.filter(job=job).exclude(values={}).order_by("-measured_at", "-id").first()


def readings(job: Job, most: int = 20) -> list[Engagement]:
    """The last readings, the newest first, those that told nothing too."""
    return list(Engagement.objects.filter(job=job).order_by("-measured_at", "-id")[:most])


def readable() -> QuerySet[Job]:
    """The posts whose figures can be asked for at all."""
    found: QuerySet[Job] = Job.objects.filter(
        ~Q(reason="by_person"), ~Q(remote_id=""), state=JobState.COMPLETED, taken_down_at=None
    )
    return found


def _is_fresh(job: Job, now: datetime) -> bool:
    return Engagement.objects.filter(job=job, measured_at__gt=now - FRESH).exists()


def _asked(jobs: Sequence[Job], account: AccountRef, now: datetime) -> dict[str, Metrics]:
    trouble: PlatformError | None = None
    try:
        return platform.metrics(account, [job.remote_id for job in jobs], timeout=CALL_SECONDS)
    except PlatformError as error:
        trouble = error
        raise Refused(_words(error, _("The figures could not be read."))) from error
    finally:
        _settle(jobs[0], trouble, now)


def _ready(job: Job, ability: str, words: str, now: datetime) -> AccountRef:
    """The account to call. Refused, with the reason, when the post or the account is not in a state for that."""
    job.refresh_from_db(fields=["state", "reason", "remote_id", "remote_url", "taken_down_at", "content_version"])
    if job.taken_down_at:
        raise _illegal(_("The post was deleted at the platform."))
    if job.state != JobState.COMPLETED:
        raise _illegal(_("Only a published post can be deleted, updated or counted."))
    if ability not in abilities(job):
        by_hand = (
            "A person marked this post as published, so its id at the platform is not known. "
            if job.reason == "by_person"
            else ""
        )
        raise _illegal(f"{by_hand}{words}")
    if reason := platform.why_not_now(job.account, now):
        raise _illegal(reason)
    return publishing.account_ref(job.account)


def _illegal(message: str) -> IllegalTransition:
    return IllegalTransition(Problem(field="state", message=message))


def _present(job: Job, account: AccountRef, now: datetime) -> tuple[int, Publication]:
    """The content's version and what it says now on this account."""
    content = ContentItem.objects.prefetch_related("variants", "media_links__asset").get(pk=job.schedule.content_id)
    job.schedule.content = content
    target = Target.objects.filter(schedule=job.schedule_id, account=job.account_id).first()
    publication = posts.compose(
        job.schedule, target, account, now=now, key=job.idempotency_key, scheduled_for=job.scheduled_for
    )
    return content.version, publication


def _settle(job: Job, trouble: PlatformError | None, now: datetime) -> None:
    """A platform that asks to wait is left alone, also by the posts. Nothing else follows: a refused change says nothing about
    whether the account can publish."""
    if trouble is None or trouble.error_class != "rate_limited":
        return
    call = CallResult(
        account_id=job.account_id,
        error_class=trouble.error_class,
        message=str(trouble),
        retry_after_seconds=trouble.retry_after_seconds,
        rate=trouble.rate,
    )
    queues.recovered(publishing.settle([call], now), now)


@unit()
def _written(job: Job, purpose: str, publication: Publication | None, result: Any, done: str, now: datetime) -> None:
    """What was asked and answered, beside the post's other calls. `done`: the words for a success."""
    values = {"outcome": "done", "message": done} if result is None else outcomes.attempt_values(result)
    if isinstance(result, Published):
        values |= {"outcome": "done", "message": " ".join([done, *result.notes])[:500]}
    last = Attempt.objects.filter(job=job, purpose=purpose).aggregate(last=Max("no"))["last"] or 0
    Attempt.objects.create(
        job=job,
        no=last + 1,
        purpose=purpose,
        idempotency_key=job.idempotency_key,
        worker="by a person",
        started_at=now,
        called_at=now,
        finished_at=max(now, clock.now()),
        request={} if publication is None else posts.to_json(publication),
        **values,
    )


_UNKNOWN = {
    "deleted": gettext_lazy(
        "It is not known whether the post was deleted. Look at it%(where)s; trying again does no harm."
    ),
    "changed": gettext_lazy(
        "It is not known whether the post was changed. Look at it%(where)s; trying again does no harm."
    ),
}
_REFUSED = {
    "deleted": gettext_lazy("The platform refused, so the post was not deleted."),
    "changed": gettext_lazy("The platform refused, so the post was not changed."),
}
_NOT_DONE = {"deleted": gettext_lazy("The post was not deleted."), "changed": gettext_lazy("The post was not changed.")}


def _refusal(trouble: PlatformError, verb: str, job: Job) -> Refused:
    if isinstance(trouble, UnknownOutcome):
        words = _UNKNOWN[verb] % {"where": f" ({job.remote_url})" if job.remote_url else ""}
    else:
        words = str((_REFUSED if isinstance(trouble, Rejected) else _NOT_DONE)[verb])
    return Refused(_words(trouble, words))


def _words(trouble: PlatformError, words: str) -> Problem:
    said = _("It says: %(words)s") % {"words": trouble.platform_message[:200]} if trouble.platform_message else ""
    message = " ".join(part for part in (words, str(trouble), said) if part)
    return Problem(field="state", message=message, code=trouble.error_class)
