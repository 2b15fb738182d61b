"""Real parts for rules that speak of them: databases of both kinds, processes, threads."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from alwrity_scheduler.core import clock
from schedules.engine.loop import Loop
from tests.conftest import POSTGRES_URL
from tests.installation import Installation, Recorder, closing, migrated_postgres
from tests.people import make_account, make_people
from tests.rules.inside import Nursery

# a short horizon makes planners plan often, and a short lease lets a frozen worker lose it within the test
SETTINGS = {"ENGINE_HORIZON_HOURS": "2", "ENGINE_LEASE_SECONDS": "8"}
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    """A platform that makes a second post when a key comes twice, so that a double shows; answers a second after posting."""
    server = Recorder(tmp_path, "--no-dedupe", "--delay-ms", "1000")
    with closing(server):
        yield server


@pytest.fixture(params=KINDS, scope="session")
def _nursery(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Processes of a migrated installation, once on SQLite and once on PostgreSQL."""
    import psycopg

    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        installation = Installation(folder, **SETTINGS)
        installation.migrate()
        yield from _of(installation)
        return
    name = f"rules_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_postgres(POSTGRES_URL)}")
        yield from _of(Installation(folder, f"{POSTGRES_URL.rsplit('/', 1)[0]}/{name}", **SETTINGS))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _of(installation: Installation) -> Iterator[Nursery]:
    made = Nursery(installation)
    with closing(made):
        made.ask("migrate")
        yield made


@pytest.fixture
def nursery(_nursery: Nursery) -> Nursery:
    """The processes, and an empty database. Tests that use it stay in one worker: `xdist_group("nursery")`."""
    _nursery.ask("clear")
    return _nursery


@dataclass(frozen=True)
class Today:
    """A team at the real time, for the loop's threads: `now` is the database's."""

    now: datetime
    workspace: Any
    accounts: list[Any]


@pytest.fixture
def today(transactional_db: None, platform: Any) -> Today:
    now = clock.database_now()
    room = make_people(now).workspace
    places = [make_account(room, now, name=name, platform="scripted") for name in ("One", "Two", "Three")]
    return Today(now, room, places)


@pytest.fixture
def engine() -> Iterator[Loop]:
    made = Loop(threads=4, lease=timedelta(seconds=60))
    yield made
    made.dispatcher.close()


@pytest.fixture
def beside() -> Iterator[Callable[..., threading.Thread]]:
    """`beside(call, ...)`: in a thread, whose database connection does not outlive it. All are joined at the end."""
    started: list[threading.Thread] = []

    def run(call: Callable[..., Any], *values: Any, **named: Any) -> None:
        try:
            call(*values, **named)
        finally:
            connections.close_all()

    def start(call: Callable[..., Any], *values: Any, **named: Any) -> threading.Thread:
        thread = threading.Thread(target=run, args=(call, *values), kwargs=named)
        thread.start()
        started.append(thread)
        return thread

    yield start
    for thread in started:
        thread.join(30)
        assert not thread.is_alive()


def until(condition: Callable[[], Any], what: str = "it") -> None:
    """Look again and again, for ten seconds at most."""
    waiter = threading.Event()
    for _ in range(500):
        if condition():
            return
        waiter.wait(0.02)
    raise AssertionError(f"waited in vain for {what}")
