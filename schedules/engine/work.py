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

from alwrity_scheduler.core.events import unit
from alwrity_scheduler.core.ids import uuid7

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PENDING = "pending"
RUNNING = "running"
WINDOW_FACTOR = 8  # due rows looked at for each row wanted, so that priority can choose among them
WINDOW_LEAST = 200


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
    """A row that this worker holds until `lease_until`, unless it renews. It was due at `run_at`. Both aware UTC."""

    id: int
    token: int
    lease_until: datetime
    run_at: datetime


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
    using: str = "default",
) -> Claimed:
    """Take up to `limit` due rows in one transaction, the most urgent first, at most one for each serial key.

    A row goes to exactly one caller: claimers take turns (SQLite's IMMEDIATE transaction, PostgreSQL's advisory
    lock), rows being edited are passed over, and the compare-and-set on the state has the last word. Order among
    due rows: priority, run_at, id. `taken` is 0 when nothing can be claimed; a row that `arm` put back is taken too.
    Rows due within `ahead` are taken as well, so that all is ready when their time comes: whoever performs them waits.
    """
    manager = model._default_manager.using(using)
    if not due(manager, now + ahead).exists():
        # the usual case: nothing is due, and nobody need be kept waiting by a transaction
        return Claimed(0, [])
    with unit():
        _take_turn(connections[using], model)
        picked = _pick(manager, now + ahead, limit, using)
        if not picked:
            return Claimed(0, [])
        until = now + lease.length
        manager.filter(pk__in=[row.pk for row in picked], state=PENDING).update(
            state=RUNNING, lease_until=until, lease_token=F("lease_token") + 1, worker=lease.worker
        )
        claims = [Claim(row.pk, row.lease_token + 1, until, row.run_at) for row in picked]
        return Claimed(len(claims), arm(claims, now))


# Whatever the server's default: an attempt that a power cut takes back could be published twice (R18b).
_DURABLY = "set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true)"


def _take_turn(connection: BaseDatabaseWrapper, model: type[WorkRow]) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            lock = f"claim {model._meta.db_table}"
            cursor.execute(f"SELECT pg_advisory_xact_lock(hashtext(%s)), {_DURABLY}", [lock])


class Due(NamedTuple):
    """What the choice among due rows needs; its order is their urgency."""

    priority: int
    run_at: datetime
    pk: int
    serial_key: int | None
    lease_token: int


def due(manager: Any, now: datetime) -> models.QuerySet[Any]:
    """The query the poll lives on: pending rows due at `now`, by time, from the partial index alone."""
    found: models.QuerySet[Any] = manager.filter(state=PENDING, run_at__lte=now).order_by("run_at", "id")
    return found


def due_window(manager: Any, now: datetime, size: int, passed: Sequence[int] = ()) -> models.QuerySet[Any]:
    """The first `size` due rows whose serial key is free and none of `passed`."""
    busy = manager.filter(state=RUNNING, serial_key__isnull=False).values("serial_key")
    free = due(manager, now).exclude(serial_key__in=busy)
    return (free.exclude(serial_key__in=passed) if passed else free)[:size]


def _pick(manager: Any, now: datetime, limit: int, using: str) -> list[Due]:
    """One row for each serial key, window after window: a long queue of one account must not hide the others (R16)."""
    size = max(WINDOW_LEAST, limit * WINDOW_FACTOR)
    first: dict[object, Due] = {}
    while len(first) < limit:
        passed = [row.serial_key for row in first.values() if row.serial_key is not None]
        window = due_window(manager, now, size, passed)
        if connections[using].vendor == "postgresql":
            window = window.select_for_update(skip_locked=True, of=("self",))
        rows = sorted(map(Due._make, window.values_list(*Due._fields)))
        for row in rows:
            first.setdefault(("row", row.pk) if row.serial_key is None else row.serial_key, row)
            if len(first) == limit:
                break
        if len(rows) < size:
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


def still_held(model: type[WorkRow], *, held: dict[int, int], using: str = "default") -> set[int]:
    """Those of `held` (id -> token) that are still ours. Waits for whoever is changing them: the answer is the last word."""
    with transaction.atomic(using=using):
        rows = model._default_manager.using(using).filter(pk__in=list(held), state=RUNNING)
        locked = rows.select_for_update().order_by("pk").values_list("pk", "lease_token")
        return {pk for pk, token in locked if held[pk] == token}


class WorkKind(ABC):
    """What the engine must know about one kind of work. A kind is registered in `kinds` by its package's wiring.

    The stages are apart so that the call to the outside never happens inside a transaction (R21): `arm` and `finish`
    belong to the database, `perform` to the outside.
    """

    name: ClassVar[str]
    model: ClassVar[type[WorkRow]]
    # may somebody take a claimed row back before its time? Then `engine.lastlook` asks before it is performed.
    taken_back: ClassVar[bool] = False

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
