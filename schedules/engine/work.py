"""The one shape of work: whatever must happen later, once, with retries. Generic: knows rows, not posts.

A kind of work subclasses `WorkRow`; `claim` hands due rows to one worker each. The lease token is the row's claim
counter: whoever writes a result names the token it got, and a result with an old token changes nothing (fencing, R19).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.db import connections, models, transaction
from django.db.models import F, Q

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.core.ids import uuid7

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PENDING = "pending"
RUNNING = "running"
WINDOW_FACTOR = 8  # due rows looked at for each row wanted, so that priority can choose among them
WINDOW_LEAST = 200
LAST_PRIORITY = 10  # of the scale from 1 (first)


class WorkRow(models.Model):
    """State, due time and lease of one piece of work. Abstract."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    state = models.CharField(max_length=12, default=PENDING)
    run_at = models.DateTimeField()
    priority = models.PositiveSmallIntegerField(default=5)
    serial_key = models.BigIntegerField(null=True, editable=False)
    lease_token = models.PositiveIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    worker = models.CharField(max_length=120, blank=True, editable=False)
    tries = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


def work_constraints(prefix: str) -> tuple[list[models.Index], list[Any]]:
    """The indexes and constraints each kind of work needs, named after it. No other index may start with state or run_at."""
    indexes = [
        # claim: due rows in order of time; nothing but pending rows is in it, so the poll never meets history (R14)
        models.Index(fields=["run_at", "id"], name=f"{prefix}_due", condition=Q(state=PENDING)),
        # rescue: leases that ran out
        models.Index(fields=["lease_until", "id"], name=f"{prefix}_lease", condition=Q(state=RUNNING)),
    ]
    constraints = [
        # one at a time for each serial key, kept by the database itself (R16)
        models.UniqueConstraint(fields=["serial_key"], name=f"{prefix}_serial", condition=Q(state=RUNNING)),
        models.CheckConstraint(
            condition=Q(state=RUNNING, lease_until__isnull=False) | ~Q(state=RUNNING), name=f"{prefix}_leased"
        ),
    ]
    return indexes, constraints


@dataclass(frozen=True, slots=True)
class Claim:
    """A row that this worker holds until `lease_until`, unless it renews. It was due at `run_at`. Both aware UTC.

    `read_at`: monotonic seconds, when the time was read from which the lease was counted, or before. What is left of the
    lease is told from it alone: the claim may have waited for a lock, and its process may have been frozen.
    """

    id: int
    token: int
    lease_until: datetime
    run_at: datetime
    read_at: float


@dataclass(frozen=True, slots=True)
class Lease:
    """Who claims, and for how long."""

    worker: str
    length: timedelta


