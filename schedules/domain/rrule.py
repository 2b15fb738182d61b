"""One RRULE of RFC 5545 (section 3.3.10) as text: read in full or refused, and written back.

Called by `ical`, `expansion` and `splitting`; what a rule gives is worked out in `expansion`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from schedules.domain.refusals import RuleProblem, RuleRefused
from schedules.domain.rules import MOST_COUNTED
from schedules.domain.speech import gettext as _

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
PERIODS_A_DAY = {"HOURLY": 24, "MINUTELY": 1_440, "SECONDLY": 86_400}
LONGEST_EXPRESSION = 10_000

# Part: smallest, largest, may be counted from the end.
NUMBER_PARTS = {
    "BYSECOND": (0, 60, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}
PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *NUMBER_PARTS)


@dataclass(frozen=True, slots=True)
class Until:
    """The inclusive end of a rule: naive `value`; an instant if `is_utc`; a whole local day if `is_date`."""

    value: datetime
    is_utc: bool = False
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class RRule:
    """A parsed rule; numbers are sorted and without repetition. Weekdays count from Monday = 0."""

    parts: tuple[tuple[str, str], ...]
    freq: str
    interval: int = 1
    count: int | None = None
    until: Until | None = None
    week_start: int = 0
    numbers: tuple[tuple[str, tuple[int, ...]], ...] = ()
    weekdays: frozenset[int] = frozenset()
    nth_weekdays: frozenset[tuple[int, int]] = frozenset()

    def by(self, part: str) -> tuple[int, ...]:
        return dict(self.numbers).get(part, ())

    @property
    def has_weekdays(self) -> bool:
        return bool(self.weekdays or self.nth_weekdays)

    @property
    def runs_all_the_time(self) -> bool:
        """Does the rule mean "every so often", not times of day? Such rules follow elapsed time (R8)."""
        per_day = PERIODS_A_DAY.get(self.freq)
        return per_day is not None and not self.by("BYHOUR") and self.interval * 24 <= per_day

    def with_count(self, count: int) -> "RRule":
        """The same rule ending after `count` occurrences, its text included."""
        return parse(";".join(f"{name}={count if name == 'COUNT' else value}" for name, value in self.parts))

    def __str__(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self.parts)


@lru_cache(maxsize=1024)
def parse(text: str) -> RRule:
    """Reads `FREQ=...;...`; raises RuleRefused that names every part it cannot accept."""
    problems: list[RuleProblem] = []
    if len(text) > LONGEST_EXPRESSION:
        raise RuleRefused(
            RuleProblem(
                "RRULE",
                _("is longer than %(most)s characters") % {"most": LONGEST_EXPRESSION},
            )
        )
    parts = _split(text.strip().upper(), problems)
    numbers = {name: _numbers(name, value, problems) for name, value in parts.items() if name in NUMBER_PARTS}
    plain, nth = _weekdays(parts["BYDAY"], problems) if "BYDAY" in parts else (set(), set())
    freq = parts.get("FREQ", "")
    if freq not in FREQUENCIES:
        said = f"{freq!r} is not known" if freq else "is missing"
        problems.append(
            RuleProblem(
                "FREQ",
                _("%(said)s; write one of %(frequencies)s") % {"said": said, "frequencies": ", ".join(FREQUENCIES)},
            )
        )
    week_start = parts.get("WKST", "MO")
    if week_start not in WEEKDAYS:
        problems.append(
            RuleProblem(
                "WKST",
                _("%(week_start)r is no weekday; write one of %(weekdays)s")
                % {"week_start": week_start, "weekdays": ", ".join(WEEKDAYS)},
            )
        )
    rule_until = _until(parts["UNTIL"], problems) if "UNTIL" in parts else None
    interval = _whole("INTERVAL", parts.get("INTERVAL", "1"), problems)
    count = _whole("COUNT", parts["COUNT"], problems) if "COUNT" in parts else None
    if count is not None and count > MOST_COUNTED:
        problems.append(
            RuleProblem(
                "COUNT",
                _("is more than %(most)s; end the rule by UNTIL instead") % {"most": MOST_COUNTED},
            )
        )
    problems.extend(_contradictions(freq, parts, nth))
    if problems:
        raise RuleRefused(*problems)
    return RRule(
        parts=tuple(parts.items()),
        freq=freq,
        interval=interval,
        count=count,
        until=rule_until,
        week_start=WEEKDAYS.index(week_start),
        numbers=tuple(sorted(numbers.items())),
        weekdays=frozenset(plain),
        nth_weekdays=frozenset(nth),
    )


def _split(text: str, problems: list[RuleProblem]) -> dict[str, str]:
    parts: dict[str, str] = {}
    for piece in text.removesuffix(";").split(";"):
        name, equals, value = (side.strip() for side in piece.partition("="))
        if not name or not equals or not value:
            problems.append(
                RuleProblem(
                    "RRULE", _("%(piece)r is no part; write NAME=VALUE, such as FREQ=DAILY") % {"piece": piece[:40]}
                )
            )
        elif name not in PARTS:
            problems.append(
                RuleProblem(
                    name[:40], _("is no part of a recurrence rule; known are %(parts)s") % {"parts": ", ".join(PARTS)}
                )
            )
        elif name in parts:
            problems.append(RuleProblem(name, _("is given twice; give it once")))
        else:
            parts[name] = value
    return parts


def _contradictions(freq: str, parts: dict[str, str], nth: set[tuple[int, int]]) -> Iterator[RuleProblem]:
    if "COUNT" in parts and "UNTIL" in parts:
        yield RuleProblem("COUNT", _("stands beside UNTIL; a rule ends by one of the two"))
    if nth and freq not in ("MONTHLY", "YEARLY"):
        yield RuleProblem("BYDAY", _("a number before a weekday needs FREQ=MONTHLY or FREQ=YEARLY"))
    elif nth and "BYWEEKNO" in parts:
        yield RuleProblem("BYDAY", _("a number before a weekday contradicts BYWEEKNO; leave one of them out"))
    if "BYSETPOS" in parts and not any(name.startswith("BY") and name != "BYSETPOS" for name in parts):
        yield RuleProblem("BYSETPOS", _("picks from what another BY part gives; add one, such as BYDAY"))


def _whole(name: str, text: str, problems: list[RuleProblem]) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) and int(text) > 0:
        return int(text)
    problems.append(RuleProblem(name, _("%(text)r is no whole number from 1") % {"text": text[:40]}))
    return 1


def _numbers(name: str, text: str, problems: list[RuleProblem]) -> tuple[int, ...]:
    low, high, signed = NUMBER_PARTS[name]
    values = set()
    for item in (piece.strip() for piece in text.split(",")):
        readable = re.fullmatch(r"[+-]?[0-9]{1,4}" if signed else r"[0-9]{1,4}", item)
        if not readable or not low <= abs(int(item)) <= high:
            negative = f" or -{high} to -{low}" if signed else ""
            problems.append(
                RuleProblem(
                    name,
                    _("%(item)r is out of range; %(low)s to %(high)s%(negative)s is possible")
                    % {"item": item[:40], "low": low, "high": high, "negative": negative},
                )
            )
        else:
            values.add(int(item))
    if name == "BYSECOND" and 60 in values:
        # RFC 5545 3.3.12: without leap seconds the 60th is read as the 59th.
        values = (values - {60}) | {59}
    return tuple(sorted(values))


def _weekdays(text: str, problems: list[RuleProblem]) -> tuple[set[int], set[tuple[int, int]]]:
    plain: set[int] = set()
    nth: set[tuple[int, int]] = set()
    for item in (piece.strip() for piece in text.split(",")):
        read = re.fullmatch(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", item)
        if not read or (read[1] and not 1 <= abs(int(read[1])) <= 53):
            wanted = "write weekdays such as MO,FR or with a number from 1 to 53 such as 2MO or -1FR"
            problems.append(
                RuleProblem("BYDAY", _("%(item)r cannot be read; %(wanted)s") % {"item": item[:40], "wanted": wanted})
            )
        elif read[1]:
            nth.add((WEEKDAYS.index(read[2]), int(read[1])))
        else:
            plain.add(WEEKDAYS.index(read[2]))
    return plain, nth


def _until(text: str, problems: list[RuleProblem]) -> Until | None:
    read = read_stamp(text)
    if read is None:
        problems.append(
            RuleProblem("UNTIL", _("%(text)r is no date; write 20261231 or 20261231T235959Z") % {"text": text[:40]})
        )
        return None
    value, is_utc, is_date = read
    return Until(value, is_utc, is_date)


def read_stamp(text: str) -> tuple[datetime, bool, bool] | None:
    """A DATE or DATE-TIME of RFC 5545 as (naive value, ends in Z, is only a date), or None."""
    read = re.fullmatch(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z)?)?", text)
    if not read:
        return None
    year, month, day, hour, minute, second = (int(piece or 0) for piece in read.groups()[:6])
    try:
        value = datetime(year, month, day, hour, minute, 59 if second == 60 else second)  # noqa: DTZ001 - naive
    except ValueError:
        return None
    return value, read[7] is not None, read[4] is None
