"""Rules in plain English, for lists, confirmations and calendars. Reached through `recurrence`.

Words are used only where they say exactly what the rule does; otherwise the expression itself is shown.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from schedules.domain import cron, ical
from schedules.domain.cron import Cron
from schedules.domain.rrule import RRule
from schedules.domain.rules import Recurrence, RuleKind

# Monday first, as in datetime.weekday().
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WORKDAYS = {0, 1, 2, 3, 4}
ORDINAL_WORDS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last", -2: "second last"}
MOST_LISTED = 6


class _NoWords(Exception):
    """There is no short and true way to say it."""


def describe(rule: Recurrence) -> str:
    """Such as "Every weekday at 09:00, Europe/Berlin, until 31 December 2026"."""
    ending = "" if rule.limit is None else f", {_times(rule.limit)}"
    if rule.until_local is not None:
        ending += f", until {_date(rule.until_local)} {rule.until_local:%H:%M}"
    try:
        words = _words(rule)
    except _NoWords:
        words = "; ".join(rule.expression.split("\n"))
    left_out = sum(edit.moved_to_local is None for edit in rule.edits)
    moved = len(rule.edits) - left_out
    if left_out:
        ending += f", {left_out} skipped"
    if moved:
        ending += f", {moved} moved"
    return f"{words}, {rule.timezone}{ending}"


def _words(rule: Recurrence) -> str:
    match rule.kind:
        case RuleKind.ONCE:
            return f"Once on {_date(rule.start_local)} at {rule.start_local:%H:%M}"
        case RuleKind.CRON:
            return _cron(cron.parse(rule.expression))
        case RuleKind.RRULE:
            block = ical.parse(rule.expression)
            if len(block.rules) != 1 or block.exception_rules:
                raise _NoWords
            added, left_out = len(block.dates), len(block.exception_dates)
            words = _rrule(block.rules[0], rule.start_local)
            words += f", {added} more date{'s' if added > 1 else ''}" if added else ""
            return words + (f", {left_out} left out" if left_out else "")


def _cron(one: Cron) -> str:
    days = _cron_days(one)
    clock = _clock_set(one.times) or _steps(one.minutes, one.hours)
    if clock.startswith("at"):
        return f"{days or 'Every day'} {clock}"
    on = {"Every weekday": "on weekdays", "": ""}.get(
        days, days.replace("Every ", "every ", 1).replace("On ", "on ", 1)
    )
    return f"{clock[0].upper()}{clock[1:]} {on}".rstrip()


def _steps(minutes: Sequence[int], hours: Sequence[int]) -> str:
    """`every 15 minutes from 09:00 to 17:45`: even steps through consecutive hours, or hours in steps."""
    first, last = f"{hours[0]:02}:{minutes[0]:02}", f"{hours[-1]:02}:{minutes[-1]:02}"
    whole_day = len(hours) == 24
    if len(minutes) == 1:
        step = _even_step(hours)
        every = "every hour" if step == 1 else f"every {step} hours"
        if whole_day and minutes[0]:
            return f"every hour at minute {minutes[0]}"
        return (
            every if hours[0] == 0 and hours[-1] + step == 24 and not minutes[0] else f"{every} from {first} to {last}"
        )
    step = _even_step(minutes)
    if minutes[0] + 60 != minutes[-1] + step or _even_step(hours) != 1:
        raise _NoWords
    every = "every minute" if step == 1 else f"every {step} minutes"
    return every if whole_day and not minutes[0] else f"{every} from {first} to {last}"


def _even_step(numbers: Sequence[int]) -> int:
    steps = {later - earlier for earlier, later in pairwise(numbers)} or {1}
    if len(steps) > 1:
        raise _NoWords
    return steps.pop()


def _cron_days(one: Cron) -> str:
    """ "" for every day."""
    rule, (_, _, day_field, _, weekday_field) = one.day_rule, one.fields
    any_day, any_weekday = day_field in ("*", "?"), weekday_field in ("*", "?")
    months = [] if len(one.months) == 12 else sorted(one.months)
    if any_day and any_weekday:
        return f"Every day in {_months(months)}" if months else ""
    if not any_day and not any_weekday and rule.both_must_match:
        raise _NoWords
    by_day = "" if any_day else _monthly_days(one)
    weekdays = {(day - 1) % 7 for day in rule.weekdays}
    by_nth = [f"{ORDINAL_WORDS[nth]} {WEEKDAY_NAMES[(day - 1) % 7]}" for day, nth in sorted(rule.nth_weekdays)]
    by_nth += [f"last {WEEKDAY_NAMES[(day - 1) % 7]}" for day in sorted(rule.last_weekdays)]
    if any_weekday:
        weekdays, by_nth = set(), []
    of_month = f"of {_months(months)}" if months else "of each month"
    of_days = _joined([f"the {text}" for text in [*([by_day] if by_day else []), *by_nth]])
    if not of_days:
        every = _every_weekday(weekdays)
        return f"{every} in {_months(months)}" if months else every
    if not weekdays:
        return f"On {of_days} {of_month}"
    if months:
        raise _NoWords
    return f"On {of_days} {of_month} and {_every_weekday(weekdays).replace('Every', 'every', 1)}"


def _monthly_days(one: Cron) -> str:
    rule = one.day_rule
    if rule.days_to_last or len(rule.days) > MOST_LISTED:
        raise _NoWords
    said = [_ordinal(day) for day in sorted(rule.days)]
    said += ["last day"] if rule.last_day else []
    said += ["last weekday"] if rule.last_workday else []
    said += [f"weekday nearest the {_ordinal(day)}" for day in sorted(rule.nearest_workday)]
    return _joined(said)


def _rrule(one: RRule, start: datetime) -> str:
    used = {name for name, _ in one.parts} - {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
    ending = f", {_times(one.count)}" if one.count else ""
    if one.until:
        ending += f", until {_date(one.until.value)}"
    if one.freq in ("HOURLY", "MINUTELY", "SECONDLY"):
        if used:
            raise _NoWords
        unit = {"HOURLY": "hour", "MINUTELY": "minute", "SECONDLY": "second"}[one.freq]
        return f"{_every(one.interval, unit)} from {_date(start)} {start:%H:%M} on{ending}"
    clock = _clock_set(_rrule_clock(one, start))
    used -= {"BYHOUR", "BYMINUTE"}
    if not clock or start.second:
        raise _NoWords
    days = {"DAILY": _daily, "WEEKLY": _weekly, "MONTHLY": _monthly, "YEARLY": _yearly}[one.freq]
    return f"{days(one, start, used)} {clock}{ending}"


def _rrule_clock(one: RRule, start: datetime) -> list[timedelta]:
    hours, minutes = one.by("BYHOUR") or (start.hour,), one.by("BYMINUTE") or (start.minute,)
    return [timedelta(hours=hour, minutes=minute) for hour in hours for minute in minutes]


def _daily(one: RRule, _: datetime, used: set[str]) -> str:
    if used == {"BYDAY"} and one.interval == 1:
        return _every_weekday(set(one.weekdays))
    if used == {"BYMONTH"} and one.interval == 1:
        return f"Every day in {_months(one.by('BYMONTH'))}"
    if used:
        raise _NoWords
    return _every(one.interval, "day")


def _weekly(one: RRule, start: datetime, used: set[str]) -> str:
    if used - {"BYDAY"}:
        raise _NoWords
    weekdays = set(one.weekdays) or {start.weekday()}
    if one.interval == 1:
        return _every_weekday(weekdays)
    return f"Every {one.interval} weeks on {_joined([WEEKDAY_NAMES[day] for day in sorted(weekdays)])}"


def _monthly(one: RRule, start: datetime, used: set[str]) -> str:
    said = _days_within(one, start, used)
    if one.interval == 1:
        return f"On {said} of each month"
    return f"Every {one.interval} months on {said}"


def _yearly(one: RRule, start: datetime, used: set[str]) -> str:
    every = _every(one.interval, "year")
    if not used:
        return f"{every} on {start.day} {MONTH_NAMES[start.month - 1]}"
    if "BYMONTH" not in used:
        raise _NoWords
    return f"{every} on {_days_within(one, start, used - {'BYMONTH'})} of {_months(one.by('BYMONTH'))}"


def _days_within(one: RRule, start: datetime, used: set[str]) -> str:
    """The days of a month: `the 1st and 15th`, `the second Tuesday`, `the last weekday`."""
    if not used:
        return f"the {_ordinal(start.day)}"
    positions = one.by("BYSETPOS")
    if used == {"BYDAY", "BYSETPOS"} and one.weekdays == WORKDAYS and not one.nth_weekdays and len(positions) == 1:
        return f"the {_nth(positions[0])} weekday"
    if used == {"BYDAY"} and not one.weekdays:
        return _joined([f"the {_nth(nth)} {WEEKDAY_NAMES[day]}" for day, nth in sorted(one.nth_weekdays)])
    days = one.by("BYMONTHDAY")
    if used == {"BYMONTHDAY"} and len(days) <= MOST_LISTED and all(day >= -1 for day in days):
        said = [_ordinal(day) for day in days if day > 0]
        return f"the {_joined([*said, *(['last day'] if -1 in days else [])])}"
    raise _NoWords


def _nth(number: int) -> str:
    if number not in ORDINAL_WORDS:
        raise _NoWords
    return ORDINAL_WORDS[number]


def _clock_set(times: Sequence[timedelta]) -> str:
    """`at 09:00 and 17:30`; "" where there are too many to list."""
    if len(times) > MOST_LISTED // 2 + 1:
        return ""
    return "at " + _joined([f"{time.seconds // 3600:02}:{time.seconds % 3600 // 60:02}" for time in times])


def _every(interval: int, unit: str) -> str:
    return f"Every {unit}" if interval == 1 else f"Every {interval} {unit}s"


def _every_weekday(weekdays: set[int]) -> str:
    if weekdays == WORKDAYS:
        return "Every weekday"
    if len(weekdays) == 7:
        return "Every day"
    return f"Every {_joined([WEEKDAY_NAMES[day] for day in sorted(weekdays)])}"


def _months(months: Sequence[int]) -> str:
    return _joined([MONTH_NAMES[month - 1] for month in months])


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _date(moment: datetime) -> str:
    return f"{moment.day} {MONTH_NAMES[moment.month - 1]} {moment.year}"


def _ordinal(number: int) -> str:
    ending = "th" if 11 <= number <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _joined(texts: Sequence[str]) -> str:
    *before, last = texts or [""]
    return f"{', '.join(before)} and {last}" if before else last
