"""What mutations take, and how it becomes the plain values that services take. Lengths are checked here, meaning by the services.

What is left out stays as it is in a change, and is empty in something new; null is the same as empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time
from typing import Any

import strawberry
from strawberry.scalars import JSON

from alwrity_scheduler.core.errors import Problem, Refused
from schedules.domain import localtime
from schedules.domain.refusals import RuleRefused
from schedules.graphql.errors import camel
from schedules.graphql.reading import ids_of
from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan, VariantDraft

UNSET: Any = strawberry.UNSET
EXAMPLE = "2026-12-01T09:00:00"
YEAR = 366 * 86_400
LENGTHS = {"title": 300, "link": 2_000, "campaign": 120, "language": 16, "notes": 5_000, "content_type": 16}
LONGEST_WORD, MOST_WORDS, MOST_PARTS = 120, 100, 100
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@strawberry.input(description="What one platform gets instead; null, or left out, is the same as the content.")
class VariantInput:
    platform: str
    title: str | None = None
    text: str | None = None
    link: str | None = None
    hashtags: list[str] | None = None
    options: JSON | None = None


@strawberry.input(description="The words of a post. Media are named by their ids.")
class ContentInput:
    title: str | None = UNSET
    text: str | None = UNSET
    content_type: str | None = UNSET
    link: str | None = UNSET
    hashtags: list[str] | None = UNSET
    labels: list[str] | None = UNSET
    campaign: str | None = UNSET
    language: str | None = UNSET
    notes: str | None = UNSET
    utm: JSON | None = UNSET
    media: list[strawberry.ID] | None = UNSET
    variants: list[VariantInput] | None = UNSET


@strawberry.input(
    description="When something goes out: kind once (with at), cron (with expression) or rrule (with rrule and start). Times are "
    "wall-clock times of the time zone, or have an offset."
)
class RuleInput:
    kind: str
    timezone: str | None = None
    at: str | None = None
    expression: str | None = None
    rrule: str | None = None
    start: str | None = None
    until: str | None = None
    count: int | None = None


@strawberry.input(description="One account of a schedule, with its own offset and words where it has any.")
class TargetInput:
    account: strawberry.ID
    offset_seconds: int = 0
    title: str | None = None
    text: str | None = None


@strawberry.input
class RetryInput:
    max_attempts: int | None = UNSET
    base_seconds: int | None = UNSET
    cap_seconds: int | None = UNSET


@strawberry.input(description="A schedule; targets and rule are replaced as a whole. priority: 1 (first) to 10 (last).")
class ScheduleInput:
    rule: RuleInput | None = UNSET
    targets: list[TargetInput] | None = UNSET
    priority: int | None = UNSET
    catch_up: str | None = UNSET
    grace_seconds: int | None = UNSET
    deadline_seconds: int | None = UNSET
    retry: RetryInput | None = UNSET
    tags: list[str] | None = UNSET


def given(value: Any) -> dict[str, Any]:
    """The fields of an input that were sent."""
    return {name: found for name, found in vars(value).items() if found is not UNSET}


def draft(wanted: ContentInput, onto: ContentDraft | None = None, *, prefix: str = "") -> ContentDraft:
    """The words as a draft; Refused names what is too long. `prefix`: where the input stands in what was sent."""
    empty, values = ContentDraft(), given(wanted)
    problems = list(_content_problems(values, prefix))
    if problems:
        raise Refused(problems)
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name == "media":
            changes["media_ids"] = ids_of(value or (), f"{prefix}media")
        elif name == "variants":
            changes["variants"] = tuple(_variant(item) for item in value or ())
        elif name == "utm":
            changes["utm"] = {str(key): str(text) for key, text in (value or {}).items()}
        else:
            usual = getattr(empty, name)
            changes[name] = usual if value is None else tuple(value) if isinstance(value, list) else value
    return replace(onto or empty, **changes)


def _variant(item: VariantInput) -> VariantDraft:
    options: Any = item.options or {}
    return VariantDraft(
        platform=item.platform, title=item.title, text=item.text, link=item.link,
        hashtags=None if item.hashtags is None else tuple(item.hashtags), options=dict(options),
    )  # fmt: skip


def _content_problems(values: dict[str, Any], prefix: str) -> Iterator[Problem]:
    for name, most in LENGTHS.items():
        yield from _too_long(f"{prefix}{name}", values.get(name), most)
    for name in ("hashtags", "labels"):
        yield from _word_problems(f"{prefix}{name}", values.get(name))
    if len(values.get("media") or ()) > MOST_PARTS:
        yield Problem(field=f"{prefix}media", message=f"Give at most {MOST_PARTS} media.")
    if not isinstance(values.get("utm") or {}, dict):
        yield Problem(field=f"{prefix}utm", message='Give an object, like {"source": "newsletter"}.')
    elif any(len(str(text)) > 200 for text in (values.get("utm") or {}).values()):
        yield Problem(field=f"{prefix}utm", message="Shorten each value to 200 characters.")
    variants = values.get("variants") or ()
    names = [item.platform for item in variants]
    if len(set(names)) != len(names):
        yield Problem(field=f"{prefix}variants", message="Give each platform once.")
    for item in variants:
        where = f"{prefix}variants.{item.platform[:32]}"
        yield from _too_long(f"{where}.platform", item.platform, 32)
        yield from _too_long(f"{where}.title", item.title, LENGTHS["title"])
        yield from _too_long(f"{where}.link", item.link, LENGTHS["link"])
        yield from _word_problems(f"{where}.hashtags", item.hashtags)
        if not isinstance(item.options or {}, dict) or not _is_json(item.options):
            yield Problem(field=f"{where}.options", message="Give an object of JSON.")


def _is_json(value: Any) -> bool:
    """No number that JSON cannot write."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _too_long(field: str, text: str | None, most: int) -> Iterator[Problem]:
    if text is not None and len(text) > most:
        yield Problem(field=field, message=f"This has {len(text):,} characters; at most {most:,} are taken.")


