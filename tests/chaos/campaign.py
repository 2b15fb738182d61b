"""One campaign: an installation under fire from the first post to the last, then the verdict."""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.chaos import HOSTS, machines, skew
from tests.chaos.crew import Crew, Slot
from tests.chaos.verdict import Outcome, judge
from tests.installation import ROOT, Installation, Recorder

FAULTS = ("kill", "stop", "cut", "restart", "flush", "clock")
# how many kills there are for each other fault
EVERY = {"stop": 25, "cut": 12, "restart": 50, "flush": 40, "clock": 40}
RECORDER = {
    "refuse": 0.02, "down": 0.02, "busy": 0.02, "fail": 0.02, "drip": 0.02, "cut": 0.02, "twice": 0.02, "junk": 0.01,
    "drop": 0.04, "slow": 0.3, "linger": 0.3, "mute": 0.03,
}  # fmt: skip
SLOW_MS = 1000
ALL_AT_ONCE = 40  # one blow in so many hits every process
PACE = {"embedded": 0.35, "distributed": 0.8}
SLOWER = 2.0  # what a kill takes on two busy cores is up to twice its pace: the posts must last as long as the fire
FURTHEST_JUMP = 3600.0
SETTLE_SECONDS = 300.0
ROOM_BYTES = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Plan:
    engine: str = "embedded"
    database: str = "sqlite"
    kills: int = 1000
    jobs: int = 0  # 0: as many as the kills take time for
    rate: float = 8.0  # jobs a second
    pace: float = 0.0  # seconds between two kills, on average; 0: as fast as the engine's processes can start
    seed: int = 1
    minutes: float = 60.0
    faults: tuple[str, ...] = FAULTS
    lease: int = 8
    folder: Path | None = None

    @property
    def seconds_a_kill(self) -> float:
        return self.pace or PACE[self.engine]

    @property
    def name(self) -> str:
        return f"{self.engine}, {self.database}"


@dataclass
class Field:
    """tests/chaos/people.py and the conversation with it."""

    installation: Installation
    settings: dict[str, Any]
    status: dict[str, Any] = field(default_factory=dict)
    _rest: bytes = b""

    def __post_init__(self) -> None:
        with (self.installation.folder / "people.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.people", json.dumps(self.settings)], cwd=ROOT,
                env=self.installation.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self.installation.processes.append(self.process)

    def listen(self) -> None:
        assert self.process.stdout is not None
        while select.select([self.process.stdout], [], [], 0)[0]:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise RuntimeError(
                    "the people's process ended: " + (self.installation.folder / "people.log").read_text()
                )
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self.status = json.loads(line)

    def say(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words.encode() + b"\n")
        self.process.stdin.flush()

    def report(self) -> dict[str, Any]:
        path = self.installation.folder / "report.json"
        self.say(f"report {path}")
        until = time.monotonic() + 120
        while time.monotonic() < until:
            self.listen()
            with contextlib.suppress(FileNotFoundError, ValueError):
                found: dict[str, Any] = json.loads(path.read_text())
                return found
            time.sleep(0.1)
        raise RuntimeError("no report: " + (self.installation.folder / "people.log").read_text())

    @property
    def ended(self) -> int:
        return int(self.status.get("states", {}).get("completed", 0))

    def close(self) -> None:
        self.say("end")
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


