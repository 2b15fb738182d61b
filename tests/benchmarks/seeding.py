"""Rows by the hundred thousand, written by the database itself from one that the product's services made.

Runs inside an installation: `python -m tests.benchmarks.seeding <function> '<its values as JSON>'`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

NUMBERS = {
    "postgresql": "SELECT generate_series(1, {count}) AS n",
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) SELECT n FROM numbers",
}
# (kind, expression, times in any 48 hours): hourly to daily
RULES = (
    ("cron", "{minute} * * * *", 48),
    ("cron", "{minute} 9-17/2 * * *", 10),
    ("rrule", "FREQ=HOURLY;INTERVAL=6", 8),
    ("rrule", "FREQ=DAILY;BYHOUR=8,18", 4),
    ("cron", "{minute} 7 * * *", 2),
    ("cron", "{minute} 8,12,18 * * *", 6),
    ("rrule", "FREQ=DAILY", 2),
    ("rrule", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=9,17", 4),
    ("cron", "{minute} */6 * * *", 8),
    ("cron", "{minute} 6,20 * * *", 4),
)
ZONES = ("Europe/Berlin", "America/New_York", "UTC")
NO_CHANGE_OF_CLOCKS = datetime(2027, 1, 13, tzinfo=UTC)  # so that 48 hours hold the same times in every zone


def _postgres() -> bool:
    from django.db import connection

    return connection.vendor == "postgresql"


def moment(at: datetime, step_seconds: str = "0") -> str:
    """SQL: `at` plus `step_seconds` (an SQL expression, may name n)."""
    if _postgres():
        return f"(timestamptz '{at.isoformat()}' + ({step_seconds}) * interval '1 second')"
    return (
        f"(strftime('%Y-%m-%d %H:%M:%f', '{at:%Y-%m-%d %H:%M:%S.%f}', '+' || ({step_seconds}) || ' seconds') || '000')"
    )


def new_uuid() -> str:
    return "gen_random_uuid()" if _postgres() else "lower(hex(randomblob(16)))"


def words(text: str) -> str:
    return f"'{text}' || n"


def json_list(text: str) -> str:
    """SQL: a JSON list of two words, the second with n in it."""
    cast = "::jsonb" if _postgres() else ""
    return f"('[\"{text}\", \"no' || n || '\"]'){cast}"


def copies(row: Any, count: int, changes: Mapping[str, str], *, numbered_from: int | None = None) -> None:
    """`count` more rows like `row`; `changes` gives columns as SQL of n = 1 … count. Ids are `numbered_from` + n."""
    from django.db import connection

    model, taken = type(row), dict(changes)
    if numbered_from is not None:
        taken["id"] = f"{numbered_from} + n"
    if any(field.column == "public_id" for field in model._meta.concrete_fields):
        taken.setdefault("public_id", new_uuid())
    columns = [f.column for f in model._meta.concrete_fields if f.column != "id" or "id" in taken]
    values = ", ".join(taken.get(column, f"p.{column}") for column in columns)
    table, numbers = model._meta.db_table, NUMBERS[connection.vendor].format(count=count)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) "
            f"SELECT {values} FROM ({numbers}) AS many, {table} AS p WHERE p.id = {row.pk}"
        )
        if _postgres() and "id" in taken:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


def settle() -> None:
    """What a database that has been running for a while has done already: statistics, and no dead rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if _postgres() else "ANALYZE")
        cursor.execute("CHECKPOINT" if _postgres() else "PRAGMA wal_checkpoint(TRUNCATE)")


def team(*, accounts: int, platform: str = "noop", options: dict[str, Any] | None = None) -> Any:
    """One workspace with `accounts` accounts and one finished post; returns the post's schedule, to be copied from."""
    from alwrity_scheduler.core import clock
    from alwrity_scheduler.core.events import unit
    from alwrity_scheduler.workspaces import services as workspaces
    from alwrity_scheduler.workspaces.models import User
    from schedules.models import Job
    from tests.people import ACTOR, make_account, make_schedule

    now = clock.database_now()
    owner = User.objects.create_user("ana")
    with unit():
        room = workspaces.create_workspace(name="Team", slug="team", timezone="UTC", owner=owner, actor=ACTOR, now=now)
        account = make_account(room, now, name="Place", platform=platform, options=options or {})
        schedule = make_schedule(
            room, [account], now, text="Post", start_local=(now + timedelta(days=1)).replace(tzinfo=None)
        )
    Job.objects.update(state="cancelled", finished_at=now)
    copies(account, accounts - 1, {"name": words("Place "), "handle": words("place-")}, numbered_from=account.pk)
    return schedule


