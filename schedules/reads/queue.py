"""How much work waits, by kind. Each figure is read from the one partial index that holds its rows, so that a million
finished ones cost nothing; what no index counts (finished work) is not counted here: the workers' own totals tell it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from alwrity_scheduler.workspaces.models import Workspace
from schedules.domain.states import JobState
from schedules.engine.kinds import kinds
from schedules.engine.work import PENDING, RUNNING
from schedules.models import Job

UNSETTLED = (JobState.UNCONFIRMED, JobState.PROCESSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """The rows of one kind of work. `oldest_due_at` is None when nothing is due."""

    kind: str
    pending: int
    due: int
    running: int
    oldest_due_at: datetime | None


def depth(kind: str, rows: QuerySet[Any], now: datetime) -> Depth:
    """Two queries, on the due index and on the lease index."""
    late = Q(run_at__lte=now)
    waiting = (
        rows.filter(state=PENDING)
        .order_by()
        .aggregate(pending=Count("run_at"), due=Count("run_at", filter=late), oldest=Min("run_at", filter=late))
    )
    return Depth(
        kind=kind,
        pending=waiting["pending"],
        due=waiting["due"],
        running=rows.filter(state=RUNNING).order_by().count(),
        oldest_due_at=waiting["oldest"],
    )


def depths(now: datetime) -> tuple[Depth, ...]:
    """Every registered kind, in the order of registration, over the whole installation."""
    return tuple(depth(name, kind.model._default_manager.all(), now) for name, kind in kinds.items())


def oldest_due_at(now: datetime) -> datetime | None:
    """The due time of the work of any kind that waits longest; None when nothing is due. One index entry a kind."""
    found = (
        kind.model._default_manager.filter(state=PENDING, run_at__lte=now)
        .order_by("run_at", "id")
        .values_list("run_at", flat=True)
        .first()
        for kind in kinds.values()
    )
    return min((due for due in found if due is not None), default=None)


def all_workspaces() -> list[int]:
    """The ids: given as a list, because with a subquery PostgreSQL may read the whole table of jobs instead."""
    return list(Workspace.objects.order_by().values_list("pk", flat=True))


def unsettled(workspaces: Collection[int]) -> QuerySet[Job]:
    """Jobs whose outcome is not known yet, from the list index of their workspaces."""
    return Job.objects.filter(workspace__in=workspaces, state__in=UNSETTLED).order_by()


def held_counts(workspaces: Collection[int]) -> dict[str, int]:
    """Jobs that the queue does not hold: blocked (wait for an account), unconfirmed and processing."""
    counts = dict.fromkeys((JobState.BLOCKED.value, *(state.value for state in UNSETTLED)), 0)
    counts["blocked"] = Job.objects.filter(workspace__in=workspaces, state="blocked").order_by().count()
    counts.update(unsettled(workspaces).values_list("state").annotate(Count("pk")))
    return counts
