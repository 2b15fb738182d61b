"""Schedules in and out: content, accounts, rule and the knobs of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from alwrity_scheduler.core.errors import Problem
from schedules.api.serializers.accounts import AccountName, account_words
from schedules.api.serializers.content import ECHOED as ECHOED_OF_CONTENT
from schedules.api.serializers.content import LONGEST_TEXT, ContentAnswer, ContentInput
from schedules.api.serializers.rules import RuleInput, RuleShown, first_moment, plan_values, rule_field, rule_words
from schedules.api.serializers.shapes import Answer, Input, Text, Version, Words, WorkspaceName, both, workspace_words
from schedules.api.serializers.shown import Instant, Shown
from schedules.domain.misfire import CatchUp
from schedules.domain.states import ScheduleState
from schedules.models import Schedule
from schedules.reads import runs
from schedules.services.materialise import rule_of
from schedules.services.plans import PRIORITY_NAMES, SchedulePlan, TargetPlan

YEAR = 366 * 86_400
WEEK = 7 * 86_400


def or_its_id(*schemas: dict[str, Any]) -> dict[str, Any]:
    """An object, or the id alone."""
    return {"anyOf": [{"type": "string", "format": "uuid", "title": "Id"}, *schemas]}


class TargetInput(Input):
    """One account, by its id alone or with its own offset and words."""

    echoed: ClassVar[frozenset[str]] = frozenset({"platform", "name", "handle"})

    @staticmethod
    def as_schema(schema: dict[str, Any]) -> dict[str, Any]:
        return or_its_id(schema)

    id = serializers.UUIDField()
    offset_seconds = serializers.IntegerField(required=False, default=0, min_value=-WEEK, max_value=WEEK)
    title = Text(max_length=300, allow_null=True, default=None)
    text = Text(max_length=LONGEST_TEXT, allow_null=True, default=None)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            return super().to_internal_value(data)
        return super().to_internal_value({"id": data})


class RetryInput(Input):
    max_attempts = serializers.IntegerField(required=False, min_value=1, max_value=50)
    base_seconds = serializers.IntegerField(required=False, min_value=0, max_value=YEAR)
    cap_seconds = serializers.IntegerField(required=False, min_value=0, max_value=YEAR)


class PriorityInput(serializers.Field[Any, Any, Any, Any]):
    """A number or a name; the service knows which there are."""

    written: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 10},
            {"type": "string", "enum": list(PRIORITY_NAMES)},
        ],
        "description": "1 is the first; or a name.",
    }

    def to_internal_value(self, data: Any) -> int | str:
        if isinstance(data, bool) or not isinstance(data, (int, str)):
            raise serializers.ValidationError("Give a number from 1 (first) to 10 (last), or a name such as high.")
        return data if isinstance(data, int) else data[:20]

    def to_representation(self, value: Any) -> Any:
        return value


class ContentOrId(ContentInput):
    """New words, or what is there already by its id: `{"id": …}` or the id alone."""

    id = serializers.UUIDField(required=False)

    @staticmethod
    def as_schema(schema: dict[str, Any]) -> dict[str, Any]:
        """The words (as in a template), or the id of what is there: never both."""
        stored = {
            **schema,
            "properties": {"id": schema["properties"]["id"]},
            "required": ["id"],
            "title": "StoredContent",
        }
        return or_its_id({"$ref": "#/components/schemas/ContentInput"}, stored)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str):
            return super().to_internal_value({"id": data})
        if isinstance(data, Mapping) and "id" in data and len(data) > 1:
            raise serializers.ValidationError({"id": ["Give the id of stored content, or new content: not both."]})
        return super().to_internal_value(data)


class ContentOfSchedule(ContentInput):
    """The words of a schedule's content, changed in part. `version`, when given, is the content's own."""

    echoed: ClassVar[frozenset[str]] = ECHOED_OF_CONTENT - {"id"}

    id = serializers.UUIDField(required=False)
    version = Version(required=False)


class ScheduleInput(Input):
    rule = RuleInput(required=False)
    accounts = TargetInput(many=True, required=False)
    priority = PriorityInput(required=False)
    catch_up = serializers.ChoiceField(
        required=False,
        choices=list(CatchUp),
        error_messages={"invalid_choice": f"Choose one of {', '.join(CatchUp)}."},
    )
    grace_seconds = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=YEAR)
    deadline_seconds = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=YEAR)
    retry = RetryInput(required=False)
    tags = Words()

    def validate_accounts(self, accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ids = [item["id"] for item in accounts]
        if len(set(ids)) != len(ids):
            raise serializers.ValidationError("Each account can be chosen once.")
        return accounts


class NewSchedule(ScheduleInput):
    content = ContentOrId()
    accounts = TargetInput(many=True, required=False, default=list)
    account_groups = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=100)
    rule = RuleInput()
    state = serializers.ChoiceField(
        required=False,
        default="draft",
        choices=["draft", "active"],
        error_messages={"invalid_choice": "A new schedule is draft or active."},
    )
    workspace = serializers.CharField(required=False, max_length=60)


class ScheduleChange(ScheduleInput):
    """A change in part; a `rule` and a list of `accounts` are replaced as a whole."""

    echoed: ClassVar[frozenset[str]] = frozenset(
        {
            "id",
            "workspace",
            "title",
            "description",
            "timezone",
            "next_run_at",
            "next_run_at_local",
            "starts_at",
            "starts_at_local",
            "created_by",
            "created_at",
            "created_at_local",
            "updated_at",
            "updated_at_local",
        }
    )

    content = ContentOfSchedule(required=False)
    state = serializers.CharField(required=False)
    version = Version()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        row: Any = self.instance
        errors: dict[str, Any] = {}
        if attrs.get("state", row.state) != row.state:
            verbs = "/activate/, /pause/, /resume/, /archive/ or /restore/"
            errors["state"] = [
                serializers.ErrorDetail(f"The state is changed by POST to this schedule's {verbs}.", code="read_only")
            ]
        if attrs.get("content", {}).get("id", row.content.public_id) != row.content.public_id:
            errors["content"] = {
                "id": [
                    serializers.ErrorDetail(
                        "A schedule keeps its content: edit it, or make a new schedule.", code="read_only"
                    )
                ]
            }
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


def plan(given: Mapping[str, Any], onto: SchedulePlan | None, *, home_zone: str, now: datetime) -> SchedulePlan:
    """The validated fields as a plan; what is not given stays as it is in `onto`."""
    values: dict[str, Any] = {
        name: given[name] for name in ("priority", "catch_up", "grace_seconds", "deadline_seconds") if name in given
    }
    retry = given.get("retry", {})
    values |= {ours: retry[theirs] for theirs, ours in RETRY_NAMES.items() if theirs in retry}
    if "tags" in given:
        values["tags"] = tuple(given["tags"])
    if "accounts" in given:
        values["targets"] = tuple(
            TargetPlan(
                account_id=str(item["id"]),
                offset_seconds=item["offset_seconds"],
                title=item["title"],
                text=item["text"],
            )
            for item in given["accounts"]
        )
    if "rule" in given:
        values |= plan_values(given["rule"], home_zone=home_zone, now=now)
    return SchedulePlan(**values) if onto is None else replace(onto, **values)


RETRY_NAMES = {
    "max_attempts": "max_attempts",
    "base_seconds": "retry_base_seconds",
    "cap_seconds": "retry_cap_seconds",
}


def account_ids(given: Mapping[str, Any]) -> list[UUID]:
    return [item["id"] for item in given.get("accounts", ())]


_NAMES = {
    "max_attempts": "retry.max_attempts",
    "retry_base_seconds": "retry.base_seconds",
    "retry_cap_seconds": "retry.cap_seconds",
    "offset_seconds": "accounts",
}
_OF_CONTENT = {
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
}


def schedule_problem(kind: str) -> Any:
    """For `problems.renamed`: the service's names as those of the body that the caller wrote."""

    def rename(problem: Problem) -> Problem:
        if problem.field in _OF_CONTENT:
            return Problem(field=f"content.{problem.field}", message=problem.message, code=problem.code)
        if problem.field in _NAMES:
            return Problem(field=_NAMES[problem.field], message=problem.message, code=problem.code)
        return rule_field(problem, kind) or problem

    return rename


