"""The only writers of schedules and targets: create and edit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, prefetch_related_objects
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, emit, unit
from alwrity_scheduler.core.secrets import CannotDecrypt
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.errors import PlatformError
from platforms.models import PlatformAccount
from platforms.registry import adapter_for
from platforms.services.publishing import account_ref
from platforms.validation import check as check_post
from schedules.domain import recurrence
from schedules.domain.states import ScheduleState
from schedules.engine import wakeup
from schedules.models import ContentItem, Schedule, Target
from schedules.services import content as content_service
from schedules.services import limiting, materialise, posts, reviewing
from schedules.services.facts import schedule_fact
from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan, check_plan, no_account, priority_number

_PLAN_FIELDS = (
    "rule_kind", "expression", "timezone", "start_local", "start_fold", "until_local", "occurrence_limit", "catch_up",
    "grace_seconds", "max_attempts", "retry_base_seconds", "retry_cap_seconds", "deadline_seconds",
)  # fmt: skip

MOST_CHECKED = 50  # schedules of one content that an edit looks at


def plan_values(plan: SchedulePlan) -> dict[str, Any]:
    return {
        **{name: getattr(plan, name) for name in _PLAN_FIELDS},
        "priority": priority_number(plan.priority),
        "tags": list(dict.fromkeys(tag.strip() for tag in plan.tags if tag.strip())),
    }


def plan_of(schedule: Schedule) -> SchedulePlan:
    """The stored schedule as a plan, to be changed in part. With targets prefetched: no query."""
    return SchedulePlan(
        rule_kind=schedule.rule_kind,
        timezone=schedule.timezone,
        start_local=schedule.start_local,
        expression=schedule.expression,
        start_fold=schedule.start_fold,
        until_local=schedule.until_local,
        occurrence_limit=schedule.occurrence_limit,
        priority=schedule.priority,
        catch_up=schedule.catch_up,
        grace_seconds=schedule.grace_seconds,
        max_attempts=schedule.max_attempts,
        retry_base_seconds=schedule.retry_base_seconds,
        retry_cap_seconds=schedule.retry_cap_seconds,
        deadline_seconds=schedule.deadline_seconds,
        tags=tuple(schedule.tags),
        targets=tuple(
            TargetPlan(
                account_id=str(item.account.public_id),
                offset_seconds=item.offset_seconds,
                title=item.title,
                text=item.text,
            )
            for item in schedule.targets.all()
        ),
    )


def snapshot(schedule: Schedule) -> dict[str, Any]:
    """The schedule as plain values, for the history's before and after."""
    return {
        **{name: getattr(schedule, name) for name in _PLAN_FIELDS},
        "priority": schedule.priority,
        "tags": schedule.tags,
        "targets": [
            {
                "account": str(item.account),
                "offset_seconds": item.offset_seconds,
                "title": item.title,
                "text": item.text,
            }
            for item in Target.objects.filter(schedule=schedule).select_related("account").order_by("id")
        ],
    }


def accounts_of(workspace: Workspace, plan: SchedulePlan) -> dict[str, PlatformAccount]:
    """The plan's accounts by public id; Refused when one is not this workspace's or is disconnected."""
    try:
        wanted = [UUID(str(target.account_id)) for target in plan.targets]
    except ValueError as error:
        raise Refused(Problem(field="accounts", message=_("An account is named by its id."))) from error
    found = {
        str(row.public_id): row for row in PlatformAccount.objects.filter(workspace=workspace, public_id__in=wanted)
    }
    problems = [
        Problem(field="accounts", message=_("There is no account %(item)s in this workspace.") % {"item": item})
        for item in map(str, wanted)
        if item not in found
    ]
    problems += [
        Problem(
            field="accounts",
            message=_("%(account)s is disconnected: connect it again, or leave it out.") % {"account": row},
        )
        for row in found.values()
        if row.state == "disconnected"
    ]
    if problems:
        raise Refused(problems)
    return found