def posts(schedule: Any, *, count: int, accounts: int, first: datetime, every_seconds: float) -> None:
    """`count` single posts like `schedule`, from `first` on, `every_seconds` apart, over the accounts in turn.

    Each has content of its own; the titles end in their number, from 0 on.
    """
    from django.db.models import Max

    from schedules.models import ContentItem, Occurrence, Schedule

    target, job = schedule.targets.get(), schedule.jobs.order_by("id")[0]
    occurrence, content, at = job.occurrence, schedule.content, moment(first, f"(n - 1) * {every_seconds}")
    base = {model: model.objects.aggregate(top=Max("pk"))["top"] for model in (ContentItem, Schedule, Occurrence)}
    on = f"{target.account_id} + n % {accounts}"
    copies(
        content, count, numbered_from=base[ContentItem],
        changes={
            "title": "'A title that people read ' || (n - 1)", "hashtags": json_list("news"),
            "text": words("What we have to say this week, with what comes next and where to read on. Number "),
        },
    )  # fmt: skip
    copies(schedule, count, numbered_from=base[Schedule], changes={"content_id": f"{base[ContentItem]} + n"})
    copies(target, count, {"schedule_id": f"{base[Schedule]} + n", "account_id": on})
    of_schedule = {"schedule_id": f"{base[Schedule]} + n"}
    copies(occurrence, count, numbered_from=base[Occurrence], changes={**of_schedule, "nominal_at": at, "fires_at": at})
    copies(
        job, count,
        {
            **of_schedule, "occurrence_id": f"{base[Occurrence]} + n", "account_id": on, "serial_key": on, "state": "'pending'",
            "scheduled_for": at, "run_at": at, "deadline_at": moment(first + timedelta(days=2)), "finished_at": "NULL",
        },
    )  # fmt: skip


def due(*, count: int, accounts: int) -> int:
    """`count` posts that came due within the last ten seconds. Returns how many are pending."""
    from alwrity_scheduler.core import clock
    from schedules.models import Job

    schedule = team(accounts=accounts)
    first = clock.database_now() - timedelta(seconds=10)
    posts(schedule, count=count, accounts=accounts, first=first, every_seconds=10 / count)
    settle()
    return Job.objects.filter(state="pending").count()


def people_wait(*, accounts: int, recorder: str) -> None:
    """A team whose posts go to the recorder; nothing is due."""
    team(accounts=accounts, platform="http", options={"publish_url": f"{recorder}/publish"})
    settle()


