"""The distributed engine's parts in one process: bands and looks, a worker process' loop, the word that something is due."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections, transaction
from kombu.exceptions import OperationalError as BrokerError

from alwrity_scheduler.core import clock
from schedules.engine import crew, distributed, duties, looks, loop, wakeup
from schedules.engine.bands import BANDS, band_of, queue_names
from schedules.engine.duties import DutyKind
from schedules.engine.tables import Worker
from schedules.engine.work import LAST_PRIORITY
from schedules.models import Attempt, Job
from schedules.services import control, jobs
from tests.people import ACTOR, make_account, make_people, make_schedule

URGENT, NORMAL, LOW = BANDS
LEASE = timedelta(seconds=60)


@pytest.fixture
def today(transactional_db, platform):
    """A workspace and four accounts at the real time, which the loop's own clock needs."""
    now = clock.database_now()
    workspace = make_people(now).workspace
    return now, workspace, [make_account(workspace, now, name=f"P{n}", platform="scripted") for n in range(4)]


@pytest.fixture
def start_crew():
    """`start_crew(priority_to=…)` starts a worker process' loop in a thread; it is stopped after the test."""
    running = []

    def start(**values):
        made = crew.Crew(threads=4, lease=LEASE, **{"priority_to": 0, **values})
        thread = threading.Thread(target=made.live, kwargs={"stop_seconds": 20})
        thread.start()
        running.append((made, thread))
        return made

    yield start
    for made, thread in running:
        made.stop()
        thread.join(20)
    connections.close_all()


def _until(condition):
    waiter = threading.Event()
    for _ in range(1000):
        if condition():
            return
        waiter.wait(0.02)
    raise AssertionError("waited too long")


def test_the_scale_falls_into_three_bands_and_no_priority_is_left_out():
    assert [band_of(priority).name for priority in range(1, 11)] == ["urgent"] * 3 + ["normal"] * 4 + ["low"] * 3
    assert LOW.priority_to == LAST_PRIORITY
    assert queue_names("a") == ["a.urgent", "a.engine", "a.normal", "a.low"]


def test_looks_are_as_many_as_there_are_accounts_with_something_due(workspace, account, platform, now):
    others = [make_account(workspace, now, name=f"P{n}", platform="scripted") for n in range(4)]
    for place in (account, account, account, *others):
        make_schedule(workspace, [place], now, priority=5)
    make_schedule(workspace, [account], now, priority=8)
    make_schedule(workspace, [account], now + timedelta(seconds=1), priority=1)
    make_schedule(workspace, [account], now + timedelta(seconds=3), priority=1)

    # five accounts for processes of two calls; one row each for the others, one of them due within the horizon
    assert looks.looks_wanted(now, threads=2) == {URGENT: 1, NORMAL: 3, LOW: 1}
    assert looks.looks_wanted(now - timedelta(minutes=1), threads=2) == {}


def test_a_long_queue_hides_no_band_behind_it(workspace, account, platform, now, monkeypatch):
    monkeypatch.setattr(looks, "LOOK_AT", 2)
    for _ in range(2):
        make_schedule(workspace, [account], now, priority=8)
    other = make_account(workspace, now, name="Other", platform="scripted")
    make_schedule(workspace, [other], now + timedelta(seconds=1), priority=1)

    assert looks.looks_wanted(now, threads=2)[URGENT] == 1


def test_a_worker_process_publishes_when_it_is_told_to_look_and_leaves_less_urgent_rows(today, platform, start_crew):
    now, workspace, accounts = today
    for account, priority in zip(accounts, (1, 5, 5, 8), strict=True):
        make_schedule(workspace, [account], now, priority=priority)

    claimed = start_crew().answer(NORMAL.priority_to)
    _until(lambda: Job.objects.filter(state="completed").count() == 3)

    assert claimed == 3
    assert Job.objects.get(state="pending").priority == 8
    assert Worker.objects.get().role == "celery"