def check_for_accounts(schedule: Schedule, *, now: datetime) -> None:
    """Would this content be accepted by each of its accounts' platforms? Refused with each error and its remedy."""
    prefetch_related_objects([schedule.content], "variants", "media_links__asset")
    problems = [] if Target.objects.filter(schedule=schedule).exists() else [no_account()]
    for target in Target.objects.filter(schedule=schedule).select_related("account").order_by("id"):
        try:
            adapter = adapter_for(target.account.platform)
            reference = account_ref(target.account)
            found = check_post(posts.compose(schedule, target, reference, now=now), adapter, reference)
        except (CannotDecrypt, PlatformError) as error:
            problems.append(Problem(field="accounts", message=f"{target.account}: {error}"))
            continue
        problems += [
            Problem(field=item.field, message=f"{target.account}: {item.message} {item.remedy}".strip(), code=item.code)
            for item in found
            if item.severity == "error"
        ]
    if problems:
        raise Refused(problems)


def set_targets(schedule: Schedule, plan: SchedulePlan, accounts: dict[str, PlatformAccount]) -> None:
    schedule.targets.all().delete()
    Target.objects.bulk_create(
        Target(
            schedule=schedule, account=accounts[str(UUID(str(item.account_id)))], offset_seconds=item.offset_seconds,
            title=item.title, text=item.text,
        )
        for item in plan.targets
    )  # fmt: skip


@unit()
def create_schedule(
    *, workspace: Workspace, content: ContentItem | ContentDraft, plan: SchedulePlan, state: str, actor: Actor, now: datetime,
    person: User | None = None,
) -> Schedule:  # fmt: skip
    """Make a schedule as a draft, or active with its jobs planned. Refused names each field, and nothing stays behind."""
    problems: list[Problem] = []
    if state not in (ScheduleState.DRAFT, ScheduleState.ACTIVE):
        problems.append(Problem(field="state", message=_("A new schedule is draft or active.")))
    try:
        check_plan(plan, draft=state == ScheduleState.DRAFT)
    except Refused as error:
        problems.extend(error.problems)
    if isinstance(content, ContentDraft):
        try:
            content_service.check_content(content)
        except Refused as error:
            problems.extend(error.problems)
    if problems:
        raise Refused(problems)
    accounts = accounts_of(workspace, plan)
    if isinstance(content, ContentDraft):
        content = content_service.create_content(
            workspace=workspace, draft=content, actor=actor, now=now, person=person
        )
    schedule = Schedule.objects.create(
        workspace=workspace,
        content=content,
        state=ScheduleState.DRAFT,
        created_by=person,
        created_at=now,
        updated_at=now,
        **plan_values(plan),
    )
    set_targets(schedule, plan, accounts)
    if state == ScheduleState.ACTIVE:
        put_to_work(schedule, now=now)
    emit(schedule_fact("schedule.created", schedule, actor, now, after={**snapshot(schedule), "state": schedule.state}))
    return schedule


def put_to_work(schedule: Schedule, *, now: datetime) -> None:
    """Check the content against its platforms, and that it is approved where it must be; make the schedule active and plan its
    jobs, in the caller's transaction."""
    check_for_accounts(schedule, now=now)
    reviewing.require(schedule)
    refuse_without_future(schedule, now)
    schedule.state = ScheduleState.ACTIVE
    schedule.planned_until = (
        max(now - materialise.LOOK_BACK, materialise.beginning(schedule))
        if schedule.planned_until is None
        else schedule.planned_until
    )
    Schedule.objects.filter(pk=schedule.pk).update(state=schedule.state, planned_until=schedule.planned_until)
    materialise.plan_schedule(schedule, now=now, until=materialise.horizon(now))
    wakeup.announce()


