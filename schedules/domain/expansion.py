"""What one RRULE of RFC 5545 gives on the wall clock: days and times, in order.

Written as sets per period (a year, a month, a week, a day), not as a filter over every second. Where the RFC
leaves room, the choices are these:

* DTSTART counts only if the rule gives it (the RFC calls the other case undefined).
* What the rule does not say is taken from DTSTART: `FREQ=YEARLY;BYWEEKNO=20` is DTSTART's weekday in week 20.
* BYMONTHDAY, BYYEARDAY and BYWEEKNO limit where the RFC's table calls them not applicable.
* `BYDAY=3MO,WE` is the third Monday and every Wednesday.

Called by `firing`; knows nothing of zones.
"""

import calendar
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from math import gcd

from schedules.domain.localtime import DayBatch
from schedules.domain.rrule import PERIODS_A_DAY, RRule

# The calendar repeats itself after 400 years: a rule silent for so long is silent for ever.
PERIODS_OF_SILENCE = {"YEARLY": 400, "MONTHLY": 400 * 12, "WEEKLY": 400 * 53, "DAILY": 400 * 366}


def expand(rule: RRule, start: datetime, *, all_day: bool = False, since: datetime | None = None) -> Iterator[DayBatch]:
    """What the rule gives from `start` (DTSTART, naive) on, day by day; COUNT and UNTIL are the caller's.

    With `since` (naive) the days before it may be left out; the phase of INTERVAL is kept. Ends when
    nothing more can come. `all_day` says that DTSTART is a DATE: then times of day mean nothing (RFC 5545
    3.3.10), and a DTSTART that fits all but BYSETPOS is itself the first instance, as calendars read it.
    """
    expander = _Expander(rule, start, all_day)
    since = max(start, since) if since else start
    return _not_before(expander.batches(since), start)


def _not_before(batches: Iterator[DayBatch], start: datetime) -> Iterator[DayBatch]:
    first_day = datetime.combine(start, time())
    for midnight, offsets in batches:
        if midnight > first_day:
            yield midnight, offsets
            break
        if midnight == first_day:
            yield midnight, [offset for offset in offsets if midnight + offset >= start]
    yield from batches


