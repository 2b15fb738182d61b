"""The `rule` object in and out: how a caller writes when something goes out, and what the services call it.

A wall-clock time is written plainly beside a `timezone`, or with an offset; the latter is turned into the
wall clock of the rule's zone, so that the zone's own changes of clocks apply from there on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Annotated, Any

from rest_framework import serializers

from alwrity_scheduler.core.errors import Problem, Refused
from schedules.api.serializers.shapes import Input, both, local_text, utc_text
from schedules.api.serializers.shown import LocalTime, Shown, one_of
from schedules.domain import localtime
from schedules.domain.recurrence import Occurrence, RuleKind, RuleRefused
from schedules.models import Schedule

EXAMPLE = "2026-12-01T09:00:00"
MOST_TIMES = 100
# ISO 8601 as RFC 3339 writes it, seconds and offset at will
TIME_PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
DATE_PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = re.compile(TIME_PATTERN)
_DATE = re.compile(DATE_PATTERN)
LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class Written:
    """A time as a caller wrote it: with or without an offset; `is_date` when it was only a day."""

    at: datetime
    is_date: bool = False


class WallClock(serializers.Field[Any, Any, Any, Any]):
    """An ISO 8601 date and time, with or without an offset."""

    default_error_messages = {
        "invalid": f"Write a date and time like {EXAMPLE}, or with an offset like {EXAMPLE}+01:00.",
        "date": f"Write the time of day too, like {EXAMPLE}.",
    }

    def __init__(self, *, or_date: bool = False, **options: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, "default": None, **options})
        self.or_date = or_date
        patterns = (DATE_PATTERN, TIME_PATTERN) if or_date else (TIME_PATTERN,)
        words = "A wall-clock time, or a time with an offset" + (", or a day." if or_date else ".")
        self.written = {
            "type": "string",
            "pattern": f"^({'|'.join(patterns)})$",
            "description": words,
            "examples": [EXAMPLE],
        }

    def to_internal_value(self, data: Any) -> Written:
        if not isinstance(data, str):
            self.fail("invalid")
        is_date = bool(_DATE.fullmatch(data))
        if not is_date and not _TIME.fullmatch(data):
            self.fail("invalid")
        try:
            at = datetime.fromisoformat(data)
        except ValueError:
            self.fail("invalid")
        if is_date and not self.or_date:
            self.fail("date")
        return Written(at.replace(microsecond=0), is_date)

    def to_representation(self, value: Any) -> Any:
        return value


class When(WallClock):
    """The same, and it must be there."""

    default_error_messages = {"required": f"Say when, like {EXAMPLE}.", "null": f"Say when, like {EXAMPLE}."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": True, "allow_null": False, "default": serializers.empty, **options})


PARTS = {
    "once": ("at", "timezone"),
    "cron": ("expression", "timezone", "start", "until", "count"),
    "rrule": ("rrule", "timezone", "start", "until", "count"),
}
REQUIRED = {"once": "at", "cron": "expression", "rrule": "rrule"}
REMEDIES = {
    "at": f"Say when, like {EXAMPLE}.",
    "expression": "Write five fields: minute, hour, day of month, month, day of week, like 0 9 * * 1-5.",
    "rrule": "Write a rule of RFC 5545, like FREQ=WEEKLY;BYDAY=MO.",
}


class RuleInput(Input):
    kind = serializers.ChoiceField(
        choices=list(RuleKind), error_messages={"invalid_choice": f"Choose one of {', '.join(RuleKind)}."}
    )
    timezone = serializers.CharField(required=False, allow_null=True, default=None, max_length=64)
    at = WallClock()
    expression = serializers.CharField(required=False, allow_null=True, default=None, max_length=1000)
    rrule = serializers.CharField(required=False, allow_null=True, default=None, max_length=10_000)
    start = WallClock(or_date=True)
    until = WallClock(or_date=True)
    count = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=100_000)

    @staticmethod
    def as_schema(schema: dict[str, Any]) -> dict[str, Any]:
        """One object a kind."""
        return {"oneOf": [_of_kind(kind, schema["properties"]) for kind in PARTS]}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = attrs["kind"]
        errors = {
            name: [
                serializers.ErrorDetail(
                    f"A rule of kind {kind} has no {name}; it has {', '.join(PARTS[kind])}.", code="unknown"
                )
            ]
            for name, value in attrs.items()
            if value is not None and name != "kind" and name not in PARTS[kind]
        }
        if attrs[REQUIRED[kind]] is None:
            errors[REQUIRED[kind]] = [serializers.ErrorDetail(REMEDIES[REQUIRED[kind]], code="required")]
        if kind == "rrule" and attrs["start"] is None:
            errors["start"] = [
                serializers.ErrorDetail(f"Say when the rule begins (its DTSTART), like {EXAMPLE}.", code="required")
            ]
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


def _of_kind(kind: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a rule of that kind: what other kinds have may be there as null."""
    needed = [REQUIRED[kind], *(["start"] if kind == "rrule" else [])]
    own = {
        name: {**parts[name], "type": "string"} if name in needed else parts[name]
        for name in parts
        if name in PARTS[kind]
    }
    others = {name: {"type": "null"} for name in parts if name not in own and name != "kind"}
    return {
        "title": f"Rule{kind.capitalize()}",
        "type": "object",
        "properties": {"kind": {"type": "string", "const": kind}, **own, **others},
        "required": ["kind", *needed],
        "additionalProperties": False,
    }


