"""Questions asked of a rule from outside: "when does this fire next?", as JSON or as command line arguments.

The shapes of a question are those of the shared case files: a cron question has `start`, a rule question
`dtstart`. Called by the command `next_runs` only. Answers are written in the shape of the question: with an
offset where a zone (or a start with an offset) is given, naive where everything is, a date where DTSTART is
one.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from schedules.domain.checks import check_expression
from schedules.domain.firing import occurrences
from schedules.domain.ical import Block, Stamp, parse
from schedules.domain.localtime import FIRST_YEAR, LAST_YEAR, local_time, wall_clock, zone
from schedules.domain.refusals import RuleRefused, refused
from schedules.domain.rules import Recurrence, RuleKind

DEFAULT_COUNT = 10
LARGEST_COUNT = 100_000
# What a question may call its parts: our name, then the other names it goes by.
NAMES = {
    "cron": ("cron", "expression"),
    "rrule": ("rrule",),
    "ical": ("ical",),
    "timezone": ("timezone", "tzid", "tz"),
    "start": ("start", "dtstart"),
}
EXAMPLE = '{"id": 1, "cron": "0 9 * * *", "timezone": "Europe/Berlin", "start": "2026-01-01T00:00"}'
Write = Callable[[datetime], str]


def answer_line(line: bytes | str, now: datetime | None = None) -> str:
    """One JSON line for one JSON line: `{"id", "times"}` or `{"id", "error"}`; never raises. For `now` see `next_times`."""
    asked: Any = None
    try:
        asked = json.loads(line, parse_constant=_refuse_constant)
        if not isinstance(asked, dict):
            raise refused("line", "is no JSON object; write one such as " + EXAMPLE)
        reply: dict[str, Any] = {"id": asked.get("id"), "times": next_times(asked, now)}
    except RuleRefused as refusal:
        reply = {"id": asked.get("id") if isinstance(asked, dict) else None, "error": str(refusal)}
    except (ValueError, RecursionError):
        reply = {"id": None, "error": "line: is not valid JSON in UTF-8"}
    return json.dumps(reply)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def next_times(asked: Mapping[str, Any], now: datetime | None = None) -> list[str]:
    """The next times of one question as ISO 8601 text; raises RuleRefused that names the field at fault.

    A cron expression or a bare rule without a start is asked from `now` (aware UTC) on; without `now` that is refused.
    """
    given = {name: _first_of(asked, names) for name, names in NAMES.items()}
    kinds = [name for name in ("cron", "rrule", "ical") if given[name] is not None]
    if len(kinds) != 1:
        raise refused("line", "asks for exactly one of cron, rrule and ical")
    expression = _text(kinds[0], given[kinds[0]])
    timezone = _text("timezone", given["timezone"]) if given["timezone"] is not None else None
    count = _count(asked.get("count"))
    if given["start"] is None and now is not None and kinds != ["ical"] and "DTSTART" not in expression.upper():
        given["start"] = _from_now(now, timezone, whole_minute=kinds == ["rrule"])
    if kinds == ["cron"]:
        inclusive = asked.get("inclusive")
        if inclusive not in (None, True, False):
            raise refused("inclusive", "is true or false")
        return _cron_times(expression, timezone, _text("start", given["start"]), inclusive=bool(inclusive), count=count)
    start = _text("dtstart", given["start"]) if given["start"] is not None else None
    return _rule_times(expression, timezone, start, count)


def _from_now(now: datetime, timezone: str | None, *, whole_minute: bool) -> str:
    local = wall_clock(now, zone(timezone)) if timezone else now.replace(tzinfo=None)
    return local.replace(second=0, microsecond=0, fold=0).isoformat() if whole_minute else now.isoformat()


def _first_of(asked: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((asked[name] for name in names if asked.get(name) is not None), None)


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        said = "is missing" if value is None else f"{str(value)[:40]!r} is no text"
        raise refused(field, said)
    return value.strip()


def _count(value: Any) -> int:
    if value is None:
        return DEFAULT_COUNT
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_COUNT:
        raise refused("count", f"{str(value)[:40]!r} is no whole number from 1 to {LARGEST_COUNT}")
    return value


def _moment(field: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None:
        raise refused(field, f"{text[:40]!r} is no time; write 2026-03-29T09:00:00 or 2026-03-29T09:00:00+02:00")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise refused(field, f"{text[:40]!r} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def _cron_times(expression: str, timezone: str | None, start_text: str, *, inclusive: bool, count: int) -> list[str]:
    start = _moment("start", start_text)
    shown_in: tzinfo | None = start.tzinfo
    if timezone is not None:
        where = zone(timezone)
        at = local_time(start, timezone).at if start.tzinfo is None else start.astimezone(UTC)
        first, shown_in = wall_clock(at, where), where
    else:
        # No zone: the rule goes by the clock the start was read from, which knows no changes.
        first = start.replace(tzinfo=None)
        at = first.replace(tzinfo=UTC)
    rule = Recurrence(
        kind=RuleKind.CRON,
        expression=expression,
        timezone=timezone or "UTC",
        start_local=first.replace(fold=0) - timedelta(days=2),
    )
    since = at if inclusive else at + timedelta(microseconds=1)
    found = occurrences(rule, start=since, count=count)
    if timezone is None:
        return [one.fires_at.replace(tzinfo=shown_in).isoformat() for one in found]
    return [one.fires_at.astimezone(shown_in).isoformat() for one in found]


def _naive(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat()


def _rule_times(text: str, timezone: str | None, start_text: str | None, count: int) -> list[str]:
    block = parse(text)
    start, shape = _asked_start(start_text, timezone) if start_text else _own_start(block)
    timezone = timezone or shape.timezone
    rule = Recurrence(
        kind=RuleKind.RRULE,
        expression=str(replace(block, start=start)),
        timezone=timezone or "UTC",
        start_local=start.local,
    )
    check_expression(rule)
    found = occurrences(rule, start=datetime.min.replace(tzinfo=UTC), count=count)
    write = shape.writer(timezone)
    return [write(one.fires_at) for one in found]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How DTSTART was written, and so how the answer is: a date, with Z, or as the zone says."""

    timezone: str | None = None
    is_date: bool = False
    with_z: bool = False

    def writer(self, timezone: str | None) -> Write:
        if self.is_date:
            where = zone(timezone or "UTC")
            return lambda at: at.astimezone(where).date().isoformat()
        if self.with_z:
            return lambda at: _naive(at) + "Z"
        if timezone is None:
            return _naive
        where = zone(timezone)
        return lambda at: at.astimezone(where).isoformat()


def _own_start(block: Block) -> tuple[Stamp, _Shape]:
    if block.start is None:
        raise refused("dtstart", "is missing; give it beside the rule or as a DTSTART line")
    timezone = block.start.timezone or None
    return block.start, _Shape(timezone, block.start.is_date, timezone == "UTC")


def _asked_start(text: str, timezone: str | None) -> tuple[Stamp, _Shape]:
    moment = _moment("dtstart", text)
    if len(text) == len("2026-03-29"):
        return Stamp(moment, is_date=True), _Shape(is_date=True)
    if moment.tzinfo is None:
        return Stamp(moment), _Shape()
    if timezone is not None:
        return Stamp(wall_clock(moment, zone(timezone))), _Shape()
    if moment.utcoffset():
        raise refused("dtstart", f"{text[:40]!r} has an offset and the rule no zone; give a timezone too")
    return Stamp(moment.replace(tzinfo=None)), _Shape("UTC", with_z=True)
