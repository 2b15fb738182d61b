"""The queue of an account that may not be called now: its posts leave the due index (ENGINE R14b), keep their order, and are
spread out when it may be called again (R28).

Order: priority, then the time a person wanted (`scheduled_for`), which waiting never changes. Each step touches a bounded
number of rows one by one; what is behind them is moved by one statement and comes in its turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.db.models import F, Q, QuerySet

from platforms.contracts import Admission, Recovered
from schedules.domain import spreading
from schedules.engine.work import PENDING
from schedules.models import Job
from schedules.services.holds import DESPITE_PAUSE

# why an admission was refused -> the reason that stands on the job
REASONS = {"limit": "waiting", "outage": "platform_down", "sign_in": "fresh_sign_in"}
WAITS = tuple(REASONS.values())
DOWNTIME = timedelta(minutes=10)
MOST_MOVED = 500
MOST_LET_GO = 2_000
STEP = timedelta(milliseconds=1)
LEAST_WAIT = timedelta(milliseconds=100)  # longer than rows are claimed ahead of their time
PAST_DEADLINE = timedelta(milliseconds=1)


def spacing_seconds() -> float:
    """How far apart posts of one account go out that had to wait, where the account has no spacing of its own."""
    return float(settings.ENGINE["recovery_spacing_seconds"])


class Paced(Protocol):
    """What `pace_of` looks at: a job, or what a claim has read of it."""

    @property
    def attempt_count(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def scheduled_for(self) -> datetime: ...


def pace_of(job: Paced, now: datetime) -> float:
    """Seconds that lie at least between this post and the account's next late one; 0 for a post that comes in time, and
    for one that a person wants now.

    Late is what stood through a downtime. A crowd of posts for the same minute takes its time too, and is not meant.
    """
    is_late = job.attempt_count == 0 and job.reason in ("", "catch_up") and now - job.scheduled_for > DOWNTIME
    return spacing_seconds() if is_late or job.reason in WAITS else 0.0


def wait(job: Job, admission: Admission, now: datetime) -> None:
    """Put the claimed job, and everything of its account that would be due before, in order behind the time at which the account
    may be called again. What waits there already moves back as far as it must, and stays behind."""
    until = max(admission.retry_at or now, now + LEAST_WAIT)
    reason = REASONS.get(admission.cause, "waiting")
    step = _step(job.account.min_spacing_seconds) if reason == "waiting" else STEP
    words = {"reason": reason, "error_message": admission.reason[:500]}
    queue = Job.objects.filter(account_id=job.account_id, state=PENDING)
    due = queue.filter(run_at__lte=until).exclude(pk=job.pk)
    others = list(
        due.order_by("priority", "scheduled_for", "id").only("pk", "priority", "scheduled_for", "deadline_at")[
            :MOST_MOVED
        ]
    )
    line = sorted([job, *others], key=lambda row: (row.priority, row.scheduled_for, row.pk))
    times = spreading.slots([until] * len(line), until, step)
    _make_room(queue.filter(reason__in=WAITS, run_at__gt=until), times[-1] + step, step)
    _put(line, times, but=job)
    if len(others) == MOST_MOVED:
        # right behind the last of the line: when that is gone, they are put in order by the next wait
        behind = times[line.index(others[-1])] + STEP
        if line[-1] is job:
            job.run_at = _in_time(job, behind)
        due.exclude(pk__in=[other.pk for other in others]).update(run_at=behind, **words)
    queue.filter(pk__in=[other.pk for other in others]).exclude(reason=DESPITE_PAUSE).update(**words)
    if job.reason in (DESPITE_PAUSE, REASONS["outage"]):
        # a limit does not change what the post is: one that a person wants now, or one that tests a platform at no cost
        words["reason"] = job.reason
    Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(
        state=PENDING, run_at=job.run_at, lease_until=None, **words
    )


def recovered(who: Recovered, now: datetime) -> int:
    """Platforms answer again: their posts go, each account's in order and spaced, the accounts not all in one instant."""
    if not who:
        return 0
    accounts = Q(account_id__in=who.account_ids) | Q(account__service_id__in=who.service_ids)
    return let_go(Job.objects.filter(accounts, reason=REASONS["outage"]), now)


def signed_in(account_id: int, now: datetime) -> int:
    """The account has a fresh sign-in: what waited for it goes, in order and spaced."""
    return let_go(Job.objects.filter(account_id=account_id, reason=REASONS["sign_in"]), now)


def let_go(waiting: QuerySet[Job], now: datetime) -> int:
    """Bring waiting posts forward, never before their time. Returns how many; at most MOST_LET_GO, the others of the
    last account follow behind, and those of further accounts come when their wait ends."""
    waiting = waiting.filter(state=PENDING, run_at__gt=now)
    rows = list(
        waiting.select_related("account")
        .only("pk", "scheduled_for", "deadline_at", "account__min_spacing_seconds")
        .order_by("account_id", "priority", "scheduled_for", "id")[:MOST_LET_GO]
    )
    by_account: dict[int, list[Job]] = {}
    for row in rows:
        by_account.setdefault(row.account_id, []).append(row)
    pause = timedelta(seconds=spacing_seconds())
    gap = spreading.gap(pause, len(by_account))
    for place, queue in enumerate(by_account.values()):
        step = _step(queue[0].account.min_spacing_seconds)
        times = spreading.slots([job.scheduled_for for job in queue], now + pause + place * gap, step)
        _put(queue, times)
        if len(rows) == MOST_LET_GO and queue[-1] is rows[-1]:
            behind = waiting.filter(account_id=queue[0].account_id).exclude(pk__in=[job.pk for job in queue])
            behind.update(run_at=times[-1] + STEP)
    return len(rows)


def _step(min_spacing_seconds: int) -> timedelta:
    return max(timedelta(seconds=min_spacing_seconds or spacing_seconds()), STEP)


def _make_room(behind: QuerySet[Job], end: datetime, step: timedelta) -> None:
    """Shift the queue that stands further back as a whole: its order and its spacing stay."""
    first = behind.order_by("run_at", "id").values_list("run_at", flat=True).first()
    if first is not None and first < end - step / 2:
        behind.update(run_at=F("run_at") + (end - first))


def _put(jobs: Sequence[Job], times: Sequence[datetime], *, but: Job | None = None) -> None:
    """Set each job's time, and write all but that of `but`."""
    for job, at in zip(jobs, times, strict=True):
        job.run_at = _in_time(job, at)
    rows = [job for job in jobs if job is not but]
    if rows:
        Job.objects.bulk_update(rows, ["run_at"], batch_size=200)


def _in_time(job: Job, at: datetime) -> datetime:
    """A post that would wait past its deadline is looked at right behind it, and told to be missed (R30)."""
    return at if job.deadline_at is None else min(at, job.deadline_at + PAST_DEADLINE)
