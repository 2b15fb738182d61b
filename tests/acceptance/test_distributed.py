"""The distributed engine as an operator runs it: beat, workers, a broker, PostgreSQL; killed, flushed and crowded.

Every test has a database and queues of its own, and a Redis that it may flush. The recording platform makes a second
post for a key that comes twice, so a double would show.
"""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import POSTGRES_URL, RABBITMQ_URL
from tests.installation import (
    Installation,
    Recorder,
    RedisServer,
    children,
    closing,
    hears,
    kill,
    migrated_postgres,
    wait_for,
)

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.xdist_group("distributed")]
PATIENCE = 120.0
Make = Callable[..., Installation]


def _database_url(name: str) -> str:
    return f"{POSTGRES_URL.rsplit('/', 1)[0]}/{name}"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a migrated database, to be copied."""
    import psycopg

    name = f"alwrity_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_postgres(POSTGRES_URL)}")
        Installation(tmp_path_factory.mktemp("migrated"), _database_url(name), ENGINE="distributed").manage("migrate")
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(migrated: str) -> Iterator[str]:
    import psycopg

    name = f"alwrity_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated}")
        yield _database_url(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    with closing(server):
        yield server


@pytest.fixture
def recorder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Recorder]:
    server = Recorder(tmp_path, "--no-dedupe", "--delay-ms", str(getattr(request, "param", 0)))
    with closing(server):
        yield server


@pytest.fixture
def make(tmp_path: Path, database: str) -> Iterator[Make]:
    """`make(broker_url)` gives the installation; its processes end with the test."""
    made: list[Installation] = []

    def one(broker_url: str, **settings: str) -> Installation:
        made.append(
            Installation(tmp_path, database, ENGINE="distributed", CELERY_BROKER_URL=broker_url, **settings)
        )  # fmt: skip
        return made[0]

    yield one
    for installation in made:
        installation.close()


def _wait(condition: Callable[[], object], what: str) -> None:
    """Looks ten times a second: the processes need the machine more than the looking does."""
    wait_for(condition, PATIENCE, what, pause=0.1)


def _rows(installation: Installation, question: str) -> list[tuple[Any, ...]]:
    """Asked of the database itself: a process of the product for each look would take longer than the test."""
    import psycopg

    with psycopg.connect(installation.database_url) as connection:
        return connection.execute(question).fetchall()


def _states(installation: Installation) -> dict[str, int]:
    return dict(_rows(installation, "SELECT state, count(*) FROM schedules_job GROUP BY state"))


def _workers(installation: Installation) -> dict[str, int]:
    """role -> how many live processes."""
    return dict(
        _rows(installation, "SELECT role, count(*) FROM schedules_worker WHERE stopped_at IS NULL GROUP BY role")
    )  # fmt: skip


def _plan(installation: Installation) -> tuple[Any, ...]:
    """The duty's switch, cadence and last run."""
    return _rows(installation, "SELECT enabled, every_seconds, last_run_at FROM schedules_duty WHERE name = 'plan'")[0]


def _periodic_tasks(installation: Installation) -> list[str]:
    return [name for (name,) in _rows(installation, "SELECT name FROM django_celery_beat_periodictask ORDER BY name")]


def _all_arrive_once(installation: Installation, recorder: Recorder, posts: int) -> dict[str, Any]:
    _wait(lambda: len(recorder.posts()) >= posts, f"{posts} posts")
    _wait(lambda: _states(installation) == {"completed": posts}, "all jobs to be completed")
    told: dict[str, Any] = installation.inside("evidence")
    assert [key for key, times in recorder.posts().items() if times != 1] == []
    assert set(recorder.posts()) == set(told["keys"])
    assert told["open_attempts"] == 0
    assert told["never_early"]
    return told


