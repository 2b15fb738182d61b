"""What happens to a post whose time went by while nothing could publish it (ENGINE R27-R29). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from schedules.domain.speech import gettext_noop

LATE_AFTER = timedelta(seconds=30)
DEFAULT_GRACE_ONCE = timedelta(hours=6)
DEFAULT_GRACE_RECURRING = timedelta(hours=1)
DEFAULT_DEADLINE = timedelta(hours=24)


class CatchUp(StrEnum):
    """What to do with occurrences found late."""

    LATEST = "latest"  # publish the latest one if it is within the grace, mark the earlier ones as coalesced
    ALL = "all"  # publish each one that is within the grace
    SKIP = "skip"  # publish none of them


class Verdict(StrEnum):
    ON_TIME = ""
    RUN = "catch_up"
    TOO_LATE = "too_late"
    COALESCED = "coalesced"
    SKIPPED = "skipped"
    DEADLINE = "deadline"

    @property
    def publishes(self) -> bool:
        return self in (Verdict.ON_TIME, Verdict.RUN)


REASON_WORDS = {
    Verdict.TOO_LATE: gettext_noop(
        "Its time went by while nothing could publish it, and it was too late to publish it afterwards."
    ),
    Verdict.COALESCED: gettext_noop(
        "Several runs went by while nothing could publish them; only the latest of them is published."
    ),
    Verdict.SKIPPED: gettext_noop("Its time went by, and this schedule does not publish late."),
    Verdict.DEADLINE: gettext_noop("It waited past its deadline."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """What the verdict depends on. Times are aware UTC.

    `has_later_due`: the same schedule has a later run due on the same account.
    """

    scheduled_for: datetime
    deadline_at: datetime | None
    recurring: bool
    catch_up: CatchUp
    grace: timedelta | None
    has_later_due: bool
    decided: bool


def grace_of(recurring: bool, grace: timedelta | None) -> timedelta:
    if grace is not None:
        return grace
    return DEFAULT_GRACE_RECURRING if recurring else DEFAULT_GRACE_ONCE


def deadline_of(
    scheduled_for: datetime, *, recurring: bool, grace: timedelta | None, deadline: timedelta | None
) -> datetime:
    """The moment after which nothing is started any more; never before the grace has run out."""
    return scheduled_for + max(deadline or DEFAULT_DEADLINE, grace_of(recurring, grace))


def judge(late: Lateness, now: datetime) -> Verdict:
    """Decide once; a verdict RUN is recorded on the job, so that waiting for its turn does not change it (R29)."""
    if late.decided:
        overdue = late.deadline_at is not None and now > late.deadline_at
        return Verdict.DEADLINE if overdue else Verdict.ON_TIME
    behind = now - late.scheduled_for
    if behind <= LATE_AFTER:
        return Verdict.ON_TIME
    if late.catch_up is CatchUp.SKIP:
        return Verdict.SKIPPED
    if late.recurring and late.catch_up is CatchUp.LATEST and late.has_later_due:
        return Verdict.COALESCED
    return Verdict.RUN if behind <= grace_of(late.recurring, late.grace) else Verdict.TOO_LATE
