"""What the timeline shows besides posts: lanes' names, milestones, progress of campaigns, what waits for what."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, Min, Q, Value
from django.db.models.fields import DateTimeField

from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.models import PlatformAccount
from schedules.domain import localtime
from schedules.models import Dependency, Job, Milestone, Schedule, Target

NOT_COUNTED = ("cancelled", "superseded")
MOST_MILESTONES, MOST_LINKS, MOST_FOUND = 100, 5000, 10


@dataclass(frozen=True, slots=True)
class AccountName:
    id: int
    public_id: UUID
    name: str
    platform: str
    state: str


def accounts(workspace: Workspace) -> list[AccountName]:
    """In the order of the lanes: by platform, then by name. Disconnected ones too: posts may stand on them."""
    rows = PlatformAccount.objects.filter(workspace=workspace).order_by("platform", "name", "id")
    return [AccountName(*row) for row in rows.values_list("id", "public_id", "name", "platform", "state")]


def people(ids: Iterable[int]) -> dict[int, str]:
    """id -> how the person is called."""
    rows = User.objects.filter(pk__in=list(ids))
    return {row.pk: row.get_full_name() or row.get_username() for row in rows}


def milestones(workspace: Workspace, first: date, last: date) -> list[Milestone]:
    """Those due from `first` to `last`, and all that are not reached yet; by day, with their campaigns."""
    rows = Milestone.objects.filter(workspace=workspace).standing()
    shown = rows.filter(Q(due_on__range=(first, last)) | Q(done_at=None))
    return list(shown.select_related("campaign").order_by("due_on", "id")[:MOST_MILESTONES])


@dataclass(frozen=True, slots=True)
class Progress:
    """published of all the posts of a campaign that stand; first, last: the times between which they lie (aware UTC)."""

    published: int
    all: int
    first: datetime
    last: datetime


def progress(workspace: Workspace, campaigns: Collection[int]) -> dict[int, Progress]:
    """By campaign: its jobs, and its single times that are not planned yet. Later runs of repeating posts are not counted."""
    if not campaigns:
        return {}
    jobs = Job.objects.filter(workspace=workspace, schedule__content__campaign__in=campaigns).exclude(
        state__in=NOT_COUNTED
    )
    planned = jobs.order_by().values_list("schedule__content__campaign")
    planned = planned.annotate(
        Count("pk", filter=Q(state="completed")), Count("pk"), Min("scheduled_for"), Max("scheduled_for")
    )
    unplanned = Target.objects.filter(
        schedule__workspace=workspace,
        schedule__content__campaign__in=campaigns,
        schedule__rule_kind="once",
        schedule__jobs=None,
    ).exclude(schedule__state="archived")
    none = Value(None, output_field=DateTimeField())
    waiting = unplanned.order_by().values_list("schedule__content__campaign")
    waiting = waiting.annotate(Count("pk", filter=Q(pk=None)), Count("pk"), Min(none), Max(none))
    found: dict[int, list[Any]] = {}
    for campaign, published, count, first, last in [*planned, *waiting]:
        row = found.setdefault(campaign, [0, 0, None, None])
        row[0] += published
        row[1] += count
        row[2], row[3] = row[2] or first, row[3] or last
    return {key: Progress(*row) for key, row in found.items()}
