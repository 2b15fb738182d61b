"""What the engine tells of itself: R40 (figures, dead man's switch) and R44 (clock skew)."""

from __future__ import annotations

import io
import json
import logging
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alwrity_scheduler.core import clock, logs
from schedules.engine import loop
from schedules.engine.figures import LATENESS
from schedules.engine.tables import Duty, Worker
from schedules.engine.workers import Heart
from schedules.models import EngineControl, Job
from schedules.reads.alarms import dead_mans_switch, spoken
from schedules.reads.engine import installation_status
from tests.people import ACTOR, make_account, make_people, make_schedule

LEASE = timedelta(seconds=60)


def beating(now, name="w", **values):
    return Worker.objects.create(name=name, host="h", pid=1, started_at=now, beat_at=now, **values)


def names(alarms):
    return [alarm.name for alarm in alarms]


@pytest.mark.django_db(transaction=True)
def test_r40_a_worker_writes_its_lateness_passes_and_totals(platform):
    now = clock.database_now()
    people = make_people(now)
    for name in ("One", "Two"):
        make_schedule(people.workspace, [make_account(people.workspace, now, name=name, platform="scripted")], now)
    engine = loop.Loop(threads=4, lease=LEASE)

    engine.drain()

    worker = installation_status(now=clock.database_now()).workers[0]
    assert (worker.state, worker.claimed_count, worker.completed_count) == ("stopped", 2, 2)
    assert (worker.lateness.count, worker.rescued_count, worker.database_error_count) == (2, 0, 0)
    assert worker.passes.count >= 2
    assert worker.worst_pass_seconds > 0
    assert worker.rss_bytes > 10_000_000
    assert worker.cpu_seconds > 0


@pytest.mark.django_db(transaction=True)
def test_r40_a_beat_is_one_statement_and_comes_every_five_seconds(django_assert_num_queries):
    heart, now = Heart(), clock.database_now()
    heart.register(now)
    with heart.timed_pass():
        pass

    with django_assert_num_queries(1):
        heart.beat(now, 3)
        heart.beat(now, 4)

    row = Worker.objects.get()
    assert (row.in_flight, sum(row.passes["counts"])) == (3, 1)
    heart.stop(now)


@pytest.mark.django_db(transaction=True)
def test_r40_a_pass_that_the_database_refuses_is_counted(monkeypatch):
    from django.db import OperationalError

    engine = loop.Loop(threads=1, lease=LEASE)
    monkeypatch.setattr(engine, "run_pass", lambda *_, **__: (_ for _ in ()).throw(OperationalError("gone")))

    engine._safely(engine._turn)
    engine.dispatcher.close()

    assert (engine.heart.database_errors, engine.heart.passes.count) == (1, 1)


def test_r40_the_queue_is_counted_by_kind_and_state(workspace, account, now, after):
    make_schedule(workspace, [account], now, rule_kind="cron", expression="0 * * * *")
    due, later, *rest = Job.objects.order_by("run_at", "id")
    Job.objects.filter(pk=due.pk).update(run_at=after(seconds=-30))
    Job.objects.filter(pk=later.pk).update(state="unconfirmed")
    Job.objects.filter(pk=rest[0].pk).update(state="blocked")
    Job.objects.filter(pk__in=[job.pk for job in rest[3:]]).update(state="completed", remote_id="r")
    Job.objects.filter(pk=rest[1].pk).update(
        state="running", lease_until=after(minutes=1), serial_key=account.pk, lease_token=1
    )

    status = installation_status(now=now)

    publish, check, *_others = status.kinds
    assert (publish.kind, publish.pending, publish.due, publish.running) == ("publish", 2, 1, 1)
    assert (check.kind, check.pending, check.oldest_due_at) == ("check", 0, None)
    assert status.oldest_due_age_seconds == 30.0
    assert status.held == {"blocked": 1, "unconfirmed": 1, "processing": 0}


def test_what_waits_for_a_slow_receiver_is_no_late_post(workspace, now, after):
    from schedules.webhooks.models import Delivery
    from schedules.webhooks.services import EndpointPlan, create

    beating(now)
    plan = EndpointPlan(url="https://slow.example.com/", event_types=["job.*"])
    endpoint, _ = create(workspace=workspace, plan=plan, actor=ACTOR, now=now)
    old = after(hours=-2)
    Delivery.objects.create(
        endpoint=endpoint,
        event_id="evt_1",
        event_type="job.completed",
        event_at=old,
        body="{}",
        run_at=old,
        created_at=old,
    )

    status = installation_status(now=now)

    assert next(row for row in status.kinds if row.kind == "deliver").due == 1
    assert status.alarms == ()


