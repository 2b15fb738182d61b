"""Which engine runs the work: read by the settings, so it must not import Django's models or the engines themselves."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from django.core.exceptions import ImproperlyConfigured

EMBEDDED = "embedded"
DISTRIBUTED = "distributed"
SHORTEST_LEASE_SECONDS = 8
PARTS = ("celery", "django_celery_beat", "psycopg")


def engine_mode(asked: str, *, database_engine: str, has_part: Callable[[str], object] = find_spec) -> str:
    """`asked` (the variable ENGINE), if this installation can run it. Raises ImproperlyConfigured with the remedy.

    Asked here and not by a system check, because `celery worker` and `celery beat` run none.
    """
    if asked not in (EMBEDDED, DISTRIBUTED):
        raise ImproperlyConfigured(f"ENGINE is {asked!r}: set it to {EMBEDDED} (the default) or to {DISTRIBUTED}.")
    if asked == EMBEDDED:
        return asked
    if missing := [part for part in PARTS if not has_part(part)]:
        raise ImproperlyConfigured(
            f"ENGINE=distributed needs {', '.join(missing)}, which is not installed: add the extra `distributed`, "
            "for example with `uv run --extra distributed …` or `pip install '.[distributed]'`."
        )
    if not database_engine.endswith("postgresql"):
        raise ImproperlyConfigured(
            "ENGINE=distributed needs PostgreSQL, and the database is another one: name yours in "
            "DATABASE_URL=postgres://user:password@host/name, or leave ENGINE out."
        )
    return asked


def lease_length(asked: int) -> int:
    """`asked` (the variable ENGINE_LEASE_SECONDS), if a call fits into it. Raises ImproperlyConfigured otherwise.

    A call must end some seconds before its lease does, and gets half of the rest; of a shorter lease nothing would be left,
    so that each post would be claimed and given back for ever.
    """
    if asked < SHORTEST_LEASE_SECONDS:
        raise ImproperlyConfigured(
            f"ENGINE_LEASE_SECONDS is {asked}: the shortest lease is {SHORTEST_LEASE_SECONDS} seconds, and 60 is usual."
        )
    return asked


def days_by_name(text: str) -> dict[str, int]:
    """`attempts:90,security log:365` as names and whole days. Raises ImproperlyConfigured for anything else."""
    found: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, days = part.rpartition(":")
        if not name.strip() or not days.strip().isdecimal() or int(days) < 1:
            raise ImproperlyConfigured(
                f"RETENTION_DAYS: {part!r} is not a name and a number of days, like attempts:90."
            )
        found[name.strip()] = int(days)
    return found
