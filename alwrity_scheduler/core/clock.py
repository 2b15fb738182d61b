"""The only module that reads a clock. Interfaces and the engine call it once and pass `now` down."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.db import connections


def now() -> datetime:
    """This machine's time, aware UTC."""
    return datetime.fromtimestamp(time.time(), tz=UTC)


def database_now(using: str = "default") -> datetime:
    """The database's time, aware UTC: the one source for due times and leases (rule R44).

    SQLite has no server, so there it is this machine's time. On PostgreSQL it is `clock_timestamp()`, read
    afresh even inside a transaction.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        return now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment.astimezone(UTC)


def monotonic() -> float:
    """Seconds that never go back; only differences mean anything."""
    return time.monotonic()