# seconds that the oldest row waits, the last beat's age in seconds, everything paused, alarms
SWITCH = (
    (None, 5, False, []),
    (60, 5, False, []),
    (61, 5, False, ["oldest_due"]),
    (61, 5, True, []),  # people paused it: nothing is due to go out
    (None, 90, False, ["no_scheduler"]),
    (61, 90, False, ["oldest_due", "no_scheduler"]),
    (None, None, False, ["no_scheduler"]),
)


@pytest.mark.parametrize(("waits", "beat", "paused", "expected"), SWITCH)
def test_r40_the_dead_mans_switch_needs_no_loop(workspace, account, now, after, waits, beat, paused, expected):
    if waits is not None:
        make_schedule(workspace, [account], now)
        Job.objects.update(run_at=after(seconds=-waits))
    if beat is not None:
        beating(after(seconds=-beat))
    if paused:
        EngineControl.objects.create(pk=1, paused_at=now)

    assert names(dead_mans_switch(now)) == expected
    assert names(alarm for alarm in installation_status(now=now).alarms if alarm.stops_publishing) == expected


def test_r40_a_stopped_worker_does_not_count_as_alive(db, now):
    beating(now, stopped_at=now)

    assert names(dead_mans_switch(now)) == ["no_scheduler"]


# cadence and age of the last run in seconds, switched on, alarm
PLANNER = ((30, 90, True, False), (30, 91, True, True), (30, 91, False, False), (60, 91, True, False))


@pytest.mark.parametrize(("cadence", "age", "enabled", "rings"), PLANNER)
def test_r40_a_planner_that_missed_three_cadences_is_told(db, now, after, cadence, age, enabled, rings):
    beating(now)
    Duty.objects.create(
        name="plan", every_seconds=cadence, enabled=enabled, next_at=now, last_run_at=after(seconds=-age)
    )

    status = installation_status(now=now)

    assert names(status.alarms) == (["planner_behind"] if rings else [])
    assert status.duties[0].late is rings


@pytest.mark.parametrize(("skew_ms", "rings"), [(2000, False), (2001, True), (-2500, True)])
def test_r44_a_clock_that_is_off_by_over_two_seconds_is_reported(db, now, skew_ms, rings):
    beating(now, "right")
    beating(now, "wrong", clock_skew_ms=skew_ms)
    beating(now, "gone", clock_skew_ms=9000, stopped_at=now)

    alarms = installation_status(now=now).alarms

    assert names(alarms) == (["clock_skew"] if rings else [])
    assert not rings or "wrong" in alarms[0].words


def test_r44_the_skew_to_the_databases_clock_is_written_and_logged(db, now, monkeypatch, caplog):
    monkeypatch.setattr(clock, "now", lambda: now)
    heart = Heart()
    heart.register(now)

    with caplog.at_level(logging.WARNING):
        heart.beat(now + timedelta(seconds=3), 0, force=True)
    heart.stop(now)

    assert Worker.objects.get().clock_skew_ms == 3000
    assert [line.action for line in caplog.records] == ["clock_skew"]


def test_counting_reads_partial_indexes_and_never_the_whole_table(workspace, account, now):
    """R14: with a million finished jobs the status costs what it costs with none."""
    make_schedule(workspace, [account], now, rule_kind="cron", expression="* * * * *")
    Job.objects.filter(run_at__gt=now + timedelta(hours=1)).update(state="completed", remote_id="r")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # a table of 500 rows is read whole otherwise

    with CaptureQueriesContext(connection) as queries:
        dead_mans_switch(now)
        installation_status(now=now)

    plans = [plan_of(query["sql"]) for query in queries if "schedules_job" in query["sql"]]
    assert len(plans) == 8
    assert [
        plan for plan in plans if not re.search(r"job_(check_)?(due|lease|serial|list|blocked|queue)\b", plan)
    ] == []
    assert [plan for plan in plans if "Seq Scan" in plan or re.search(r"SCAN schedules_job(?!.*INDEX)", plan)] == []


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + sql)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_the_status_asks_as_many_queries_with_many_workers_as_with_one(workspace, now, django_assert_num_queries):
    for number in range(20):
        beating(now, f"w{number}")

    with django_assert_num_queries(16):
        installation_status(now=now)


