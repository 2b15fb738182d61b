"""procrastinate on its psycopg connector."""

from __future__ import annotations

import os
from typing import Any

import procrastinate

from tests.benchmarks.peers import door

app = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"], min_size=4, max_size=16)
)


@app.task(name="nothing")
async def nothing(number: int) -> None:
    door.nothing(number)


@app.task(name="post")
def post(key: str) -> None:
    door.post(key)


def prepare() -> None:
    with app.open():
        app.schema_manager.apply_schema()


def enqueue(count: int) -> None:
    with app.open():
        nothing.batch_defer(*({"number": number} for number in range(count)))


def posts(first: float, count: int, every: float) -> None:
    with app.open():
        for number, at in enumerate(door.times(first, count, every)):
            post.configure(schedule_at=at).defer(key=f"k{number}")


def crowd(pending: int, finished: int) -> None:
    import psycopg

    columns = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, scheduled_at) SELECT 'default', 'post', "
    )
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        # the triggers write an event a row and notify; they are not what is measured here
        connection.execute("SET session_replication_role = replica")
        ahead = "'{\"key\": \"x\"}', 'todo', now() + interval '30 days' + n * interval '1 second'"
        connection.execute(f"{columns} {ahead} FROM generate_series(1, {pending}) AS n")
        past = "'{\"key\": \"x\"}', 'succeeded', now() - n * interval '1 second'"
        connection.execute(f"{columns} {past} FROM generate_series(1, {finished}) AS n")
        connection.execute("VACUUM ANALYZE procrastinate_jobs")
        connection.execute("CHECKPOINT")


def poll(looks: int) -> dict[str, float]:
    import psycopg

    query = "SELECT * FROM procrastinate_fetch_job_v2(NULL::varchar[], NULL)"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        return door.milliseconds(lambda: connection.execute(query).fetchall(), looks)


def worker(concurrency: int) -> None:
    app.run_worker(concurrency=concurrency)


def defer_seconds(count: int, batch: int) -> float:
    """Seconds for deferring `count` scheduled jobs, `batch` in one call; a batch of 1 is the plain `defer`."""
    import time

    planned = post.configure(schedule_at=door.times(time.time() + 86_400, 1, 0)[0])
    values: list[dict[str, Any]] = [{"key": f"k{number}"} for number in range(count)]
    with app.open():
        began = time.perf_counter()
        if batch == 1:
            for one in values:
                planned.defer(**one)
        else:
            for start in range(0, count, batch):
                planned.batch_defer(*values[start : start + batch])
        return time.perf_counter() - began


if __name__ == "__main__":
    door.answer(globals())
