"""From a rule to its occurrences: expand, localise, bound, leave out, apply edits.

The truth is wall clock + zone + rule; instants are derived here and nowhere else (ENGINE R6 to R11).
Reached through `recurrence`. No clock is read, nothing is stored.
"""

import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

from schedules.domain import cron, expansion, ical, rrule
from schedules.domain.ical import Block, Stamp
from schedules.domain.localtime import ONE_DAY, Nominal, Reading, local_time, localise, wall_clock, zone
from schedules.domain.rules import EditAction, Occurrence, Recurrence, RuleKind

# A shifted time lies at most a day beside its wall clock (Samoa left out a whole one in 2011).
LARGEST_SHIFT = 2 * ONE_DAY


def occurrences(
    rule: Recurrence, *, start: datetime, end: datetime | None = None, count: int | None = None
) -> Iterator[Occurrence]:
    """What fires in [start, end), aware UTC, in order and never two at one instant (R11); at most `count`.

    Without `end` and `count` it goes on as long as the rule does, so take from it what is needed. A rule
    that is silent for 400 years has ended. A moved occurrence counts where it was moved to. Raises
    RuleRefused at once for a rule that cannot be read.
    """
    nominals = _nominals(rule, start)
    found = _edited(rule, nominals, start, end) if rule.edits else _unedited(nominals, start, end)
    return found if count is None else islice(found, count)


def nominal_times(rule: Recurrence, since: datetime | None = None) -> Iterator[Nominal]:
    """The rule's own times without its edits, from `since` (aware UTC) or the start on, by instant."""
    return (one for one in _nominals(rule, since) if since is None or one[1] >= since)


def _unedited(nominals: Iterator[Nominal], start: datetime, end: datetime | None) -> Iterator[Occurrence]:
    for local, at, shift in nominals:
        if end is not None and at >= end:
            return
        if at >= start:
            yield Occurrence(nominal_local=local, nominal_at=at, fires_at=at, edited=False, shift=shift)


def is_due_at(rule: Recurrence, nominal_local: datetime) -> bool:
    """Is this wall-clock time one of the rule's own, before its edits?"""
    return next(_those_of(rule, [nominal_local]), None) is not None


def _edited(
    rule: Recurrence, nominals: Iterator[Nominal], start: datetime, end: datetime | None
) -> Iterator[Occurrence]:
    touched = {_identity(edit.nominal_local) for edit in rule.edits}
    untouched = (one for one in nominals if _identity(one[0]) not in touched)
    moved = [one for one in _moved(rule) if one.fires_at >= start and (end is None or one.fires_at < end)]
    merged = heapq.merge(
        _unedited(untouched, start, end), moved, key=lambda one: (one.fires_at, one.edited, one.nominal_at)
    )
    last: datetime | None = None
    for occurrence in merged:
        # Moved onto another one: the one that was there speaks for both (R11).
        if occurrence.fires_at != last:
            yield occurrence
        last = occurrence.fires_at


def _moved(rule: Recurrence) -> list[Occurrence]:
    """The moved occurrences by their new time. Edits of times the rule no longer has are void."""
    moves = {
        _identity(edit.nominal_local): edit.moved_to_local
        for edit in rule.edits
        if edit.action is EditAction.MOVE and edit.moved_to_local is not None
    }
    found = []
    for local, at, shift in _those_of(rule, [edit.nominal_local for edit in rule.edits if edit.moved_to_local]):
        target = moves.get(_identity(local))
        if target is not None:
            fires_at = local_time(target, rule.timezone, target.fold).at
            found.append(Occurrence(nominal_local=local, nominal_at=at, fires_at=fires_at, edited=True, shift=shift))
    return sorted(found, key=lambda one: (one.fires_at, one.nominal_at))


def _those_of(rule: Recurrence, locals_: list[datetime]) -> Iterator[Nominal]:
    """The rule's times with these wall clocks; looked up one by one unless the rule must be counted."""
    if not locals_:
        return
    wanted = {_identity(local) for local in locals_}
    if _is_counted(rule):
        last = local_time(max(locals_), rule.timezone).at + LARGEST_SHIFT
        for one in _nominals(rule, None):
            if one[1] > last:
                return
            if _identity(one[0]) in wanted:
                yield one
        return
    for local in locals_:
        near = local_time(local, rule.timezone).at
        for one in _nominals(rule, near - LARGEST_SHIFT):
            if one[1] > near + LARGEST_SHIFT:
                break
            if _identity(one[0]) == _identity(local):
                yield one


def _identity(local: datetime) -> tuple[datetime, int]:
    """Naive datetimes compare without `fold`; two equal wall-clock times are two occurrences all the same."""
    return local, local.fold


def _is_counted(rule: Recurrence) -> bool:
    if rule.limit is not None:
        return True
    if rule.kind is not RuleKind.RRULE:
        return False
    block = ical.parse(rule.expression)
    return any(one.count is not None for one in (*block.rules, *block.exception_rules))