@pytest.fixture
def told(monkeypatch):
    """The lines that the product writes, as JSON objects."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.JsonFormatter())
    logger = logging.getLogger("tests.adapter")
    monkeypatch.setattr(logger, "propagate", False)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logger.removeHandler(handler)


@pytest.mark.django_db(transaction=True)
def test_a_line_written_during_a_call_carries_its_ids(platform, told):
    now = clock.database_now()
    people = make_people(now)
    account = make_account(
        people.workspace, now, platform="scripted", credentials={"bearer_token": "very-secret-token"}
    )
    schedule = make_schedule(people.workspace, [account], now)
    platform.on_call = lambda publication: logging.getLogger("tests.adapter").info(
        "Sending with Bearer %s", publication.account.credentials["bearer_token"]
    )
    engine = loop.Loop(threads=2, lease=LEASE)

    engine.drain()

    job, (line,) = Job.objects.get(), told()
    assert line["worker"] == engine.heart.name
    assert (line["job"], line["schedule"]) == (str(job.public_id), str(schedule.public_id))
    assert (line["account"], line["attempt"]) == (str(account.public_id), job.attempts.get().pk)
    assert "very-secret" not in json.dumps(line)
    assert logs.ids() == {}


@pytest.fixture
def spans(monkeypatch):
    """The finished spans, through a provider that belongs to the test alone."""
    pytest.importorskip("opentelemetry.sdk.trace", reason="opentelemetry-sdk is not installed (uv sync)")
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter.get_finished_spans
    provider.shutdown()


@pytest.mark.django_db(transaction=True)
def test_pass_claim_call_and_result_have_spans(platform, spans):
    now = clock.database_now()
    people = make_people(now)
    make_schedule(people.workspace, [make_account(people.workspace, now, platform="scripted")], now)

    loop.Loop(threads=2, lease=LEASE).drain()

    found = {span.name: span for span in spans()}
    assert set(found) == {"engine.pass", "engine.claim", "engine.perform", "engine.finish"}
    assert found["engine.finish"].attributes["alwrity.rows"] == 1
    assert found["engine.perform"].attributes["alwrity.job"] == str(Job.objects.get().public_id)


def status_of(*words):
    out = io.StringIO()
    code = 0
    try:
        call_command("runscheduler", "--status", *words, stdout=out)
    except SystemExit as end:
        code = end.code
    return code, out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_status_in_a_terminal_says_what_is_wrong_and_fits(workspace, account):
    now = clock.database_now()
    make_schedule(workspace, [account], now)
    Job.objects.update(run_at=now - timedelta(minutes=5))
    beating(now - timedelta(hours=2), "a-machine-with-a-rather-long-name.example.org:4711:abc123")
    Duty.objects.create(name="plan", every_seconds=30, next_at=now, last_run_at=now, last_result="x" * 300)

    code, text = status_of()

    assert code == 1
    assert "NOT RUNNING" in text
    assert "! The oldest due work has been waiting for 5 min" in text
    assert "manage.py runscheduler" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.django_db(transaction=True)
def test_a_healthy_status_ends_with_0_and_estimates_the_lateness():
    now = clock.database_now()
    counts = [0] * (len(LATENESS) + 1)
    counts[0] = 100
    beating(now, lateness={"bounds": list(LATENESS), "counts": counts, "sum": 0.2})

    code, text = status_of()

    assert (code, "Alarms: none" in text) == (0, True)
    assert "p50 2.5 ms, p99 4.95 ms of 100 calls" in text


@pytest.mark.django_db(transaction=True)
def test_the_status_as_json_is_that_of_the_api():
    beating(clock.database_now())

    code, text = status_of("--json")

    found = json.loads(text)
    assert (code, found["running"], found["alarms"], found["workers"][0]["state"]) == (0, True, [], "alive")
    assert set(found["kinds"]) == {"publish", "check", "refresh", "read", "deliver"}


def test_json_alone_is_refused(db):
    with pytest.raises(CommandError, match="--status"):
        call_command("runscheduler", "--json")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (125, "2 min 5 s"), (7260, "2 h 1 min"), (90_000, "1 d 1 h")],
)
def test_ages_are_said_in_two_units_at_most(seconds, words):
    assert spoken(seconds) == words