@pytest.mark.redis
@pytest.mark.parametrize("recorder", [1000], indirect=True)
def test_r37_beat_and_worker_publish_and_sigterm_waits_for_the_call_under_way(
    make: Make, redis: RedisServer, recorder: Recorder
) -> None:
    installation = make(redis.url)
    installation.inside("seed", posts=1, recorder=recorder.url)
    beat = installation.start_beat()
    _wait(lambda: hears(beat, signal.SIGTERM), "beat to be up")
    worker = installation.start_worker()
    _wait(lambda: recorder.arrivals(), "the call to begin")

    worker.terminate()
    beat.terminate()

    assert (worker.wait(PATIENCE), beat.wait(PATIENCE)) == (0, 0)
    assert _states(installation) == {"completed": 1}
    assert list(recorder.posts().values()) == [1]
    assert _workers(installation) == {}


@pytest.mark.redis
def test_the_urgent_goes_before_the_rest_where_one_slot_does_all(
    make: Make, redis: RedisServer, recorder: Recorder
) -> None:
    installation = make(redis.url, ENGINE_THREADS="1")
    installation.inside("seed", posts=20, accounts=20, recorder=recorder.url, priorities=[8, 8, 5, 1])
    installation.start_beat()
    installation.start_worker()

    _all_arrive_once(installation, recorder, 20)

    numbers = [int(entry["body"]["text"].removeprefix("Post ")) % 4 for entry in recorder.arrivals()]
    assert numbers == [3] * 5 + [2] * 5 + numbers[10:]


@pytest.mark.redis
@pytest.mark.parametrize("recorder", [40], indirect=True)
def test_r38_two_beats_two_workers_and_a_runscheduler_publish_each_post_once_and_a_late_worker_takes_part(
    make: Make, redis: RedisServer, recorder: Recorder
) -> None:
    installation = make(redis.url, ENGINE_THREADS="2")
    installation.inside("seed", posts=240, accounts=24, recorder=recorder.url)
    for _ in range(2):
        installation.start_beat()
        installation.start_worker()
    installation.start_scheduler()
    _wait(lambda: len(recorder.posts()) >= 20, "the first posts")
    installation.start_worker("-Q", "alwrity.normal")

    _all_arrive_once(installation, recorder, 240)

    _wait(lambda: _workers(installation) == {"celery": 3, "embedded": 1}, "all to have a row")
    assert len(_rows(installation, "SELECT DISTINCT worker FROM schedules_attempt")) >= 3


@pytest.mark.redis
@pytest.mark.parametrize("recorder", [700], indirect=True)
def test_r25_a_killed_process_and_a_killed_worker_lose_nothing_and_double_nothing(
    make: Make, redis: RedisServer, recorder: Recorder
) -> None:
    installation = make(redis.url, LOG_LEVEL="INFO")
    installation.start_beat()
    worker = installation.start_worker()
    # Celery gives up a worker whose process dies before it is ready; whatever supervises it starts it again
    _wait(lambda: "ready." in installation.log(), "the worker to be ready")
    installation.inside("seed", posts=12, accounts=4, recorder=recorder.url)

    for calls in (4, 8):
        _wait(lambda: len(recorder.arrivals()) >= calls, "calls under way")  # noqa: B023
        forked = children(worker)
        if calls == 8:
            kill(worker)
            worker = installation.start_worker()
        for pid in forked:
            os.kill(pid, signal.SIGKILL)

    told = _all_arrive_once(installation, recorder, 12)
    assert told["attempts"]["published"] >= 4


