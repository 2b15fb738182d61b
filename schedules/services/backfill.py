"""Making up for past times that never went out: looked at first, asked for explicitly, told in the history (ENGINE R36).

A made-up run is an occurrence of its own (cause "backfill"), which says which of the rule's times it stands for. A time is
made up for once: if that fails too, its job is retried like any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import Max
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused, StaleVersion
from alwrity_scheduler.core.events import Actor, emit, unit
from platforms.models import PlatformAccount
from schedules.domain import misfire, recurrence
from schedules.domain.states import JobState, ScheduleState
from schedules.engine import wakeup
from schedules.models import Job, Occurrence, Schedule
from schedules.services import materialise
from schedules.services.facts import schedule_fact
from schedules.services.schedules import check_for_accounts

MOST_TIMES = 500
MOST_LOOKED_AT = 20_000  # times of the rule in one window
LONGEST_GAP = 7 * 86_400
# what became of a job that did not go out and will not by itself
NOT_OUT = (JobState.FAILED, JobState.MISSED, JobState.CANCELLED, JobState.SUPERSEDED)
REMEDY = {
    ScheduleState.DRAFT: gettext_lazy("This schedule is draft: schedule it first."),
    ScheduleState.IN_REVIEW: gettext_lazy("This schedule is in review: have it approved first."),
    ScheduleState.PAUSED: gettext_lazy("This schedule is paused: resume it first."),
    ScheduleState.ARCHIVED: gettext_lazy("This schedule is archived: restore it first."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedTime:
    """One of the rule's times (aware UTC), the accounts on which it never went out, and when it would go out now."""

    nominal_at: datetime
    nominal_local: datetime
    accounts: tuple[PlatformAccount, ...]
    publish_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """What a backfill would make: the earliest time first, at most MOST_TIMES; `more` says that the window has others."""

    times: tuple[MissedTime, ...]
    more: bool

    @property
    def job_count(self) -> int:
        return sum(len(item.accounts) for item in self.times)


def look(*, schedule: Schedule, start: datetime, end: datetime, gap_seconds: int, now: datetime) -> Backfill:
    """The times of the window [start, end), both past and aware, of which nothing went out and nothing is on its way.

    Changes nothing. Refused for a window that is not past or too long, and for a schedule that does not publish.
    """
    _check(schedule, start, end, gap_seconds, now)
    accounts = [item.account for item in schedule.targets.select_related("account").order_by("id")]
    rule = materialise.rule_of(schedule)
    found = list(recurrence.occurrences(rule, start=start, end=end, count=MOST_LOOKED_AT + 1))
    if len(found) > MOST_LOOKED_AT:
        words = _("The rule has more than %(most)s times in there. Choose a shorter window.") % {
            "most": formats.number_format(MOST_LOOKED_AT, force_grouping=True)
        }
        raise Refused(Problem(field="end", message=words))
    served = _served(schedule, [item.nominal_at for item in found])
    missing = ((item, tuple(row for row in accounts if (item.nominal_at, row.pk) not in served)) for item in found)
    missed = list(islice(((item, rows) for item, rows in missing if rows), MOST_TIMES + 1))
    times = tuple(
        MissedTime(
            nominal_at=item.nominal_at,
            nominal_local=item.nominal_local,
            accounts=rows,
            publish_at=now + place * timedelta(seconds=gap_seconds),
        )
        for place, (item, rows) in enumerate(missed[:MOST_TIMES])
    )
    return Backfill(times=times, more=len(missed) > MOST_TIMES)


def _check(schedule: Schedule, start: datetime, end: datetime, gap_seconds: int, now: datetime) -> None:
    state = ScheduleState(schedule.state)
    if state in REMEDY:
        words = str(REMEDY[state])
        raise IllegalTransition(Problem(field="state", message=words))
    problems = []
    if end > now:
        problems.append(
            Problem(field="end", message=_("Only past times can be made up for: choose an end before now."))
        )
    if start >= end:
        problems.append(Problem(field="start", message=_("The window must begin before it ends.")))
    if not 0 <= gap_seconds <= LONGEST_GAP:
        problems.append(Problem(field="gap_seconds", message=_("The gap is from 0 seconds to 7 days.")))
    if problems:
        raise Refused(problems)


