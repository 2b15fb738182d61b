"""django-q2 on its ORM broker."""

from __future__ import annotations

from tests.benchmarks.peers import door

PATH = "tests.benchmarks.peers.door"


def prepare() -> None:
    door.migrate()


def enqueue(count: int) -> None:
    door.setup_django()
    from django.db import transaction
    from django_q.tasks import async_task

    with transaction.atomic():
        for number in range(count):
            async_task(f"{PATH}.nothing", number)


def posts(first: float, count: int, every: float) -> None:
    door.setup_django()
    from django_q.models import Schedule

    Schedule.objects.bulk_create(
        Schedule(func=f"{PATH}.post", args=f"'k{number}'", schedule_type=Schedule.ONCE, next_run=at, repeats=-1)
        for number, at in enumerate(door.times(first, count, every))
    )


def crowd(pending: int, finished: int) -> None:
    door.setup_django()
    columns = "INSERT INTO django_q_schedule (func, args, schedule_type, repeats, next_run) SELECT "
    done = "INSERT INTO django_q_task (id, name, func, started, stopped, success, attempt_count) SELECT md5(n::text), n::text, "
    door.execute(
        f"{columns} '{PATH}.post', '''x''', 'O', -1, now() + interval '30 days' + n * interval '1 second' "
        f"FROM generate_series(1, {pending}) AS n",
        f"{done} '{PATH}.post', now(), now(), true, 1 FROM generate_series(1, {finished}) AS n",
        "VACUUM ANALYZE",
        "CHECKPOINT",
    )


def poll(looks: int) -> dict[str, float]:
    door.setup_django()
    from django_q.brokers import get_broker
    from django_q.scheduler import scheduler

    broker = get_broker()
    return door.milliseconds(lambda: scheduler(broker=broker), looks)


if __name__ == "__main__":
    door.answer(globals())
