"""A run over many schedules as its page shows it: what would happen, how far it is, what was not done and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef

from alwrity_scheduler.workspaces.models import User, Workspace
from schedules.models import BulkItem, BulkRun, Job
from schedules.models.bulk import BulkState, ItemState
from schedules.services.bulk import BACK

SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How many schedules of a state the verb is not for."""

    state: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """`handled` of `run.total` are over; `failures` are at most SHOWN. `due_today` is counted for a plan only."""

    run: BulkRun
    handled: int
    due_today: int
    left_out: list[LeftOut]
    failures: list[BulkItem]
    examples: list[BulkItem]
    can_undo: bool


def page(run: BulkRun, *, day_start: datetime, day_end: datetime) -> RunPage:
    """The day is the reader's own, half-open, aware."""
    planned = run.state == BulkState.PLANNED
    left = run.items.filter(state=ItemState.LEFT_OUT).order_by().values("was").annotate(n=Count("pk")).order_by("-n")
    over = run.state in (BulkState.FINISHED, BulkState.STOPPED)
    return RunPage(
        run=run,
        handled=run.done + run.failed,
        due_today=_due(run, day_start, day_end) if planned else 0,
        left_out=[LeftOut(state=item["was"], count=item["n"]) for item in left],
        failures=_named(run, ItemState.FAILED) if over and run.failed else [],
        examples=_named(run, ItemState.WAITING)[:5] if planned else [],
        can_undo=run.state == BulkState.FINISHED
        and bool(run.done)
        and run.verb in BACK
        and not BulkRun.objects.filter(undoes=run).exists(),
    )


def _named(run: BulkRun, state: ItemState) -> list[Any]:
    return list(run.items.filter(state=state).select_related("schedule__content").order_by("id")[:SHOWN])


def _due(run: BulkRun, day_start: datetime, day_end: datetime) -> int:
    coming = Job.objects.filter(
        schedule=OuterRef("schedule"), state="pending", scheduled_for__gte=day_start, scheduled_for__lt=day_end
    )
    return run.items.filter(Exists(coming), state=ItemState.WAITING).count()


def unfinished(person: User, workspace: Workspace) -> list[BulkRun]:
    """This person's runs that are under way or stopped, the newest first."""
    return list(
        BulkRun.objects.filter(
            person=person, workspace=workspace, state__in=[BulkState.RUNNING, BulkState.STOPPED]
        ).order_by("-created_at", "-id")[:5]
    )
