"""Cron expressions of five fields, read in full or refused.

The meaning is that of Debian's cron (`crontab(5)`, `cron(8)`), with the additions people know from
elsewhere: names in full, `L`, `LW`, `15W`, `5L`, `fri#2`, `?` for a day field left open, ranges of weekdays
and months that wrap around. Called by `recurrence`; knows nothing of zones: it gives local days and the
times of day due on them.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from schedules.domain.localtime import DayBatch
from schedules.domain.refusals import RuleProblem, RuleRefused, refused
from schedules.domain.speech import gettext as _
from schedules.domain.speech import ngettext

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
# Weekdays and lengths of months repeat after 400 years: what has not fired by then never will.
NEVER_AFTER_YEARS = 400
LONGEST_EXPRESSION = 1_000

SUNDAY_FIRST = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    first_word: int = 0

    def number(self, text: str) -> int | None:
        """The value of a number or a name; None where it is neither."""
        if _is_whole_number(text):
            return int(text)
        text = text.lower()
        for index, word in enumerate(self.words):
            if text in (word, word[:3]):
                return index + self.first_word
        return None


MINUTE = _Field("minute", 0, 59)
HOUR = _Field("hour", 0, 23)
DAY = _Field("day-of-month", 1, 31)
MONTH = _Field("month", 1, 12, tuple(name.lower() for name in calendar.month_name[1:]), 1)
WEEKDAY = _Field("day-of-week", 0, 7, SUNDAY_FIRST)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@dataclass(slots=True)
class _Days:
    """What the two day fields ask for. Weekdays count from Sunday = 0."""

    days: set[int] = field(default_factory=set)
    days_to_last: list[tuple[int, int]] = field(default_factory=list)  # (first, step): `10-L/5`
    last_day: bool = False
    last_workday: bool = False
    nearest_workday: set[int] = field(default_factory=set)
    weekdays: set[int] = field(default_factory=set)
    nth_weekdays: set[tuple[int, int]] = field(default_factory=set)
    last_weekdays: set[int] = field(default_factory=set)
    # Vixie's rule: with a star in front of either day field both must match, else one of them is enough.
    both_must_match: bool = True

    def has_weekday(self, day: int, weekday: int, length: int) -> bool:
        return (
            weekday in self.weekdays
            or (weekday, (day + 6) // 7) in self.nth_weekdays
            or (day + 7 > length and weekday in self.last_weekdays)
        )

    def has_day(self, day: int, weekday: int, length: int) -> bool:
        return (
            day in self.days
            or (self.last_day and day == length)
            or any(day >= first and (day - first) % step == 0 for first, step in self.days_to_last)
            or (1 <= weekday <= 5 and self._is_workday_for(day, weekday, length))
        )

    def _is_workday_for(self, day: int, weekday: int, length: int) -> bool:
        """Is this Monday to Friday the one nearest to a wanted day, within the month?"""
        if self.last_workday and (day == length or (weekday == 5 and day + 2 >= length)):
            return True
        wanted = self.nearest_workday
        if day in wanted:
            return True
        if weekday == 5:
            # Saturday belongs to the Friday before; so does a Sunday that ends the month.
            return (day + 1 in wanted and day + 1 <= length) or (day + 2 in wanted and day + 2 == length)
        if weekday == 1:
            # Sunday belongs to the Monday after; so does a Saturday that begins the month.
            return (day - 1 in wanted and day > 1) or (day == 3 and 1 in wanted)
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Cron:
    """A parsed expression. Made by `parse` only."""

    expression: str
    fields: tuple[str, str, str, str, str]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    day_rule: _Days
    times: tuple[timedelta, ...]
    # `*` in front of the minute or hour: runs all the time, and so follows elapsed time over a change of
    # clocks.
    runs_all_the_time: bool
    _known_months: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict, repr=False)

    def days_of(self, year: int, month: int) -> tuple[int, ...]:
        """The days of that month on which something is due, whatever `months` says."""
        first_weekday, length = calendar.monthrange(year, month)
        known = self._known_months.get((first_weekday, length))
        if known is None:
            known = tuple(day for day in range(1, length + 1) if self._is_due(day, first_weekday + day, length))
            self._known_months[first_weekday, length] = known
        return known

    def _is_due(self, day: int, weekday: int, length: int) -> bool:
        by_day = self.day_rule.has_day(day, weekday % 7, length)
        by_weekday = self.day_rule.has_weekday(day, weekday % 7, length)
        return (by_day and by_weekday) if self.day_rule.both_must_match else (by_day or by_weekday)

    def batches(self, first: datetime) -> Iterator[DayBatch]:
        """Due days in order from the day of `first` (naive) on, each with all its times."""
        quiet_since = first.year
        for year in range(first.year, date.max.year + 1):
            if year - quiet_since > NEVER_AFTER_YEARS:
                return
            for month in range(first.month if year == first.year else 1, 13):
                if month not in self.months:
                    continue
                for day in self.days_of(year, month):
                    if day < first.day and year == first.year and month == first.month:
                        continue
                    quiet_since = year
                    yield datetime(year, month, day), self.times  # noqa: DTZ001 - wall clock, naive on purpose


@lru_cache(maxsize=1024)
def parse(expression: str) -> Cron:
    """Reads five fields or an @ name; raises RuleRefused that names each field it cannot read in full."""
    text = _spelled_out(expression)
    parts = text.split()
    if len(parts) != 5:
        raise _wrong_number_of_fields(len(parts))
    readers = (_numbers, _numbers, _read_days, _numbers, _read_weekdays)
    days = _Days(both_must_match=parts[2][0] in "*?" or parts[4][0] in "*?")
    found: list[set[int]] = []
    problems: list[RuleProblem] = []
    for one, part, reader in zip(FIELDS, parts, readers, strict=True):
        try:
            found.append(reader(one, part, days))
        except RuleRefused as refusal:
            problems.extend(refusal.problems)
    if problems:
        raise RuleRefused(*problems)
    minutes, hours, _days, months, _weekdays = (tuple(sorted(values)) for values in found)
    _refuse_days_no_month_has(days, months)
    return Cron(
        expression=expression,
        fields=(parts[0], parts[1], parts[2], parts[3], parts[4]),
        minutes=minutes,
        hours=hours,
        months=frozenset(months),
        day_rule=days,
        times=tuple(timedelta(hours=hour, minutes=minute) for hour in hours for minute in minutes),
        runs_all_the_time=parts[0].startswith("*") or parts[1].startswith("*"),
    )


def _spelled_out(expression: str) -> str:
    text = expression.strip()
    if not text:
        raise refused("expression", _("is empty; write five fields such as '0 9 * * 1-5' (at 09:00 on weekdays)"))
    if len(text) > LONGEST_EXPRESSION:
        raise refused(
            "expression",
            _("is longer than %(most)s characters") % {"most": LONGEST_EXPRESSION},
        )
    if not text.startswith("@"):
        return text
    text = text.lower()
    if text == "@reboot":
        raise refused("expression", _("'@reboot' names no time; a schedule needs one, such as '@daily' or '0 9 * * *'"))
    if text not in ALIASES:
        raise refused(
            "expression",
            _("%(shown)s is not known; known are %(aliases)s") % {"shown": _shown(text), "aliases": ", ".join(ALIASES)},
        )
    return ALIASES[text]


def _wrong_number_of_fields(count: int) -> RuleRefused:
    wanted = "write five: minute hour day-of-month month day-of-week, such as '0 9 * * 1-5'"
    if count in (6, 7):
        wanted += "; a field for seconds or the year is not supported"
    words = ngettext("has %(n)s field; %(wanted)s", "has %(n)s fields; %(wanted)s", count)
    return refused("expression", words % {"n": count, "wanted": wanted})


def _numbers(one: _Field, part: str, _: _Days) -> set[int]:
    """A field without specials: lists, ranges, steps, names."""
    return {value for term in part.split(",") for value in _term(one, term)}


def _read_days(one: _Field, part: str, days: _Days) -> set[int]:
    if part == "?":
        part = "*"
    for term in part.split(","):
        to_last = re.fullmatch(r"([0-9]{1,2})-l(?:/([0-9]{1,4}))?", term.lower())
        nearest = re.fullmatch(r"([0-9]{1,2})w", term.lower())
        if term.lower() == "l":
            days.last_day = True
        elif term.lower() == "lw":
            days.last_workday = True
        elif nearest:
            days.nearest_workday.add(_in_range(one, nearest[1], term))
        elif to_last:
            step = _step(one, to_last[2], term) if to_last[2] else 1
            days.days_to_last.append((_in_range(one, to_last[1], term), step))
        else:
            days.days.update(_term(one, term))
    return days.days


def _read_weekdays(one: _Field, part: str, days: _Days) -> set[int]:
    if part == "?":
        part = "*"
    for term in part.split(","):
        name, hash_sign, nth = term.partition("#")
        if hash_sign:
            weekday = _in_range(one, name, term) % 7
            if nth not in ("1", "2", "3", "4", "5"):
                raise refused(one.name, _("%(shown)s: the number after # must be 1 to 5") % {"shown": _shown(term)})
            days.nth_weekdays.add((weekday, int(nth)))
        elif term.lower() == "l":
            raise refused(one.name, _("'L' needs a weekday in front: '5L' or 'friL' is the last Friday of the month"))
        elif term[-1:] in ("l", "L") and one.number(term[:-1]) is not None:
            days.last_weekdays.add(_in_range(one, term[:-1], term) % 7)
        else:
            days.weekdays.update(value % 7 for value in _term(one, term))
    return days.weekdays


def _term(one: _Field, term: str) -> list[int]:
    """`*`, `5`, `1-5`, each with `/step` or without; `5/15` runs from 5 to the end of the field."""
    span, slash, step_text = term.partition("/")
    step = _step(one, step_text, term) if slash else 1
    if span == "*":
        return list(range(one.low, one.high + 1, step))
    start_text, dash, end_text = span.partition("-")
    start = _in_range(one, start_text, term)
    if not dash:
        return list(range(start, one.high + 1, step)) if slash else [start]
    end = _in_range(one, end_text, term)
    if start <= end:
        return list(range(start, end + 1, step))
    if one is WEEKDAY:
        return [value % 7 for value in range(start % 7, end + (0 if start == 7 else 7) + 1, step)]
    if one is MONTH:
        return [(value - 1) % 12 + 1 for value in range(start, end + 13, step)]
    raise refused(
        one.name,
        _("%(shown)s: the range runs backwards; write %(end)s-%(start)s, or two ranges with a comma")
        % {"shown": _shown(term), "end": end, "start": start},
    )


def _step(one: _Field, text: str, term: str) -> int:
    if not _is_whole_number(text) or int(text) == 0:
        raise refused(
            one.name,
            _("%(shown)s: after / stands how many to step by, a whole number from 1") % {"shown": _shown(term)},
        )
    return int(text)


def _in_range(one: _Field, text: str, term: str) -> int:
    value = one.number(text)
    shown = _shown(term) if text == term else f"{_shown(term)}: {_shown(text)}"
    if value is None:
        known = f", a name such as '{one.words[1][:3]}'" if one.words else ""
        raise refused(
            one.name,
            _("%(shown)s cannot be read; write numbers from %(low)s to %(high)s%(known)s or *")
            % {"shown": shown, "low": one.low, "high": one.high, "known": known},
        )
    if not one.low <= value <= one.high:
        raise refused(
            one.name,
            _("%(shown)s is out of range; %(low)s to %(high)s is possible")
            % {"shown": shown, "low": one.low, "high": one.high},
        )
    return value


def _refuse_days_no_month_has(days: _Days, months: tuple[int, ...]) -> None:
    """`0 9 31 4 *` would never fire: a slip of the pen, better said at once (cronsim does so too)."""
    if not days.both_must_match or days.last_day or days.last_workday:
        return
    wanted = days.days | days.nearest_workday | {first for first, _ in days.days_to_last}
    longest = max(calendar.monthrange(2024, month)[1] for month in months)
    if min(wanted) > longest:
        raise refused(
            DAY.name,
            _("no month named here has a day %(min)s; 'L' is the last day of each month") % {"min": min(wanted)},
        )


def _is_whole_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
