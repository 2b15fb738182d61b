"""APScheduler 3 with date jobs in django-apscheduler's store."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

from tests.benchmarks.peers import door


def prepare() -> None:
    door.migrate()


def _scheduler() -> Any:
    from apscheduler.schedulers.background import BackgroundScheduler
    from django_apscheduler.jobstores import DjangoJobStore

    return BackgroundScheduler(
        jobstores={"default": DjangoJobStore()},
        timezone="UTC",
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )


def _add(function: Any, values: list[Any], moments: list[Any]) -> None:
    door.setup_django()
    from django.db import transaction

    scheduler = _scheduler()
    scheduler.start(paused=True)
    with transaction.atomic():
        for number, at in enumerate(moments):
            scheduler.add_job(function, "date", run_date=at, args=[values[number]], id=f"{function.__name__} {number}")
    scheduler.shutdown()


def enqueue(count: int) -> None:
    _add(door.nothing, list(range(count)), door.times(time.time() - 10, count, 10 / count))


def posts(first: float, count: int, every: float) -> None:
    _add(door.post, [f"k{number}" for number in range(count)], door.times(first, count, every))


def crowd(pending: int, finished: int) -> None:
    """The pickled state is one and the same: only the times are looked at while nothing of it is due."""
    _add(door.post, ["x"], door.times(4_000_000_000, 1, 0))
    door.execute(
        "INSERT INTO django_apscheduler_djangojob (id, next_run_time, job_state) SELECT 'crowd ' || n, "
        "p.next_run_time + n * interval '1 second', p.job_state "
        f"FROM generate_series(1, {pending}) AS n, django_apscheduler_djangojob AS p WHERE p.id = 'post 0'",
        "INSERT INTO django_apscheduler_djangojobexecution (job_id, status, run_time) "
        "SELECT 'post 0', 'Executed', now() - n * interval '1 second' "
        f"FROM generate_series(1, {finished}) AS n",
        "VACUUM ANALYZE",
        "CHECKPOINT",
    )


def poll(looks: int) -> dict[str, float]:
    door.setup_django()
    from datetime import UTC, datetime

    from django_apscheduler.jobstores import DjangoJobStore

    store = DjangoJobStore()

    def look() -> None:
        assert not store.get_due_jobs(datetime.now(UTC))
        store.get_next_run_time()

    return door.milliseconds(look, looks)


def worker() -> None:
    door.setup_django()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    scheduler = _scheduler()
    scheduler.start()
    while not stop.wait(0.2):
        pass
    scheduler.shutdown(wait=False)


if __name__ == "__main__":
    door.answer(globals())
