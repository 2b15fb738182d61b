"""One verb for many schedules, as the API takes it and answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from rest_framework import serializers

from alwrity_scheduler.core.errors import Problem
from schedules.api.serializers.shapes import Input, ProblemOfField, Version, either, of_list
from schedules.api.serializers.shown import Shown
from schedules.domain.states import ScheduleState
from schedules.filters import ScheduleFilter
from schedules.models.bulk import BulkVerb
from schedules.services import bulk
from schedules.services.bulk import Order

YEAR = 366 * 86_400


class ShiftInput(Input):
    """By how much: whole minutes, negative for earlier. `version` as it was shown, where that matters."""

    by_seconds = serializers.IntegerField(min_value=-YEAR, max_value=YEAR)
    version = Version(required=False)


class SchedulesInput(Input):
    """One verb, what it needs, and either `ids` or a `filter` (as in the list's own query)."""

    verb = serializers.ChoiceField(choices=BulkVerb.choices)
    ids = serializers.ListField(
        child=serializers.UUIDField(), required=False, min_length=1, max_length=bulk.MOST_AT_ONCE
    )
    filter = serializers.DictField(required=False)
    workspace = serializers.CharField(required=False, allow_null=True, default=None, max_length=100)
    by_seconds = serializers.IntegerField(required=False, default=0, min_value=-YEAR, max_value=YEAR)
    label = serializers.CharField(required=False, default="", max_length=bulk.LONGEST_LABEL)  # type: ignore[assignment]

    def validate_filter(self, value: dict[str, Any]) -> dict[str, Any]:
        names = ScheduleFilter.base_filters
        if unknown := sorted(set(value) - set(names)):
            words = f"There is no such filter. Known are {', '.join(sorted(names))}."
            raise serializers.ValidationError(
                {name: [serializers.ErrorDetail(words, code="unknown")] for name in unknown}
            )
        if wrong := [name for name, one in value.items() if not _is_plain(one)]:
            words = "Write text, true or false, or a list of texts."
            raise serializers.ValidationError(
                {name: [serializers.ErrorDetail(words, code="invalid")] for name in wrong}
            )
        return {name: _as_in_query(one) for name, one in value.items()}

    @staticmethod
    def as_schema(schema: dict[str, Any]) -> dict[str, Any]:
        return {
            **schema,
            "properties": {**schema["properties"], "filter": of_list(ScheduleFilter)},
            **either("ids", "filter"),
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("ids" in attrs) == ("filter" in attrs):
            words = "Name the schedules by `ids`, or say by `filter` which ({} is all of them): one of the two."
            raise serializers.ValidationError({"ids": [serializers.ErrorDetail(words, code="required")]})
        return attrs


def _as_in_query(value: str | bool | list[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, list) else value


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | bool) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def order(given: dict[str, Any]) -> Order:
    """Only what the verb is about."""
    verb = BulkVerb(given["verb"])
    return Order(
        verb=verb,
        by=timedelta(seconds=given["by_seconds"]) if verb == BulkVerb.SHIFT else timedelta(0),
        label=given["label"].strip() if verb in (BulkVerb.LABEL, BulkVerb.UNLABEL) else "",
    )


NOT_THERE = Problem(field="ids", message="There is no such schedule in this workspace.", code="not_found")


class ScheduleResult(Shown):
    """What became of one schedule; `made` is the copy of a clone."""

    optional = frozenset({"made"})

    id: UUID
    done: bool
    state: ScheduleState | None
    errors: list[ProblemOfField]
    made: UUID


class ScheduleResults(Shown):
    """`left_count` were too many for one call: call again for them."""

    verb: str
    matched_count: int
    done_count: int
    refused_count: int
    left_count: int
    results: list[ScheduleResult]


def result_words(result: bulk.Result, missing: list[str]) -> dict[str, Any]:
    """n of m done, and for each of the others why not. `left_count` were too many for one call: call again for them."""
    return {
        "verb": result.order.verb.value,
        "matched_count": result.matched_count + len(missing),
        "done_count": result.done_count,
        "refused_count": len(result.outcomes) - result.done_count + len(missing),
        "left_count": result.left_count,
        "results": [
            *(
                _outcome(str(item.schedule.public_id), item.schedule.state, item.problems)
                | ({"made": str(item.made.public_id)} if item.made else {})
                for item in result.outcomes
            ),
            *(_outcome(name, None, (NOT_THERE,)) for name in missing),
        ],
    }


def _outcome(name: str, state: str | None, problems: tuple[Problem, ...]) -> dict[str, Any]:
    errors = [{"field": item.field, "message": item.message, "code": item.code} for item in problems]
    return {"id": name, "done": not problems, "state": state, "errors": errors}