class Campaign:
    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.dice = random.Random(plan.seed)
        self.counts: Counter[str] = Counter()
        self.offsets: list[tuple[float, float]] = [(0.0, 0.0)]  # (real time, seconds wrong from then on)
        self._due: dict[str, int] = {name: every // 4 for name, every in EVERY.items() if name in plan.faults}
        self._clock_until = 0.0
        self._others: list[threading.Thread] = []

    def run(self) -> Outcome:
        began = time.monotonic()
        with contextlib.ExitStack() as stack:
            self._build(stack)
            fire = self._under_fire()
            peace = self._settle(time.monotonic())
            self.crew.dismiss(40)
            report = self.people.report()
        report |= {"fire seconds": fire, "settle seconds": peace, "seconds": time.monotonic() - began}
        report |= {"counts": self._counted(), "bad exits": self.crew.bad_exits, "offsets": self.offsets}
        return judge(self.plan.name, report, self.platform_log, lease=self.plan.lease)

    def _build(self, stack: contextlib.ExitStack) -> None:
        plan = self.plan
        self.postgres = machines.Postgres(self.folder) if plan.database == "postgres" else None
        if self.postgres:
            stack.callback(self.postgres.close)
        chances = [word for name, chance in RECORDER.items() for word in (f"--{name}", str(chance))]
        self.recorder = Recorder(
            self.folder,
            "--seed",
            str(plan.seed),
            "--no-dedupe",
            "--slow-ms",
            str(SLOW_MS),
            "--hosts",
            str(HOSTS),
            *chances,
        )
        stack.callback(self.recorder.close)
        settings = {
            "ENGINE_LEASE_SECONDS": str(plan.lease),
            "ENGINE_RECOVERY_SPACING_SECONDS": "0",  # no rest from the fire
            "OUTBOUND_ALLOW": "127.0.0.0/8",
            skew.VARIABLE: str(self.folder / "clock"),
        }
        self.clock = skew.Offset(self.folder / "clock")
        self.installation = Installation(
            self.folder, self.postgres.url if self.postgres else "", **settings, **self._engine_settings(stack)
        )
        stack.callback(self.installation.close)
        self.installation.migrate()
        jobs = plan.jobs or int(plan.rate * plan.seconds_a_kill * SLOWER * plan.kills) + 50
        self.people = Field(
            self.installation, {"recorder": self.recorder.url, "jobs": jobs, "rate": plan.rate, "seed": plan.seed}
        )
        stack.callback(self.people.close)
        self.crew = Crew(self.installation, self._slots(), self.dice, mined=0.4 if "kill" in plan.faults else 0.0)
        stack.callback(self.crew.close)

    def _engine_settings(self, stack: contextlib.ExitStack) -> dict[str, str]:
        if self.plan.engine == "embedded":
            self.redis = None
            return {}
        self.redis = machines.Redis(self.folder)
        stack.callback(self.redis.close)
        return {"ENGINE": "distributed", "CELERY_BROKER_URL": self.redis.url}

    def _slots(self) -> list[Slot]:
        command = Slot("command", ("-m", "tests.chaos.command", "runscheduler"))
        if self.plan.engine == "embedded":
            return [Slot("forked 1"), Slot("forked 2"), Slot("forked 3"), command]
        celery = ("-m", "celery", "-A", "alwrity_scheduler")
        workers = [
            Slot(f"worker {n}", (*celery, "worker", "-n", f"w{n}@%h", "-c", "2"), children=True) for n in (1, 2, 3)
        ]
        # two beats are safe, and so is runscheduler beside the workers; a forked one is short-lived enough to die at points
        beats = [Slot(f"beat {n}", (*celery, "beat"), claims=False) for n in (1, 2)]
        return [*workers, *beats, Slot("forked 1")]

    def _under_fire(self) -> float:
        """Until all kills are done (or the time is over) and all posts are fed. Returns seconds."""
        self._wait_for_the_first()
        began, next_kill, told = time.monotonic(), time.monotonic(), 0.0
        while not self._is_over(began):
            self.crew.tend()
            self.people.listen()
            now = time.monotonic()
            if now >= next_kill:
                next_kill = now + self.dice.expovariate(1 / self.plan.seconds_a_kill)
                if "kill" in self.plan.faults:
                    self._kill()
                self.counts["ticks"] += 1
                self._other_faults()
            if self._clock_until and now >= self._clock_until:
                self._set_clock(0.0)
            if now - told >= 5:
                told = now
                self._tell("fire", now - began)
            time.sleep(0.005)
        for thread in self._others:
            thread.join()
        return time.monotonic() - began

    def _wait_for_the_first(self) -> None:
        until = time.monotonic() + 60
        while not self.people.ended and time.monotonic() < until:
            self.crew.tend()
            self.people.listen()
            time.sleep(0.02)

    def _is_over(self, began: float) -> bool:
        done = self.crew.kills if "kill" in self.plan.faults else self.counts["ticks"]
        return done >= self.plan.kills or time.monotonic() - began > self.plan.minutes * 60

    def _other_faults(self) -> None:
        """Every so many kills, one of the other kinds."""
        done = self.crew.kills if "kill" in self.plan.faults else self.counts["ticks"]
        for name, at in self._due.items():
            if done >= at:
                self._due[name] = at + EVERY[name]
                getattr(self, f"_{name}")()

    def _kill(self) -> None:
        if self.dice.random() < 1 / ALL_AT_ONCE:
            self.counts["all at once"] += 1
            self.crew.kill_all()
        else:
            self.crew.kill()

    def _stop(self) -> None:
        if not self.crew.freeze(self.plan.lease + 0.5 + self.dice.random() * 4):
            self._due["stop"] -= EVERY["stop"]  # at the next opportunity

    def _cut(self) -> None:
        """PostgreSQL: connections are ended. SQLite: another program holds the write lock for seconds."""
        self.counts["cuts"] += 1
        if self.postgres:
            share = self.dice.choice((0.3, 0.6, 1.0))
            self._beside(lambda: self.postgres and self.postgres.cut(share))
        else:
            seconds = 0.5 + self.dice.random() * 4
            self._beside(lambda: self._hold_the_lock(seconds))

    def _hold_the_lock(self, seconds: float) -> None:
        connection = sqlite3.connect(self.folder / "db.sqlite3", timeout=20, isolation_level=None)
        with contextlib.closing(connection):
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            connection.execute("ROLLBACK")

    def _restart(self) -> None:
        if self.postgres:
            self.counts["restarts"] += 1
            mode = self.dice.choice(("fast", "immediate"))
            self._beside(lambda: self.postgres and self.postgres.restart(mode))

    def _flush(self) -> None:
        """Redis forgets every message, or dies and comes back empty. The embedded engine has none."""
        if self.redis:
            self.counts["flushes"] += 1
            self._beside(self.dice.choice((self.redis.flush, self.redis.restart)))

    def _clock(self) -> None:
        self.counts["clock jumps"] += 1
        self._set_clock(self.dice.choice((-1, 1)) * self.dice.choice((5.0, 60.0, FURTHEST_JUMP)))
        self._clock_until = time.monotonic() + 2 + self.dice.random() * 3

    def _set_clock(self, seconds: float) -> None:
        self._clock_until = 0.0
        self.clock.set(seconds)
        self.offsets.append((time.time(), seconds))

    def _beside(self, act: Any) -> None:
        """In a thread, one at a time: the kills go on meanwhile."""
        if any(thread.is_alive() for thread in self._others):
            return

        def safely() -> None:
            try:
                act()
            except Exception as error:
                self.counts["faults that failed"] += 1
                print(f"  a fault could not be made: {error}", flush=True)

        thread = threading.Thread(target=safely)
        thread.start()
        self._others = [thread]

    def _settle(self, began: float) -> float:
        """No more faults: until every post has ended, or nothing more can be expected. Returns seconds."""
        if self.counts["clock jumps"]:
            # what a wrong clock put off by an hour on SQLite is due an hour later
            self._set_clock(FURTHEST_JUMP + 100 if self.plan.database == "sqlite" else 0.0)
        self.people.say("stop")
        self.crew.pardon()
        told = 0.0
        while time.monotonic() - began < SETTLE_SECONDS:
            self.crew.tend()
            self.people.listen()
            if time.monotonic() - began > 2 and self._all_completed():
                break
            if time.monotonic() - told >= 5:
                told = time.monotonic()
                self._tell("settle", told - began)
            time.sleep(0.02)
        self._tell("end", time.monotonic() - began)
        with urlopen(f"{self.recorder.url}/log?ids=1", timeout=60) as answer:
            self.platform_log = json.load(answer)
        return time.monotonic() - began

    def _all_completed(self) -> bool:
        states = self.people.status.get("states", {})
        return bool(states) and set(states) == {"completed"}

    def _counted(self) -> dict[str, int]:
        crew = self.crew
        return {
            "kills": crew.kills, "blows that hit all": self.counts["all at once"],
            "of them at chosen places": crew.points, "stops": crew.stops,
            "cuts": self.counts["cuts"], "restarts": self.counts["restarts"], "flushes": self.counts["flushes"],
            "clock jumps": self.counts["clock jumps"], "ends of their own": crew.ends,
            "faults that failed": self.counts["faults that failed"],
        }  # fmt: skip

    def _tell(self, phase: str, seconds: float) -> None:
        status = self.people.status
        states = " ".join(f"{name} {count}" for name, count in sorted(status.get("states", {}).items()))
        longest = status.get("longest", {}).get("job", 0.0)
        print(
            f"  {phase:6} {seconds:5.0f} s  kills {self.crew.kills:4}  stops {self.crew.stops:3}  "
            f"fed {status.get('fed', 0):5}  {states}  longest running {longest:.1f} s",
            flush=True,
        )


@contextlib.contextmanager
def in_a_folder(keep: Path | None) -> Iterator[Path]:
    """A temporary folder, or `keep`, which stays. In memory where there is such a place: processes are killed here, not the
    machine, and a disk that is slow to write would only mean fewer posts under way at each kill."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES else None
    with tempfile.TemporaryDirectory(prefix="alwrity-chaos-", dir=place) as name:
        yield Path(name)


def run(plan: Plan) -> Outcome:
    with in_a_folder(plan.folder) as folder:
        return Campaign(plan, folder).run()