# Runs in the claiming transaction: the last look, and what must be committed before anything is sent (the attempts,
# R18). Returns a task for each claim that goes on; the other rows it has put where they belong.
Arm = Callable[[Sequence[Claim], datetime], list[tuple[Claim, Any]]]


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one claim brought: rows taken, and those of them that go on, each with its task."""

    taken: int
    tasks: list[tuple[Claim, Any]]


def claim(
    model: type[WorkRow],
    *,
    now: datetime,
    limit: int,
    lease: Lease,
    arm: Arm,
    ahead: timedelta = timedelta(),
    read_at: float | None = None,
    priority_to: int = LAST_PRIORITY,
    using: str = "default",
) -> Claimed:
    """Take up to `limit` due rows in one transaction, the most urgent first, at most one for each serial key.

    A row goes to exactly one caller: claimers take turns (SQLite's IMMEDIATE transaction, PostgreSQL's advisory
    lock), rows being edited are passed over, and the compare-and-set on the state has the last word. Order among
    due rows: priority, run_at, id. `taken` is 0 when nothing can be claimed; a row that `arm` put back is taken too.
    Rows due within `ahead` are taken as well, so that all is ready when their time comes: whoever performs them waits.
    Only rows of `priority_to` or more urgent are looked at. `read_at`: monotonic seconds before `now` was read.
    """
    if read_at is None:
        read_at = clock.monotonic()
    manager = model._default_manager.using(using)
    if not due(manager, now + ahead, priority_to).exists():
        # the usual case: nothing is due, and nobody need be kept waiting by a transaction
        return Claimed(0, [])
    with unit():
        _take_turn(connections[using], model)
        picked = _pick(manager, now + ahead, limit, priority_to, using)
        if not picked:
            return Claimed(0, [])
        until = now + lease.length
        manager.filter(pk__in=[row.pk for row in picked], state=PENDING).update(
            state=RUNNING, lease_until=until, lease_token=F("lease_token") + 1, worker=lease.worker
        )
        claims = [Claim(row.pk, row.lease_token + 1, until, row.run_at, read_at) for row in picked]
        return Claimed(len(claims), arm(claims, now))


def _take_turn(connection: BaseDatabaseWrapper, model: type[WorkRow]) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"claim {model._meta.db_table}"])


class Due(NamedTuple):
    """What the choice among due rows needs; its order is their urgency."""

    priority: int
    run_at: datetime
    pk: int
    serial_key: int | None
    lease_token: int


def due(manager: Any, now: datetime, priority_to: int = LAST_PRIORITY) -> models.QuerySet[Any]:
    """The query the poll lives on: pending rows due at `now`, by time, from the partial index alone.

    With `priority_to` the due rows of other priorities are passed over one by one; pending ones cost nothing.
    """
    found: models.QuerySet[Any] = manager.filter(state=PENDING, run_at__lte=now).order_by("run_at", "id")
    return found if priority_to >= LAST_PRIORITY else found.filter(priority__lte=priority_to)


def due_window(manager: Any, now: datetime, size: int, priority_to: int = LAST_PRIORITY) -> models.QuerySet[Any]:
    """The first `size` due rows whose serial key is free."""
    busy = manager.filter(state=RUNNING, serial_key__isnull=False).values("serial_key")
    return due(manager, now, priority_to).exclude(serial_key__in=busy)[:size]


def _pick(manager: Any, now: datetime, limit: int, priority_to: int, using: str) -> list[Due]:
    window = due_window(manager, now, max(WINDOW_LEAST, limit * WINDOW_FACTOR), priority_to)
    if connections[using].vendor == "postgresql":
        window = window.select_for_update(skip_locked=True, of=("self",))
    first: dict[object, Due] = {}
    for row in sorted(map(Due._make, window.values_list(*Due._fields))):
        first.setdefault(("row", row.pk) if row.serial_key is None else row.serial_key, row)
        if len(first) == limit:
            break
    return list(first.values())


def next_due_at(model: type[WorkRow], using: str = "default") -> datetime | None:
    """When the next pending row is due (aware UTC), or None. One index entry is read."""
    return (
        model._default_manager.using(using)
        .filter(state=PENDING)
        .order_by("run_at", "id")
        .values_list("run_at", flat=True)
        .first()
    )


def renew(
    model: type[WorkRow], *, held: dict[int, int], now: datetime, length: timedelta, using: str = "default"
) -> set[int]:
    """Lengthen the leases of `held` (id -> token). Returns the ids that are still ours."""
    manager = model._default_manager.using(using)
    with transaction.atomic(using=using):
        ours = {
            pk
            for pk, token in manager.filter(pk__in=list(held), state=RUNNING).values_list("pk", "lease_token")
            if held[pk] == token
        }
        manager.filter(pk__in=ours, state=RUNNING).update(lease_until=now + length)
    return ours


class WorkKind(ABC):
    """What the engine must know about one kind of work. A kind is registered in `kinds` by its package's wiring.

    The stages are apart so that the call to the outside never happens inside a transaction (R21): `arm` and `finish`
    belong to the database, `perform` to the outside.
    """

    name: ClassVar[str]
    model: ClassVar[type[WorkRow]]

    @abstractmethod
    def arm(self, claims: Sequence[Claim], now: datetime) -> list[tuple[Claim, Any]]:
        """Inside the claiming transaction: see `Arm`."""

    @abstractmethod
    def perform(self, task: Any) -> Any:
        """Do it, outside any transaction. Must return a result and never raise for an expected failure."""

    @abstractmethod
    def finish(self, results: Sequence[tuple[Claim, Any, Any]], now: datetime) -> None:
        """Write (claim, task, result) in one transaction, each fenced by its token."""

    @abstractmethod
    def release(self, claims: Sequence[tuple[Claim, Any]], now: datetime) -> None:
        """Put back rows that were claimed and not begun (graceful stop)."""

    @abstractmethod
    def rescue(self, now: datetime, *, dead_workers: Sequence[str] = ()) -> int:
        """Settle rows whose lease ran out, or whose worker is known to be dead. Returns how many."""
