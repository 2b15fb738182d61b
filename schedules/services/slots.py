"""The queue: posting times of the week an account has, and posts that go out at the next free one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.models import PlatformAccount
from schedules.domain import recurrence, slots
from schedules.domain.recurrence import RuleKind
from schedules.domain.states import JobState, ScheduleState
from schedules.models import ContentItem, Job, PostingSlot, Schedule, Target
from schedules.services import materialise
from schedules.services import schedules as schedule_service
from schedules.services.plans import ContentDraft, SchedulePlan, TargetPlan, no_account

WEEK = timedelta(days=7)  # as far as the times of one schedule's accounts may lie apart
FORESIGHT = timedelta(days=60)  # how far recurring schedules are looked through for times they take
MOST_RUNS = 500
MOST_SLOTS = 200
_TAKES = [JobState.PENDING, JobState.RUNNING, JobState.PROCESSING, JobState.COMPLETED, JobState.UNCONFIRMED]


@unit()
def set_slots(
    *, account: PlatformAccount, times: Iterable[tuple[int, time]], actor: Actor, now: datetime
) -> list[PostingSlot]:
    """Replace the account's posting times: (weekday, 0 is Monday; wall-clock time in the account's zone)."""
    wanted = sorted(set(times))
    if len(wanted) > MOST_SLOTS:
        raise Refused(
            Problem(
                field="times",
                message=_("At most %(most)s times a week.") % {"most": MOST_SLOTS},
                code="too_many",
            )
        )
    PostingSlot.objects.filter(account=account).delete()
    rows = PostingSlot.objects.bulk_create(
        PostingSlot(account=account, weekday=weekday, time=at) for weekday, at in wanted
    )
    emit(
        Fact(
            name="account.posting_times_changed",
            at=now,
            actor=actor,
            workspace_id=account.workspace_id,
            object_type="account",
            object_id=str(account.public_id),
            object_label=account.name,
            before={},
            after={"times": [f"{weekday} {at:%H:%M}" for weekday, at in wanted]},
        )
    )
    return rows


@unit()
def add_to_queue(
    *,
    workspace: Workspace,
    draft: ContentDraft | ContentItem,
    plan: SchedulePlan,
    actor: Actor,
    now: datetime,
    person: User | None = None,
) -> list[Schedule]:
    """Schedule the post on each of the plan's accounts at that account's next free posting time. The plan's own time is not used.

    One schedule, unless the times lie more than a week apart. Refused when an account has no posting times.
    """
    accounts = schedule_service.accounts_of(workspace, plan)
    if not accounts:
        raise Refused(no_account())
    # two people who queue at the same moment must not get the same slot
    list(
        PlatformAccount.objects.select_for_update().filter(pk__in=[row.pk for row in accounts.values()]).order_by("pk")
    )
    found = [(next_slot(accounts[target.account_id], now=now), target) for target in plan.targets]
    if missing := [accounts[target.account_id].name for at, target in found if at is None]:
        words = ngettext(
            "%(names)s has no free posting time. Give it some on the account's page, or choose a time here.",
            "%(names)s have no free posting time. Give it some on the account's page, or choose a time here.",
            len(missing),
        )
        raise Refused(Problem(field="accounts", message=words % {"names": ", ".join(missing)}))
    content = draft
    made: list[Schedule] = []
    for group in _groups([(at, target) for at, target in found if at is not None]):
        made.append(
            schedule_service.create_schedule(
                workspace=workspace,
                content=content,
                plan=_once(plan, group),
                state="active",
                actor=actor,
                now=now,
                person=person,
            )
        )
        content = made[-1].content
    return made


def next_slot(account: PlatformAccount, *, now: datetime) -> datetime | None:
    """The account's next posting time at which nothing of it is planned; aware UTC. Reads only."""
    return next(iter(next_slots(account, now=now, count=1)), None)


def next_slots(account: PlatformAccount, *, now: datetime, count: int) -> list[datetime]:
    """The same for the next `count` of them, in order; fewer where half a year holds no more."""
    times = list(PostingSlot.objects.filter(account=account).values_list("weekday", "time"))
    taken = _taken(account, now) if times else set()
    found: list[datetime] = []
    while len(found) < count:
        at = slots.next_free(times, zone=account.timezone, after=found[-1] if found else now, taken=taken)
        if at is None:
            break
        found.append(at)
    return found


def _taken(account: PlatformAccount, now: datetime) -> set[datetime]:
    """The times at which posts go out on the account: those that stand as jobs, and those that will."""
    jobs = Job.objects.filter(account=account, scheduled_for__gte=now - timedelta(minutes=1), state__in=_TAKES)
    taken = set(jobs.values_list("scheduled_for", flat=True))
    targets = Target.objects.filter(account=account, schedule__state__in=[ScheduleState.ACTIVE, ScheduleState.PAUSED])
    for target in targets.select_related("schedule").prefetch_related("schedule__exceptions"):
        offset = timedelta(seconds=target.offset_seconds)
        runs = recurrence.occurrences(materialise.rule_of(target.schedule), start=now - offset, count=MOST_RUNS)
        for run in runs:
            if run.fires_at > now + FORESIGHT:
                break
            taken.add(run.fires_at + offset)
    return taken


Slot = tuple[datetime, TargetPlan]


def _groups(found: Sequence[Slot]) -> list[list[Slot]]:
    groups: list[list[Slot]] = []
    for at, target in sorted(found, key=lambda item: item[0]):
        if groups and at - groups[-1][0][0] <= WEEK:
            groups[-1].append((at, target))
        else:
            groups.append([(at, target)])
    return groups


def _once(plan: SchedulePlan, group: Sequence[Slot]) -> SchedulePlan:
    first = group[0][0]
    local = first.astimezone(ZoneInfo(plan.timezone))
    return replace(
        plan,
        rule_kind=RuleKind.ONCE.value,
        expression="",
        until_local=None,
        occurrence_limit=None,
        start_local=local.replace(tzinfo=None, fold=0),
        start_fold=local.fold,
        targets=tuple(
            replace(target, offset_seconds=round((at.astimezone(UTC) - first).total_seconds())) for at, target in group
        ),
    )
