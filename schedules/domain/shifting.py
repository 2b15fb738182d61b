"""The same rule, later or earlier: what becomes of it when a person drags one of its times. Pure.

Cron and RFC 5545 say times of day and days in parts of their own, so a rule is rewritten and the result compared with what was
meant: it fires at the old times plus the shift, or the shift is refused.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from schedules.domain import cron, ical, rrule
from schedules.domain.firing import nominal_times
from schedules.domain.ical import Block, Stamp
from schedules.domain.refusals import RuleRefused, refused
from schedules.domain.rrule import WEEKDAYS, RRule
from schedules.domain.rules import Recurrence, RuleKind

# so many times of the old and the new rule are compared
COMPARED = 60


def shifted(rule: Recurrence, by: timedelta) -> Recurrence:
    """The rule with each of its wall-clock times, its end and its edited occurrences `by` later (earlier where negative).

    A time to which a person moved a single occurrence stays. Raises RuleRefused where the rule cannot be written that way,
    as with the first Monday of a month that should become the day after it.
    """
    if not by:
        return rule
    if rule.kind is RuleKind.ONCE:
        return replace(rule, start_local=_moved(rule.start_local, by), fold=0)
    first = _first(rule)
    days = (_moved(first, by).date() - first.date()).days
    made = replace(
        rule,
        expression=_cron(rule.expression, by, days)
        if rule.kind is RuleKind.CRON
        else _block(rule.expression, by, days),
        start_local=_moved(rule.start_local, by),
        until_local=rule.until_local and _moved(rule.until_local, by),
        edits=tuple(replace(edit, nominal_local=_moved(edit.nominal_local, by)) for edit in rule.edits),
    )
    # a rule of every second week counts from its start: where that is no time of its own, from its first one
    for start in (made.start_local, _moved(first, by)):
        found = replace(made, start_local=start)
        if _agrees(rule, found, by):
            return found
    raise refused("by", "this rule cannot be shifted that far as a whole: move this one time, or edit the rule itself")


def _moved(local: datetime, by: timedelta) -> datetime:
    try:
        return local.replace(fold=0) + by
    except OverflowError:
        raise refused("by", "leads out of the calendar; shift by less") from None


def _first(rule: Recurrence) -> datetime:
    first = next(iter(nominal_times(replace(rule, edits=()))), None)
    if first is None:
        raise refused("by", "the rule has no time that could be shifted")
    return first[0].replace(fold=0)


def _agrees(old: Recurrence, new: Recurrence, by: timedelta) -> bool:
    try:
        before = [_moved(one[0], by) for one in islice(nominal_times(replace(old, edits=())), COMPARED)]
        after = [one[0].replace(fold=0) for one in islice(nominal_times(replace(new, edits=())), COMPARED)]
    except RuleRefused:
        return False
    return before == after


# ---- RFC 5545


def _block(text: str, by: timedelta, days: int) -> str:
    block = ical.parse(text)
    return str(
        Block(
            start=block.start and _stamp(block.start, by),
            rules=tuple(_rule(one, by, days) for one in block.rules),
            exception_rules=tuple(_rule(one, by, days) for one in block.exception_rules),
            dates=tuple(_stamp(one, by) for one in block.dates),
            exception_dates=tuple(_stamp(one, by) for one in block.exception_dates),
        )
    )


def _stamp(stamp: Stamp, by: timedelta) -> Stamp:
    return replace(stamp, local=_moved(stamp.local, timedelta(days=by.days) if stamp.is_date else by))


def _rule(rule: RRule, by: timedelta, days: int) -> RRule:
    values = dict(rule.parts)
    if rule.until is not None:
        until = _moved(rule.until.value, timedelta(days=days) if rule.until.is_date else by)
        values["UNTIL"] = f"{until:%Y%m%d}" if rule.until.is_date else f"{until:%Y%m%dT%H%M%S}{'Z' * rule.until.is_utc}"
    if days and rule.weekdays and not rule.nth_weekdays:
        values["BYDAY"] = ",".join(WEEKDAYS[day] for day in sorted((day + days) % 7 for day in rule.weekdays))
    if days and (numbers := rule.by("BYMONTHDAY")):
        values["BYMONTHDAY"] = ",".join(str(number + days) for number in numbers)
    hours, minutes = rule.by("BYHOUR"), rule.by("BYMINUTE")
    if hours or minutes:
        _put_times(values, hours, minutes, by)
    return rrule.parse(";".join(f"{name}={value}" for name, value in values.items()))


def _put_times(values: dict[str, str], hours: tuple[int, ...], minutes: tuple[int, ...], by: timedelta) -> None:
    """BYHOUR and BYMINUTE, where the shift moves all of them alike; what does not fit is found by the comparison."""
    lasting = by.seconds // 60  # minutes of the day
    if not lasting:
        return
    if minutes:
        moved = [minute + lasting % 60 for minute in minutes]
        if len({one // 60 for one in moved}) == 1:
            values["BYMINUTE"] = ",".join(str(number) for number in sorted(one % 60 for one in moved))
            lasting += 60 * (moved[0] // 60) - lasting % 60 if hours else 0
    if hours:
        step = lasting // 60
        values["BYHOUR"] = ",".join(str(number) for number in sorted((hour + step) % 24 for hour in hours))


# ---- cron


_LIST = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")


def _cron(text: str, by: timedelta, days: int) -> str:
    found = cron.parse(text)
    minute, hour, day, month, weekday = found.fields
    lasting = by.seconds // 60
    if by.seconds % 60:
        raise refused("by", "a cron expression has no seconds: shift by whole minutes")
    if lasting:
        moved = [one + lasting % 60 for one in found.minutes]
        if len({one // 60 for one in moved}) != 1:
            raise refused(
                "by", "the minutes of this cron expression would fall into different hours: edit the rule itself"
            )
        if lasting % 60:
            minute = ",".join(str(number) for number in sorted(one % 60 for one in moved))
        step = lasting // 60 + moved[0] // 60
        if step and hour != "*":
            hour = ",".join(str(number) for number in sorted((one + step) % 24 for one in found.hours))
    if days and _LIST.fullmatch(day):
        day = ",".join(str(number + days) for number in _numbers(day))
    if days and weekday not in ("*", "?"):
        weekday = ",".join(str(number) for number in sorted({(one + days) % 7 for one in found.day_rule.weekdays}))
    return " ".join((minute, hour, day, month, weekday or "*"))


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for piece in text.split(","):
        low, _, high = piece.partition("-")
        found.extend(range(int(low), int(high or low) + 1))
    return found
