"""The one shape of work: whatever must happen later, once, with retries. Generic: knows rows, not posts.

A kind of work subclasses `WorkRow`; `claim` hands due rows to one worker each. The lease token is the row's claim
counter: whoever writes a result names the token it got, and a result with an old token changes nothing (fencing, R19).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import connection, models, transaction
from django.db.models import Q

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.events import unit
from alwrity_scheduler.core.ids import uuid7
from schedules.engine import rows

PENDING = "pending"
RUNNING = "running"
WINDOW_FACTOR = 4  # due rows looked at for each row wanted, so that priority can choose among them
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
    worker: str


@dataclass(frozen=True, slots=True)
class Lease:
    """Who claims, and for how long."""

    worker: str
    length: timedelta


# Runs in the claiming transaction, with the rows locked and still pending: the last look, and what must be committed before
# anything is sent (the attempts, R18). Returns a task for each claim that goes on, which is then held; the other rows it has
# put where they belong. `marks` of a task are columns to be written with the claim.
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
    known_due: bool = False,
) -> Claimed:
    """Take up to `limit` due rows in one transaction, the most urgent first, at most one for each serial key.

    A row goes to exactly one caller: claimers take turns (SQLite's IMMEDIATE transaction, PostgreSQL's advisory
    lock), rows being edited are passed over, and the compare-and-set on the state has the last word. Order among
    due rows: priority, run_at, id. `taken` is 0 when nothing can be claimed; a row that `arm` put back is taken too.
    Rows due within `ahead` are taken as well, so that all is ready when their time comes: whoever performs them waits.
    Only rows of `priority_to` or more urgent are looked at. `read_at`: monotonic seconds before `now` was read.
    `known_due` says that the caller has just looked.
    """
    if read_at is None:
        read_at = clock.monotonic()
    # not exists(): that drops the order, and with it the one index in which no history stands (R14)
    if not known_due and due(model._default_manager, now + ahead, priority_to).values_list("pk").first() is None:
        # the usual case: nothing is due, and nobody need be kept waiting by a transaction
        return Claimed(0, [])
    with unit():
        claims = _choose(model, Wanted(now + ahead, limit, priority_to), lease, now + lease.length, read_at)
        if not claims:
            return Claimed(0, [])
        tasks = arm(claims, now)
        _hold(model, tasks)
        return Claimed(len(claims), tasks)


def due(manager: Any, now: datetime, priority_to: int = LAST_PRIORITY) -> models.QuerySet[Any]:
    """The query the poll lives on: pending rows due at `now`, by time, from the partial index alone.

    With `priority_to` the due rows of other priorities are passed over one by one; pending ones cost nothing.
    """
    found: models.QuerySet[Any] = manager.filter(state=PENDING, run_at__lte=now).order_by("run_at", "id")
    return found if priority_to >= LAST_PRIORITY else found.filter(priority__lte=priority_to)


def due_window(manager: Any, now: datetime, size: int, priority_to: int = LAST_PRIORITY) -> models.QuerySet[Any]:
    """The first `size` due rows whose serial key is free: what a claim would choose from."""
    busy = manager.filter(state=RUNNING, serial_key__isnull=False).values("serial_key")
    return due(manager, now, priority_to).exclude(serial_key__in=busy)[:size]


# Of the first due rows by time, those whose serial key is free; of each serial key the most urgent; of these, k.
# The window is read without locks: a lock on each of its rows would be a write on each.
_PICKED = """
    SELECT id FROM (
        SELECT id, priority, run_at,
               row_number() OVER (PARTITION BY coalesce(serial_key, -id) ORDER BY priority, run_at, id) AS place
        FROM (
            SELECT id, priority, run_at, serial_key FROM {table}
            WHERE state = 'pending' AND run_at <= %s AND priority <= %s AND (serial_key IS NULL OR serial_key NOT IN (
                SELECT serial_key FROM {table} WHERE state = 'running' AND serial_key IS NOT NULL))
                AND {others}
            ORDER BY run_at, id LIMIT %s
        ) AS due_window
    ) AS ranked
    WHERE place = 1 ORDER BY priority, run_at, id LIMIT %s
"""
_OTHERS = {
    "sqlite": "id NOT IN (SELECT value FROM json_each(%s)) AND "
    "(serial_key IS NULL OR serial_key NOT IN (SELECT value FROM json_each(%s)))",
    "postgresql": "id <> ALL(%s::bigint[]) AND (serial_key IS NULL OR serial_key <> ALL(%s::bigint[]))",
}
_LOCKED = {"sqlite": "", "postgresql": "FOR UPDATE SKIP LOCKED"}


# Whatever the server's default: an attempt that a power cut takes back could be published twice (R18b).
_DURABLY = "set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), true)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a claim is after: `limit` rows due at `due_at` and of `priority_to` or more urgent, other than those it has."""

    due_at: datetime
    limit: int
    priority_to: int = LAST_PRIORITY
    has: tuple[int, ...] = ()
    has_keys: tuple[int, ...] = ()


