"""The recovery desk's verbs: a new time, publish now, discard, look again, undo; and each of them for many posts at once.

Called by the desk's page and by the API. One fact for each job, also in bulk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, emit, unit
from alwrity_scheduler.core.secrets import CannotDecrypt
from platforms.errors import PlatformError
from platforms.models import PlatformAccount
from platforms.registry import adapter_for
from platforms.services import publishing as platform
from schedules.domain import localtime, misfire
from schedules.domain.recovery import BULK_VERBS, MONITOR_VERBS, Verb
from schedules.domain.recurrence import RuleKind
from schedules.domain.states import JobState
from schedules.engine import wakeup
from schedules.models import AuditLog, Job, JobCheck
from schedules.querysets.jobs import JobQuerySet
from schedules.services import holds, jobs, outcomes
from schedules.services.facts import job_fact
from schedules.services.materialise import RESLOTTED, seconds
from schedules.services.words import of_job

MOST_AT_ONCE = 1000
TOGETHER = 50  # posts a transaction: others can write in between
DAY = timedelta(days=1)
LEAST_GAP = timedelta(minutes=5)
UNDOABLE = ("job.cancelled", "job.retried", "job.run_now", "job.rescheduled", "job.failed")


def not_looked() -> Problem:
    words = _("First look at the account; then say that the post is not there.")
    return Problem(field="seen_absent", message=words, code="required")


# ---- one post


def slot(*, to_local: datetime, timezone: str, now: datetime) -> datetime:
    """The instant of a wall-clock time of the zone (R9), refused when it is past or no year of ours."""
    check_future(to_local.replace(tzinfo=UTC), now - DAY)
    at = localtime.local_time(to_local, timezone, to_local.fold).at
    check_future(at, now)
    return at


def check_future(at: datetime, now: datetime) -> None:
    if at <= now:
        raise Refused(Problem(field="at", message=_("This time is past. Choose a later one.")))
    if at.year > localtime.LAST_YEAR:
        raise Refused(Problem(field="at", message=_("This is too far away. Choose an earlier time.")))


@unit()
def reslot(*, job: Job, at: datetime, actor: Actor, now: datetime, seen_absent: bool = False) -> Job:
    """Give the post a time of its own: `at` (aware). It then goes out late by no more than its schedule's grace.

    An unconfirmed post only with `seen_absent`: a person has looked, and it is not there.
    """
    check_future(at, now)
    jobs.check_schedule(job)
    old: tuple[JobState, ...] = (JobState.FAILED, JobState.MISSED, JobState.BLOCKED)
    try:
        before = jobs.step(
            job, (*old, JobState.UNCONFIRMED) if seen_absent else old,
            _("Only a post on the recovery desk can be given a new time."),
            state=JobState.PENDING, reason=RESLOTTED, run_at=at, scheduled_for=at, deadline_at=deadline_of(job, at), tries=0,
            error_class="", error_message="", finished_at=None,
        )  # fmt: skip
    except IllegalTransition as error:
        if job.state == JobState.UNCONFIRMED:
            raise Refused(not_looked()) from error
        raise
    if before["state"] == JobState.UNCONFIRMED:
        jobs.stop_checks(job, now)
    emit(job_fact("job.rescheduled", job, actor, now, before=before, after=jobs.kept(job)))
    wakeup.announce()
    return job


def deadline_of(job: Job, at: datetime) -> datetime:
    """A chosen time is meant: once it is later than the grace, the post comes back to the desk."""
    recurring, grace = job.schedule.rule_kind != RuleKind.ONCE, seconds(job.schedule.grace_seconds)
    wanted = seconds(job.schedule.deadline_seconds) or misfire.grace_of(recurring, grace)
    return misfire.deadline_of(at, recurring=recurring, grace=grace, deadline=wanted)


_FIRST = {
    "auth": gettext_lazy("Connect the account again first."),
    "account_paused": gettext_lazy("The account is paused: resume it first."),
    "workspace_paused": gettext_lazy("The workspace is paused: resume it first."),
}


@unit()
def publish_now(*, job: Job, actor: Actor, now: datetime) -> Job:
    """Publish a failed, a missed or a held post at once; the pause of its own schedule does not stop it, others do."""
    job.refresh_from_db(fields=["state", "reason"])
    if job.state != JobState.BLOCKED:
        return jobs.retry(job=job, actor=actor, now=now)
    if words := _FIRST.get(job.reason):
        raise IllegalTransition(Problem(field="state", message=str(words)))
    before = jobs.step(
        job, (JobState.BLOCKED,), _("Only a post on hold can be let through."),
        state=JobState.PENDING, reason=holds.DESPITE_PAUSE, run_at=now, deadline_at=now + misfire.DEFAULT_DEADLINE,
        error_message="",
    )  # fmt: skip
    emit(job_fact("job.run_now", job, actor, now, before=before, after=jobs.kept(job)))
    wakeup.announce()
    return job


@unit()
def discard(*, job: Job, actor: Actor, now: datetime) -> Job:
    """End the post for good. An unconfirmed one counts as failed, because it was sent; every other one as cancelled."""
    job.refresh_from_db(fields=["state"])
    if job.state == JobState.UNCONFIRMED:
        return jobs.dismiss(job=job, actor=actor, now=now)
    before = jobs.step(
        job, (JobState.FAILED, JobState.MISSED, JobState.BLOCKED), _("Only a post on the recovery desk can be discarded."),
        state=JobState.CANCELLED, reason="by_person", finished_at=now,
    )  # fmt: skip
    emit(job_fact("job.cancelled", job, actor, now, before=before, after=jobs.kept(job)))
    return job


@unit()
def call_off(*, job: Job, actor: Actor, now: datetime) -> Job:
    """Do not publish this one, whether it is still to go out or its attempts are over: `cancel` or `discard`."""
    job.refresh_from_db(fields=["state"])
    ended = job.state in (JobState.FAILED, JobState.MISSED)
    return (discard if ended else jobs.cancel)(job=job, actor=actor, now=now)


@unit()
def look_again(*, job: Job, actor: Actor, now: datetime) -> Job:
    """Have an unconfirmed post looked up now, where its platform can be asked."""
    job.refresh_from_db(fields=["state"])
    if job.state != JobState.UNCONFIRMED:
        words = _("Only an unconfirmed post can be looked up. It is %(state)s now.") % {"state": of_job(job.state)}
        raise IllegalTransition(Problem(field="state", message=words))
    if not can_look_up(job.account):
        words = _("This platform cannot be asked whether it has a post. Look at the account yourself.")
        raise Refused(Problem(field="state", message=words, code="impossible"))
    if JobCheck.objects.filter(job=job, state="running").exists():
        words = _("It is being looked up at this moment. Wait for the answer.")
        raise IllegalTransition(Problem(field="state", message=words))
    outcomes.plan_look_up(job, now)
    emit(job_fact("job.look_up_asked", job, actor, now))
    wakeup.announce()
    return job


def can_look_up(account: PlatformAccount) -> bool:
    """Can the account's platform say whether it has a post? No call is made."""
    try:
        capabilities = adapter_for(account.platform).capabilities(platform.account_ref(account))
    except (CannotDecrypt, PlatformError):
        return False
    return capabilities.can_find or capabilities.replays


