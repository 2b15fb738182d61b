"""Rules in plain words, for lists, confirmations and calendars. Reached through `recurrence`.

Words are used only where they say exactly what the rule does; otherwise the expression itself is shown. Every phrase is one
message with named places, so that a language may put them in its own order.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from schedules.domain import cron, ical
from schedules.domain.cron import Cron
from schedules.domain.rrule import RRule
from schedules.domain.rules import Recurrence, RuleKind
from schedules.domain.speech import gettext as _
from schedules.domain.speech import gettext_noop, ngettext, pgettext

# Monday first, as in datetime.weekday(). Django's own catalogues have the names of days and months.
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WORKDAYS = {0, 1, 2, 3, 4}
ORDINAL_WORDS = {
    1: gettext_noop("first"),
    2: gettext_noop("second"),
    3: gettext_noop("third"),
    4: gettext_noop("fourth"),
    5: gettext_noop("fifth"),
    -1: gettext_noop("last"),
    -2: gettext_noop("second last"),
}
EVERY_ONE = {
    "second": gettext_noop("Every second"),
    "minute": gettext_noop("Every minute"),
    "hour": gettext_noop("Every hour"),
    "day": gettext_noop("Every day"),
    "year": gettext_noop("Every year"),
}
MOST_LISTED = 6


class _NoWords(Exception):
    """There is no short and true way to say it."""


def describe(rule: Recurrence) -> str:
    """Such as "Every weekday at 09:00, Europe/Berlin, until 31 December 2026"."""
    try:
        words = _words(rule)
    except _NoWords:
        words = ["; ".join(rule.expression.split("\n"))]
    words.append(rule.timezone)
    if rule.limit is not None:
        words.append(_times(rule.limit))
    if rule.until_local is not None:
        until = {"date": _date(rule.until_local), "time": f"{rule.until_local:%H:%M}"}
        words.append(_("until %(date)s %(time)s") % until)
    left_out = sum(edit.moved_to_local is None for edit in rule.edits)
    moved = len(rule.edits) - left_out
    if left_out:
        words.append(ngettext("%(n)s skipped", "%(n)s skipped", left_out) % {"n": left_out})
    if moved:
        words.append(ngettext("%(n)s moved", "%(n)s moved", moved) % {"n": moved})
    return _comma().join(words)


def _comma() -> str:
    return pgettext("between the parts of a list", ", ")


def _words(rule: Recurrence) -> list[str]:
    """The rule in parts, to be joined by commas."""
    match rule.kind:
        case RuleKind.ONCE:
            when = {"date": _date(rule.start_local), "time": f"{rule.start_local:%H:%M}"}
            return [_("Once on %(date)s at %(time)s") % when]
        case RuleKind.CRON:
            return [_cron(cron.parse(rule.expression))]
        case RuleKind.RRULE:
            block = ical.parse(rule.expression)
            if len(block.rules) != 1 or block.exception_rules:
                raise _NoWords
            added, left_out = len(block.dates), len(block.exception_dates)
            words = _rrule(block.rules[0], rule.start_local)
            if added:
                words.append(ngettext("%(n)s more date", "%(n)s more dates", added) % {"n": added})
            if left_out:
                words.append(ngettext("%(n)s left out", "%(n)s left out", left_out) % {"n": left_out})
            return words


def _cron(one: Cron) -> str:
    days = _cron_days(one)
    clock = _clock_set(one.times)
    if clock:
        return _on_at(days or _("Every day"), clock)
    steps = _steps(one.minutes, one.hours)
    if not days:
        return steps
    on = _("on weekdays") if days == _("Every weekday") else _within(days)
    return _("%(steps)s %(days)s") % {"steps": steps, "days": on}


def _on_at(days: str, clock: str) -> str:
    """`Every weekday`, `09:00 and 17:30`."""
    return _("%(days)s at %(times)s") % {"days": days, "times": clock}


def _within(words: str) -> str:
    """A phrase inside another begins small."""
    return words[:1].lower() + words[1:]


def _steps(minutes: Sequence[int], hours: Sequence[int]) -> str:
    """`Every 15 minutes from 09:00 to 17:45`: even steps through consecutive hours, or hours in steps."""
    first, last = f"{hours[0]:02}:{minutes[0]:02}", f"{hours[-1]:02}:{minutes[-1]:02}"
    whole_day = len(hours) == 24
    if len(minutes) == 1:
        step = _even_step(hours)
        if whole_day and minutes[0]:
            return _("Every hour at minute %(minute)s") % {"minute": minutes[0]}
        every = _every(step, "hour")
        return every if hours[0] == 0 and hours[-1] + step == 24 and not minutes[0] else _from_to(every, first, last)
    step = _even_step(minutes)
    if minutes[0] + 60 != minutes[-1] + step or _even_step(hours) != 1:
        raise _NoWords
    every = _every(step, "minute")
    return every if whole_day and not minutes[0] else _from_to(every, first, last)


def _from_to(every: str, first: str, last: str) -> str:
    return _("%(every)s from %(first)s to %(last)s") % {"every": every, "first": first, "last": last}


def _even_step(numbers: Sequence[int]) -> int:
    steps = {later - earlier for earlier, later in pairwise(numbers)} or {1}
    if len(steps) > 1:
        raise _NoWords
    return steps.pop()


def _cron_days(one: Cron) -> str:
    """ "" for every day."""
    rule, (_minute, _hour, day_field, _month, weekday_field) = one.day_rule, one.fields
    any_day, any_weekday = day_field in ("*", "?"), weekday_field in ("*", "?")
    months = [] if len(one.months) == 12 else sorted(one.months)
    if any_day and any_weekday:
        return _("Every day in %(months)s") % {"months": _months(months)} if months else ""
    if not any_day and not any_weekday and rule.both_must_match:
        raise _NoWords
    by_day = "" if any_day else _monthly_days(one)
    weekdays = {(day - 1) % 7 for day in rule.weekdays}
    by_nth = [_nth_weekday(nth, (day - 1) % 7) for day, nth in sorted(rule.nth_weekdays)]
    by_nth += [_nth_weekday(-1, (day - 1) % 7) for day in sorted(rule.last_weekdays)]
    if any_weekday:
        weekdays, by_nth = set(), []
    of_days = _joined([_the(text) for text in [*([by_day] if by_day else []), *by_nth]])
    if not of_days:
        every = _every_weekday(weekdays)
        return _("%(every)s in %(months)s") % {"every": every, "months": _months(months)} if months else every
    if months and weekdays:
        raise _NoWords
    if months:
        return _("On %(days)s of %(months)s") % {"days": of_days, "months": _months(months)}
    if weekdays:
        also = _within(_every_weekday(weekdays))
        return _("On %(days)s of each month and %(every)s") % {"days": of_days, "every": also}
    return _("On %(days)s of each month") % {"days": of_days}


def _monthly_days(one: Cron) -> str:
    rule = one.day_rule
    if rule.days_to_last or len(rule.days) > MOST_LISTED:
        raise _NoWords
    said = [_ordinal(day) for day in sorted(rule.days)]
    said += [_("last day")] if rule.last_day else []
    said += [_("last weekday")] if rule.last_workday else []
    said += [_("weekday nearest the %(day)s") % {"day": _ordinal(day)} for day in sorted(rule.nearest_workday)]
    return _joined(said)


def _rrule(one: RRule, start: datetime) -> list[str]:
    used = {name for name, _value in one.parts} - {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
    ending = [_times(one.count)] if one.count else []
    if one.until:
        ending.append(_("until %(date)s") % {"date": _date(one.until.value)})
    if one.freq in ("HOURLY", "MINUTELY", "SECONDLY"):
        if used:
            raise _NoWords
        every = _every(one.interval, {"HOURLY": "hour", "MINUTELY": "minute", "SECONDLY": "second"}[one.freq])
        since = {"every": every, "date": _date(start), "time": f"{start:%H:%M}"}
        return [_("%(every)s from %(date)s %(time)s on") % since, *ending]
    clock = _clock_set(_rrule_clock(one, start))
    used -= {"BYHOUR", "BYMINUTE"}
    if not clock or start.second:
        raise _NoWords
    days = {"DAILY": _daily, "WEEKLY": _weekly, "MONTHLY": _monthly, "YEARLY": _yearly}[one.freq]
    return [_on_at(days(one, start, used), clock), *ending]


def _rrule_clock(one: RRule, start: datetime) -> list[timedelta]:
    hours, minutes = one.by("BYHOUR") or (start.hour,), one.by("BYMINUTE") or (start.minute,)
    return [timedelta(hours=hour, minutes=minute) for hour in hours for minute in minutes]


def _daily(one: RRule, start: datetime, used: set[str]) -> str:
    if used == {"BYDAY"} and one.interval == 1:
        return _every_weekday(set(one.weekdays))
    if used == {"BYMONTH"} and one.interval == 1:
        return _("Every day in %(months)s") % {"months": _months(one.by("BYMONTH"))}
    if used:
        raise _NoWords
    return _every(one.interval, "day")


def _weekly(one: RRule, start: datetime, used: set[str]) -> str:
    if used - {"BYDAY"}:
        raise _NoWords
    weekdays = set(one.weekdays) or {start.weekday()}
    if one.interval == 1:
        return _every_weekday(weekdays)
    words = ngettext("Every %(n)s week on %(days)s", "Every %(n)s weeks on %(days)s", one.interval)
    return words % {"n": one.interval, "days": _joined([_(WEEKDAY_NAMES[day]) for day in sorted(weekdays)])}


def _monthly(one: RRule, start: datetime, used: set[str]) -> str:
    said = _days_within(one, start, used)
    if one.interval == 1:
        return _("On %(days)s of each month") % {"days": said}
    words = ngettext("Every %(n)s month on %(days)s", "Every %(n)s months on %(days)s", one.interval)
    return words % {"n": one.interval, "days": said}


def _yearly(one: RRule, start: datetime, used: set[str]) -> str:
    every = _every(one.interval, "year")
    if not used:
        on = {"every": every, "day": start.day, "month": _(MONTH_NAMES[start.month - 1])}
        return _("%(every)s on %(day)s %(month)s") % on
    if "BYMONTH" not in used:
        raise _NoWords
    said = _days_within(one, start, used - {"BYMONTH"})
    return _("%(every)s on %(days)s of %(months)s") % {
        "every": every,
        "days": said,
        "months": _months(one.by("BYMONTH")),
    }


def _days_within(one: RRule, start: datetime, used: set[str]) -> str:
    """The days of a month: `the 1st and 15th`, `the second Tuesday`, `the last weekday`."""
    if not used:
        return _the(_ordinal(start.day))
    positions = one.by("BYSETPOS")
    if used == {"BYDAY", "BYSETPOS"} and one.weekdays == WORKDAYS and not one.nth_weekdays and len(positions) == 1:
        return _the(_("%(nth)s weekday") % {"nth": _(_nth(positions[0]))})
    if used == {"BYDAY"} and not one.weekdays:
        return _joined([_the(_nth_weekday(nth, day)) for day, nth in sorted(one.nth_weekdays)])
    days = one.by("BYMONTHDAY")
    if used == {"BYMONTHDAY"} and len(days) <= MOST_LISTED and all(day >= -1 for day in days):
        said = [_ordinal(day) for day in days if day > 0]
        return _the(_joined([*said, *([_("last day")] if -1 in days else [])]))
    raise _NoWords


def _the(days: str) -> str:
    return _("the %(days)s") % {"days": days}


def _nth_weekday(nth: int, weekday: int) -> str:
    return _("%(nth)s %(weekday)s") % {"nth": _(_nth(nth)), "weekday": _(WEEKDAY_NAMES[weekday])}


def _nth(number: int) -> str:
    if number not in ORDINAL_WORDS:
        raise _NoWords
    return ORDINAL_WORDS[number]


def _clock_set(times: Sequence[timedelta]) -> str:
    """`09:00 and 17:30`; "" where there are too many to list."""
    if len(times) > MOST_LISTED // 2 + 1:
        return ""
    return _joined([f"{time.seconds // 3600:02}:{time.seconds % 3600 // 60:02}" for time in times])


def _every(interval: int, unit: str) -> str:
    if interval == 1:
        return _(EVERY_ONE[unit])
    words = {
        "second": ngettext("Every %(n)s second", "Every %(n)s seconds", interval),
        "minute": ngettext("Every %(n)s minute", "Every %(n)s minutes", interval),
        "hour": ngettext("Every %(n)s hour", "Every %(n)s hours", interval),
        "day": ngettext("Every %(n)s day", "Every %(n)s days", interval),
        "year": ngettext("Every %(n)s year", "Every %(n)s years", interval),
    }[unit]
    return words % {"n": interval}


def _every_weekday(weekdays: set[int]) -> str:
    if weekdays == WORKDAYS:
        return _("Every weekday")
    if len(weekdays) == 7:
        return _("Every day")
    return _("Every %(weekdays)s") % {"weekdays": _joined([_(WEEKDAY_NAMES[day]) for day in sorted(weekdays)])}


def _months(months: Sequence[int]) -> str:
    return _joined([_(MONTH_NAMES[month - 1]) for month in months])


def _times(count: int) -> str:
    return _("once") if count == 1 else ngettext("%(n)s time", "%(n)s times", count) % {"n": count}


def _date(moment: datetime) -> str:
    return _("%(day)s %(month)s %(year)s") % {
        "day": moment.day,
        "month": _(MONTH_NAMES[moment.month - 1]),
        "year": moment.year,
    }


def _ordinal(number: int) -> str:
    if 11 <= number <= 13 or number % 10 not in (1, 2, 3):
        words = pgettext("day of a month, like 4th", "%(n)sth")
    elif number % 10 == 1:
        words = pgettext("day of a month, like 21st", "%(n)sst")
    elif number % 10 == 2:
        words = pgettext("day of a month, like 22nd", "%(n)snd")
    else:
        words = pgettext("day of a month, like 23rd", "%(n)srd")
    return words % {"n": number}


def _joined(texts: Sequence[str]) -> str:
    *before, last = texts or [""]
    return _("%(items)s and %(last)s") % {"items": _comma().join(before), "last": last} if before else last
