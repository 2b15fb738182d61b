"""Which engine runs the work: read by the settings, so it must not import Django's models or the engines themselves."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from django.core.exceptions import ImproperlyConfigured

EMBEDDED = "embedded"
DISTRIBUTED = "distributed"
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