def crowd(*, pending: int, finished: int) -> int:
    """As many jobs more, due a month from now and later, and long published; every account has one at each time."""
    from django.db.models import Max

    from alwrity_scheduler.core import clock
    from platforms.models import PlatformAccount
    from schedules.models import Job, Occurrence

    now, model = clock.database_now(), Job.objects.order_by("id")[0]
    accounts, top = PlatformAccount.objects.count(), Occurrence.objects.aggregate(top=Max("pk"))["top"]
    on = f"{model.account_id} + n % {accounts}"
    same = {"account_id": on, "serial_key": on}
    ahead, behind = now + timedelta(days=30 + top / 1000), now - timedelta(days=400 + top / 1000)
    for count, first, changes in (
        (
            pending,
            ahead,
            {"state": "'pending'", "finished_at": "NULL", "deadline_at": moment(now + timedelta(days=900))},
        ),
        (finished, behind, {"state": "'completed'", "remote_id": words("r"), "attempt_count": "1"}),
    ):
        at = moment(first, f"((n - 1) / {accounts}) * 60")
        base = Occurrence.objects.aggregate(top=Max("pk"))["top"]
        each = moment(first, "(n - 1) * 60")
        copies(model.occurrence, -(-count // accounts), {"nominal_at": each, "fires_at": each}, numbered_from=base)
        of_time = {"occurrence_id": f"{base} + 1 + (n - 1) / {accounts}", "run_at": at, "scheduled_for": at}
        copies(model, count, {**same, **of_time, **changes})
    settle()
    return Job.objects.filter(state="pending").count()


def spread(*, count: int, seconds: float, delay: float) -> dict[str, float]:
    """`count` posts over `seconds`, from `delay` seconds from now on. Returns the first's time, in seconds since 1970."""
    from alwrity_scheduler.core import clock
    from platforms.models import PlatformAccount
    from schedules.models import Schedule

    first = clock.database_now() + timedelta(seconds=delay)
    posts(
        Schedule.objects.order_by("id")[0], count=count, accounts=PlatformAccount.objects.count(), first=first,
        every_seconds=seconds / count,
    )  # fmt: skip
    return {"first": first.timestamp(), "now": clock.database_now().timestamp()}


def due_times() -> dict[str, float]:
    """idempotency key -> due time (seconds since 1970) of what was published to the recorder."""
    from schedules.models import Job

    rows = Job.objects.filter(state="completed").exclude(idempotency_key="")
    return {key: at.timestamp() for key, at in rows.values_list("idempotency_key", "scheduled_for")}


def poll(*, looks: int) -> dict[str, Any]:
    """Milliseconds of one look that finds nothing due (median and worst), and whether each of its queries goes by its index."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from alwrity_scheduler.core import clock
    from schedules.engine import work
    from schedules.engine.kinds import kinds
    from tests.benchmarks.peers.door import milliseconds
    from tests.engine import LEASE

    now, kind = clock.database_now(), kinds["publish"]
    lease = work.Lease("benchmark", LEASE)

    def look() -> None:
        assert not work.claim(kind.model, now=now, limit=16, lease=lease, arm=kind.arm).taken

    with CaptureQueriesContext(connection) as captured:
        look()
    plans = [_plan_of(one["sql"]) for one in captured.captured_queries if "schedules_job" in one["sql"]]
    return {
        **milliseconds(look, looks),
        "by_index": bool(plans) and all("job_due" in plan for plan in plans),
        "plans": plans,
    }


def _plan_of(query: str) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN " if _postgres() else "EXPLAIN QUERY PLAN ") + query)
        return "\n".join(" ".join(str(part) for part in row) for row in cursor.fetchall())


def recurring(*, count: int, accounts: int) -> int:
    """`count` active schedules of the mix above, nothing of them planned yet. Returns the times they have in the horizon."""
    from schedules.models import Job, Schedule

    schedule = team(accounts=accounts)
    # each has one run behind it: in an empty table PostgreSQL's plans are those of an empty table
    before = NO_CHANGE_OF_CLOCKS - timedelta(days=1)
    posts(schedule, count=count, accounts=accounts, first=before, every_seconds=0)
    Job.objects.update(state="cancelled", finished_at=before)
    mine = Schedule.objects.exclude(pk=schedule.pk)
    Schedule.objects.filter(pk=schedule.pk).update(state="archived")
    rows = list(mine.order_by("pk"))
    for number, row in enumerate(rows):
        kind, expression, _ = RULES[number % len(RULES)]
        row.rule_kind, row.expression = kind, expression.format(minute=number % 60)
        row.timezone, row.planned_until = ZONES[number % len(ZONES)], NO_CHANGE_OF_CLOCKS
        row.start_local = datetime(2027, 1, 1, number % 6, number % 60)
    Schedule.objects.bulk_update(
        rows, ["rule_kind", "expression", "timezone", "start_local", "planned_until"], batch_size=500
    )
    settle()
    return sum(RULES[number % len(RULES)][2] for number in range(count))


def plan() -> dict[str, float]:
    """Extend the horizon until every schedule stands planned; seconds, jobs, and the longest transaction in milliseconds."""
    import time

    from schedules.models import Job, Occurrence, Schedule
    from schedules.services import materialise

    now, longest = NO_CHANGE_OF_CLOCKS, [0.0]
    measured_transactions(longest)
    began = time.perf_counter()
    while Schedule.objects.to_plan(materialise.horizon(now)).exists():
        materialise.extend_horizon(now=now)
    seconds = time.perf_counter() - began
    jobs = Job.objects.filter(state="pending").count()
    assert Occurrence.objects.filter(fires_at__gte=now).count() == jobs
    return {"seconds": seconds, "jobs": jobs, "longest": longest[0] * 1000}


def measured_transactions(longest: list[float]) -> None:
    """Keep the longest time between a BEGIN and its end in `longest[0]`."""
    import time

    from django.db import connection

    set_autocommit, began = connection.set_autocommit, [0.0]

    def measuring(autocommit: bool, *values: Any, **named: Any) -> None:
        if not autocommit:
            began[0] = time.perf_counter()
        set_autocommit(autocommit, *values, **named)
        if autocommit and began[0]:
            longest[0] = max(longest[0], time.perf_counter() - began[0])

    connection.set_autocommit = measuring


def outcome(*, count: int) -> dict[str, Any]:
    """What stands written after the run. Raises AssertionError for anything lost, doubled or left open."""
    from django.core.management import call_command
    from django.db.models import Max

    from schedules.models import Attempt, AuditLog, Job

    completed = Job.objects.filter(state="completed")
    assert completed.count() == count, f"{completed.count()} of {count} jobs completed"
    ended = Attempt.objects.filter(outcome="published", finished_at__isnull=False)
    assert (ended.count(), Attempt.objects.count()) == (count, count), "attempts are missing, doubled or open"
    told = AuditLog.objects.filter(action="job.completed")
    assert told.values("object_id").distinct().count() == told.count() == count, "the history is not one row a job"
    call_command("verify_audit", stdout=sys.stderr)
    last = completed.aggregate(last=Max("finished_at"))["last"]
    return {"last_written": last.timestamp()}


if __name__ == "__main__":
    from tests.benchmarks.noop import install

    install()
    print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
