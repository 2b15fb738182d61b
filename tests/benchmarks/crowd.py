"""A crowd of pending jobs far in the future, written by the database itself. Runs inside an installation."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

NUMBERS = {
    "postgresql": "SELECT generate_series(1, {count}) AS n",
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) SELECT n FROM numbers",
}


def crowd(*, count: int) -> int:
    """`count` more pending jobs, due a month from now and later, a second apart; returns how many are pending."""
    from django.db import connection

    from alwrity_scheduler.core import clock
    from schedules.models import Job, Occurrence

    model = Job.objects.order_by("id").first()
    standing = Occurrence.objects.filter(cause="crowd").count()
    first = (clock.database_now() + timedelta(days=30 + standing)).strftime("%Y-%m-%d %H:%M:%S")
    postgres = connection.vendor == "postgresql"
    at = (
        f"timestamptz '{first}+00' + n * interval '1 second'"
        if postgres
        else f"datetime('{first}', '+' || n || ' seconds')"
    )
    uuid = "gen_random_uuid()" if postgres else "lower(hex(randomblob(16)))"
    numbers = NUMBERS[connection.vendor].format(count=count)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO schedules_occurrence (schedule_id, nominal_at, nominal_local, fires_at, cause, tzdata_version) "
            f"SELECT {model.schedule_id}, {at}, '2030-01-01T00:00:00', {at}, 'crowd', '' FROM ({numbers}) AS many"
        )
        same = [
            field.column
            for field in Job._meta.concrete_fields
            if field.column
            not in (
                "id",
                "public_id",
                "state",
                "run_at",
                "scheduled_for",
                "occurrence_id",
                "deadline_at",
                "remote_id",
                "remote_url",
            )
        ]
        columns = ", ".join(same)
        cursor.execute(
            f"INSERT INTO schedules_job (public_id, state, run_at, scheduled_for, occurrence_id, remote_id, remote_url, {columns}) "
            f"SELECT {uuid}, 'pending', o.fires_at, o.fires_at, o.id, '', '', {', '.join('j.' + name for name in same)} "
            f"FROM schedules_occurrence o JOIN schedules_job j ON j.id = {model.pk} WHERE o.cause = 'crowd' "
            f"AND NOT EXISTS (SELECT 1 FROM schedules_job other WHERE other.occurrence_id = o.id)"
        )
        cursor.execute("ANALYZE")
    assert Occurrence.objects.filter(cause="crowd").count() == standing + count
    return Job.objects.filter(state="pending").count()


def poll(*, looks: int) -> dict[str, Any]:
    """Milliseconds of one look that finds nothing due (median and worst of `looks`), and the plan of its query."""
    import statistics
    import time

    from alwrity_scheduler.core import clock
    from schedules.engine import work
    from schedules.engine.kinds import kinds
    from schedules.models import Job
    from tests.engine import LEASE

    now, times = clock.database_now(), []
    kind = kinds["publish"]
    for _ in range(looks):
        began = time.perf_counter()
        work.claim(kind.model, now=now, limit=16, lease=work.Lease("benchmark", LEASE), arm=kind.arm)
        times.append((time.perf_counter() - began) * 1000)
    return {"median": statistics.median(times), "worst": max(times), "plan": work.due(Job.objects, now).explain()}


def spread(*, posts: int, seconds: float, delay: float) -> list[str]:
    """`posts` single posts over `seconds`, from `delay` seconds on, on the first accounts; returns nothing of interest."""
    from alwrity_scheduler.core import clock
    from alwrity_scheduler.core.events import unit
    from platforms.models import PlatformAccount
    from schedules.models import Job
    from tests.people import make_schedule

    now = clock.database_now()
    accounts = list(PlatformAccount.objects.order_by("id"))
    with unit():
        for number in range(posts):
            # the wall clock of a schedule has whole seconds; the fraction comes through the job, so that posts do not pile up
            schedule = make_schedule(
                accounts[0].workspace,
                [accounts[number % len(accounts)]],
                now,
                start_local=(now + timedelta(days=1)).replace(tzinfo=None),
            )
            at = now + timedelta(seconds=delay + seconds * number / posts)
            Job.objects.filter(schedule=schedule).update(run_at=at, scheduled_for=at)
    return []


def publish_now(*, times: int) -> dict[str, float]:
    """Milliseconds from the commit of "publish now" here to the claim in the scheduler's process."""
    import random
    import time

    from alwrity_scheduler.core import clock
    from platforms.models import PlatformAccount
    from schedules.models import Attempt, Job
    from schedules.services import jobs
    from tests.people import ACTOR, make_schedule

    account = PlatformAccount.objects.order_by("id").first()
    late = []
    for _ in range(times):
        now = clock.database_now()
        tomorrow = (now + timedelta(days=1)).replace(tzinfo=None)
        schedule = make_schedule(account.workspace, [account], now, start_local=tomorrow)
        job = Job.objects.get(schedule=schedule)
        time.sleep(random.uniform(0.2, 0.6))
        jobs.run_now(job=job, actor=ACTOR, now=clock.database_now())
        committed = clock.now()
        while not (attempt := Attempt.objects.filter(job=job).first()):
            time.sleep(0.005)
        late.append((attempt.worker_clock - committed).total_seconds() * 1000)
    late.sort()
    return {"p50": late[len(late) // 2], "p99": late[int(len(late) * 0.99)], "max": late[-1]}


def near_pending() -> int:
    """Posts due within the hour that are not published yet."""
    from alwrity_scheduler.core import clock
    from schedules.models import Job

    return Job.objects.filter(run_at__lt=clock.database_now() + timedelta(hours=1)).exclude(state="completed").count()


def due_times(*, count: int) -> dict[str, float]:
    """idempotency key -> due time (seconds since 1970) of the `count` posts that were made last."""
    from schedules.models import Job

    rows = Job.objects.filter(state="completed").order_by("-id")[:count]
    return {row.idempotency_key: row.scheduled_for.timestamp() for row in rows}


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
