"""What waits for a time: draft schedules whose times have gone by, and posts that were begun in the composer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from alwrity_scheduler.workspaces.models import User, Workspace
from schedules.domain import localtime
from schedules.domain.recurrence import RuleKind
from schedules.models import ComposerDraft, Schedule, Target

MOST = 30
LOOKED_THROUGH = 2_000  # schedules


@dataclass(frozen=True, slots=True)
class Unscheduled:
    """A draft schedule on one account. `at`: the instant it once wanted (aware)."""

    key: str
    public_id: UUID
    at: datetime
    title: str
    account_id: int
    account: str
    platform: str
    version: int
    recurring: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """What a person has typed and not sent."""

    public_id: UUID
    title: str


def unscheduled(workspace: Workspace, now: datetime) -> list[Unscheduled]:
    """Of the workspace's latest schedules, the newest first, one for each account; one query.

    Looked for among the latest only, since a state has no index of its own; older drafts are in the list of schedules.
    """
    # no zone's clocks are further ahead than this; each row is looked at in its own zone below
    latest = now.astimezone(UTC).replace(tzinfo=None) + timedelta(hours=15)
    newest = Schedule.objects.within(workspace).order_by("-created_at", "-id").values("pk")[:LOOKED_THROUGH]
    drafts = Schedule.objects.filter(
        Q(rule_kind=RuleKind.ONCE, start_local__lt=latest) | Q(until_local__lt=latest), pk__in=newest, state="draft"
    ).order_by()
    rows = (
        Target.objects.within(workspace)
        .filter(schedule__in=drafts.values("pk"))
        .select_related("schedule__content", "account")
        .order_by("-schedule_id", "id")
    )
    found = []
    for row in rows[: 4 * MOST]:
        schedule = row.schedule
        last = schedule.start_local if schedule.rule_kind == RuleKind.ONCE else schedule.until_local
        if last is None or localtime.local_time(last, schedule.timezone).at >= now:
            continue
        found.append(
            Unscheduled(
                key=f"p{schedule.pk}.{schedule.start_local:%Y%m%dT%H%M%S}.{row.account_id}",
                public_id=schedule.public_id,
                at=localtime.local_time(schedule.start_local, schedule.timezone, schedule.start_fold).at,
                title=str(schedule.content),
                account_id=row.account_id,
                account=row.account.name,
                platform=row.account.platform,
                version=schedule.version,
                recurring=schedule.rule_kind != RuleKind.ONCE,
            )
        )
    return found[:MOST]


def unsent(person: User, workspace: Workspace) -> list[Begun]:
    """New posts only: what changes a schedule belongs to that schedule; one query."""
    rows = ComposerDraft.objects.of(person, workspace).kept().filter(schedule=None)
    return [Begun(row.public_id, row.title) for row in rows[:MOST]]
