"""Waking a sleeping engine in another process. Only latency depends on it: the poll each second is the guarantee (R15).

PostgreSQL: NOTIFY in the transaction that makes something due, LISTEN on a connection of its own. SQLite: a look at
`PRAGMA data_version`, which changes with every commit of another connection and costs microseconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import connection, connections, transaction

CHANNEL = "alwrity_engine"
SQLITE_LOOK_SECONDS = 0.1
logger = logging.getLogger(__name__)
# Called after the commit, as well as NOTIFY. Must return at once and never raise. Filled by wiring.
also: list[Callable[[], None]] = []


def announce() -> None:
    """Say, with the open transaction's commit, that something may be due soon."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    for tell in also:
        transaction.on_commit(tell)


class Listener(threading.Thread):
    """Calls `wake` whenever another process may have made something due. Ends by `stop`."""

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__(name="engine-wakeup", daemon=True)
        self.wake = wake
        self.stopping = threading.Event()

    def stop(self) -> None:
        self.stopping.set()

    def run(self) -> None:
        look = self._listen if connection.vendor == "postgresql" else self._watch
        while not self.stopping.is_set():
            try:
                look()
            except Exception:
                # whatever the database says: the poll goes on, so wait a little and try again
                logger.warning(
                    "Cannot listen for wake-ups; the poll each second goes on.",
                    exc_info=True,
                    extra={"action": "wakeup_lost"},
                )
                connections.close_all()
                self.stopping.wait(5)
        connections.close_all()

    def _watch(self) -> None:
        seen = None
        while not self.stopping.wait(SQLITE_LOOK_SECONDS):
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA data_version")
                version = cursor.fetchone()[0]
            if seen is not None and version != seen:
                self.wake()
            seen = version

    def _listen(self) -> None:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        while not self.stopping.is_set():
            for _ in connection.connection.notifies(timeout=0.5, stop_after=1):
                self.wake()
