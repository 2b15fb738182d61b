"""What interfaces hand to the services: plain values, shaped by a form or a serializer, checked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from schedules.domain import recurrence
from schedules.domain.misfire import CatchUp
from schedules.domain.recurrence import Recurrence, RuleKind
from schedules.models.content import ContentType

PRIORITY_NAMES = {"urgent": 1, "high": 3, "normal": 5, "low": 8}
# the names of the rule's own fields -> the names a person sees in forms and the API
_RULE_FIELDS = {"start_local": "start", "until_local": "until", "limit": "count"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft:
    """What one platform gets instead; None means the same as the main content."""

    platform: str
    title: str | None = None
    text: str | None = None
    link: str | None = None
    hashtags: tuple[str, ...] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDraft:
    title: str = ""
    text: str = ""
    content_type: str = ContentType.POST.value
    link: str = ""
    hashtags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    campaign: str = ""
    language: str = ""
    notes: str = ""
    media_ids: tuple[str, ...] = ()
    variants: tuple[VariantDraft, ...] = ()
    utm: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """One account by its public id, with its own offset from the time and its own words where wanted."""

    account_id: str
    offset_seconds: int = 0
    title: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePlan:
    rule_kind: str
    timezone: str
    start_local: datetime
    expression: str = ""
    start_fold: int = 0
    until_local: datetime | None = None
    occurrence_limit: int | None = None
    priority: int | str = 5
    catch_up: str = CatchUp.LATEST.value
    grace_seconds: int | None = None
    max_attempts: int = 5
    retry_base_seconds: int = 60
    retry_cap_seconds: int = 3600
    deadline_seconds: int | None = None
    tags: tuple[str, ...] = ()
    targets: tuple[TargetPlan, ...] = ()


def priority_number(value: int | str) -> int:
    """1 to 10, or one of the names; Refused otherwise."""
    number = PRIORITY_NAMES.get(str(value).strip().lower())
    if number is None and str(value).strip().isdecimal():
        number = int(str(value))
    if number is None or not 1 <= number <= 10:
        names = ", ".join(PRIORITY_NAMES)
        raise Refused(
            Problem(
                field="priority",
                message=_("Give a number from 1 (first) to 10 (last), or one of %(names)s.") % {"names": names},
            )
        )
    return number


def rule_of(plan: SchedulePlan) -> Recurrence:
    """The plan's rule as the domain knows it; Refused with the fields' names when it is not a rule."""
    if plan.rule_kind not in list(RuleKind):
        raise Refused(Problem(field="kind", message=_("Choose one of %(values)s.") % {"values": ", ".join(RuleKind)}))
    rule = Recurrence(
        kind=RuleKind(plan.rule_kind),
        expression=plan.expression,
        timezone=plan.timezone,
        start_local=plan.start_local,
        fold=plan.start_fold,
        until_local=plan.until_local,
        limit=plan.occurrence_limit,
    )
    try:
        recurrence.validate(rule)
    except recurrence.RuleRefused as error:
        raise Refused(
            Problem(field=_RULE_FIELDS.get(item.field, item.field), message=item.message) for item in error.problems
        ) from error
    return rule


def no_account() -> Problem:
    return Problem(field="accounts", message=_("Choose at least one account to publish to."), code="required")


def check_plan(plan: SchedulePlan, *, draft: bool = False) -> None:
    """Everything about a plan that can be said without the database; Refused with all problems at once.

    A draft may still lack its accounts.
    """
    problems: list[Problem] = []
    for check in (lambda: rule_of(plan), lambda: priority_number(plan.priority)):
        try:
            check()
        except Refused as error:
            problems.extend(error.problems)
    if plan.catch_up not in list(CatchUp):
        problems.append(
            Problem(field="catch_up", message=_("Choose one of %(values)s.") % {"values": ", ".join(CatchUp)})
        )
    if not 1 <= plan.max_attempts <= 50:
        problems.append(Problem(field="max_attempts", message=_("Give a number of attempts from 1 to 50.")))
    if plan.retry_base_seconds < 0 or plan.retry_cap_seconds < plan.retry_base_seconds:
        problems.append(
            Problem(field="retry_cap_seconds", message=_("The longest wait must not be shorter than the first one."))
        )
    if not plan.targets and not draft:
        problems.append(no_account())
    seen = [target.account_id for target in plan.targets]
    if len(set(seen)) != len(seen):
        problems.append(Problem(field="accounts", message=_("Each account can be chosen once.")))
    if any(abs(target.offset_seconds) > 86_400 * 7 for target in plan.targets):
        problems.append(
            Problem(
                field="offset_seconds", message=_("An account's time may be at most a week from the schedule's time.")
            )
        )
    if problems:
        raise Refused(problems)