def _word_problems(field: str, words: list[str] | None) -> Iterator[Problem]:
    if words is not None and len(words) > MOST_WORDS:
        yield Problem(field=field, message=f"Give at most {MOST_WORDS} of them.")
    if any(len(word) > LONGEST_WORD for word in words or ()):
        yield Problem(field=field, message=f"Shorten each to {LONGEST_WORD} characters.")


def plan(
    wanted: ScheduleInput, onto: SchedulePlan | None, *, home_zone: Callable[[list[str]], str], now: datetime
) -> SchedulePlan:
    """The input as a plan; what is not given stays as it is in `onto`. `home_zone`: that of the accounts with these ids."""
    values = given(wanted)
    problems = list(_plan_problems(values))
    if problems:
        raise Refused(problems)
    changes: dict[str, Any] = {
        name: values[name] for name in ("grace_seconds", "deadline_seconds") if name in values
    }  # fmt: skip
    changes |= {name: values[name] for name in ("priority", "catch_up") if values.get(name) is not None}
    if "tags" in values:
        changes["tags"] = tuple(values["tags"] or ())
    if values.get("retry"):
        names = {
            "max_attempts": "max_attempts",
            "base_seconds": "retry_base_seconds",
            "cap_seconds": "retry_cap_seconds",
        }
        retry = given(values["retry"])
        changes |= {names[name]: value for name, value in retry.items() if value is not None}
    accounts = [] if onto is None else [target.account_id for target in onto.targets]
    if "targets" in values:
        accounts = list(ids_of((item.account for item in values["targets"] or ()), "targets"))
        changes["targets"] = tuple(
            TargetPlan(account_id=name, offset_seconds=item.offset_seconds, title=item.title, text=item.text)
            for name, item in zip(accounts, values["targets"] or (), strict=True)
        )
    if values.get("rule") is not None:
        changes |= rule_values(values["rule"], home_zone=home_zone(accounts), now=now)
    if onto is not None:
        return replace(onto, **changes)
    if "rule_kind" not in changes:
        raise Refused(Problem(field="rule", message="Say when it goes out.", code="required"))
    return SchedulePlan(**changes)