def plan_values(rule: Mapping[str, Any], *, home_zone: str, now: datetime) -> dict[str, Any]:
    """The validated rule under the names of `SchedulePlan`; Refused, in the caller's names, for a false zone.

    A single time with an offset needs no `timezone`: it then lives in `home_zone`. A cron rule without a
    start begins `now`.
    """
    kind = rule["kind"]
    written = {name: rule[name] for name in ("at", "start", "until") if rule[name] is not None}
    if rule["timezone"] is None and (kind != RuleKind.ONCE or any(item.at.tzinfo is None for item in written.values())):
        raise Refused(
            Problem(
                field="rule.timezone",
                message="Say in which time zone this is meant, like Europe/Berlin.",
                code="required",
            )
        )
    zone = rule["timezone"] or home_zone
    try:
        localtime.zone(zone)
    except RuleRefused as error:
        raise Refused(
            [Problem(field="rule.timezone", message=item.message, code="timezone") for item in error.problems]
        ) from error
    local = {name: _wall_clock(name, item, zone) for name, item in written.items()}
    start = (
        local.get("at") or local.get("start") or localtime.wall_clock(now, localtime.zone(zone)).replace(microsecond=0)
    )
    return {
        "rule_kind": kind,
        "expression": rule["expression"] or rule["rrule"] or "",
        "timezone": zone,
        "start_local": start.replace(fold=0),
        "start_fold": start.fold if kind == RuleKind.ONCE else 0,
        "until_local": local["until"].replace(fold=0) if "until" in local else None,
        "occurrence_limit": rule["count"],
    }


def _wall_clock(name: str, written: Written, zone: str) -> datetime:
    """Naive, `fold` set for the second of two equal times. An end without a time means all of its day."""
    if written.is_date:
        return datetime.combine(written.at, LAST_SECOND) if name == "until" else written.at
    if written.at.tzinfo is None:
        return written.at
    try:
        return localtime.wall_clock(written.at, localtime.zone(zone))
    except OverflowError as error:
        raise Refused(
            Problem(field=f"rule.{name}", message="This time lies outside of the calendar.", code="invalid")
        ) from error


# how services and domain name what a caller wrote as part of `rule`
_RULE_NAMES = {
    "start": "start",
    "start_local": "start",
    "until": "until",
    "until_local": "until",
    "count": "count",
    "limit": "count",
    "timezone": "timezone",
    "kind": "kind",
    "fold": "start",
    "nominal_local": "start",
}
_EXPRESSION = {"once": "at", "cron": "expression", "rrule": "rrule"}
_CRON_FIELDS = {"minute", "hour", "day-of-month", "month", "day-of-week"}