class _Expander:
    """The sets of one rule, ready to be asked period by period."""

    def __init__(self, rule: RRule, start: datetime, all_day: bool) -> None:
        self.rule = rule
        self.start = start
        self.all_day = all_day
        self.months = rule.by("BYMONTH")
        self.month_days = rule.by("BYMONTHDAY")
        self.year_days = frozenset(rule.by("BYYEARDAY"))
        self.weeks = frozenset(rule.by("BYWEEKNO"))
        self.weekdays = rule.weekdays
        self.positions = rule.by("BYSETPOS")
        self._fill_in_from_start()
        # RFC 5545: an ordinal counts within the month, in a yearly rule without BYMONTH within the year.
        self.nth_in_year = rule.freq == "YEARLY" and not rule.by("BYMONTH")
        self.filters = self._day_filters()
        self.times = self._times_of_day()

    def _fill_in_from_start(self) -> None:
        """What the rule leaves open, DTSTART says (3.3.10: "information not contained in the rule")."""
        rule, start = self.rule, self.start
        if rule.has_weekdays or self.month_days or self.year_days:
            return
        if self.weeks:
            if rule.freq == "YEARLY":
                self.weekdays = frozenset({start.weekday()})
        elif rule.freq == "WEEKLY":
            self.weekdays = frozenset({start.weekday()})
        elif rule.freq in ("YEARLY", "MONTHLY"):
            self.month_days = (start.day,)
            if rule.freq == "YEARLY" and not self.months:
                self.months = (start.month,)

    def _day_filters(self) -> list[Callable[[date], bool]]:
        filters: list[Callable[[date], bool]] = []
        if self.months:
            wanted = frozenset(self.months)
            filters.append(lambda day: day.month in wanted)
        if self.month_days:
            filters.append(self._has_month_day)
        if self.weekdays or self.rule.nth_weekdays:
            filters.append(self._has_weekday)
        if self.year_days:
            filters.append(self._has_year_day)
        if self.weeks:
            filters.append(self._has_week)
        return filters

    def _has_month_day(self, day: date) -> bool:
        if day.day in self.month_days:
            return True
        return self.month_days[0] < 0 and day.day - _length_of_month(day) - 1 in self.month_days

    def _has_weekday(self, day: date) -> bool:
        weekday = day.weekday()
        if weekday in self.weekdays:
            return True
        if not self.rule.nth_weekdays:
            return False
        if self.nth_in_year:
            index, length = day.timetuple().tm_yday, _length_of_year(day.year)
        else:
            index, length = day.day, _length_of_month(day)
        wanted = self.rule.nth_weekdays
        return (weekday, (index + 6) // 7) in wanted or (weekday, -((length - index) // 7 + 1)) in wanted

    def _has_year_day(self, day: date) -> bool:
        index = day.timetuple().tm_yday
        return index in self.year_days or index - _length_of_year(day.year) - 1 in self.year_days

    def _has_week(self, day: date) -> bool:
        number, weeks = _week_of(day, self.rule.week_start)
        return number in self.weeks or number - weeks - 1 in self.weeks

    def fits(self, day: date) -> bool:
        return all(one(day) for one in self.filters)

    def _times_of_day(self) -> list[timedelta]:
        """The times a matching day has, for rules that step by days or more."""
        if self.all_day:
            return [timedelta(0)]
        hours, minutes, seconds = self._clock("BYHOUR"), self._clock("BYMINUTE"), self._clock("BYSECOND")
        return [timedelta(hours=h, minutes=m, seconds=s) for h in hours for m in minutes for s in seconds]

    def _clock(self, part: str) -> tuple[int, ...]:
        if given := self.rule.by(part):
            return given
        return ({"BYHOUR": self.start.hour, "BYMINUTE": self.start.minute, "BYSECOND": self.start.second}[part],)

    def batches(self, since: datetime) -> Iterator[DayBatch]:
        if self.rule.freq in PERIODS_A_DAY:
            return self._within_days(since.date())
        periods = {"YEARLY": self._years, "MONTHLY": self._months, "WEEKLY": self._weeks, "DAILY": self._days}
        chosen = periods[self.rule.freq](since.date())
        return self._by_position(chosen) if self.positions else self._all_of(chosen)

    def _all_of(self, periods: Iterator[list[date]]) -> Iterator[DayBatch]:
        for days in periods:
            for day in days:
                yield datetime(day.year, day.month, day.day), self.times  # noqa: DTZ001 - wall clock

    def _by_position(self, periods: Iterator[list[date]]) -> Iterator[DayBatch]:
        """BYSETPOS: counted over all times of the period, those before DTSTART included."""
        per_day, silent = len(self.times), 0
        for days in periods:
            indexes = set(_positions(self.positions, len(days) * per_day))
            if self.all_day and self.start.date() in days:
                indexes.add(days.index(self.start.date()))
            silent = 0 if indexes else silent + 1
            if silent > PERIODS_OF_SILENCE[self.rule.freq]:
                return
            for day_index, group in groupby(sorted(indexes), lambda index: index // per_day):
                day = days[day_index]
                midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall clock
                yield midnight, [self.times[index % per_day] for index in group]

    def _years(self, since: date) -> Iterator[list[date]]:
        interval, silent = self.rule.interval, 0
        year = since.year + (self.start.year - since.year) % interval
        while year <= date.max.year and silent <= PERIODS_OF_SILENCE["YEARLY"]:
            days = [day for month in self.months or range(1, 13) for day in self._days_of_month(year, month)]
            silent = 0 if days else silent + 1
            yield days
            year += interval

    def _months(self, since: date) -> Iterator[list[date]]:
        interval, silent = self.rule.interval, 0
        first = self.start.year * 12 + self.start.month - 1
        index = since.year * 12 + since.month - 1
        index += (first - index) % interval
        while index // 12 <= date.max.year and silent <= PERIODS_OF_SILENCE["MONTHLY"]:
            year, month = index // 12, index % 12 + 1
            wanted = not self.months or month in self.months
            days = self._days_of_month(year, month) if wanted else []
            silent = 0 if days else silent + 1
            yield days
            index += interval

    def _days_of_month(self, year: int, month: int) -> list[date]:
        length = calendar.monthrange(year, month)[1]
        numbers: Sequence[int] = range(1, length + 1)
        if self.month_days:
            numbers = sorted({day if day > 0 else length + 1 + day for day in self.month_days})
        days = [date(year, month, day) for day in numbers if 1 <= day <= length]
        return [day for day in days if self.fits(day)]

    def _weeks(self, since: date) -> Iterator[list[date]]:
        step, silent = 7 * self.rule.interval, 0
        first = self._week_start_of(self.start.date())
        monday = self._week_start_of(since)
        monday += (first - monday) % step
        while monday + 6 <= date.max.toordinal() and silent <= PERIODS_OF_SILENCE["WEEKLY"]:
            days = [day for day in (date.fromordinal(monday + index) for index in range(7)) if self.fits(day)]
            silent = 0 if days else silent + 1
            yield days
            monday += step

    def _week_start_of(self, day: date) -> int:
        return day.toordinal() - (day.weekday() - self.rule.week_start) % 7

    def _days(self, since: date) -> Iterator[list[date]]:
        interval, silent = self.rule.interval, 0
        ordinal = since.toordinal()
        ordinal += (self.start.toordinal() - ordinal) % interval
        while ordinal <= date.max.toordinal() and silent <= PERIODS_OF_SILENCE["DAILY"]:
            day = date.fromordinal(ordinal)
            fits = self.fits(day)
            silent = 0 if fits else silent + 1
            if fits:
                yield [day]
            ordinal += interval

    def _within_days(self, since: date) -> Iterator[DayBatch]:
        """HOURLY, MINUTELY, SECONDLY: day by day, whole days at a time where INTERVAL is longer."""
        per_day, interval = PERIODS_A_DAY[self.rule.freq], self.rule.interval
        seconds = 86_400 // per_day
        first = self.start.toordinal() * per_day + _second_of(self.start) // seconds
        periods = _DayPeriods(self, per_day)
        if not periods.can_ever_start_from(first):
            return
        ordinal, last_hit = since.toordinal(), since.toordinal()
        while ordinal <= date.max.toordinal() and ordinal - last_hit <= PERIODS_OF_SILENCE["DAILY"]:
            offset = (first - ordinal * per_day) % interval
            if offset >= per_day:
                ordinal += offset // per_day
                continue
            day = date.fromordinal(ordinal)
            if self.fits(day):
                times = periods.times_from(offset)
                if times:
                    last_hit = ordinal
                    yield datetime(day.year, day.month, day.day), times  # noqa: DTZ001 - wall clock
            ordinal += 1


class _DayPeriods:
    """The hours, minutes or seconds of a day that a sub-daily rule allows, and what each expands to."""

    def __init__(self, expander: _Expander, per_day: int) -> None:
        rule = expander.rule
        self.per_day, self.interval, self.length = per_day, rule.interval, 86_400 // per_day
        hours = rule.by("BYHOUR") or range(24)
        minutes = rule.by("BYMINUTE") or range(60)
        seconds = rule.by("BYSECOND") or range(60)
        match rule.freq:
            case "HOURLY":
                self.allowed: Sequence[int] = list(hours)
                inner = [m * 60 + s for m in expander._clock("BYMINUTE") for s in expander._clock("BYSECOND")]
            case "MINUTELY":
                self.allowed = [h * 60 + m for h in hours for m in minutes]
                inner = list(expander._clock("BYSECOND"))
            case _:
                self.allowed = [h * 3_600 + m * 60 + s for h in hours for m in minutes for s in seconds]
                inner = [0]
        if expander.positions:
            inner = [inner[index] for index in _positions(expander.positions, len(inner))]
        self.inner = inner
        self.allowed_set = frozenset(self.allowed)
        self._known: dict[int, list[timedelta]] = {}

    def can_ever_start_from(self, first: int) -> bool:
        """INTERVAL reaches only those periods of a day that agree with the first modulo the gcd."""
        common = gcd(self.interval, self.per_day)
        return bool(self.inner) and any((period - first) % common == 0 for period in self.allowed)

    def times_from(self, offset: int) -> list[timedelta]:
        """The times of a day whose first period is `offset`; kept where INTERVAL divides the day."""
        known = self._known.get(offset)
        if known is None:
            known = [
                timedelta(seconds=period * self.length + one)
                for period in self._periods_from(offset)
                for one in self.inner
            ]
            if self.per_day % self.interval == 0:
                self._known[offset] = known
        return known

    def _periods_from(self, offset: int) -> list[int]:
        reached = range(offset, self.per_day, self.interval)
        if len(reached) < len(self.allowed):
            return [period for period in reached if period in self.allowed_set]
        return [period for period in self.allowed if (period - offset) % self.interval == 0]


def _positions(positions: Sequence[int], length: int) -> list[int]:
    """Indexes of BYSETPOS in a set of that length, in order."""
    indexes = {position - 1 if position > 0 else length + position for position in positions}
    return sorted(index for index in indexes if 0 <= index < length)


def _second_of(moment: datetime) -> int:
    return moment.hour * 3_600 + moment.minute * 60 + moment.second


def _length_of_month(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _length_of_year(year: int) -> int:
    return 366 if calendar.isleap(year) else 365


def _week_of(day: date, week_start: int) -> tuple[int, int]:
    """The number of a day's week and how many its year has; a week belongs to the year of its fourth day."""
    fourth = min(day.toordinal() - (day.weekday() - week_start) % 7 + 3, date.max.toordinal())
    pivot = date.fromordinal(fourth)
    index = pivot.timetuple().tm_yday
    number = (index + 6) // 7
    return number, number + (_length_of_year(pivot.year) - index) // 7