@unit()
def undo(*, job: Job, actor: Actor, now: datetime) -> Job:
    """Take the last verb of a person back, as long as nothing has happened to the post since."""
    last = AuditLog.objects.of("job", job.public_id).first()
    if last is None or last.action not in UNDOABLE or "attempt_count" not in last.before:
        raise IllegalTransition(Problem(field="state", message=_("There is nothing to undo.")))
    if last.before["state"] == JobState.PENDING and job.schedule.updated_at > last.at:
        words = _(
            "It can no longer be undone. Its schedule has changed since, and may have planned another post in its place."
        )
        raise IllegalTransition(Problem(field="state", message=words))
    untouched = Job.objects.filter(
        pk=job.pk,
        state=last.after["state"],
        attempt_count=last.before["attempt_count"],
        deadline_at=_time(last.after["deadline_at"]),
    )
    if not untouched.update(**_restored(last.before)):
        raise IllegalTransition(Problem(field="state", message=_("It can no longer be undone: the post has moved on.")))
    job.refresh_from_db()
    if job.state == JobState.UNCONFIRMED:
        outcomes.plan_look_up(job, now)
    emit(job_fact("job.restored", job, actor, now, before=last.after, after=jobs.kept(job)))
    return job


def _restored(before: dict[str, Any]) -> dict[str, Any]:
    values = {name: before[name] for name in jobs.KEPT if name not in ("error_message", "attempt_count")}
    for name in ("run_at", "scheduled_for", "deadline_at", "finished_at"):
        values[name] = _time(values[name])
    return {**values, "error_message": before["message"]}


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# ---- many posts


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A verb for many. `at` and `gap` for new times; `seen_absent`: the person has looked, none of them is there."""

    verb: Verb
    at: datetime | None = None
    gap: timedelta | None = None
    seen_absent: bool = False

    def check(self, now: datetime) -> None:
        if self.verb not in (*BULK_VERBS, *MONITOR_VERBS):
            words = _("This is done post by post, because each needs its own address.")
            raise Refused(Problem(field="verb", message=words))
        if self.verb is Verb.PUBLISH_AGAIN and not self.seen_absent:
            raise Refused(not_looked())
        if self.verb is Verb.RESLOT:
            if self.at is None:
                raise Refused(Problem(field="at", message=_("Say from when on."), code="required"))
            check_future(self.at, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one post of many: done, or why not."""

    job: Job
    problems: tuple[Problem, ...] = ()

    @property
    def done(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`matched_count` is of all that were meant; what is beyond MOST_AT_ONCE was left for another call."""

    verb: Verb
    outcomes: tuple[Outcome, ...]
    matched_count: int

    @property
    def done_count(self) -> int:
        return sum(1 for item in self.outcomes if item.done)

    @property
    def left_count(self) -> int:
        return self.matched_count - len(self.outcomes)


def many(*, order: Order, chosen: JobQuerySet[Job], actor: Actor, now: datetime) -> Result:
    """Do the verb to at most MOST_AT_ONCE of the chosen posts, the earliest first; what is refused stops none of the others.

    Written in parts of TOGETHER, so that the engine goes on meanwhile; a part is all there or not at all.
    """
    order.check(now)
    matched = chosen.count()
    taken = chosen.select_related("schedule__content", "account").order_by("scheduled_for", "id")[:MOST_AT_ONCE]
    act = _Bulk(order, actor, now)
    found = [outcome for part in _parts(list(taken)) for outcome in act.together(part)]
    return Result(verb=order.verb, outcomes=tuple(found), matched_count=max(matched, len(found)))


def _parts(taken: list[Job]) -> Iterator[list[Job]]:
    return (taken[start : start + TOGETHER] for start in range(0, len(taken), TOGETHER))


_SIMPLE: dict[Verb, Callable[..., Job]] = {
    Verb.RETRY: jobs.retry,
    Verb.PUBLISH_NOW: publish_now,
    Verb.DISCARD: discard,
    Verb.LOOK_AGAIN: look_again,
    Verb.PUBLISH_AGAIN: jobs.publish_again,
    Verb.CANCEL: call_off,
}


@dataclass(slots=True)
class _Bulk:
    """One order on its way. `lanes`: the next free new time of each account."""

    order: Order
    actor: Actor
    now: datetime
    lanes: dict[int, datetime] = field(default_factory=dict)

    @unit()
    def together(self, part: Sequence[Job]) -> list[Outcome]:
        return list(self._each(part))

    def _each(self, part: Sequence[Job]) -> Iterator[Outcome]:
        for job in part:
            try:
                self._do(job)
            except Refused as error:
                yield Outcome(job=job, problems=error.problems)
            else:
                yield Outcome(job=job)

    def _do(self, job: Job) -> None:
        if self.order.verb is not Verb.RESLOT:
            _SIMPLE[self.order.verb](job=job, actor=self.actor, now=self.now)
            return
        assert self.order.at is not None
        at = self.lanes.get(job.account_id, self.order.at)
        reslot(job=job, at=at, actor=self.actor, now=self.now, seen_absent=self.order.seen_absent)
        # a refused post leaves no hole
        self.lanes[job.account_id] = at + gap_of(job.account, self.order.gap)


def gap_of(account: PlatformAccount, wanted: timedelta | None) -> timedelta:
    """The time between two new times of one account: the wish, but never less than the account keeps anyway."""
    least = timedelta(seconds=account.min_spacing_seconds)
    return max(least, LEAST_GAP if wanted is None else wanted)


def undo_many(*, chosen: JobQuerySet[Job], actor: Actor, now: datetime) -> Result:
    """Take back the last verb on each of them, where nothing has happened since."""
    taken = list(chosen.select_related("schedule__content", "account").order_by("scheduled_for", "id")[:MOST_AT_ONCE])
    found: list[Outcome] = []
    for part in _parts(taken):
        with unit():
            for job in part:
                try:
                    undo(job=job, actor=actor, now=now)
                    found.append(Outcome(job=job))
                except Refused as error:
                    found.append(Outcome(job=job, problems=error.problems))
    return Result(verb=Verb.DISCARD, outcomes=tuple(found), matched_count=len(found))
