"""Rows from elsewhere as drafts and plans.

The columns are ours: title, text, link, hashtags, labels, campaign, content_type, notes, accounts, at, timezone. Cells of several
words are lists in JSON; in CSV they are separated by commas or semicolons.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rest_framework import serializers

from alwrity_scheduler.core.errors import Problem, Refused
from platforms.models import PlatformAccount
from schedules.api.serializers.content import LONGEST_TEXT, draft
from schedules.api.serializers.recovery import checked_zone
from schedules.api.serializers.rules import EXAMPLE, WallClock, plan_values
from schedules.api.serializers.shapes import Input, ProblemOfField, Text, Words
from schedules.api.serializers.shown import Shown
from schedules.services.imports import MOST_ROWS, Entry, Outcome
from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan

_LISTS = ("hashtags", "labels", "accounts")
_SPLIT = re.compile(r"[,;]")


class ImportInput(Input):
    """`text` (a whole CSV file) or `rows` (objects); nothing is made unless `dry_run` is false."""

    format = serializers.ChoiceField(choices=("csv", "json"), default="json")
    text = serializers.CharField(required=False, trim_whitespace=False, max_length=2_000_000)
    rows = serializers.ListField(child=serializers.DictField(), required=False, max_length=MOST_ROWS)
    dry_run = serializers.BooleanField(required=False, default=True)
    state = serializers.ChoiceField(required=False, default="draft", choices=("draft", "active"))
    timezone = serializers.CharField(required=False, allow_null=True, default=None, max_length=64)
    workspace = serializers.CharField(required=False, allow_null=True, default=None, max_length=100)

    def validate_timezone(self, value: str | None) -> str | None:
        return checked_zone(value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted, other = ("text", "rows") if attrs["format"] == "csv" else ("rows", "text")
        errors = {}
        if wanted not in attrs:
            errors[wanted] = [serializers.ErrorDetail(f"{attrs['format']} is given as `{wanted}`.", code="required")]
        if other in attrs:
            errors[other] = [serializers.ErrorDetail(f"{attrs['format']} is given as `{wanted}`.", code="unknown")]
        if errors:
            raise serializers.ValidationError(errors)
        return {**attrs, "rows": _of_csv(attrs["text"])} if wanted == "text" else attrs


def _of_csv(text: str) -> list[dict[str, Any]]:
    """The rows below the heading; empty cells are left out."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), restkey="more cells than columns")
    rows: list[dict[str, Any]] = []
    try:
        for row in reader:
            if len(rows) == MOST_ROWS:
                words = f"Bring in at most {MOST_ROWS} rows at once."
                raise serializers.ValidationError({"text": [serializers.ErrorDetail(words, code="max_length")]})
            named = {str(name).strip().lower(): value for name, value in row.items() if name is not None}
            rows.append({name: value for name, value in named.items() if value not in (None, "")})
    except csv.Error as error:
        raise serializers.ValidationError({"text": [f"This is no CSV file: {error}."]}) from error
    if not rows:
        words = "There is nothing in it: write a line of column names, and below it a line a post."
        raise serializers.ValidationError({"text": [serializers.ErrorDetail(words, code="empty")]})
    return rows


class _Row(Input):
    title = Text(max_length=300)
    text = Text(max_length=LONGEST_TEXT)
    link = Text(max_length=2000)
    content_type = serializers.CharField(required=False, max_length=16)
    campaign = Text(max_length=120)
    notes = Text(max_length=5000)
    hashtags = Words()
    labels = Words()
    accounts = Words()
    at = WallClock()
    timezone = serializers.CharField(required=False, max_length=64)


def entries(
    rows: Sequence[Mapping[str, Any]], accounts: Iterable[PlatformAccount], *, zone: str, now: Any
) -> list[Entry]:
    """One entry a row, with what is wrong with it. `zone`: of times that name none."""
    known = _Accounts(accounts)
    return [_entry(row, known, zone, now) for row in rows]


