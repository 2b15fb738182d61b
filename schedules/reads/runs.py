"""When a schedule runs next, from its rule: for lists, previews and the schedule's own page. Asks no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from schedules.domain import recurrence
from schedules.domain.recurrence import Occurrence, Recurrence
from schedules.models import Schedule
from schedules.services.materialise import rule_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """A schedule as the list shows it. `next_at` is aware UTC; None when the rule has no further time."""

    schedule: Schedule
    words: str
    next_at: datetime | None


def rows(schedules: Iterable[Schedule], *, now: datetime) -> list[ScheduleRow]:
    """Words and next run for each; `exceptions` should be prefetched. Only living schedules have a next run."""
    found = []
    for schedule in schedules:
        rule = rule_of(schedule)
        lives = schedule.state in ("draft", "in_review", "active", "paused")
        coming = next_runs(rule, now=now, count=1) if lives else []
        found.append(
            ScheduleRow(schedule=schedule, words=words_of(rule), next_at=coming[0].fires_at if coming else None)
        )
    return found


def words_of(rule: Recurrence) -> str:
    try:
        return recurrence.describe(rule)
    except recurrence.RuleRefused:
        return rule.expression


def next_runs(rule: Recurrence, *, now: datetime, count: int) -> list[Occurrence]:
    """The next `count` times from `now` on, in order; an empty list for a rule that cannot be read (its form says why)."""
    try:
        return list(recurrence.occurrences(rule, start=now, count=count))
    except recurrence.RuleRefused:
        return []