def _plan_problems(values: dict[str, Any]) -> Iterator[Problem]:
    for name in ("grace_seconds", "deadline_seconds"):
        if values.get(name) is not None and not 0 <= values[name] <= YEAR:
            yield Problem(field=name, message=f"Give seconds from 0 to {YEAR:,}.")
    for name, value in given(values["retry"]).items() if values.get("retry") else ():
        if value is not None and not 0 <= value <= YEAR:
            yield Problem(field=f"retry.{name}", message=f"Give a number from 0 to {YEAR:,}.")
    yield from _word_problems("tags", values.get("tags"))
    targets = values.get("targets") or ()
    if len(targets) > 1_000:
        yield Problem(field="targets", message="Give at most 1,000 accounts.")
    for number, item in enumerate(targets):
        yield from _too_long(f"targets.{number}.title", item.title, LENGTHS["title"])


PARTS = {
    "once": ("at",),
    "cron": ("expression", "start", "until", "count"),
    "rrule": ("rrule", "start", "until", "count"),
}
REQUIRED = {
    "at": f"Say when, like {EXAMPLE}.",
    "expression": "Write five fields: minute, hour, day of month, month, day of week, like 0 9 * * 1-5.",
    "rrule": "Write a rule of RFC 5545, like FREQ=WEEKLY;BYDAY=MO.",
    "start": f"Say when the rule begins (its DTSTART), like {EXAMPLE}.",
}
NEEDED = {"once": ("at",), "cron": ("expression",), "rrule": ("rrule", "start")}


def rule_values(rule: RuleInput, *, home_zone: str, now: datetime) -> dict[str, Any]:
    """The rule under the names of `SchedulePlan`. A single time with an offset needs no time zone: it then lives in `home_zone`. A
    cron rule without a start begins `now`."""
    if rule.kind not in PARTS:
        raise Refused(Problem(field="rule.kind", message=f"Choose one of {', '.join(PARTS)}."))
    sent = {name: value for name, value in vars(rule).items() if value is not None and name not in ("kind", "timezone")}
    problems = [
        Problem(field=f"rule.{name}", message=f"A rule of kind {rule.kind} has no {name}.", code="unknown")
        for name in sent
        if name not in PARTS[rule.kind]
    ]
    problems += [
        Problem(field=f"rule.{name}", message=REQUIRED[name], code="required")
        for name in NEEDED[rule.kind]
        if name not in sent
    ]
    problems += [
        Problem(field=f"rule.{name}", message="This is too long.")
        for name, most in (("expression", 1_000), ("rrule", 10_000))
        if len(sent.get(name, "")) > most
    ]
    if not 1 <= sent.get("count", 1) <= 100_000:
        problems.append(Problem(field="rule.count", message="Give a number from 1 to 100,000."))
    if problems:
        raise Refused(problems)
    written = {name: written_time(sent[name], f"rule.{name}") for name in ("at", "start", "until") if name in sent}
    if rule.timezone is None and (rule.kind != "once" or any(at.tzinfo is None for at in written.values())):
        words = "Say in which time zone this is meant, like Europe/Berlin."
        raise Refused(Problem(field="rule.timezone", message=words, code="required"))
    zone = checked_zone(rule.timezone or home_zone, "rule.timezone")
    local = {name: wall_clock(at, zone, f"rule.{name}") for name, at in written.items()}
    start = local.get("at") or local.get("start")
    if start is None:
        start = localtime.wall_clock(now, localtime.zone(zone)).replace(microsecond=0)
    return {
        "rule_kind": rule.kind,
        "expression": rule.expression or rule.rrule or "",
        "timezone": zone,
        "start_local": start.replace(fold=0),
        "start_fold": start.fold if rule.kind == "once" else 0,
        "until_local": local["until"].replace(fold=0) if "until" in local else None,
        "occurrence_limit": rule.count,
    }


