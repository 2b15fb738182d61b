"""django-tasks with its database backend, django-tasks-db."""

from __future__ import annotations

import json

from tests.benchmarks.peers import door

# the worker imports this module by its path: the tasks must stand at its top, and only where Django is set up
try:
    from django_tasks import task
except Exception:
    door.setup_django()
    from django_tasks import task

PATH = "tests.benchmarks.peers.tasks_peer"


@task()
def nothing(number: int) -> None:
    door.nothing(number)


@task()
def post(key: str) -> None:
    door.post(key)


def prepare() -> None:
    door.migrate()


def _rows(name: str, values: list[dict[str, object]], moments: list[object]) -> None:
    door.setup_django()
    from django_tasks_db.models import DBTaskResult, get_date_max

    DBTaskResult.objects.bulk_create(
        [
            DBTaskResult(
                args_kwargs={"args": [], "kwargs": value}, task_path=f"{PATH}.{name}", backend_name="default",
                run_after=moments[number] if moments else get_date_max(),
            )
            for number, value in enumerate(values)
        ],
        batch_size=2000,
    )  # fmt: skip


def enqueue(count: int) -> None:
    _rows("nothing", [{"number": number} for number in range(count)], [])


def posts(first: float, count: int, every: float) -> None:
    _rows("post", [{"key": f"k{number}"} for number in range(count)], door.times(first, count, every))


def crowd(pending: int, finished: int) -> None:
    door.setup_django()
    arguments = json.dumps({"args": [], "kwargs": {"key": "x"}})
    columns = (
        "INSERT INTO django_tasks_database_dbtaskresult (id, status, enqueued_at, args_kwargs, priority, task_path, worker_ids, "
        "queue_name, backend_name, run_after, exception_class_path, traceback, finished_at) SELECT gen_random_uuid(), "
    )
    same = f"now(), '{arguments}', 0, '{PATH}.post', '[]', 'default', 'default',"
    door.execute(
        f"{columns} 'READY', {same} now() + interval '30 days' + n * interval '1 second', '', '', NULL "
        f"FROM generate_series(1, {pending}) AS n",
        f"{columns} 'SUCCESSFUL', {same} now() - n * interval '1 second', '', '', now() FROM generate_series(1, {finished}) AS n",
        "VACUUM ANALYZE django_tasks_database_dbtaskresult",
        "CHECKPOINT",
    )


def poll(looks: int) -> dict[str, float]:
    door.setup_django()
    from django_tasks_db.models import DBTaskResult
    from django_tasks_db.utils import exclusive_transaction

    def look() -> None:
        ready = DBTaskResult.objects.ready().filter(backend_name="default").filter(queue_name__in=["default"])
        with exclusive_transaction(ready.db):
            assert ready.get_locked() is None

    return door.milliseconds(look, looks)


if __name__ == "__main__":
    door.answer(globals())
