"""The reading kind of work: the figures of recent posts, account by account, ever more seldom as a post grows older.

Reading is harmless to repeat and never urgent: it waits while an account or its platform has other troubles, and what is not
read within some hours of its time is left to the next step (`domain.figures`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, Q, QuerySet

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.core.secrets import CannotDecrypt
from alwrity_scheduler.workspaces.models import Workspace
from platforms.contracts import AccountRef, CallResult
from platforms.errors import PlatformError, RateLimited
from platforms.models import AccountState, PlatformAccount
from platforms.services import afterwards as platform
from platforms.services import publishing
from schedules.domain import figures
from schedules.engine.work import LAST_PRIORITY, Claim, WorkKind, WorkRow
from schedules.models import Engagement, Job, Reading
from schedules.services import afterwards, queues

CALL_SECONDS = 20.0
MARGIN_SECONDS = 5.0
MOST_ACCOUNTS = 200
PAUSE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class ReadingTask:
    """The posts to be asked about. `start_by` in monotonic seconds: later the lease would not last."""

    account: AccountRef = field(repr=False)
    jobs: tuple[Job, ...]
    start_by: float


class NotAsked:
    """The call was not made."""


class ReadingKind(WorkKind):
    name: ClassVar[str] = "read"
    model: ClassVar[type[WorkRow]] = Reading
    most_a_claim: ClassVar[int] = 25

    def arm(self, claims: Sequence[Claim], now: datetime) -> list[tuple[Claim, Any]]:
        rows = Reading.objects.select_related("account__service", "account__circuit").in_bulk(
            [claim.id for claim in claims]
        )
        tasks: list[tuple[Claim, Any]] = []
        for claim in claims:
            account = rows[claim.id].account
            reference = _reference(account, now)
            jobs = tuple(due(now, account)[: platform.MOST_AT_ONCE]) if reference else ()
            if reference is None or not jobs:
                # the plan makes it due again when there is something to read
                Reading.objects.filter(pk=claim.id).update(state="done", finished_at=now)
                continue
            left = (claim.lease_until - now).total_seconds() - MARGIN_SECONDS - CALL_SECONDS
            tasks.append((claim, ReadingTask(reference, jobs, clock.monotonic() + left)))
        return tasks

    def perform(self, task: ReadingTask) -> Any:
        if clock.monotonic() > task.start_by:
            return NotAsked()
        try:
            return platform.metrics(task.account, [job.remote_id for job in task.jobs], timeout=CALL_SECONDS)
        except PlatformError as error:
            return error

    def finish(self, results: Sequence[tuple[Claim, Any, Any]], now: datetime) -> None:
        with unit():
            for claim, task, result in sorted(results, key=lambda item: item[0].id):
                if _mine(claim).exists():
                    _settle(claim, task, result, now)

    def release(self, claims: Sequence[tuple[Claim, Any]], now: datetime) -> None:
        with unit():
            for claim, _ in claims:
                _mine(claim).update(state="pending", lease_until=None)

    def rescue(self, now: datetime, *, dead_workers: Sequence[str] = ()) -> int:
        lost = Q(lease_until__lt=now) | Q(worker__in=dead_workers)
        return Reading.objects.filter(lost, state="running").update(state="pending", lease_until=None, run_at=now)


@unit()
def plan(*, now: datetime) -> int:
    """One due row for each account that has posts to be read. Returns how many were set."""
    wanted = sorted({account_id for window in figures.windows(now) for account_id in _accounts(window, now)})[
        :MOST_ACCOUNTS
    ]
    if not wanted:
        return 0
    Reading.objects.bulk_create(
        [
            Reading(account_id=pk, serial_key=pk, run_at=now, priority=LAST_PRIORITY, state="done", created_at=now)
            for pk in wanted
        ],
        ignore_conflicts=True,
    )
    done = Reading.objects.filter(account_id__in=wanted, state="done")
    return done.update(state="pending", run_at=now, tries=0, finished_at=None)


def due(now: datetime, account: PlatformAccount) -> QuerySet[Job]:
    """This account's posts whose figures are to be read, the youngest first."""
    jobs = afterwards.readable().filter(workspace=account.workspace_id, account=account)
    wanted = Q(pk__in=[])
    for window in figures.windows(now):
        wanted |= _of(window)
    return jobs.filter(wanted).order_by("-run_at", "-id")


def _of(window: figures.Window) -> Q:
    read = Engagement.objects.filter(job=OuterRef("pk"), measured_at__gte=OuterRef("run_at") + window.step)
    return Q(run_at__gt=window.since, run_at__lte=window.until) & ~Q(Exists(read))


def _accounts(window: figures.Window, now: datetime) -> Iterator[int]:
    """Accounts that can be asked and have posts of this window. By workspace, because that is how jobs are indexed."""
    able = PlatformAccount.objects.filter(
        Q(not_before_at=None) | Q(not_before_at__lte=now),
        platform__in=platform.measuring_platforms(),
        state__in=(AccountState.ACTIVE, AccountState.PAUSED),
    )
    jobs = afterwards.readable().filter(_of(window), workspace__in=Workspace.objects.values("pk"), account__in=able)
    yield from jobs.order_by().values_list("account_id", flat=True).distinct()[:MOST_ACCOUNTS]


def _reference(account: PlatformAccount, now: datetime) -> AccountRef | None:
    """The account for the call; None when it should not be asked now, or cannot be."""
    if platform.why_not_now(account, now):
        return None
    try:
        reference = publishing.account_ref(account)
    except CannotDecrypt:
        return None
    return reference if "metrics" in platform.abilities(reference) else None


def _settle(claim: Claim, task: ReadingTask, result: Any, now: datetime) -> None:
    match result:
        case NotAsked():
            _mine(claim).update(state="pending", lease_until=None)
            return
        case RateLimited():
            call = CallResult(
                account_id=task.account.id,
                error_class=result.error_class,
                message=str(result),
                retry_after_seconds=result.retry_after_seconds,
                rate=result.rate,
            )
            queues.recovered(publishing.settle([call], now), now)
            wait = max(PAUSE, timedelta(seconds=result.retry_after_seconds or 0.0))
            _mine(claim).update(state="pending", run_at=now + wait, lease_until=None)
            return
        case PlatformError():
            # written as a reading that told nothing, so that it is not asked again before the next step
            words = f"The figures could not be read. {result}"[:300]
            Engagement.objects.bulk_create([Engagement(job=job, measured_at=now, message=words) for job in task.jobs])
        case _:
            afterwards.record(task.jobs, result, now)
    _mine(claim).update(state="done", lease_until=None, finished_at=now)


def _mine(claim: Claim) -> QuerySet[Reading]:
    found: QuerySet[Reading] = Reading.objects.filter(pk=claim.id, state="running", lease_token=claim.token)
    return found
