"""Real parts for rules that speak of them: databases of both kinds, processes, threads."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import POSTGRES_URL
from tests.installation import Installation, Recorder, closing


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """A platform that makes a second post when a key comes twice, so that a double shows."""
    server = Recorder(tmp_path, "--no-dedupe")
    with closing(server):
        yield server


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
)
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """A migrated installation of its own, once on SQLite and once on PostgreSQL."""
    import psycopg

    if request.param == "sqlite":
        made = Installation(tmp_path)
        with closing(made):
            made.manage("migrate")
            yield made
        return
    name = f"rules_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        made = Installation(tmp_path, f"{POSTGRES_URL.rsplit('/', 1)[0]}/{name}")
        with closing(made):
            made.manage("migrate")
            yield made
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
