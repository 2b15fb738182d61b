"""What the composer shows of its times: the next runs, or what is wrong with them. Stores nothing; `reads.cards` shows the post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from alwrity_scheduler.core.errors import Refused
from platforms.models import PlatformAccount
from schedules.domain import recurrence
from schedules.domain.recurrence import LocalMoment, Occurrence, RuleKind
from schedules.reads.runs import next_runs, words_of
from schedules.services.plans import ContentDraft, SchedulePlan, rule_of

SHOWN = 5


class Typed(Protocol):
    """The composer's form, as far as this module looks at it."""

    @property
    def cleaned_data(self) -> Mapping[str, Any]: ...
    @property
    def account_rows(self) -> Sequence[PlatformAccount]: ...
    @property
    def errors(self) -> Mapping[str, Any]: ...
    def plan(self, now: datetime) -> SchedulePlan: ...
    def draft(self) -> ContentDraft: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """`single` is set for one time that the zone's clocks skip or repeat. `past` says that nothing lies ahead."""

    zone: str = ""
    words: str = ""
    now: datetime
    immediately: bool = False
    times: Sequence[Occurrence] = ()
    problems: Sequence[str] = ()
    single: LocalMoment | None = None
    wanted: datetime | None = None
    twice: Sequence[LocalMoment] = ()
    past: bool = False


_TIME_FIELDS = (
    "when",
    "date",
    "time",
    "zone",
    "fold",
    "repeat",
    "interval",
    "weekdays",
    "month_day",
    "nth",
    "nth_day",
    "cron",
    "rrule",
    "ends",
    "until",
    "count",
)


def runs(form: Typed, now: datetime) -> Runs:
    """The next five times of what is typed, or what is wrong with it."""
    wrong = [str(words) for name in _TIME_FIELDS for words in form.errors.get(name, ())]
    if wrong:
        return Runs(now=now, problems=wrong)
    zone = form.cleaned_data.get("zone") or "UTC"
    if form.cleaned_data.get("when") == "now":
        return Runs(now=now, zone=zone, immediately=True)
    try:
        rule = rule_of(form.plan(now))
    except Refused as error:
        return Runs(
            now=now, zone=zone, problems=[f"{item.message[:1].upper()}{item.message[1:]}" for item in error.problems]
        )
    found = next_runs(rule, now=now, count=SHOWN)
    single: LocalMoment | None = None
    twice: tuple[LocalMoment, ...] = ()
    if rule.kind is RuleKind.ONCE:
        moment = recurrence.local_time(rule.start_local, zone, rule.fold)
        single = moment if moment.shift == "gap" else None
        if moment.shift == "fold":
            twice = (recurrence.local_time(rule.start_local, zone, 0), recurrence.local_time(rule.start_local, zone, 1))
    return Runs(
        now=now,
        zone=zone,
        words=words_of(rule),
        times=found,
        single=single,
        wanted=rule.start_local,
        twice=twice,
        past=not found,
    )
