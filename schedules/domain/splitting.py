"""Cutting a rule in two for "this and following". Reached through `recurrence`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import dropwhile, islice, takewhile

from schedules.domain import ical
from schedules.domain.firing import is_due_at, nominal_times, stamped
from schedules.domain.ical import Block, Stamp
from schedules.domain.localtime import ONE_DAY, local_time
from schedules.domain.refusals import refused
from schedules.domain.rrule import RRule
from schedules.domain.rules import Recurrence, RuleKind

# So many times after the cut are compared with the uncut rule before the halves are handed out.
COMPARED = 60


def split_at(rule: Recurrence, nominal_local: datetime) -> tuple[Recurrence, Recurrence]:
    """The rule up to before `nominal_local` and from it on; together they fire as the one did.

    `limit` and COUNT are shared out, edits, RDATE and EXDATE go to the half they fall into. The second half
    starts at `nominal_local` (where that is an RDATE off the rule's beat, at the rule's next time after
    it). Raises RuleRefused where `nominal_local` is no occurrence, is the first one, or where the rule
    cannot be cut without changing what follows (several rules that count from the same start in different
    steps).
    """
    if rule.kind is RuleKind.ONCE:
        raise refused("nominal_local", "a single time has nothing that follows; change the schedule itself")
    if not is_due_at(rule, nominal_local):
        raise refused("nominal_local", f"{nominal_local:%Y-%m-%d %H:%M} is no occurrence of this schedule")
    last_before = _last_before(rule, nominal_local)
    if last_before is None:
        raise refused("nominal_local", "is the first occurrence; change the whole schedule instead")
    cut_first, cut_second, second_start = rule.expression, rule.expression, nominal_local
    if rule.kind is RuleKind.RRULE:
        block = ical.parse(rule.expression)
        second_start = _beat_from(rule, block, nominal_local)
        cut_first, cut_second = (str(half) for half in _cut_block(rule, block, nominal_local, second_start))
    used = _count_before(_without_exceptions(rule), nominal_local) if rule.limit is not None else 0
    first = replace(
        rule,
        expression=cut_first,
        until_local=last_before,
        limit=used if rule.limit is not None else None,
        edits=tuple(edit for edit in rule.edits if edit.nominal_local < nominal_local),
    )
    second = replace(
        rule,
        expression=cut_second,
        start_local=second_start,
        limit=rule.limit - used if rule.limit is not None else None,
        edits=tuple(edit for edit in rule.edits if edit.nominal_local >= nominal_local),
    )
    _refuse_changed_times(rule, second, nominal_local)
    return first, second


def _last_before(rule: Recurrence, nominal_local: datetime) -> datetime | None:
    """The latest wall-clock time before the cut, looked for in ever longer stretches of the past."""
    at = local_time(nominal_local, rule.timezone).at
    stretch = 2 * ONE_DAY
    while True:
        since = at - stretch if rule.start_local < nominal_local - stretch else None
        times = takewhile(lambda one: one[1] < at + 2 * ONE_DAY, nominal_times(rule, since))
        found = [local for local, _, _ in times if local < nominal_local]
        if found or since is None:
            return max(found, default=None)
        stretch *= 4


def _count_before(rule: Recurrence, nominal_local: datetime) -> int:
    last_at = local_time(nominal_local, rule.timezone).at + 2 * ONE_DAY
    times = takewhile(lambda one: one[1] < last_at, nominal_times(rule))
    return sum(local < nominal_local for local, _, _ in times)


def _without_exceptions(rule: Recurrence) -> Recurrence:
    """`limit` counts what EXDATE leaves out, so it is counted without EXDATE."""
    if rule.kind is not RuleKind.RRULE:
        return rule
    block = replace(ical.parse(rule.expression), exception_dates=(), exception_rules=())
    return replace(rule, expression=str(block))


def _beat_from(rule: Recurrence, block: Block, nominal_local: datetime) -> datetime:
    """The first time at or after the cut that an RRULE itself gives: the DTSTART that keeps its beat."""
    if not block.rules:
        return nominal_local
    only_rules = replace(block, dates=(), exception_dates=(), exception_rules=())
    times = nominal_times(replace(rule, expression=str(only_rules), edits=()))
    later = (local for local, _, _ in dropwhile(lambda one: one[0] < nominal_local, times))
    return next(later, nominal_local).replace(fold=0)


def _cut_block(rule: Recurrence, block: Block, nominal_local: datetime, second_start: datetime) -> tuple[Block, Block]:
    first_dates = [one for one in block.dates if stamped(rule, one)[0] < nominal_local]
    second_dates = [one for one in block.dates if one not in first_dates]
    rules = [_cut_rule(rule, block, one, nominal_local) for one in block.rules]
    exceptions = [_cut_rule(rule, block, one, nominal_local) for one in block.exception_rules]
    start = replace(block.start, local=second_start) if block.start else None
    return (
        Block(
            start=block.start,
            rules=tuple(one for one, _ in rules if one),
            exception_rules=tuple(one for one, _ in exceptions if one),
            dates=tuple(first_dates),
            exception_dates=tuple(one for one in block.exception_dates if _reaches_before(rule, one, nominal_local)),
        ),
        Block(
            start=start,
            rules=tuple(one for _, one in rules if one),
            exception_rules=tuple(one for _, one in exceptions if one),
            dates=tuple(second_dates),
            exception_dates=tuple(one for one in block.exception_dates if _reaches_after(rule, one, nominal_local)),
        ),
    )


def _cut_rule(rule: Recurrence, block: Block, one: RRule, nominal_local: datetime) -> tuple[RRule | None, RRule | None]:
    """A rule with COUNT as two that share it out; a half that gets nothing is None."""
    if one.count is None:
        return one, one
    alone = replace(
        rule, expression=str(Block(start=block.start, rules=(one,))), until_local=None, limit=None, edits=()
    )
    used = _count_before(alone, nominal_local)
    return one.with_count(used) if used else None, one.with_count(one.count - used) if used < one.count else None


def _reaches_before(rule: Recurrence, stamp: Stamp, nominal_local: datetime) -> bool:
    if stamp.is_date:
        return stamp.local.date() <= nominal_local.date()
    return stamped(rule, stamp)[0] < nominal_local


def _reaches_after(rule: Recurrence, stamp: Stamp, nominal_local: datetime) -> bool:
    if stamp.is_date:
        return stamp.local.date() >= nominal_local.date()
    return stamped(rule, stamp)[0] >= nominal_local


def _refuse_changed_times(rule: Recurrence, second: Recurrence, nominal_local: datetime) -> None:
    since = local_time(nominal_local, rule.timezone).at - timedelta(days=2)
    before_cut = (one[:2] for one in nominal_times(rule, since) if one[0] >= nominal_local)
    after_cut: Iterator[tuple[datetime, datetime]] = (one[:2] for one in nominal_times(second))
    if list(islice(before_cut, COMPARED)) != list(islice(after_cut, COMPARED)):
        raise refused("nominal_local", "its rules count from their common start; end it here and write a new schedule")