@pytest.mark.redis
@pytest.mark.parametrize("recorder", [60], indirect=True)
def test_r15_redis_flushed_restarted_or_gone_loses_nothing(make: Make, redis: RedisServer, recorder: Recorder) -> None:
    installation = make(redis.url, ENGINE_THREADS="4")
    installation.inside("seed", posts=80, accounts=8, recorder=recorder.url)
    installation.start_beat()
    installation.start_worker()
    _wait(lambda: len(recorder.posts()) >= 10, "the first posts")

    redis.call("FLUSHALL")
    _wait(lambda: len(recorder.posts()) >= 30, "posts after the flush")
    redis.close()
    _all_arrive_once(installation, recorder, 80)
    installation.inside("publish_again_now")
    _wait(lambda: len(recorder.posts()) == 81, "a post while there is no broker")
    redis.start()

    # the looks come back too: somebody sends messages to the new server, and somebody takes them
    def passes() -> bool:
        used = redis.call("INFO", "commandstats")
        return b"cmdstat_lpush" in used and b"cmdstat_brpop" in used

    _wait(passes, "messages through the new Redis")
    assert [times for times in recorder.posts().values() if times != 1] == []


@pytest.mark.redis
def test_a_duty_is_paced_and_paused_in_the_admin_and_lost_rows_come_back(
    make: Make, redis: RedisServer, recorder: Recorder
) -> None:
    installation = make(redis.url)
    names = _periodic_tasks(installation)
    installation.start_beat()
    installation.start_worker()
    _wait(lambda: _plan(installation)[2] is not None, "the first run")

    installation.inside("switch_duty", name="plan", enabled=True, seconds=1)
    before = _plan(installation)[2]
    _wait(lambda: _plan(installation)[2] > before, "a run at the new cadence")
    installation.inside("switch_duty", name="plan", enabled=False, seconds=1)
    _wait(lambda: _plan(installation)[0] is False, "the switch to be followed")
    paused = _plan(installation)
    installation.inside("forget_periodic_tasks")
    _wait(lambda: _periodic_tasks(installation) == names, "the rows to come back")

    assert names == [
        "duty: clear app tokens", "duty: collect for webhooks", "duty: event consumers", "duty: forget workers",
        "duty: place accounts", "duty: plan", "duty: plan readings", "duty: plan refreshes", "duty: prune",
        "duty: tell people", "duty: tell reviewers", "duty: tell what ends", "duty: tidy hook calls",
        "duty: tidy media", "duty: tidy notices", "duty: tidy the security log", "duty: tidy webhooks",
        "duty: watch the door", "duty: zone rules", "engine pass",
    ]  # fmt: skip
    assert _plan(installation) == paused
    assert paused[:2] == (False, 1)


@pytest.mark.rabbitmq
def test_rabbitmq_is_a_broker_too(make: Make, recorder: Recorder) -> None:
    prefix = f"test-{uuid.uuid4().hex[:8]}"
    installation = make(RABBITMQ_URL, ENGINE_QUEUE_PREFIX=prefix, ENGINE_THREADS="2")
    installation.inside("seed", posts=20, accounts=10, recorder=recorder.url, priorities=[1, 5, 8])
    try:
        installation.start_beat()
        worker = installation.start_worker()
        _all_arrive_once(installation, recorder, 20)
        worker.terminate()
        assert worker.wait(PATIENCE) == 0
    finally:
        installation.close()
        _delete_queues(prefix)


def _delete_queues(prefix: str) -> None:
    from kombu import Connection

    from schedules.engine.bands import queue_names

    with Connection(RABBITMQ_URL) as connection:
        for name in queue_names(prefix):
            connection.default_channel.queue_delete(name)


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"ENGINE": "celery"}, "set it to embedded (the default) or to distributed"),
        ({"ENGINE": "distributed", "DATABASE_URL": "sqlite:///never.sqlite3"}, "needs PostgreSQL"),
    ],
)
def test_an_engine_that_cannot_run_says_what_to_do(tmp_path: Path, settings: dict[str, str], remedy: str) -> None:
    done = Installation(tmp_path, **settings).manage("check", check=False)

    assert done.returncode == 1
    assert remedy in done.stderr.splitlines()[-1]


def test_celery_without_the_setting_says_what_to_set(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with closing(installation):
        worker = installation.start_worker()
        assert worker.wait(PATIENCE) != 0
    assert "set ENGINE=distributed" in installation.log()