def choosing(model: type[WorkRow], wanted: Wanted) -> tuple[str, list[Any]]:
    """The choice itself: one statement and its parameters. Apart so that a test can ask for its plan."""
    table, vendor = connection.ops.quote_name(model._meta.db_table), connection.vendor
    picked = _PICKED.replace("{table}", table).replace("{others}", _OTHERS[vendor])
    size = max(WINDOW_LEAST, wanted.limit * WINDOW_FACTOR)
    has = [list(wanted.has), list(wanted.has_keys)]
    parameters = [
        rows.prepared_moment(wanted.due_at), wanted.priority_to, *(map(json.dumps, has) if vendor == "sqlite" else has), size,
        wanted.limit,
    ]  # fmt: skip
    sql = f"SELECT id, lease_token, run_at, priority, serial_key FROM {table} WHERE state = 'pending' AND id IN ({picked})"
    return f"{sql} {_LOCKED[vendor]}", parameters


def _choose(model: type[WorkRow], wanted: Wanted, lease: Lease, until: datetime, read_at: float) -> list[Claim]:
    """Lock the rows to be claimed, and nobody else's turn to choose meanwhile. Nothing is written yet."""
    chosen: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT pg_advisory_xact_lock(hashtext(%s)), {_DURABLY}", [f"claim {model._meta.db_table}"])
        while len(chosen) < wanted.limit:
            # the next window looks past what is chosen: a long queue of one account must not hide the others (R16)
            keys = tuple(row[4] for row in chosen if row[4] is not None)
            rest = replace(wanted, limit=wanted.limit - len(chosen), has=tuple(row[0] for row in chosen), has_keys=keys)
            cursor.execute(*choosing(model, rest))
            found = cursor.fetchall()
            chosen += found
            if not found:
                break
    chosen.sort(key=lambda row: (row[3], row[2], row[0]))
    return [Claim(pk, token + 1, until, rows.moment(run_at), read_at, lease.worker) for pk, token, run_at, *_ in chosen]


def _hold(model: type[WorkRow], tasks: Sequence[tuple[Claim, Any]]) -> None:
    """Take the rows that go on, in one statement, with what their tasks say is to stand on them."""
    if not tasks:
        return
    marks = [getattr(task, "marks", {}) for _, task in tasks]
    names = list(marks[0])
    held = rows.update(
        model,
        ["id", "lease_token", *names],
        [
            (claim.id, claim.token, *(mark[name] for name in names))
            for (claim, _), mark in zip(tasks, marks, strict=True)
        ],
        shared={"state": RUNNING, "lease_until": tasks[0][0].lease_until, "worker": tasks[0][0].worker},
        only={"state": PENDING},
    )
    if len(held) != len(tasks):
        raise RuntimeError(f"{len(tasks) - len(held)} rows were changed by their own claim")


def next_after(model: type[WorkRow], moment: datetime) -> datetime | None:
    """When the first pending row after `moment` is due (aware UTC), or None. One index entry is read."""
    later = model._default_manager.filter(state=PENDING, run_at__gt=moment).order_by("run_at", "id")
    found: datetime | None = later.values_list("run_at", flat=True).first()
    return found


@dataclass(frozen=True, slots=True)
class Look:
    """The database's time, and when the next pending row of each model is due (aware UTC; None: there is none)."""

    now: datetime
    next_due: list[datetime | None]


def look(kinds: Sequence[type[WorkRow]]) -> Look:
    """One query that reads one index entry for each model: what a loop asks in each turn."""
    tables = [connection.ops.quote_name(model._meta.db_table) for model in kinds]
    asked = [f"(SELECT run_at FROM {table} WHERE state = 'pending' ORDER BY run_at, id LIMIT 1)" for table in tables]
    clocked = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(['clock_timestamp()', *asked] if clocked else asked)}")
        found = list(cursor.fetchone() or ())
    now = rows.moment(found.pop(0)) if clocked else clock.now()
    return Look(now, [None if at is None else rows.moment(at) for at in found])


def renew(model: type[WorkRow], *, held: dict[int, int], now: datetime, length: timedelta) -> set[int]:
    """Lengthen the leases of `held` (id -> token). Returns the ids that are still ours."""
    return rows.update(
        model,
        ["id", "lease_token"],
        list(held.items()),
        match=["id", "lease_token"],
        shared={"lease_until": now + length},
        only={"state": RUNNING},
    )


def still_held(model: type[WorkRow], *, held: dict[int, int]) -> set[int]:
    """Those of `held` (id -> token) that are still ours. Waits for whoever is changing them: the answer is the last word."""
    with transaction.atomic():
        mine = model._default_manager.filter(pk__in=list(held), state=RUNNING)
        locked = mine.select_for_update().order_by("pk").values_list("pk", "lease_token")
        return {pk for pk, token in locked if held[pk] == token}


class WorkKind(ABC):
    """What the engine must know about one kind of work. A kind is registered in `kinds` by its package's wiring.

    The stages are apart so that the call to the outside never happens inside a transaction (R21): `arm` and `finish`
    belong to the database, `perform` to the outside.
    """

    name: ClassVar[str]
    model: ClassVar[type[WorkRow]]
    most_a_claim: ClassVar[int] = 250
    # the most of a process's threads that its calls may hold: what is below 1 can never keep posts waiting
    share: ClassVar[float] = 1.0
    # may somebody take a claimed row back before its time? Then `engine.lastlook` asks before it is performed.
    taken_back: ClassVar[bool] = False

    @abstractmethod
    def arm(self, claims: Sequence[Claim], now: datetime) -> list[tuple[Claim, Any]]:
        """Inside the claiming transaction: see `Arm`."""

    def ids(self, task: Any) -> dict[str, Any]:
        """What log lines and spans of the call name it by: ids alone, in plain values. Costs no query."""
        return {}

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
