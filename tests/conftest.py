"""What every test shares: a data folder of its own, three people and a stranger, and a clock that does not tick.

PostgreSQL: `TEST_POSTGRES_URL` (default postgres://postgres@127.0.0.1:5432/postgres). Tests that need it say why they skip
where there is none; with CI=true nothing may skip for want of a service.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # a Monday
POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
RABBITMQ_URL = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are processors: many tests wait for processes of their own."""
    return (os.cpu_count() or 1) + 2


def _answers(address: str, port: int) -> bool:
    url = urlsplit(address)
    try:
        with socket.create_connection((url.hostname or "127.0.0.1", url.port or port), timeout=1):
            return True
    except OSError:
        return False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about the other database; skip, with the reason, what needs a part that this machine lacks: never in CI,
    where a missing part is a failure.
    """
    _leave_out_the_other_database(config, items)
    _keep_groups_together(config, items)
    if os.environ.get("CI"):
        return
    missing = {}
    if not _answers(POSTGRES_URL, 5432):
        missing["postgres"] = (
            f"no PostgreSQL server answers at {urlsplit(POSTGRES_URL).netloc} (TEST_POSTGRES_URL names another)"
        )
    if not _answers(RABBITMQ_URL, 5672):
        missing["rabbitmq"] = (
            f"no RabbitMQ answers at port {urlsplit(RABBITMQ_URL).port} (TEST_RABBITMQ_URL names another)"
        )
    if shutil.which("redis-server") is None:
        missing["redis"] = "no redis-server is installed, and these tests start one of their own"
    if not Path(CHROMIUM).exists():
        missing["browser"] = f"no Chromium at {CHROMIUM} (install it, or name it in CHROMIUM)"
    for item in items:
        for marker, reason in missing.items():
            if marker in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))


def _keep_groups_together(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What pytest-xdist 3.8 does for `xdist_group`, where pytest 9.2 sees it: xdist writes a `_nodeid` that is read no more."""
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        groups = sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group") if mark.args})
        name = f"@{'_'.join(groups)}"
        if groups and not item.nodeid.endswith(name):
            item._id = type(item._id).parse(item.nodeid + name)


def _leave_out_the_other_database(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`vendor("postgresql")` is for the suite's run on that database (tests/acceptance/test_on_postgresql.py)."""
    from django.db import connection

    def is_meant(item: pytest.Item) -> bool:
        marker = item.get_closest_marker("vendor")
        return marker is None or marker.args[0] == connection.vendor

    others = [item for item in items if not is_meant(item)]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if is_meant(item)]


@pytest.fixture(scope="session", autouse=True)
def _empty_only_what_is_full() -> Iterator[None]:
    """Between tests that commit, Django truncates every table of PostgreSQL, which costs a new file each; most are empty."""
    from django.db import connection

    if connection.vendor != "postgresql":
        yield
        return
    operations = type(connection.ops)
    whole = operations.sql_flush

    def sql_flush(ops: Any, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
        if not tables or options.get("reset_sequences"):
            return whole(ops, style, tables, **options)
        names = [ops.quote_name(table) for table in tables]
        with ops.connection.cursor() as cursor:
            cursor.execute(
                " UNION ALL ".join(f"(SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name}))" for name in names)
            )
            full = [row[0] for row in cursor.fetchall()]
        # no foreign key is asked in between: all of it goes
        return (
            ["SET LOCAL session_replication_role = replica", *(f"DELETE FROM {name}" for name in full)] if full else []
        )

    operations.sql_flush = sql_flush  # type: ignore[method-assign]
    yield
    operations.sql_flush = whole  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """On SQLite the test database is a copy of one that was migrated once for all processes."""
    from django.db import connection

    from tests.installation import migrated_sqlite

    if connection.vendor == "sqlite":
        shutil.copyfile(migrated_sqlite(), connection.settings_dict["TEST"]["NAME"])


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    from django.db import connection

    return django_db_keepdb or connection.vendor == "sqlite"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Playwright leaves its event loop marked as running in the thread between its calls: whoever looks, as GraphQL and the tools
    of assistants do, would take this for asynchronous code. Hidden around a whole test with its fixtures, because Django has
    another connection to the database where a loop runs."""
    loop = asyncio._get_running_loop()
    if loop is None or "browser" in item.path.parts:
        return (yield)
    asyncio._set_running_loop(None)
    try:
        return (yield)
    finally:
        asyncio._set_running_loop(loop)


@pytest.fixture
def now() -> datetime:
    """Monday 23 November 2026, 08:00 UTC: 09:00 in Berlin."""
    return NOW


@pytest.fixture
def after() -> Callable[..., datetime]:
    """`after(hours=2)`: that long after `now`."""
    return lambda **parts: NOW + timedelta(**parts)


@pytest.fixture
def actor():  # type: ignore[no-untyped-def]
    from alwrity_scheduler.core.events import Actor

    return Actor(kind="user", id="1", label="ana")


@pytest.fixture
def people(db):  # type: ignore[no-untyped-def]
    """owner, author, viewer of one workspace, and a stranger who owns another."""
    from tests.people import make_people

    return make_people(NOW)


@pytest.fixture
def team(people):  # type: ignore[no-untyped-def]
    """manager, approver, outside reviewer and a limited author of the same workspace."""
    from tests.people import make_team

    return make_team(people, NOW)


@pytest.fixture
def workspace(people):  # type: ignore[no-untyped-def]
    return people.workspace


@pytest.fixture
def platform():  # type: ignore[no-untyped-def]
    """A scripted platform, installed for the test."""
    from tests import engine

    adapter = engine.install(engine.ScriptedAdapter())
    yield adapter
    engine.uninstall(adapter)


@pytest.fixture
def hosted():  # type: ignore[no-untyped-def]
    """A scripted platform of several hosts, each down by itself, whose sign-ins can be renewed."""
    from tests import engine

    adapter = engine.install(engine.HostedAdapter(clock=NOW))
    yield adapter
    engine.uninstall(adapter)


@pytest.fixture
def account(workspace, platform):  # type: ignore[no-untyped-def]
    """An account on the scripted platform."""
    from tests.people import make_account

    return make_account(workspace, NOW, platform="scripted")