def written_time(text: str, field: str) -> datetime:
    """A time as it was written, with or without an offset. A day alone is its beginning, as an end all of it; `at` wants a time."""
    words = text.strip()
    part = field.rpartition(".")[2]
    try:
        at = datetime.fromisoformat(words).replace(microsecond=0)
    except ValueError as error:
        message = f"Write a date and time like {EXAMPLE}, or with an offset like {EXAMPLE}+01:00."
        raise Refused(Problem(field=field, message=message)) from error
    if not _DATE.fullmatch(words):
        return at
    if part == "at":
        raise Refused(Problem(field=field, message=f"Write the time of day too, like {EXAMPLE}."))
    return datetime.combine(at, time(23, 59, 59)) if part == "until" else at


def wall_clock(at: datetime, zone: str, field: str) -> datetime:
    """Naive, `fold` set for the second of two equal times."""
    if at.tzinfo is None:
        return at
    try:
        return localtime.wall_clock(at, localtime.zone(zone))
    except (OverflowError, ValueError) as error:
        raise Refused(Problem(field=field, message="This time lies outside of the calendar.")) from error


def checked_zone(name: str, field: str) -> str:
    """The name of a time zone; Refused where it is none."""
    try:
        localtime.zone(name)
    except RuleRefused as error:
        raise Refused(
            Problem(field=field, message=item.message, code="timezone") for item in error.problems
        ) from error  # fmt: skip
    return name


# how services and domain name what was sent as part of a rule or of a schedule
_OF_RULE = {
    "start": "start", "start_local": "start", "until": "until", "until_local": "until", "count": "count", "limit": "count",
    "timezone": "timezone", "kind": "kind", "fold": "start", "nominal_local": "start",
}  # fmt: skip
_EXPRESSION = {"once": "at", "cron": "expression", "rrule": "rrule"}
_CRON_FIELDS = {"minute", "hour", "day-of-month", "month", "day-of-week"}
_OF_SCHEDULE = {
    "max_attempts": "retry.max_attempts", "retry_base_seconds": "retry.base_seconds", "retry_cap_seconds": "retry.cap_seconds",
    "offset_seconds": "targets", "accounts": "targets", "by": "by_seconds",
}  # fmt: skip
_OF_CONTENT = frozenset(
    {
        "title",
        "text",
        "content_type",
        "link",
        "hashtags",
        "labels",
        "campaign",
        "language",
        "notes",
        "media",
        "variants",
        "utm",
    }
)


@contextmanager
def as_sent(kind: str = "", content: str = "content") -> Iterator[None]:
    """Let a service's refusals name the fields as they were sent. `kind`: the rule's; `content`: where words stand, if they do."""
    try:
        yield
    except Refused as error:
        raise type(error)([_renamed(problem, kind, content) for problem in error.problems]) from error


def _renamed(problem: Problem, kind: str, content: str) -> Problem:
    name, rest = problem.field.partition(".")[::2]
    if name in _OF_CONTENT and content:
        return replace(problem, field=camel(f"{content}.{problem.field}"))
    if name in _OF_SCHEDULE:
        return replace(problem, field=_OF_SCHEDULE[name] + (f".{rest}" if rest else ""))
    if name in _OF_RULE and kind:
        part = _OF_RULE[name]
        return replace(problem, field="rule.at" if kind == "once" and part == "start" else f"rule.{part}")
    if name == "expression":
        return replace(problem, field=f"rule.{_EXPRESSION.get(kind, 'kind')}")
    if name in _CRON_FIELDS or name.isupper():
        # a field of a cron expression or a part of an RRULE: it stays in the sentence
        return replace(
            problem, field=f"rule.{_EXPRESSION.get(kind, 'kind')}", message=f"{problem.field}: {problem.message}"
        )  # fmt: skip
    return problem
