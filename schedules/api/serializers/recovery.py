"""The recovery desk as the API shows it, and what its verbs take."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rest_framework import serializers

from alwrity_scheduler.core.errors import Problem
from schedules.api.serializers.jobs import JobAnswer, JobWithAttempts, attempt_words
from schedules.api.serializers.rules import WallClock, When, Written
from schedules.api.serializers.shapes import Input, ProblemOfField, both, either
from schedules.api.serializers.shown import Instant, Shown
from schedules.domain import localtime
from schedules.domain.recovery import BULK_VERBS, Cause, Verb
from schedules.domain.recurrence import RuleRefused
from schedules.domain.states import JobState
from schedules.reads.recovery import RecoveryRow
from schedules.services import recovery

WEEK = 7 * 86_400


class NewTime(Input):
    """A time of day with an offset, or a wall-clock time of `timezone`, or of the schedule's zone."""

    at = When()
    timezone = serializers.CharField(required=False, allow_null=True, default=None, max_length=64)
    seen_absent = serializers.BooleanField(required=False, default=False)

    def validate_timezone(self, value: str | None) -> str | None:
        return checked_zone(value)


class Which(Input):
    """The posts on the desk that match; what is left out narrows nothing."""

    cause = serializers.ChoiceField(required=False, default="", choices=list(Cause))
    account = serializers.UUIDField(required=False, default=None)
    q = serializers.CharField(required=False, default="", max_length=100)


class RecoveryInput(Input):
    """One verb, and either `ids` or a `filter`."""

    verb = serializers.ChoiceField(choices=list(BULK_VERBS))
    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, min_length=1, max_length=recovery.MOST_AT_ONCE
    )
    filter = Which(required=False)
    workspace = serializers.CharField(required=False, allow_null=True, default=None, max_length=100)
    at = WallClock()
    timezone = serializers.CharField(required=False, allow_null=True, default=None, max_length=64)
    gap_seconds = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=WEEK)
    seen_absent = serializers.BooleanField(required=False, default=False)

    def validate_timezone(self, value: str | None) -> str | None:
        return checked_zone(value)

    @staticmethod
    def as_schema(schema: dict[str, Any]) -> dict[str, Any]:
        return {**schema, **either("ids", "filter")}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("filter" in attrs):
            words = "Name the posts by `ids`, or say by `filter` which ({} is all of them): one of the two."
            raise serializers.ValidationError({"ids": [serializers.ErrorDetail(words, code="required")]})
        return attrs


def checked_zone(value: str | None) -> str | None:
    if value is None:
        return None
    try:
        localtime.zone(value)
    except RuleRefused as error:
        raise serializers.ValidationError(error.problems[0].message) from error
    return value


def instant(written: Written, zone: str, now: datetime) -> datetime:
    """The instant of what was written: by its own offset, else on the wall clock of `zone`. Refused when past."""
    if written.at.tzinfo is None:
        return recovery.slot(to_local=written.at, timezone=zone, now=now)
    recovery.check_future(written.at, now)
    return written.at


def order(given: dict[str, Any], *, zone: str, now: datetime) -> recovery.Order:
    written, gap = given["at"], given["gap_seconds"]
    return recovery.Order(
        verb=Verb(given["verb"]),
        at=None if written is None else instant(written, given["timezone"] or zone, now),
        gap=None if gap is None else timedelta(seconds=gap),
        seen_absent=given["seen_absent"],
    )


class KnownFact(Shown):
    words: str
    at: Instant | None


class VerbOffered(Shown):
    """A verb that works on this post now, and what it would do."""

    verb: str
    label: str
    effect: str


class RecoveryPost(JobWithAttempts):
    """A job that needs a person: why, what is known, and what each verb does."""

    cause: Cause
    cause_label: str
    what_happened: str
    known: list[KnownFact]
    verbs: list[VerbOffered]


class JobResult(Shown):
    """What became of one post."""

    id: UUID
    done: bool
    state: JobState | None
    errors: list[ProblemOfField]


class JobResults(Shown):
    """`left_count` were too many for one call: call again for them."""

    verb: str
    matched_count: int
    done_count: int
    refused_count: int
    left_count: int
    results: list[JobResult]


class RecoveryAnswer(JobAnswer):
    """A post of the desk, as `row_words` writes it."""

    shown = RecoveryPost


def row_words(row: RecoveryRow) -> dict[str, Any]:
    """A job as everywhere, with why it is on the desk, what is known and what each verb does."""
    zone = row.job.schedule.timezone
    return {
        **JobAnswer(row.job).data,
        "cause": row.cause.value,
        "cause_label": row.cause.label,
        "what_happened": row.what_happened,
        "known": [{"words": item.words, **both("at", item.at, zone)} for item in row.known],
        "verbs": [{"verb": item.verb.value, "label": item.label, "effect": item.effect} for item in row.options],
        "attempts": [attempt_words(item, zone) for item in reversed(row.attempts)],
    }


def result_words(result: recovery.Result, missing: list[str]) -> dict[str, Any]:
    """n of m done, and for each of the others why not. `left_count` were too many for one call."""
    return {
        "verb": result.verb.value,
        "matched_count": result.matched_count + len(missing),
        "done_count": result.done_count,
        "refused_count": len(result.outcomes) - result.done_count + len(missing),
        "left_count": result.left_count,
        "results": [
            *(_outcome(str(item.job.public_id), item.job.state, item.problems) for item in result.outcomes),
            *(_outcome(name, None, (NOT_THERE,)) for name in missing),
        ],
    }


NOT_THERE = Problem(field="ids", message="There is no such post in this workspace.", code="not_found")


def _outcome(name: str, state: str | None, problems: tuple[Problem, ...]) -> dict[str, Any]:
    errors = [{"field": item.field, "message": item.message, "code": item.code} for item in problems]
    return {"id": name, "done": not problems, "state": state, "errors": errors}
