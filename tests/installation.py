"""A whole installation in a folder of its own, driven from outside as an operator would: real processes, a real database.

`python tests/installation.py seed …` is what runs inside it.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent


class Installation:
    """A data folder and a database; `database_url` empty means SQLite in the folder."""

    def __init__(self, folder: Path, database_url: str = "", **settings: str) -> None:
        self.folder = folder
        self.database_url = database_url or f"sqlite:///{folder / 'db.sqlite3'}"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))},
            "ALWRITY_DATA_DIR": str(folder),
            "DATABASE_URL": self.database_url,
            "DJANGO_SETTINGS_MODULE": "alwrity_scheduler.settings",
            "SECRET_KEY": "a key for one test installation, which is long enough",
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(bytes(32)).decode(),
            "OUTBOUND_ALLOW": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            **settings,
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def manage(self, *words: str, check: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment,
            check=check,
            text=True,
            capture_output=True,
            input=stdin,
        )

    def migrate(self) -> None:
        """As `manage.py migrate`. On SQLite it is run once for all tests of the machine, and the file is copied."""
        if not self.database_url.startswith("sqlite:///"):
            self.manage("migrate")
            return
        shutil.copyfile(migrated_sqlite(), self.database_url.removeprefix("sqlite:///"))

    def inside(self, call: str, **values: Any) -> Any:
        """Run one function of this module inside the installation; values and answer are JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.installation", call, json.dumps(values)],
            cwd=ROOT, env=self.environment, text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start_scheduler(self, *words: str) -> subprocess.Popen[bytes]:
        return self.start("manage.py", "runscheduler", *words)

    def start_worker(self, *words: str, slots: int = 1, **settings: str) -> subprocess.Popen[bytes]:
        """A Celery worker of `slots` processes; its own process is the parent, which SIGTERM stops in good order."""
        command = (
            "-m",
            "celery",
            "-A",
            "alwrity_scheduler",
            "worker",
            "-n",
            f"w{len(self.processes)}@%h",
            "-c",
            str(slots),
        )
        return self.start(*command, *words, **settings)

    def start_beat(self, *words: str) -> subprocess.Popen[bytes]:
        return self.start("-m", "celery", "-A", "alwrity_scheduler", "beat", *words)

    def start(self, *words: str, **settings: str) -> subprocess.Popen[bytes]:
        """A Python process of this installation, with its output in the log."""
        with (self.folder / "scheduler.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *words], cwd=ROOT, env={**self.environment, **settings}, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def log(self) -> str:
        path = self.folder / "scheduler.log"
        return path.read_text() if path.exists() else ""

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def migrated_sqlite() -> Path:
    """A migrated SQLite file, to be copied. Made once for this very state of the migrations, and left there for the next run."""
    made = Path(tempfile.gettempdir()) / f"alwrity-migrated-{_state_of_the_migrations()}.sqlite3"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.exists():
            return made
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            Installation(Path(folder)).manage("migrate")
            database = sqlite3.connect(Path(folder) / "db.sqlite3")
            with closing(database):
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            os.replace(Path(folder) / "db.sqlite3", made)
    return made


def migrated_postgres(server_url: str) -> str:
    """The name of a migrated database on that server, to be copied (CREATE DATABASE … TEMPLATE …). Made once for this very state of
    the migrations, and left there for the next run."""
    import psycopg

    name = f"alwrity_migrated_{_state_of_the_migrations()}"
    with (Path(tempfile.gettempdir()) / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with psycopg.connect(server_url, autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return name
            raw = f"{name}_raw"
            connection.execute(f"DROP DATABASE IF EXISTS {raw} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {raw}")
            with tempfile.TemporaryDirectory() as folder:
                Installation(Path(folder), f"{server_url.rsplit('/', 1)[0]}/{raw}").manage("migrate")
            connection.execute(f"ALTER DATABASE {raw} RENAME TO {name}")
    return name


def _state_of_the_migrations() -> str:
    digest = hashlib.sha256()
    for folder in ("alwrity_scheduler", "platforms", "schedules"):
        for path in sorted((ROOT / folder).rglob("migrations/*.py")):
            digest.update(path.read_bytes())
    digest.update((ROOT / "constraints.txt").read_bytes())
    return digest.hexdigest()[:16]


class Recorder:
    """tests/servers/recorder.py in a process of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        command = [
            sys.executable,
            str(ROOT / "tests/servers/recorder.py"),
            "--port",
            "0",
            "--db",
            str(folder / "recorder.jsonl"),
            *words,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def posts(self) -> dict[str, int]:
        """key -> how many posts were really made for it."""
        with urlopen(f"{self.url}/log?brief=1") as answer:
            posts: dict[str, int] = json.load(answer)["posts"]
        return posts

    def arrivals(self) -> list[dict[str, Any]]:
        """Every request for a post in order, with its text."""
        with urlopen(f"{self.url}/log") as answer:
            return [{**entry, "body": json.loads(entry["body"])} for entry in json.load(answer)["arrivals"]]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


class RedisServer:
    """A Redis of the test's own, on a free port, keeping nothing on disk: `restart` forgets everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen(["redis-server", *words], stdout=subprocess.DEVNULL)
        wait_for(lambda: self.call("PING") == b"+PONG\r\n", 10, "Redis to answer")

    def call(self, *words: str) -> bytes:
        """The answer as it stands on the wire; empty while nobody answers."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall((" ".join(words) + "\r\n").encode())
                return connection.recv(65536)
        except OSError:
            return b""

    def close(self) -> None:
        kill(self.process)


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """The ids of the processes that this one forked."""
    return [int(word) for word in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@contextmanager
def closing(*things: Any) -> Iterator[None]:
    try:
        yield
    finally:
        for thing in things:
            thing.close()


def wait_for(condition: Any, seconds: float, what: str, *, pause: float = 0.02) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited {seconds} s for {what}"
        time.sleep(pause)


def hears(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Has the process a handler for this signal yet? (proc(5), SigCgt)"""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


# What runs inside the installation.


def seed(
    *,
    posts: int,
    recorder: str,
    accounts: int = 1,
    options: dict[str, Any] | None = None,
    priorities: tuple[int, ...] = (5,),
) -> dict[str, Any]:
    """One workspace with http accounts pointing at the recorder, and posts that are due at once, of `priorities` in turn."""
    from alwrity_scheduler.core import clock
    from alwrity_scheduler.core.events import unit
    from alwrity_scheduler.workspaces import services as workspaces
    from alwrity_scheduler.workspaces.models import User
    from tests.people import ACTOR, make_account, make_schedule

    now = clock.database_now()
    owner = User.objects.create_user("ana")
    with unit():
        room = workspaces.create_workspace(name="Team", slug="team", timezone="UTC", owner=owner, actor=ACTOR, now=now)
        settings = {"publish_url": f"{recorder}/publish", "lookup_url": f"{recorder}/lookup", **(options or {})}
        places = [
            make_account(room, now, name=f"Place {number}", platform="http", options=settings)
            for number in range(accounts)
        ]
        made = [
            make_schedule(
                room, [places[number % accounts]], now, text=f"Post {number}", retry_base_seconds=1,
                priority=priorities[number % len(priorities)],
            )
            for number in range(min(posts, accounts * len(priorities)))
        ]  # fmt: skip
        _more(made, posts)
    return {"accounts": [str(place.public_id) for place in places]}


def _more(made: list[Any], posts: int) -> None:
    """Schedules like those that were made, in turn, until there are as many as `posts`: their rows by the hundred, because what
    is tested is what becomes of them."""
    from schedules.models import ContentItem, Job, Occurrence, Schedule, Target

    wanted = [(number, made[number % len(made)]) for number in range(len(made), posts)]
    contents = ContentItem.objects.bulk_create(
        [_twin(model.content, text=f"Post {number}") for number, model in wanted], batch_size=500
    )
    schedules = Schedule.objects.bulk_create(
        [_twin(model, content=content) for (_, model), content in zip(wanted, contents, strict=True)], batch_size=500
    )
    pairs = [(schedule, model) for schedule, (_, model) in zip(schedules, wanted, strict=True)]
    targets = {model.pk: model.targets.get() for model in made}
    jobs = {model.pk: Job.objects.select_related("occurrence").get(schedule=model) for model in made}
    Target.objects.bulk_create(
        [_twin(targets[model.pk], schedule=schedule) for schedule, model in pairs], batch_size=500
    )
    occurrences = Occurrence.objects.bulk_create(
        [_twin(jobs[model.pk].occurrence, schedule=schedule) for schedule, model in pairs], batch_size=500
    )
    Job.objects.bulk_create(
        [
            _twin(jobs[model.pk], schedule=schedule, occurrence=occurrence)
            for (schedule, model), occurrence in zip(pairs, occurrences, strict=True)
        ],
        batch_size=500,
    )


def _twin(row: Any, **values: Any) -> Any:
    """An unsaved copy of a row, with a public id of its own."""
    own = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key and field.name not in ("public_id", *values)
    }
    return type(row)(**own, **values)


def publish_again_now() -> str:
    """A person publishes the first schedule once more, at once; the time by the database."""
    from alwrity_scheduler.core import clock
    from schedules.models import Schedule
    from schedules.services import jobs
    from tests.people import ACTOR

    now = clock.database_now()
    jobs.publish_now(schedule=Schedule.objects.order_by("id")[0], actor=ACTOR, now=now)
    return now.isoformat()


def switch_duty(*, name: str, enabled: bool, seconds: int) -> None:
    """An operator saves the duty's PeriodicTask in the admin."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    task = PeriodicTask.objects.get(name=f"duty: {name}")
    task.enabled = enabled
    task.interval = IntervalSchedule.objects.create(every=seconds, period="seconds")
    task.save()


def forget_periodic_tasks() -> None:
    from django_celery_beat.models import PeriodicTask

    PeriodicTask.objects.all().delete()


def states() -> dict[str, int]:
    from schedules.models import Job

    return dict(Counter(Job.objects.values_list("state", flat=True)))


def evidence() -> dict[str, Any]:
    """What the database says of every job, for the comparison with what the platform saw."""
    from django.db.models import F

    from schedules.models import Attempt, Job

    return {
        "keys": dict(Job.objects.values_list("idempotency_key", "state")),
        "open_attempts": Attempt.objects.filter(outcome="").count(),
        "attempts": dict(Counter(Attempt.objects.values_list("outcome", flat=True))),
        "never_early": not Attempt.objects.filter(started_at__lt=F("job__scheduled_for")).exists(),
    }


def counts() -> dict[str, int]:
    from django.apps import apps

    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model._meta.label != "schedules.Worker"
    }


def remote_urls() -> list[str]:
    from schedules.models import Job

    return list(Job.objects.filter(state="completed").order_by("id").values_list("remote_url", flat=True))


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
