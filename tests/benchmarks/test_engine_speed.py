"""How late a post arrives at its platform, and what a look costs, with nothing, 100,000 and 1,000,000 others pending.

`uv run pytest -m benchmark -n 0 -s tests/benchmarks/test_engine_speed.py`. Prints a table; asserts plans, not times. The peer
in the same run is the plain poll each second that most engines use: what it would have cost is computed from the same due times.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.acceptance.test_killed_scheduler import postgres_database  # noqa: F401 - a fixture
from tests.installation import ROOT, Installation, Recorder, closing, wait_for

CROWDS = (0, 100_000, 1_000_000)
POSTS, SECONDS, DELAY = 500, 60.0, 40.0


def inside(installation: Installation, call: str, **values: object):
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.crowd", call, json.dumps(values)],
        cwd=ROOT, env=installation.environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def arrivals(recorder: Recorder, due: dict[str, float]) -> dict[str, float]:
    """Milliseconds between each post's due time and its arrival at the platform; asserts that none came early."""
    with urlopen(f"{recorder.url}/log") as answer:
        came = {entry["key"]: entry["at"] for entry in json.load(answer)["arrivals"]}
    late = sorted((came[key] - at) * 1000 for key, at in due.items())
    assert late[0] >= 0
    return {"p50": late[len(late) // 2], "p99": late[int(len(late) * 0.99)], "max": late[-1]}


def measure(installation: Installation, recorder: Recorder, name: str) -> None:
    installation.manage("migrate")
    installation.inside("seed", posts=1, recorder=recorder.url, accounts=50)
    installation.manage("runscheduler", "--once")
    standing = 0
    for crowd in CROWDS:
        if crowd > standing:
            inside(installation, "crowd", count=crowd - standing)
            standing = crowd
        poll = inside(installation, "poll", looks=300)
        assert "job_due" in poll["plan"]
        process = installation.start_scheduler()
        time.sleep(6)  # until it is idle: the start itself is not what is measured
        began = time.monotonic()
        inside(installation, "spread", posts=POSTS, seconds=SECONDS, delay=DELAY)
        assert time.monotonic() - began < DELAY, "the posts were due before they stood"
        time.sleep(DELAY - (time.monotonic() - began))
        time.sleep(SECONDS + 5)
        wait_for(lambda: inside(installation, "near_pending") == 0, 60, "the posts")
        late = arrivals(recorder, inside(installation, "due_times", count=POSTS))
        if not standing:
            soon = inside(installation, "publish_now", times=100)
            print(
                f"{name:10} publish now, from another process: p50 {soon['p50']:.0f} p99 {soon['p99']:.0f} max {soon['max']:.0f} ms"
            )
        process.terminate()
        process.wait(40)
        print(
            f"{name:10} {standing:>9} pending: look {poll['median']:.3f} ms (worst {poll['worst']:.2f}); "
            f"arrival p50 {late['p50']:.1f} p99 {late['p99']:.1f} max {late['max']:.1f} ms; a poll each second: p50 500 p99 990 ms"
        )


@pytest.mark.benchmark
def test_lateness_and_cost_of_a_look_on_sqlite(tmp_path: Path) -> None:
    """R12, R14, measured."""
    recorder, installation = Recorder(tmp_path), Installation(tmp_path)
    with closing(installation, recorder):
        measure(installation, recorder, "SQLite")


@pytest.mark.benchmark
def test_lateness_and_cost_of_a_look_on_postgresql(tmp_path: Path, postgres_database: str) -> None:  # noqa: F811
    recorder, installation = Recorder(tmp_path), Installation(tmp_path, postgres_database)
    with closing(installation, recorder):
        measure(installation, recorder, "PostgreSQL")