def test_r13_a_look_waits_for_what_is_due_in_a_moment_and_nothing_goes_out_early(today, platform, start_crew):
    now, workspace, accounts = today
    schedule = make_schedule(workspace, accounts[:1], now, start_local=(now + timedelta(hours=1)).replace(tzinfo=None))
    made = start_crew()
    due = clock.database_now() + timedelta(milliseconds=400)
    Job.objects.filter(schedule=schedule).update(run_at=due, scheduled_for=due)
    called = []
    platform.on_call = lambda publication: called.append(clock.database_now())

    assert made.answer(LOW.priority_to) == 1

    _until(lambda: Job.objects.filter(state="completed").exists())
    assert called[0] >= due
    assert Attempt.objects.get().started_at >= due


def test_r15_without_any_word_from_the_broker_what_is_due_goes_out_within_the_bands_served(today, platform, start_crew):
    now, workspace, accounts = today
    make_schedule(workspace, accounts[:1], now, priority=1)
    make_schedule(workspace, accounts[1:2], now, priority=5)

    start_crew(priority_to=URGENT.priority_to)
    _until(lambda: Job.objects.filter(state="completed").exists())

    assert Job.objects.get(state="pending").priority == 5


def test_r15_a_silent_broker_leaves_rescue_and_duties_to_the_process(today, start_crew, monkeypatch):
    monkeypatch.setattr(crew, "SILENCE_SECONDS", -1.0)
    monkeypatch.setattr(duties, "duties", registry := type(duties.duties)("duty"))
    ran = threading.Event()
    registry.register("good", DutyKind(lambda at: str(ran.set()), 60))
    duties.ensure_rows(clock.database_now() - timedelta(seconds=10))

    start_crew()

    assert ran.wait(20)


def test_r37_a_worker_that_shuts_down_claims_no_more_and_frees_the_look(today, platform, start_crew):
    now, workspace, accounts = today
    make_schedule(workspace, accounts[:1], now)

    assert start_crew(is_leaving=lambda: True, priority_to=LAST_PRIORITY).answer(LAST_PRIORITY, seconds=0.02) == 0

    _until(lambda: Worker.objects.exclude(stopped_at=None).exists())
    assert Job.objects.get().state == "pending"
    assert platform.calls == []


def test_r33_a_pause_ends_a_look_without_a_claim(today, platform, start_crew):
    now, workspace, accounts = today
    make_schedule(workspace, accounts, now)
    control.pause_everything(actor=ACTOR, now=now)

    assert start_crew(priority_to=LAST_PRIORITY).answer(LAST_PRIORITY) == 0
    assert platform.calls == []


@pytest.fixture
def told(monkeypatch):
    calls = []
    monkeypatch.setattr(wakeup, "also", [lambda: calls.append("look")])
    return calls


def test_publishing_now_tells_the_broker_after_the_commit_and_not_before(today, told):
    now, workspace, accounts = today
    schedule = make_schedule(workspace, accounts[:1], now, rule_kind="cron", expression="0 9 * * *")
    told.clear()

    with transaction.atomic():
        jobs.publish_now(schedule=schedule, actor=ACTOR, now=now)
        assert told == []

    assert told == ["look"]


def test_a_broker_that_is_away_fails_nothing_and_is_told_once(monkeypatch, caplog):
    tried = []

    def away(**options):
        tried.append(options["expires"])
        raise BrokerError("Connection refused")

    caplog.set_level("WARNING")
    monkeypatch.setattr(distributed.engine_pass, "apply_async", away)
    messenger = distributed.Messenger()
    for _ in range(3):
        messenger._send()

    assert tried == [10, 10, 10]
    assert [record.action for record in caplog.records] == ["broker_lost"]


def test_many_words_become_few_messages_from_a_thread_of_its_own(monkeypatch):
    sent, go_on = [], threading.Event()

    def slow(**options):
        sent.append(threading.current_thread().name)
        go_on.wait(20)

    monkeypatch.setattr(distributed.engine_pass, "apply_async", slow)
    messenger = distributed.Messenger()
    messenger.tell()
    _until(lambda: sent)
    for _ in range(50):
        messenger.tell()
    go_on.set()
    _until(lambda: len(sent) == 2)

    assert set(sent) == {"look-now"}


def test_a_pass_claims_nothing(today, platform):
    now, workspace, accounts = today
    make_schedule(workspace, accounts, now)
    engine = loop.Loop(threads=1, lease=LEASE)
    counts = loop.PassCounts()

    engine.maintain(now, counts)
    engine.dispatcher.close()

    assert (counts.claimed, Job.objects.filter(state="pending").count()) == (0, 4)