def refuse_without_future(schedule: Schedule, now: datetime) -> None:
    """A schedule whose every time is past would never publish: say so instead of keeping it for nothing."""
    rule = materialise.rule_of(schedule)
    offset = max((item.offset_seconds for item in schedule.targets.all()), default=0)
    since = now - materialise.LOOK_BACK - timedelta(seconds=max(offset, 0))
    if next(iter(recurrence.occurrences(rule, start=since, count=1)), None) is None:
        raise Refused(
            Problem(
                field="start",
                message=_(
                    "This time is past, or the rule has no time from now on. Choose a later time, or publish now."
                ),
                code="past",
            )
        )


@unit()
def update_schedule(
    *,
    schedule: Schedule,
    plan: SchedulePlan,
    version: int,
    actor: Actor,
    now: datetime,
    draft: ContentDraft | None = None,
) -> Schedule:
    """Edit rule, targets and, with `draft`, the content, if it is still the version that was shown.

    Only jobs that have not begun change; one that is being published goes out as it was, and the history says which (R5).
    """
    limiting.require_all(schedule, actor)
    check_plan(plan, draft=schedule.state in (ScheduleState.DRAFT, ScheduleState.IN_REVIEW))
    if schedule.state == ScheduleState.ARCHIVED:
        raise IllegalTransition(
            Problem(field="state", message=_("An archived schedule cannot be edited: restore it first."))
        )
    accounts = accounts_of(schedule.workspace, plan)
    before = snapshot(schedule)
    changed = Schedule.objects.filter(pk=schedule.pk, version=version).update(
        version=F("version") + 1, updated_at=now, **plan_values(plan)
    )
    if not changed:
        raise content_service.stale("schedule")
    if draft is not None:
        content_service.update_content(
            content=schedule.content, draft=draft, version=schedule.content.version, actor=actor, now=now
        )
    schedule.refresh_from_db()
    set_targets(schedule, plan, accounts)
    replaced = 0
    was = schedule.state
    if was in (ScheduleState.ACTIVE, ScheduleState.PAUSED, ScheduleState.FINISHED):
        check_for_accounts(schedule, now=now)
        replaced = materialise.replan(schedule, now=now)
    if was != ScheduleState.DRAFT:
        reviewing.ask_again(schedule, was=was, actor=actor, now=now)
    if schedule.state in (ScheduleState.ACTIVE, ScheduleState.FINISHED):
        refuse_without_future(schedule, now)
        Schedule.objects.filter(pk=schedule.pk).update(state=ScheduleState.ACTIVE)
        schedule.state = ScheduleState.ACTIVE
        materialise.plan_schedule(schedule, now=now, until=materialise.horizon(now))
        wakeup.announce()
    after = snapshot(schedule)
    names = [name for name in after if after[name] != before[name]]
    emit(
        schedule_fact(
            "schedule.edited", schedule, actor, now,
            before={name: before[name] for name in names},
            after={**{name: after[name] for name in names}, "jobs_replaced": replaced},
        )
    )  # fmt: skip
    return schedule


@unit()
def edit_content(
    *, content: ContentItem, draft: ContentDraft, version: int, actor: Actor, now: datetime
) -> ContentItem:
    """Edit content by itself. What live schedules publish must still be something that their accounts take, and approved words
    that changed are asked for again."""
    content_service.update_content(content=content, draft=draft, version=version, actor=actor, now=now)
    _after_edit(content, actor, now)
    return content


@unit()
def restore_version(*, content: ContentItem, number: int, version: int, actor: Actor, now: datetime) -> ContentItem:
    """Make the post say again what it said in that version; an edit like any other."""
    content_service.restore_version(content=content, number=number, version=version, actor=actor, now=now)
    _after_edit(content, actor, now)
    return content


_LIVE = [ScheduleState.ACTIVE, ScheduleState.PAUSED, ScheduleState.IN_REVIEW]


def _after_edit(content: ContentItem, actor: Actor, now: datetime) -> None:
    live = list(Schedule.objects.filter(content=content, state__in=_LIVE).select_related("content").order_by("id"))
    for schedule in live[:MOST_CHECKED]:
        check_for_accounts(schedule, now=now)
    for schedule in live:
        reviewing.ask_again(schedule, was=schedule.state, actor=actor, now=now)