def rule_field(problem: Problem, kind: str) -> Problem | None:
    """The problem under the name of the part that the caller wrote; None when it is not about the rule."""
    name = problem.field
    text = f"rule.{_EXPRESSION.get(kind, 'kind')}"
    if name in _RULE_NAMES:
        part = _RULE_NAMES[name]
        return replace(problem, field="rule.at" if kind == "once" and part == "start" else f"rule.{part}")
    if name == "expression":
        return replace(problem, field=text)
    if name in _CRON_FIELDS or name.isupper():
        # a field of a cron expression or a part of an RRULE: it stays in the sentence
        return replace(problem, field=text, message=f"{name}: {problem.message}")
    return None


def rule_problem(kind: str) -> Any:
    """For `problems.renamed`, where nothing but a rule was given."""
    return lambda problem: rule_field(problem, kind) or problem


class RuleShown(Shown):
    """The rule as it can be sent back: `at` of a single time, `expression` of a cron rule, `rrule` of a rule of RFC 5545."""

    optional = frozenset({"at", "expression", "rrule", "start", "until", "count"})

    kind: RuleKind
    timezone: str
    at: str
    expression: str
    rrule: str
    start: LocalTime
    until: LocalTime | None
    count: int | None


class RuleTime(Shown):
    """One time of a rule. `shift`: where clocks change; `nominal_local`: the time before it was edited."""

    local: Annotated[str, {"format": "date-time"}]
    utc: Annotated[str, {"format": "date-time"}]
    timezone: str
    edited: bool
    shift: one_of("", "gap", "fold")  # type: ignore[valid-type]
    nominal_local: LocalTime


class RuleTimes(Shown):
    """The next times of a schedule."""

    timezone: str
    results: list[RuleTime]


class RulePreviewShown(RuleTimes):
    """The next times of a rule, and the rule in words."""

    description: str


def rule_words(schedule: Schedule) -> dict[str, Any]:
    """The stored rule as it can be sent back."""
    kind = schedule.rule_kind
    if kind == RuleKind.ONCE:
        return {"kind": kind, "at": _written(schedule), "timezone": schedule.timezone}
    return {
        "kind": kind,
        "rrule" if kind == RuleKind.RRULE else "expression": schedule.expression,
        "start": schedule.start_local.isoformat(),
        "timezone": schedule.timezone,
        "until": schedule.until_local.isoformat() if schedule.until_local else None,
        "count": schedule.occurrence_limit,
    }


def _written(schedule: Schedule) -> str:
    """The second of two equal times can only be told from the first by its offset."""
    start: datetime = schedule.start_local
    if not schedule.start_fold:
        return start.isoformat()
    second = localtime.local_time(start, schedule.timezone, 1).at
    return local_text(second, schedule.timezone)


class PreviewInput(Input):
    rule = RuleInput()
    count = serializers.IntegerField(required=False, default=5, min_value=1, max_value=MOST_TIMES)
    workspace = serializers.CharField(required=False, max_length=60)


def time_words(one: Occurrence, zone: str) -> dict[str, Any]:
    """One time of a rule. `shift`: `gap` or `fold` where clocks change; `nominal_local`: before a move."""
    return {
        "local": local_text(one.fires_at, zone),
        "utc": utc_text(one.fires_at),
        "timezone": zone,
        "edited": one.edited,
        "shift": one.shift,
        "nominal_local": one.nominal_local.replace(fold=0).isoformat(),
    }


def first_moment(schedule: Schedule) -> dict[str, str | None]:
    """`starts_at`: the rule's beginning as an instant, in UTC and in its zone."""
    at = localtime.local_time(schedule.start_local, schedule.timezone, schedule.start_fold).at
    return both("starts_at", at, schedule.timezone)
