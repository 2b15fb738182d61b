"""Which peers there are and how each is run, seen from the process that measures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import ground

Watched = tuple[Any, Path]
CELERY = ["celery", "-A", "tests.benchmarks.peers.celery_peer", "--quiet"]
CALM = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "ERROR"]


@dataclass(frozen=True, slots=True)
class Peer:
    """`workers`: what is started, each a module with its words. `is_slow`: gets fewer jobs unless asked otherwise.

    `is_blind`: a running worker does not notice what another process stores, so that its posts must stand before it starts.
    """

    name: str
    module: str
    workers: tuple[list[str], ...]
    needs: tuple[str, ...] = ("postgres",)
    django: str = ""  # its name in peers/settings.py
    environment: dict[str, str] = field(default_factory=dict)
    is_slow: bool = False
    is_blind: bool = False

    @contextmanager
    def standing(self, folder: Path, **values: str) -> Iterator[dict[str, str]]:
        """The environment of its processes, with what it needs running and its tables made."""
        with ExitStack() as stack:
            known = {**self.environment, **values}
            if self.django:
                known |= {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.peers.settings", "PEER": self.django}
            if "postgres" in self.needs:
                known["DATABASE_URL"] = stack.enter_context(ground.fresh_postgres())
            if "redis" in self.needs:
                known["REDIS_URL"] = stack.enter_context(ground.own_redis(folder))
            self.call(known, "prepare")
            yield known

    def call(self, known: dict[str, str], function: str, **values: Any) -> Any:
        words = ground.python(f"tests.benchmarks.peers.{self.module}", function, json.dumps(values))
        return json.loads(ground.done(words, known).splitlines()[-1])

    @contextmanager
    def working(self, known: dict[str, str], folder: Path) -> Iterator[list[Watched]]:
        with ExitStack() as stack:
            started = []
            for number, words in enumerate(self.workers):
                log = folder / f"worker{number}.log"
                started.append((stack.enter_context(ground.running(ground.python(*words), known, log)), log))
            yield started


def _procrastinate(concurrency: int) -> Peer:
    worker = ["tests.benchmarks.peers.procrastinate_peer", "worker", json.dumps({"concurrency": concurrency})]
    return Peer(f"procrastinate-{concurrency}", "procrastinate_peer", (worker,))


def _celery(name: str, *words: str, **environment: str) -> Peer:
    worker = [*CELERY, "worker", *CALM, *words]
    return Peer(name, "celery_peer", (worker,), needs=("redis",), environment=environment)


def _django(name: str, module: str, *words: str) -> Peer:
    return Peer(name, module, (list(words),), django=name, is_slow=True, is_blind=module == "apscheduler_peer")


PROCRASTINATE = _procrastinate(50)
PROCRASTINATE_10 = _procrastinate(10)
CELERY_PREFORK = _celery("celery-prefork-2", "-P", "prefork", "-c", "2")
CELERY_LATE = _celery("celery-prefork-2-acks-late", "-P", "prefork", "-c", "2", ACKS_LATE="1")
CELERY_THREADS = _celery("celery-threads-10", "-P", "threads", "-c", "10")
TASKS = _django("django-tasks-db", "tasks_peer", "django", "db_worker", "--no-startup-delay", "-v", "0")
Q2 = _django("django-q2", "q2_peer", "django", "qcluster")
Q2_TUNED = _django("django-q2-tuned", "q2_peer", "django", "qcluster")
APSCHEDULER = _django("django-apscheduler", "apscheduler_peer", "tests.benchmarks.peers.apscheduler_peer", "worker")
CELERY_BEAT = Peer(
    "celery-beat", "celery_peer",
    (
        [*CELERY, "worker", *CALM, "-P", "threads", "-c", "10"],
        [*CELERY, "beat", "-l", "ERROR", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler", "--pidfile="],
    ),
    needs=("postgres", "redis"), django="celery-beat",
)  # fmt: skip
