"""An operator may kill the scheduler at any moment: each post still arrives exactly once, and none is lost (R25, small).

The recording platform makes a second post for a key that comes twice, so a double would show; it drops one answer in ten
after making the post. The accounts have a look-up address and do not promise that replays are harmless.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import POSTGRES_URL
from tests.installation import Installation, Recorder, closing, kill, migrated_postgres, wait_for

POSTS = 1000
KILLS = 3


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    server = Recorder(tmp_path, "--drop", "0.1", "--seed", "7", "--no-dedupe")
    with closing(server):
        yield server


@pytest.fixture
def postgres_database() -> Iterator[str]:
    import psycopg

    name = f"alwrity_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_postgres(POSTGRES_URL)}")
        yield f"{POSTGRES_URL.rsplit('/', 1)[0]}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def publish_under_fire(installation: Installation, recorder: Recorder, schedulers: int) -> None:
    installation.migrate()
    installation.inside("seed", posts=POSTS, accounts=5, recorder=recorder.url)
    dice = random.Random(11)
    running = [installation.start_scheduler() for _ in range(schedulers)]
    for step in range(1, KILLS + 1):
        target = POSTS * step // (KILLS + 1)
        wait_for(lambda: len(recorder.posts()) >= target, 120, f"{target} posts, before kill {step}", pause=0.1)  # noqa: B023
        victim = dice.randrange(schedulers)
        kill(running[victim])
        running[victim] = installation.start_scheduler()
    wait_for(lambda: len(recorder.posts()) == POSTS, 180, "all posts to arrive", pause=0.1)
    wait_for(lambda: installation.inside("states") == {"completed": POSTS}, 90, "all jobs to end as completed", pause=1)

    posts, told = recorder.posts(), installation.inside("evidence")
    assert [key for key, times in posts.items() if times != 1] == []
    assert set(posts) == set(told["keys"])
    assert told["open_attempts"] == 0
    assert told["never_early"]
    for process in running:
        process.terminate()
        assert process.wait(40) == 0


@pytest.mark.processes
def test_each_post_arrives_once_on_sqlite_with_kills(tmp_path: Path, recorder: Recorder) -> None:
    """R25: killed at random moments, answers dropped; one post for each job."""
    installation = Installation(tmp_path)
    with closing(installation):
        publish_under_fire(installation, recorder, schedulers=1)


@pytest.mark.processes
@pytest.mark.postgres
def test_each_post_arrives_once_on_postgresql_with_two_schedulers_and_kills(
    tmp_path: Path, recorder: Recorder, postgres_database: str
) -> None:
    """R25, R38: two schedulers on one database, killed at random moments; one post for each job."""
    installation = Installation(tmp_path, postgres_database)
    with closing(installation):
        publish_under_fire(installation, recorder, schedulers=2)
