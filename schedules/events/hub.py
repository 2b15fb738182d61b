"""One thread a process that looks whether the history has gone on, only while somebody listens, and rings the listeners' bells.

It asks one small question a second (the ends of the chains that are listened to) and reads what is new once for all. Nobody waits
on a database connection: the hub has one, listeners give theirs back before they wait.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections

from schedules.events.catalogue import is_sent
from schedules.events.envelope import payload, rooms_of
from schedules.models import AuditChain, AuditLog

logger = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
MOST_READ = 500  # facts read at once, and kept of each chain for those who listen


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it is sent. text: JSON on one line; empty for a fact that stays here."""

    chain: int
    seq: int
    type: str
    text: str


@dataclass(eq=False, slots=True)
class Listener:
    """ring: called from the hub's thread when a chain of `chains` has gone on."""

    chains: frozenset[int]
    ring: Callable[[], None]


@dataclass(eq=False, slots=True)
class _Chain:
    """end: the last place seen. start: the place before the first fact that is kept."""

    end: int
    start: int
    kept: deque[Told] = field(default_factory=deque)


class Hub:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._chains: dict[int, _Chain] = {}
        self._thread: threading.Thread | None = None
        # set when the thread is to look round at once: the last listener has left, or the process ends
        self._nudge = threading.Event()
        self._stopping = False
        # told how many listen, whenever that changes: a server with a fixed number of threads gives as many on top
        self.on_count: list[Callable[[int], None]] = []

    @property
    def count(self) -> int:
        return len(self._listeners)

    def join(self, listener: Listener) -> bool:
        """False when as many listen as may."""
        with self._lock:
            if self._stopping or len(self._listeners) >= settings.STREAM["most"]:
                return False
            self._listeners.add(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="event-hub", daemon=True)
                self._thread.start()
            self._tell_count()
        return True

    def leave(self, listener: Listener) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.discard(listener)
                self._tell_count()
                if not self._listeners:
                    self._nudge.set()

    def stop(self) -> None:
        """The process ends: every stream ends too."""
        self._stopping = True
        self._nudge.set()
        with self._lock:
            for listener in self._listeners:
                listener.ring()

    @property
    def is_stopping(self) -> bool:
        return self._stopping

    def after(self, chain: int, seq: int) -> list[Told] | None:
        """What came after that place, as far as the hub knows; None when it no longer has all of it."""
        with self._lock:
            known = self._chains.get(chain)
            if known is None or known.start > seq:
                return None
            return [told for told in known.kept if told.seq > seq]

    def look(self) -> None:
        """One look at the ends of all chains that are listened to."""
        with self._lock:
            wanted = frozenset().union(*(listener.chains for listener in self._listeners))
            self._chains = {chain: found for chain, found in self._chains.items() if chain in wanted}
            before = {chain: found.end for chain, found in self._chains.items()}
        ends = ends_of(wanted)
        grown = set()
        for chain, end in ends.items():
            if chain not in before:
                # its listeners came with the end of their own; they look for themselves
                with self._lock:
                    self._chains[chain] = _Chain(end=end, start=end)
                grown.add(chain)
            elif end > before[chain]:
                self._keep(chain, before[chain], end)
                grown.add(chain)
        with self._lock:
            for listener in self._listeners:
                if listener.chains & grown:
                    listener.ring()

    def _keep(self, chain: int, start: int, end: int) -> None:
        rows = AuditLog.objects.filter(chain=chain, seq__gt=max(start, end - MOST_READ), seq__lte=end).order_by("seq")
        told = tell(list(rows))
        with self._lock:
            known = self._chains[chain]
            if told and told[0].seq != known.end + 1:
                known.kept.clear()
                known.start = told[0].seq - 1
            known.kept.extend(told)
            while len(known.kept) > MOST_READ:
                known.start = known.kept.popleft().seq
            known.end = end

    def _tell_count(self) -> None:
        for tell_it in self.on_count:
            tell_it(len(self._listeners))

    def _run(self) -> None:
        wait = LOOK_SECONDS
        try:
            while True:
                self._nudge.wait(wait)
                self._nudge.clear()
                with self._lock:
                    if self._stopping or not self._listeners:
                        self._thread = None
                        self._chains = {}
                        return
                try:
                    self.look()
                    wait = LOOK_SECONDS
                except Exception:
                    # the edge: whatever the database says, streams go on and it is tried again
                    logger.warning("Cannot look for new events.", exc_info=True, extra={"action": "hub_failed"})
                    give_back()
                    wait = 5.0
        finally:
            connections.close_all()


hub = Hub()


def tell(facts: list[AuditLog]) -> list[Told]:
    """The facts as they are sent, in their order; one query."""
    rooms = rooms_of(facts)
    return [
        Told(fact.chain, fact.seq, fact.action, _line(payload(fact, rooms)) if is_sent(fact.action) else "")
        for fact in facts
    ]


def ends_of(chains: Iterable[int]) -> dict[int, int]:
    """chain -> its last place; 0 for one that nothing happened in."""
    wanted = list(chains)
    found = dict(AuditChain.objects.filter(pk__in=wanted).order_by().values_list("pk", "length"))
    return {chain: found.get(chain, 0) for chain in wanted}


def give_back() -> None:
    """Close this thread's connections, unless a caller's transaction is open on one."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def _line(event: dict[str, object]) -> str:
    return json.dumps(event, cls=DjangoJSONEncoder, separators=(",", ":"), ensure_ascii=False)