def _entry(row: Mapping[str, Any], known: _Accounts, zone: str, now: Any) -> Entry:
    shaped = _Row(data={name: _cell(name, value) for name, value in row.items()})
    if not shaped.is_valid():
        problems = [
            Problem(field=name, message=str(words), code=getattr(words, "code", "invalid"))
            for name, found in shaped.errors.items()
            for words in _flat(found)
        ]
        return Entry(draft=ContentDraft(), problems=tuple(problems))
    given = shaped.validated_data
    written = draft(given)
    targets, problems = known.targets(given.get("accounts", ()))
    if given["at"] is None:
        if given.get("accounts"):
            problems.append(Problem(field="at", message=f"Say when, like {EXAMPLE}.", code="required"))
        return Entry(draft=written, problems=tuple(problems))
    plan = None
    try:
        rule = {
            "kind": "once", "at": given["at"], "timezone": given.get("timezone") or zone, "start": None, "until": None,
            "expression": None, "rrule": None, "count": None,
        }  # fmt: skip
        plan = SchedulePlan(**plan_values(rule, home_zone=zone, now=now), targets=targets)
    except Refused as error:
        problems += [
            Problem(field=item.field.removeprefix("rule."), message=item.message, code=item.code)
            for item in error.problems
        ]
    return Entry(draft=written, plan=plan, problems=tuple(problems))


def _cell(name: str, value: Any) -> Any:
    if name in _LISTS and isinstance(value, str):
        return [item.strip() for item in _SPLIT.split(value) if item.strip()]
    return value


def _flat(found: Any) -> Iterable[Any]:
    if isinstance(found, Mapping):
        return [words for inner in found.values() for words in _flat(inner)]
    if isinstance(found, (list, tuple)):
        return [words for inner in found for words in _flat(inner)]
    return [found]


class _Accounts:
    """The accounts by all that people call them: id, handle, platform/handle, name."""

    def __init__(self, rows: Iterable[PlatformAccount]) -> None:
        self._found: dict[str, set[str]] = {}
        for row in rows:
            public = str(row.public_id)
            for name in {public, row.handle, f"{row.platform}/{row.handle}", row.name}:
                self._found.setdefault(name.casefold(), set()).add(public)

    def targets(self, names: Iterable[str]) -> tuple[tuple[TargetPlan, ...], list[Problem]]:
        ids: dict[str, None] = {}
        problems = []
        for name in names:
            found = self._found.get(name.strip().lstrip("@").casefold(), set())
            if len(found) == 1:
                ids.update(dict.fromkeys(found))
            elif found:
                words = f"Several accounts are called {name}: write platform/handle, or its id."
                problems.append(Problem(field="accounts", message=words, code="ambiguous"))
            else:
                words = f"There is no account {name} in this workspace."
                problems.append(Problem(field="accounts", message=words, code="not_found"))
        return tuple(TargetPlan(account_id=name) for name in ids), problems


class RowOutcome(Shown):
    """What became of one row, counted from 1 without the heading; `content` and `schedule` are what was made of it."""

    row: int
    fits: bool
    content: UUID | None
    schedule: UUID | None
    errors: list[ProblemOfField]


class ImportShown(Shown):
    """Row by row what was made, or what would not do. `id` is the label of what was made; null on a dry run."""

    id: str | None
    dry_run: bool
    row_count: int
    fits_count: int
    refused_count: int
    results: list[RowOutcome]


class ImportTakenBack(Shown):
    """The schedules that were archived, those that somebody had touched, and content that stays because it is used."""

    id: str
    archived: list[UUID]
    touched: list[UUID]
    content_kept: list[UUID]


_NAMES = {"start": "at", "start_local": "at"}


def outcome_words(number: int, item: Outcome) -> dict[str, Any]:
    """`row`: counted from 1, without the heading."""
    return {
        "row": number,
        "fits": not item.problems,
        "content": str(item.content.public_id) if item.content else None,
        "schedule": str(item.schedule.public_id) if item.schedule else None,
        "errors": [
            {"field": _NAMES.get(each.field, each.field), "message": each.message, "code": each.code}
            for each in item.problems
        ],
    }
