"""Real processes inside an installation, without the price of starting Python and Django for each: one process is started,
and forks the others. `python -m tests.rules.inside` is that one; it reads calls as lines of JSON.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.installation import ROOT, Installation, evidence, states
from tests.installation import seed as seed_posts

__all__ = ["Nursery", "evidence", "seed_posts", "states"]

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Child:
    """A process that is at work. It leaves its answer in a file, or nothing when it was killed."""

    pid: int
    path: Path

    def ended(self) -> bool:
        return not Path(f"/proc/{self.pid}").exists()

    def kill(self) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def answer(self) -> Any:
        pause = threading.Event()
        while not self.ended():
            pause.wait(0.02)
        assert self.path.exists(), "the process ended without an answer: its log says why"
        return json.loads(self.path.read_text())


class Nursery:
    """Forks processes that have the installation's settings. Answers of `ask` and `start(…).answer()` are JSON."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.rules.inside"],
            cwd=ROOT,
            env=installation.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._number = itertools.count()

    def start(self, call: str, **values: Any) -> Child:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        path = self.installation.folder / f"answer-{next(self._number)}.json"
        self._process.stdin.write(json.dumps([call, values, str(path)]) + "\n")
        self._process.stdin.flush()
        return Child(int(self._process.stdout.readline()), path)

    def ask(self, call: str, **values: Any) -> Any:
        return self.start(call, **values).answer()

    def close(self) -> None:
        self.installation.close()
        self._process.communicate(timeout=30)


def serve() -> None:
    """Fork a child for each line that is read, and say its process id."""
    import django

    django.setup()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        call, values, path = json.loads(line)
        if child := os.fork():
            print(child, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        told = json.dumps(globals()[call](**values))
        Path(f"{path}.new").write_text(told)
        os.rename(f"{path}.new", path)
        os._exit(0)


def migrate() -> None:
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    connections.close_all()


def clear() -> None:
    from django.core.management import call_command
    from django.db import connections

    call_command("flush", verbosity=0, interactive=False)
    connections.close_all()


def seed(*, schedules: int, expression: str, accounts: int = 2) -> None:
    """Schedules that have not been planned at all."""
    from alwrity_scheduler.core.events import unit
    from schedules.models import Occurrence, Schedule
    from tests.people import make_account, make_people, make_schedule

    with unit():
        room = make_people(START).workspace
        places = [make_account(room, START, name=f"Place {number}") for number in range(accounts)]
        for _ in range(schedules):
            make_schedule(room, places, START, rule_kind="cron", expression=expression)
        Occurrence.objects.all().delete()
        Schedule.objects.update(planned_until=START)


def plan(*, planners: int, hours: float, step_minutes: int, since_minutes: float = 0) -> int:
    """Planners in threads, each going through the same simulated time. Returns how many jobs they say they made."""
    from django.db import connections

    from schedules.services import materialise

    def one(_: int) -> int:
        made, now = 0, START + timedelta(minutes=since_minutes)
        try:
            while now <= START + timedelta(hours=hours):
                made += materialise.extend_horizon(now=now)
                now += timedelta(minutes=step_minutes)
            return made
        finally:
            connections.close_all()

    with ThreadPoolExecutor(planners) as pool:
        return sum(pool.map(one, range(planners)))


def planned() -> dict[str, Any]:
    """What stands: numbers, and whether each schedule's times follow each other without a gap, a minute or more apart."""
    from schedules.models import Job, Occurrence, Schedule

    distances = set()
    for schedule in Schedule.objects.all():
        times = list(schedule.occurrences.order_by("nominal_at").values_list("nominal_at", flat=True))
        distances |= {(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)}
        distances.add((times[0] - START).total_seconds() if times[0] != START else -1)
    return {
        "jobs": Job.objects.count(), "occurrences": Occurrence.objects.count(), "distances": sorted(distances),
        "until": Occurrence.objects.order_by("-nominal_at").values_list("nominal_at", flat=True)[0].isoformat(),
    }  # fmt: skip


def due_rows(*, count: int) -> None:
    """`count` due jobs of one schedule that may all run at once."""
    from schedules.models import Job

    seed(schedules=1, expression="* * * * *", accounts=1)
    plan(planners=1, hours=0, step_minutes=1)
    rows = list(Job.objects.order_by("id").values_list("pk", flat=True)[:count])
    Job.objects.exclude(pk__in=rows).delete()
    Job.objects.update(serial_key=None, run_at=START)


def claim_all(*, worker: str, limit: int) -> list[int]:
    """Claim until nothing is left; the ids that this process got."""
    from schedules.engine.work import Lease, claim
    from schedules.models import Job

    got: list[int] = []
    while True:
        claimed = claim(
            Job, now=START + timedelta(hours=1), limit=limit, lease=Lease(worker, timedelta(minutes=5)),
            arm=lambda claims, now: [(item, None) for item in claims],
        )  # fmt: skip
        got += [item.id for item, _ in claimed.tasks]
        if not claimed.taken:
            return got


if __name__ == "__main__":
    serve()
