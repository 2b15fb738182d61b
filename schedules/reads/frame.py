"""What the frame around every page says about this workspace and the scheduler: one query, whatever page it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from alwrity_scheduler.core.registry import Registry
from alwrity_scheduler.workspaces.models import Workspace
from schedules.engine.kinds import kinds
from schedules.engine.tables import Worker
from schedules.engine.work import PENDING
from schedules.models import EngineControl, Job, Review
from schedules.reads.alarms import SILENT_AFTER

# what packages above count for a person in a workspace: rows with a `workspace`, narrowed to that person
counters: Registry[Callable[[Any], QuerySet[Any]]] = Registry("counter of the frame")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`stopped_at` is that of the worker heard of last, `known` whether there ever was one (of those not yet forgotten)."""

    needs_you: int
    reviews_waiting: int
    everything_paused_at: datetime | None
    alive: bool
    known: bool
    stopped_at: datetime | None
    oldest_due_at: datetime | None
    counts: dict[str, int]


def frame(workspace: Workspace, now: datetime, *, person: Any = None, silent_after: timedelta = SILENT_AFTER) -> Frame:
    """Scalar subqueries over one row, each answered from the index that the single query would use."""
    jobs, reviews = Job.objects.open_to(person), Review.objects.waiting().open_to(person)
    last = Worker.objects.order_by("-beat_at", "-id")
    due = {f"due_{name}": Subquery(_oldest(kind.model._default_manager.all(), now)) for name, kind in kinds.items()}
    counts = {
        f"count_{name}": _number(rows(person).filter(workspace=OuterRef("pk")))
        for name, rows in counters.items()
        if person is not None
    }
    row: dict[str, Any] = (
        Workspace.objects.filter(pk=workspace.pk)
        .order_by()
        .annotate(
            needs_you=_number(jobs.filter(workspace=OuterRef("pk")).needing_a_person()),
            reviews_waiting=_number(reviews.filter(workspace=OuterRef("pk"))),
            everything_paused_at=Subquery(EngineControl.objects.filter(pk=1).values("paused_at")[:1]),
            alive=Exists(Worker.objects.filter(stopped_at=None, beat_at__gt=now - silent_after)),
            known=Exists(Worker.objects.all()),
            stopped_at=Subquery(last.values("stopped_at")[:1]),
            **due,
            **counts,
        )
        .values("needs_you", "reviews_waiting", "everything_paused_at", "alive", "known", "stopped_at", *due, *counts)
        .get()
    )
    waits = [row.pop(name) for name in due]
    counted = {name: int(row.pop(f"count_{name}")) for name in counters if f"count_{name}" in row}
    return Frame(**row, oldest_due_at=min((at for at in waits if at is not None), default=None), counts=counted)


def _oldest(rows: QuerySet[Any], now: datetime) -> Any:
    return rows.filter(state=PENDING, run_at__lte=now).order_by("run_at", "id").values("run_at")[:1]


def _number(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("workspace").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0, output_field=IntegerField())
