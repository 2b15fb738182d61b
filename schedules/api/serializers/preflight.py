"""Preflight and the check of content: what is asked, and what is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from platforms.problems import ContentProblem
from platforms.validation import Count
from schedules.api.serializers.accounts import AccountName, account_words
from schedules.api.serializers.schedules import ContentOrId, TargetInput
from schedules.api.serializers.shapes import Input, both
from schedules.api.serializers.shown import Instant, Shown, one_of
from schedules.reads.preflight import AccountRow, Check, Checked, Finding, Preflight
from schedules.services.plans import TargetPlan

MOST_ACCOUNTS = 200
Verdict = one_of("ok", "warning", "blocked")


class CheckInput(Input):
    """Content, stored or not, and the accounts it is meant for."""

    content = ContentOrId()
    accounts = TargetInput(many=True, allow_empty=False)
    workspace = serializers.CharField(required=False, max_length=60)

    def validate_accounts(self, accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return _few(accounts)


class PreflightInput(Input):
    """A stored schedule, or content and accounts."""

    schedule = serializers.UUIDField(required=False)
    content = ContentOrId(required=False)
    accounts = TargetInput(many=True, required=False, allow_empty=False)
    workspace = serializers.CharField(required=False, max_length=60)

    def validate_accounts(self, accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return _few(accounts)

    @staticmethod
    def as_schema(schema: dict[str, Any]) -> dict[str, Any]:
        drafted = [{"required": [name]} for name in ("content", "accounts", "workspace")]
        return {
            **schema,
            "if": {"required": ["schedule"]},
            "then": {"not": {"anyOf": drafted}},
            "else": {"required": ["content", "accounts"]},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        others = [name for name in ("content", "accounts", "workspace") if name in attrs]
        if "schedule" in attrs and others:
            words = "Give a schedule, or content and accounts: not both."
            raise serializers.ValidationError(
                {name: [serializers.ErrorDetail(words, code="ambiguous")] for name in others}
            )
        if "schedule" not in attrs:
            missing = [name for name in ("content", "accounts") if name not in attrs]
            if len(missing) == 2:
                words = "Give a schedule by its id, or content and accounts."
                raise serializers.ValidationError({"schedule": [serializers.ErrorDetail(words, code="required")]})
            if missing:
                words = "Content is checked for accounts: give both."
                raise serializers.ValidationError({missing[0]: [serializers.ErrorDetail(words, code="required")]})
        return attrs


def _few(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(accounts) > MOST_ACCOUNTS:
        raise serializers.ValidationError(f"Give at most {MOST_ACCOUNTS} accounts at once.", code="max_length")
    return accounts


def targets_of(given: list[Mapping[str, Any]]) -> list[TargetPlan]:
    return [
        TargetPlan(
            account_id=str(item["id"]), offset_seconds=item["offset_seconds"], title=item["title"], text=item["text"]
        )
        for item in given
    ]


class CountPart(Shown):
    used: int
    limit: int | None
    text: str


class CountShown(Shown):
    """How long the text is as the platform counts it; `parts` are those of a thread."""

    used: int
    limit: int | None
    unit: str
    words: str
    parts: list[CountPart]


class FindingShown(Shown):
    """Something that stands in the way, with what can be done; `next_at` is when it could go instead, where that is known."""

    aspect: str
    verdict: Verdict  # type: ignore[valid-type]
    code: str
    field: str
    message: str
    remedy: str
    link: str
    next_at: Instant | None


class AccountPreflight(AccountName):
    verdict: Verdict  # type: ignore[valid-type]
    count: CountShown | None
    findings: list[FindingShown]


class PreflightShown(Shown):
    """Would it publish now, over all and on each account."""

    verdict: Verdict  # type: ignore[valid-type]
    would_publish_count: int
    at: Instant
    general: list[FindingShown]
    accounts: list[AccountPreflight]


class ContentProblemShown(Shown):
    """What is wrong with the content whatever the account."""

    code: str
    field: str
    message: str


class AccountProblem(Shown):
    """What the account's platform would refuse (`error`) or not do as meant (`warning`)."""

    code: str
    severity: one_of("error", "warning")  # type: ignore[valid-type]
    field: str
    message: str
    remedy: str


class AccountCheck(Shown):
    account: AccountName
    fits: bool
    trouble: str
    count: CountShown | None
    problems: list[AccountProblem]


class ContentCheckShown(Shown):
    """Does the content fit each account's platform."""

    fits: bool
    problems: list[ContentProblemShown]
    results: list[AccountCheck]


def preflight_words(found: Preflight, zone: str) -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "would_publish_count": found.would_publish_count,
        **both("at", found.at, zone),
        "general": [_finding_words(item, zone) for item in found.general],
        "accounts": [_row_words(row) for row in found.rows],
    }


def _row_words(row: AccountRow) -> dict[str, Any]:
    return {
        **account_words(row.account),
        "verdict": row.verdict,
        "count": _count_words(row.count),
        "findings": [_finding_words(item, row.account.timezone) for item in row.findings],
    }


def _finding_words(item: Finding, zone: str) -> dict[str, Any]:
    return {
        "aspect": item.aspect,
        "verdict": item.verdict,
        "code": item.code,
        "field": item.field,
        "message": item.words,
        "remedy": item.remedy,
        "link": item.link,
        **both("next_at", item.next_at, zone),
    }


def check_words(found: Check) -> dict[str, Any]:
    return {
        "fits": not found.problems and all(_fits(item) for item in found.results),
        "problems": [{"code": item.code, "field": item.field, "message": item.message} for item in found.problems],
        "results": [_checked_words(item) for item in found.results],
    }


def _fits(item: Checked) -> bool:
    return not item.trouble and all(problem.severity != "error" for problem in item.problems)


def _checked_words(item: Checked) -> dict[str, Any]:
    return {
        "account": account_words(item.account),
        "fits": _fits(item),
        "trouble": item.trouble,
        "count": _count_words(item.count),
        "problems": [_problem_words(problem) for problem in item.problems],
    }


def _problem_words(item: ContentProblem) -> dict[str, Any]:
    return {
        "code": item.code,
        "severity": item.severity,
        "field": item.field,
        "message": item.message,
        "remedy": item.remedy,
    }


def _count_words(count: Count | None) -> dict[str, Any] | None:
    if count is None:
        return None
    return {
        "used": count.used,
        "limit": count.limit,
        "unit": count.unit,
        "words": count.words,
        "parts": [{"used": part.used, "limit": part.limit, "text": part.text} for part in count.parts],
    }
