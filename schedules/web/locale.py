"""How dates, times, weeks and numbers are written: by the person's wish, else as the language has it.

Everything here is about text that people read. What stands in attributes, addresses and files is written by `isoformat`.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.utils import formats, timezone
from django.utils.dateformat import format as written
from django.utils.dates import WEEKDAYS
from django.utils.translation import get_language, gettext, pgettext

from alwrity_scheduler.core import clock as real_clock
from alwrity_scheduler.workspaces import wishes

MONDAY, SATURDAY, SUNDAY = 0, 5, 6
# by Unicode CLDR for the language's largest region; English is the one of most of the world: Monday and 24 hours
FIRST_WEEKDAY = {"ar": SATURDAY, "hi": SUNDAY, "ja": SUNDAY, "pt": SUNDAY}
TWELVE_HOURS = frozenset({"ar", "hi"})

# Django's date letters; the order of day, month and weekday is the language's. `y` forms stand for another year.
PATTERNS: dict[str, dict[str, str]] = {
    "en": {"day": "j M", "day_y": "j M Y", "weekday": "D j M", "weekday_y": "D j M Y", "long": "l j F Y",
           "day_long": "j F", "weekday_long": "l j F", "month": "F Y"},
    "de": {"day": "j. M", "day_y": "j. M Y", "weekday": "D, j. M", "weekday_y": "D, j. M Y", "long": "l, j. F Y",
           "day_long": "j. F", "weekday_long": "l, j. F", "month": "F Y"},
    "fr": {"day": "j b", "day_y": "j b Y", "weekday": "D j b", "weekday_y": "D j b Y", "long": "l j F Y",
           "day_long": "j F", "weekday_long": "l j F", "month": "F Y"},
    "es": {"day": "j b", "day_y": "j b Y", "weekday": "D, j b", "weekday_y": "D, j b Y", "long": r"l, j \d\e F \d\e Y",
           "day_long": r"j \d\e F", "weekday_long": r"l, j \d\e F", "month": r"F \d\e Y"},
    "pt": {"day": r"j \d\e b", "day_y": r"j \d\e b \d\e Y", "weekday": r"D, j \d\e b", "weekday_y": r"D, j \d\e b \d\e Y",
           "long": r"l, j \d\e F \d\e Y", "day_long": r"j \d\e F", "weekday_long": r"l, j \d\e F", "month": r"F \d\e Y"},
    "hi": {"day": "j M", "day_y": "j M Y", "weekday": "D, j M", "weekday_y": "D, j M Y", "long": "l, j F Y",
           "day_long": "j F", "weekday_long": "l, j F", "month": "F Y"},
    "ja": {"day": "n月j日", "day_y": "Y年n月j日", "weekday": "n月j日(D)", "weekday_y": "Y年n月j日(D)", "long": "Y年n月j日l",
           "day_long": "n月j日", "weekday_long": "n月j日l", "month": "Y年n月"},
    "ar": {"day": "j F", "day_y": "j F Y", "weekday": "l، j F", "weekday_y": "l، j F Y", "long": "l، j F Y",
           "day_long": "j F", "weekday_long": "l، j F", "month": "F Y"},
}  # fmt: skip


def language() -> str:
    """The active language without its region: `pt` for pt-br."""
    return (get_language() or "en").partition("-")[0]


def pattern(name: str) -> str:
    """One of `PATTERNS` in the active language, for Django's `date_format` and `|date`."""
    return PATTERNS.get(language(), PATTERNS["en"])[name]


def first_weekday(person: Any = None) -> int:
    """The day a week begins with: 0 is Monday, 6 Sunday. Without a person that of the request."""
    wanted = (wishes.current() if person is None else wishes.wishes_of(person)).week_start
    return FIRST_WEEKDAY.get(language(), MONDAY) if wanted is None else wanted


def weekdays(person: Any = None) -> list[tuple[int, str]]:
    """(0 to 6, its name) in the order of the person's week."""
    first = first_weekday(person)
    return [(number % 7, str(WEEKDAYS[number % 7])) for number in range(first, first + 7)]


def hour_cycle(person: Any = None) -> str:
    """`h23` for 21:00, `h12` for 9:00 PM."""
    wanted = (wishes.current() if person is None else wishes.wishes_of(person)).hour_cycle
    return wanted or ("h12" if language() in TWELVE_HOURS else "h23")


def clock(local: datetime | time, cycle: str = "") -> str:
    """The wall clock as it stands in the value: `09:00`, or `9:00 AM` for those who count to twelve.

    cycle: an `hour_cycle()` asked for before, by those who write hundreds.
    """
    if (cycle or hour_cycle()) == "h23":
        return f"{local:%H:%M}"
    # the twelfth hour comes first in both halves of the day
    hour = local.hour % 12 or 12
    words = pgettext("time of day", "%(time)s AM") if local.hour < 12 else pgettext("time of day", "%(time)s PM")
    return words % {"time": f"{hour}:{local:%M}"}


def clock_seconds(local: datetime) -> str:
    """With seconds, for lists of things that happened within one job. Always of 24 hours: it is compared, not read."""
    return f"{local:%H:%M:%S}"


def short_day(value: date, *, weekday: bool = True) -> str:
    """`Tue 24 Nov`; the year only where it is not this one."""
    moment = value if isinstance(value, datetime) else None
    zone = moment.tzinfo if moment is not None and moment.tzinfo is not None else timezone.get_current_timezone()
    this_year = real_clock.now().astimezone(zone).year
    name = ("weekday" if weekday else "day") + ("" if value.year == this_year else "_y")
    return written(value, pattern(name))


def long_day(value: date) -> str:
    """`Tuesday 24 November 2026`."""
    return written(value, pattern("long"))


def day(value: date, name: str = "day_y") -> str:
    """By one of `PATTERNS`, whatever year it is now: `24 Nov 2026`, or by `day_long` `24 November`."""
    return written(value, pattern(name))


def days(first: date, last: date) -> str:
    """From one day to another: `28 Dec 2026 – 3 Jan 2027`; the year once where it is one."""
    beginning = day(first, "day" if first.year == last.year else "day_y")
    return gettext("%(first)s – %(last)s") % {"first": beginning, "last": day(last)}


def month(value: date) -> str:
    """`November 2026`."""
    return written(value, pattern("month"))


def stamp(local: datetime, *, weekday: bool = True) -> str:
    """Day and wall clock, without a zone: `Tue 24 Nov, 09:00`."""
    return pgettext("day and time", "%(day)s, %(time)s") % {
        "day": short_day(local, weekday=weekday),
        "time": clock(local),
    }


def said(words: str) -> str:
    """English words that are kept elsewhere (an adapter's, the engine's) in the reader's language; others as they are."""
    return gettext(words) if words else ""


def number(value: float, places: int | None = None) -> str:
    """`1,234` in English, `1.234` in German, `12,34,567` in Hindi; `places` after the sign, else as many as there are."""
    return formats.number_format(value, decimal_pos=places, use_l10n=True, force_grouping=True)