class AccountOfSchedule(AccountName):
    """An account it goes to, so many seconds after the rule's time, with words of its own where it has some."""

    offset_seconds: int
    title: str | None
    text: str | None


class RetryShown(Shown):
    max_attempts: int | None
    base_seconds: int | None
    cap_seconds: int | None


class ScheduleShown(Shown):
    """What goes out, where and when. `description` says the rule in words."""

    id: UUID
    workspace: WorkspaceName
    title: str
    state: ScheduleState
    version: int
    content: ContentAnswer
    accounts: list[AccountOfSchedule]
    rule: RuleShown
    description: str
    priority: int
    catch_up: CatchUp
    grace_seconds: int | None
    deadline_seconds: int | None
    retry: RetryShown
    tags: list[str]
    starts_at: Instant
    next_run_at: Instant | None
    created_by: str | None


class ScheduleAnswer(Answer):
    """Wants `views.schedules.ROWS`, and `now` in the context for the next run."""

    shown = ScheduleShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "updated_at")

    def zone(self, row: Schedule) -> str:
        return row.timezone

    def body(self, row: Schedule) -> dict[str, Any]:
        rule = rule_of(row)
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "title": str(row.content),
            "state": row.state,
            "version": row.version,
            "content": ContentAnswer(row.content).data,
            "accounts": [
                {
                    **account_words(item.account),
                    "offset_seconds": item.offset_seconds,
                    "title": item.title,
                    "text": item.text,
                }
                for item in row.targets.all()
            ],
            "rule": rule_words(row),
            "description": runs.words_of(rule),
            "priority": row.priority,
            "catch_up": row.catch_up,
            "grace_seconds": row.grace_seconds,
            "deadline_seconds": row.deadline_seconds,
            "retry": {
                "max_attempts": row.max_attempts,
                "base_seconds": row.retry_base_seconds,
                "cap_seconds": row.retry_cap_seconds,
            },
            "tags": row.tags,
            **first_moment(row),
            **both("next_run_at", self._next(row), row.timezone),
            "created_by": row.created_by.get_username() if row.created_by else None,
        }

    def _next(self, row: Schedule) -> datetime | None:
        if row.state in (ScheduleState.FINISHED, ScheduleState.ARCHIVED):
            return None
        found = runs.next_runs(rule_of(row), now=self.context["now"], count=1)
        return found[0].fires_at if found else None
