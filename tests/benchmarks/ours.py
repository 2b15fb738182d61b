"""This product as a contender: an installation of its own for each round, and the scheduler as an operator runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks import ground
from tests.benchmarks.marks import Marks
from tests.benchmarks.race import Contender, Figures
from tests.installation import Installation

ACCOUNTS = 1000
VENDORS = {"pg": "postgresql", "sqlite": "sqlite"}


@contextmanager
def installation(folder: Path, vendor: str, **values: str) -> Iterator[Installation]:
    """A migrated installation in `folder`, on SQLite there or on a PostgreSQL database of its own."""
    with ExitStack() as stack:
        url = stack.enter_context(ground.fresh_postgres()) if vendor == "postgresql" else ""
        made = Installation(folder, url, **values)
        made.manage("migrate")
        yield made


def inside(made: Installation, call: str, **values: Any) -> Any:
    """Run one function of `seeding` inside the installation."""
    words = ground.python("tests.benchmarks.seeding", call, json.dumps(values))
    return json.loads(ground.done(words, made.environment))


@contextmanager
def scheduler(made: Installation, *words: str) -> Iterator[tuple[Any, Path]]:
    """(process, log) of `runscheduler`, with the platform that publishes at once."""
    log = made.folder / "scheduler.log"
    with ground.running(ground.python("tests.benchmarks.noop", *words), made.environment, log) as process:
        yield process, log


def throughput(vendor: str, *, jobs: int, processes: int = 1, words: tuple[str, ...] = ()) -> Any:
    """Jobs a second of `processes` schedulers over `jobs` due posts, with all that must stand written afterwards."""

    def measure(folder: Path) -> Figures:
        marks = Marks(folder)
        with installation(folder, vendor, **marks.environment) as made:
            assert inside(made, "due", count=jobs, accounts=min(ACCOUNTS, jobs)) == jobs
            with ExitStack() as stack:
                watched = [stack.enter_context(scheduler(made, *words)) for _ in range(processes)]
                ground.wait_until(lambda: marks.count() >= jobs, ground.LONGEST, f"{jobs} posts", *watched)
            # the scheduler has stopped in good order, so what it had in flight is written
            first, last = marks.span(jobs)
            written = inside(made, "outcome", count=jobs)["last_written"]
        return {"jobs/s": jobs / (last - first), "seconds": last - first, "seconds until written": written - first}

    return measure


def contenders(jobs: int) -> list[Contender]:
    return [
        Contender("ours-pg", throughput("postgresql", jobs=jobs)),
        Contender("ours-sqlite", throughput("sqlite", jobs=jobs)),
        Contender("ours-pg-2", throughput("postgresql", jobs=jobs, processes=2)),
    ]
