"""Celery on a Redis of its own; with django-celery-beat's database scheduler where the time comes from beat."""

from __future__ import annotations

import os

from celery import Celery

from tests.benchmarks.peers import door

app = Celery("bench", broker=os.environ["REDIS_URL"])
app.conf.update(
    # short tasks: results off, many prefetched (docs, "Optimizing": 64 or 128 for short tasks)
    task_ignore_result=True,
    worker_prefetch_multiplier=64,
    task_acks_late=bool(os.environ.get("ACKS_LATE")),
    worker_hijack_root_logger=False,
    enable_utc=True,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 86_400},
)


@app.task(name="nothing")
def nothing(number: int) -> None:
    door.nothing(number)


@app.task(name="post")
def post(key: str) -> None:
    door.post(key)


def prepare() -> None:
    if os.environ.get("DJANGO_SETTINGS_MODULE"):
        door.migrate()


def enqueue(count: int) -> None:
    with app.producer_or_acquire() as producer:
        for number in range(count):
            nothing.apply_async(args=(number,), producer=producer)


def posts(first: float, count: int, every: float) -> None:
    """By ETA, or as clocked one-off tasks of beat's where there is a database."""
    moments = door.times(first, count, every)
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        for number, at in enumerate(moments):
            post.apply_async(args=(f"k{number}",), eta=at)
        return
    door.setup_django()
    from django_celery_beat.models import ClockedSchedule, PeriodicTask, PeriodicTasks

    clocked = ClockedSchedule.objects.bulk_create([ClockedSchedule(clocked_time=at) for at in moments])
    PeriodicTask.objects.bulk_create(
        PeriodicTask(name=f"post {number}", task="post", args=f'["k{number}"]', one_off=True, clocked=when)
        for number, when in enumerate(clocked)
    )
    PeriodicTasks.update_changed()


def crowd(pending: int, finished: int) -> None:
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        raise SystemExit("ETA messages are held in the worker's memory: there is no crowd without sending it")
    door.setup_django()
    from django_celery_beat.models import ClockedSchedule, PeriodicTask

    when = ClockedSchedule.objects.create(clocked_time=door.times(4_000_000_000, 1, 0)[0])
    one = PeriodicTask.objects.create(name="crowd", task="post", args='["x"]', one_off=True, clocked=when)
    columns = [field.column for field in PeriodicTask._meta.concrete_fields if field.column not in ("id", "name")]
    table = PeriodicTask._meta.db_table
    door.execute(
        f"INSERT INTO {table} (name, {', '.join(columns)}) SELECT 'crowd ' || n, {', '.join(f'p.{c}' for c in columns)} "
        f"FROM generate_series(1, {pending}) AS n, {table} AS p WHERE p.id = {one.pk}",
        "ANALYZE",
        "CHECKPOINT",
    )


if __name__ == "__main__":
    door.answer(globals())