def _served(schedule: Schedule, times: list[datetime]) -> set[tuple[datetime, int]]:
    """(time of the rule, account) of everything that went out, is on its way, or was made up for before."""
    if not times:
        return set()
    reach = (min(times), max(times))
    jobs = Job.objects.filter(schedule=schedule)
    own = jobs.filter(occurrence__cause="rule", occurrence__nominal_at__range=reach).exclude(state__in=NOT_OUT)
    made_up = jobs.filter(occurrence__makes_up_for__range=reach)
    served = set(own.order_by().values_list("occurrence__nominal_at", "account_id"))
    again = made_up.order_by().values_list("occurrence__makes_up_for", "account_id")
    return served | {(at, account) for at, account in again if at is not None}


@unit()
def run(
    *, schedule: Schedule, start: datetime, end: datetime, gap_seconds: int, actor: Actor, now: datetime,
    expected: int | None = None,
) -> Backfill:  # fmt: skip
    """Publish what `look` shows, the earliest first, `gap_seconds` apart from now on. Returns what was made.

    `expected` is the number of times a person has seen; when it is another by now, nothing is made and StaleVersion raised.
    """
    # two people pressing at once: the second one finds what the first one made
    schedule = Schedule.objects.select_for_update().get(pk=schedule.pk)
    found = look(schedule=schedule, start=start, end=end, gap_seconds=gap_seconds, now=now)
    if expected is not None and expected != len(found.times):
        words = _("These times have changed since you looked, and nothing was made. Look at them once more.")
        raise StaleVersion(Problem(field="start", message=words, code="stale"))
    if not found.times:
        raise Refused(
            Problem(field="start", message=_("Every time of this window went out or is on its way."), code="empty")
        )
    check_for_accounts(schedule, now=now)
    jobs = list(_jobs(schedule, found, now))
    Job.objects.bulk_create(jobs)
    after = {"start": start, "end": end, "gap_seconds": gap_seconds, "times": len(found.times), "jobs": len(jobs)}
    emit(schedule_fact("schedule.backfilled", schedule, actor, now, after=after))
    wakeup.announce()
    return found


def _jobs(schedule: Schedule, found: Backfill, now: datetime) -> Iterator[Job]:
    """The jobs, on occurrences that are there from an earlier backfill (of fewer accounts) or are made now."""
    wanted = [item.nominal_at for item in found.times]
    standing = {row.makes_up_for: row for row in Occurrence.objects.filter(schedule=schedule, makes_up_for__in=wanted)}
    identities = _identities(schedule, now)
    fresh = [
        Occurrence(
            schedule=schedule, nominal_at=next(identities), nominal_local=item.nominal_local, fires_at=item.publish_at,
            cause="backfill", makes_up_for=item.nominal_at, tzdata_version=materialise.TZDATA,
        )
        for item in found.times if item.nominal_at not in standing
    ]  # fmt: skip
    standing |= {row.makes_up_for: row for row in Occurrence.objects.bulk_create(fresh)}
    for item in found.times:
        for account in item.accounts:
            yield Job(
                workspace_id=schedule.workspace_id, schedule=schedule, occurrence=standing[item.nominal_at], account=account,
                scheduled_for=item.publish_at, run_at=item.publish_at, priority=schedule.priority, serial_key=account.pk,
                deadline_at=item.publish_at + misfire.DEFAULT_DEADLINE, created_at=now,
                # a person's decision: that it waits for its turn makes it neither late nor one of several (R29)
                reason="by_person",
            )  # fmt: skip


def _identities(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    """Values of `nominal_at` that nothing else has: after those of earlier backfills, and no whole seconds like a rule's."""
    made_up = Occurrence.objects.filter(schedule=schedule, cause="backfill", nominal_at__gte=now)
    latest = made_up.aggregate(latest=Max("nominal_at"))["latest"]
    at = latest or now
    while True:
        at += timedelta(microseconds=1)
        if at.microsecond:
            yield at
