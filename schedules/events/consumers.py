"""Consumers in installed packages (entry points `alwrity.events`): each in a thread of its own, so that one that raises or hangs
keeps nobody but itself waiting, and publishing least of all.

A consumer reads every chain of the history in order, after the transactions, at least once. One process at a time feeds it: the one
that holds its row. The place is stored after each event.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from django.db import connections
from django.db.models import F, Q

from alwrity_scheduler.core import clock
from schedules.events.catalogue import is_sent
from schedules.events.envelope import payload
from schedules.events.hub import give_back
from schedules.events.models import EventConsumer
from schedules.models import AuditLog, EventCursor
from schedules.services.following import behind, start_at_end

GROUP = "alwrity.events"
BATCH = 100
MOST_FAILURES = 5
LONGEST_WAIT = 60.0
HELD = timedelta(seconds=60)
RENEW_SECONDS = 20.0
LOOK_SECONDS = 1.0
logger = logging.getLogger(__name__)
Handle = Callable[[dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Consumer:
    """types: names or `job.*`; none is all."""

    name: str
    handle: Handle
    types: tuple[str, ...] = ()

    def wants(self, name: str) -> bool:
        if not is_sent(name):
            return False
        return not self.types or any(
            name == wanted or (wanted.endswith(".*") and name.startswith(wanted[:-1])) for wanted in self.types
        )


def load(found: EntryPoint) -> Consumer | None:
    """A broken one is logged with its name and left out."""
    try:
        thing = found.load()
        if isinstance(thing, type):
            thing = thing()
        handle = getattr(thing, "handle", thing)
        if not callable(handle):
            raise TypeError(f"{found.value} is neither a function nor has it handle(event)")
        return Consumer(found.name[:60], handle, tuple(getattr(thing, "types", ())))
    except Exception:
        logger.exception(
            "The event consumer %s (%s) cannot be loaded and is left out.",
            found.name, found.value, extra={"action": "consumer_broken", "consumer": found.name},
        )  # fmt: skip
        return None


@dataclass(slots=True)
class Feeder:
    """Feeds one consumer. `round` is what its thread does again and again."""

    consumer: Consumer
    holder: str
    stopping: threading.Event = field(default_factory=threading.Event)
    # between two tries of one event, in seconds
    wait: Callable[[float], object] | None = None

    @property
    def _cursor(self) -> str:
        return f"entry:{self.consumer.name}"

    def hold(self) -> bool:
        """Take, or keep, the right to feed it. A consumer that was never seen begins at the end."""
        now = clock.database_now()
        rows = EventConsumer.objects.filter(name=self.consumer.name)
        if not rows.exists():
            start_at_end(self._cursor)
            EventConsumer.objects.bulk_create([EventConsumer(name=self.consumer.name)], ignore_conflicts=True)
        free = rows.filter(Q(holder=self.holder) | Q(held_until=None) | Q(held_until__lt=now))
        return bool(free.update(holder=self.holder, held_until=now + HELD))

    def let_go(self) -> None:
        EventConsumer.objects.filter(name=self.consumer.name, holder=self.holder).update(held_until=None)

    def round(self) -> int:
        """Hand over what is new, in all chains; returns how many events were taken. Ends early when stopped."""
        if not self.hold():
            return 0
        return sum(self._chain(chain) for chain in behind(self._cursor))

    def _chain(self, chain: int) -> int:
        EventCursor.objects.bulk_create([EventCursor(consumer=self._cursor, chain=chain)], ignore_conflicts=True)
        place = EventCursor.objects.values_list("seq", flat=True).get(consumer=self._cursor, chain=chain)
        taken, seen = 0, place
        for fact in AuditLog.objects.filter(chain=chain, seq__gt=place).order_by("seq")[:BATCH]:
            if self.consumer.wants(fact.action):
                if not self._hand_over(fact):
                    break
                taken += 1
                # whoever else has moved it holds the consumer now
                if not self._at(chain, place).update(seq=fact.seq):
                    return taken
                place = fact.seq
            seen = fact.seq
        if seen > place:
            self._at(chain, place).update(seq=seen)
        return taken

    def _at(self, chain: int, place: int) -> Any:
        return EventCursor.objects.filter(consumer=self._cursor, chain=chain, seq=place)

    def _hand_over(self, fact: AuditLog) -> bool:
        """False when it is not over: stopped, or no longer ours."""
        event = payload(fact)
        failures = 0
        while not self.stopping.is_set() and self.hold():
            give_back()
            try:
                self.consumer.handle(event)
            except Exception as error:
                # the edge: whatever an installed package does wrong stays here
                failures += 1
                self._failed(fact, failures, error)
                if failures >= MOST_FAILURES:
                    return True
                (self.wait or self.stopping.wait)(min(2.0 ** (failures - 1), LONGEST_WAIT))
            else:
                if failures:
                    EventConsumer.objects.filter(name=self.consumer.name).update(failures=0)
                return True
        return False

    def _failed(self, fact: AuditLog, failures: int, error: Exception) -> None:
        over = failures >= MOST_FAILURES
        words = "It is passed over." if over else "It is tried again."
        logger.exception(
            "The event consumer %s failed on %s. %s", self.consumer.name, fact.action, words,
            extra={
                "action": "event_passed_over" if over else "consumer_failed",
                "consumer": self.consumer.name, "event_name": fact.action, "place": f"{fact.chain}-{fact.seq}",
            },
        )  # fmt: skip
        EventConsumer.objects.filter(name=self.consumer.name).update(
            failures=0 if over else failures,
            passed_over=F("passed_over") + int(over),
            last_error=f"{fact.action} {fact.chain}-{fact.seq}: {type(error).__name__}: {error}"[:500],
            last_error_at=clock.database_now(),
        )


class Supervisor:
    """All consumers of this process: a thread each, and one that keeps what they hold while they work or hang."""

    def __init__(self, consumers: list[Consumer]) -> None:
        self.holder = f"{uuid.uuid4()}"
        self.stopping = threading.Event()
        self.feeders = [Feeder(item, self.holder, self.stopping) for item in consumers]
        self._threads = [
            threading.Thread(target=self._feed, args=(feeder,), name=f"events-{feeder.consumer.name}", daemon=True)
            for feeder in self.feeders
        ]
        self._threads.append(threading.Thread(target=self._keep, name="events-keeper", daemon=True))

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 1.0) -> None:
        """A consumer that hangs is left behind: its thread ends with the process."""
        self.stopping.set()
        for thread in self._threads:
            thread.join(seconds)

    def _feed(self, feeder: Feeder) -> None:
        try:
            while not self.stopping.is_set():
                try:
                    taken = feeder.round()
                except Exception:
                    # the edge: whatever the database says, it is tried again
                    logger.warning(
                        "Events cannot be read for %s.", feeder.consumer.name, exc_info=True,
                        extra={"action": "unread_events", "consumer": feeder.consumer.name},
                    )  # fmt: skip
                    taken = 0
                give_back()
                if not taken:
                    self.stopping.wait(LOOK_SECONDS)
            feeder.let_go()
        finally:
            connections.close_all()

    def _keep(self) -> None:
        try:
            while not self.stopping.wait(RENEW_SECONDS):
                try:
                    held = EventConsumer.objects.filter(holder=self.holder, held_until__gt=clock.database_now())
                    held.update(held_until=clock.database_now() + HELD)
                except Exception:
                    logger.warning("Consumers cannot be kept.", exc_info=True, extra={"action": "unkept_consumers"})
                give_back()
        finally:
            connections.close_all()


_lock = threading.Lock()
_running: list[Supervisor] = []


def installed() -> list[Consumer]:
    """What packages offer; the first of a name counts."""
    found: dict[str, Consumer] = {}
    for entry_point in entry_points(group=GROUP):
        consumer = load(entry_point)
        if consumer is not None:
            found.setdefault(consumer.name, consumer)
    return list(found.values())


def keep_going() -> str:
    """The duty: start the threads of this process once; says how the consumers are doing."""
    with _lock:
        if not _running:
            _running.append(Supervisor(installed()))
            if _running[0].feeders:
                _running[0].start()
    if not _running[0].feeders:
        return "no consumers installed"
    return state_words({row.name: row for row in EventConsumer.objects.order_by("name")})


def state_words(rows: Mapping[str, EventConsumer]) -> str:
    words = [f"{len(_running[0].feeders) if _running else len(rows)} consumers"]
    for name, row in rows.items():
        if row.failures:
            words.append(f"{name} fails ({row.failures} of {MOST_FAILURES})")
        if row.passed_over:
            words.append(f"{name} passed over {row.passed_over}, last: {row.last_error}")
    return "; ".join(words)