def _nominals(rule: Recurrence, since: datetime | None) -> Iterator[Nominal]:
    """The rule's times before edits, ordered by instant; those before `since` (aware UTC) may be left out."""
    where = zone(rule.timezone)
    if rule.limit is not None:
        since = None
    match rule.kind:
        case RuleKind.ONCE:
            moment = local_time(rule.start_local, rule.timezone, rule.fold)
            return iter([(rule.start_local.replace(fold=rule.fold), moment.at, moment.shift)])
        case RuleKind.CRON:
            return _bounded(rule, _cron_times(rule, where, since))
        case RuleKind.RRULE:
            block = ical.parse(rule.expression)
            rule_times = [_rule_times(rule, block, one, where, since) for one in block.rules]
            included = _bounded(rule, _merged([*rule_times, *_dates(rule, block)]))
            return _without(included, rule, block, where, since)


def _cron_times(rule: Recurrence, where: ZoneInfo, since: datetime | None) -> Iterator[Nominal]:
    parsed = cron.parse(rule.expression)
    first = _scan_from(rule.start_local, where, since)
    reading = Reading.ELAPSED if parsed.runs_all_the_time else Reading.FIXED
    times = localise(parsed.batches(first), where, reading)
    return (one for one in times if one[0] >= rule.start_local)


def _scan_from(start: datetime, where: ZoneInfo, since: datetime | None) -> datetime:
    if since is None:
        return start
    try:
        return max(start, wall_clock(since, where).replace(fold=0) - LARGEST_SHIFT)
    except OverflowError:
        return start


def _bounded(rule: Recurrence, times: Iterator[Nominal]) -> Iterator[Nominal]:
    if rule.until_local is not None:
        times = _until(times, rule.until_local)
    return times if rule.limit is None else islice(times, rule.limit)


def _until(times: Iterator[Nominal], last_local: datetime) -> Iterator[Nominal]:
    """Wall-clock and real order differ around a change of clocks: look a little further before giving up."""
    for one in times:
        if one[0] <= last_local:
            yield one
        elif one[0] - last_local > LARGEST_SHIFT:
            return


def _rule_times(
    rule: Recurrence, block: Block, one: rrule.RRule, where: ZoneInfo, since: datetime | None
) -> Iterator[Nominal]:
    """One RRULE (or EXRULE) with its own UNTIL and COUNT. COUNT counts what fires, so no instant twice."""
    start = rule.start_local
    first = start if one.count is not None else _scan_from(start, where, since)
    all_day = block.start is not None and block.start.is_date
    reading = Reading.ELAPSED if one.runs_all_the_time else Reading.WALL
    times = localise(expansion.expand(one, start, all_day=all_day, since=first), where, reading)
    if one.until is not None:
        last = one.until.value
        if one.until.is_utc:
            times = _until_instant(times, last.replace(tzinfo=UTC))
        else:
            times = _until(times, datetime.combine(last, time.max) if one.until.is_date else last)
    return times if one.count is None else islice(times, one.count)


def _until_instant(times: Iterator[Nominal], last: datetime) -> Iterator[Nominal]:
    for one in times:
        if one[1] > last:
            return
        yield one


def _dates(rule: Recurrence, block: Block) -> list[Iterator[Nominal]]:
    """RDATE, and DTSTART where no RRULE says whether it counts."""
    times = [stamped(rule, stamp) for stamp in block.dates]
    if not block.rules:
        moment = local_time(rule.start_local, rule.timezone)
        times.append((rule.start_local, moment.at, moment.shift))
    return [iter(sorted(times, key=lambda one: one[1]))] if times else []


def stamped(rule: Recurrence, stamp: Stamp) -> Nominal:
    """A date without a time is that day at the hour of DTSTART."""
    local = datetime.combine(stamp.local, rule.start_local.time()) if stamp.is_date else stamp.local
    moment = local_time(local, stamp.timezone or rule.timezone)
    if stamp.timezone in ("", rule.timezone):
        return (local, moment.at, moment.shift)
    return (wall_clock(moment.at, zone(rule.timezone)), moment.at, "")


def _without(
    times: Iterator[Nominal], rule: Recurrence, block: Block, where: ZoneInfo, since: datetime | None
) -> Iterator[Nominal]:
    """EXDATE and EXRULE taken out. An EXDATE that is only a date takes out the whole local day."""
    days = {stamp.local.date() for stamp in block.exception_dates if stamp.is_date}
    instants = {stamped(rule, stamp)[1] for stamp in block.exception_dates if not stamp.is_date}
    if days or instants:
        times = (one for one in times if one[1] not in instants and one[0].date() not in days)
    if not block.exception_rules:
        return times
    exceptions = [_rule_times(rule, block, one, where, since) for one in block.exception_rules]
    return _subtract(times, _merged(exceptions))


def _subtract(times: Iterator[Nominal], exceptions: Iterator[Nominal]) -> Iterator[Nominal]:
    exception = next(exceptions, None)
    for one in times:
        while exception is not None and exception[1] < one[1]:
            exception = next(exceptions, None)
        if exception is None or exception[1] != one[1]:
            yield one


def _merged(streams: list[Iterator[Nominal]]) -> Iterator[Nominal]:
    """Several ordered streams as one, each instant once."""
    if len(streams) == 1:
        return streams[0]
    return _each_instant_once(heapq.merge(*streams, key=lambda one: (one[1], one[2] != "")))


def _each_instant_once(times: Iterable[Nominal]) -> Iterator[Nominal]:
    last: datetime | None = None
    for one in times:
        if one[1] != last:
            yield one
        last = one[1]
