"""The loop with its real threads: R15, R16, R37, R43 and the duties."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connections

from alwrity_scheduler.core import clock
from platforms.contracts import Published
from platforms.errors import UnknownOutcome
from schedules.engine import duties, loop, workers
from schedules.engine.duties import DutyKind
from schedules.engine.kinds import kinds
from schedules.engine.tables import Duty, Worker
from schedules.models import Attempt, Job, JobCheck
from schedules.services import control
from tests.people import ACTOR, make_account, make_people, make_schedule

pytestmark = pytest.mark.django_db(transaction=True)
LEASE = timedelta(seconds=60)


@pytest.fixture
def today(platform):
    """People and three accounts at the real time, which the loop's own clock needs."""
    now = clock.database_now()
    people = make_people(now)
    names = ("One", "Two", "Three")
    return (
        now,
        people.workspace,
        [make_account(people.workspace, now, name=name, platform="scripted") for name in names],
    )


@pytest.fixture
def engine():
    made = loop.Loop(threads=4, lease=LEASE)
    yield made
    made.dispatcher.close()


def test_draining_publishes_everything_that_is_due_and_tells_what_it_did(today, engine, platform):
    now, workspace, accounts = today
    for number in range(6):
        make_schedule(workspace, [accounts[number % 3]], now)

    counts = engine.drain()

    assert (counts.started, counts.finished) == (6, 6)
    assert set(Job.objects.values_list("state", flat=True)) == {"completed"}
    row = Worker.objects.get()
    assert row.stopped_at is not None
    assert row.completed_count == 6


def test_r16_an_account_that_hangs_delays_no_other(today, engine, platform):
    now, workspace, accounts = today
    go_on = threading.Event()
    platform.on_call = lambda publication: publication.account.name != "One" or go_on.wait(20)
    for account in accounts:
        make_schedule(workspace, [account], now)

    engine.run_pass(clock.database_now())
    published = _passes_until(engine, lambda: Job.objects.filter(state="completed").count() == 2)
    go_on.set()

    assert published
    assert Job.objects.get(state="running").account.name == "One"
    engine.drain()
    assert Job.objects.filter(state="completed").count() == 3


def _closing(call, *values, **named):
    """What a thread of a test runs: its database connection must not outlive it."""
    try:
        call(*values, **named)
    finally:
        connections.close_all()


def _passes_until(engine, condition):
    for _ in range(200):
        engine._sleep(0.05)
        engine.run_pass(clock.database_now())
        if condition():
            return True
    return False


def test_r43_results_of_two_kinds_are_both_kept_while_the_database_is_down(today, engine, platform, monkeypatch):
    now, workspace, accounts = today
    platform.script = [UnknownOutcome("No answer.")]
    platform.finds = [Published(remote_id="found", url="https://x.test/found")]
    make_schedule(workspace, accounts[:1], now)
    assert _passes_until(engine, lambda: JobCheck.objects.update(run_at=now) == 1)
    make_schedule(workspace, accounts[1:2], now)
    engine.run_pass(clock.database_now())
    assert engine.dispatcher.in_flight() == 2
    while engine.dispatcher._ended.qsize() < 2:
        engine._sleep(0.01)

    def down(results, at):
        raise OperationalError("the database is down")

    with monkeypatch.context() as patched:
        for kind in kinds.values():
            patched.setattr(kind, "finish", down)
        for _ in range(3):
            engine._safely(lambda: engine.run_pass(clock.database_now()))
    engine.run_pass(clock.database_now())

    assert engine.dispatcher.in_flight() == 0
    assert list(Job.objects.values_list("state", flat=True)) == ["completed", "completed"]


def test_r43_a_result_that_cannot_be_written_is_kept_and_written_later(today, engine, platform, monkeypatch):
    now, workspace, accounts = today
    make_schedule(workspace, accounts[:1], now)
    kind = kinds["publish"]
    real, failures = kind.finish, [OperationalError("the database is down")] * 2

    def finish(results, at):
        if failures:
            raise failures.pop()
        real(results, at)

    monkeypatch.setattr(kind, "finish", finish)
    done = False
    for _ in range(200):
        engine._safely(lambda: engine.run_pass(clock.database_now()))
        engine._sleep(0.05)
        done = Job.objects.filter(state="completed").exists()
        if done:
            break

    assert done
    assert (len(platform.calls), failures) == (1, [])


def test_while_everything_is_paused_nothing_is_claimed(today, engine, platform):
    now, workspace, accounts = today
    make_schedule(workspace, accounts, now)
    control.pause_everything(actor=ACTOR, now=now)

    counts = engine.run_pass(clock.database_now())

    assert (counts.claimed, platform.calls) == (0, [])


def test_r37_stopping_waits_for_calls_under_way_and_writes_their_results(today, engine, platform):
    now, workspace, accounts = today
    begun, go_on = threading.Event(), threading.Event()

    def wait(publication):
        begun.set()
        go_on.wait(20)

    platform.on_call = wait
    make_schedule(workspace, accounts[:1], now)
    runner = threading.Thread(target=_closing, args=(engine.run,), kwargs={"stop_seconds": 20})
    runner.start()
    assert begun.wait(20)

    engine.stop()
    go_on.set()
    runner.join(20)

    assert not runner.is_alive()
    assert Job.objects.get().state == "completed"


def test_r37_what_no_thread_has_begun_is_put_back_at_once(today, platform):
    now, workspace, accounts = today
    engine = loop.Loop(threads=1, lease=LEASE)
    begun, go_on = threading.Event(), threading.Event()
    platform.on_call = lambda publication: (begun.set(), go_on.wait(20))
    for account in accounts[:2]:
        make_schedule(workspace, [account], now)
    engine.dispatcher._call_seconds = 0.015  # calls are quick: it claims two, although one thread performs
    engine.run_pass(clock.database_now())
    assert begun.wait(20)

    engine.stop()
    released = threading.Thread(target=_closing, args=(engine._wind_up, 20))
    released.start()
    _until(lambda: Attempt.objects.filter(outcome="not_called").exists())
    go_on.set()
    released.join(20)

    assert sorted(Job.objects.values_list("state", flat=True)) == ["completed", "pending"]
    assert len(platform.calls) == 1


def _until(condition):
    waiter = threading.Event()
    for _ in range(400):
        if condition():
            return
        waiter.wait(0.02)
    raise AssertionError("waited too long")


def test_a_duty_is_done_by_one_of_many_and_its_failure_is_told(monkeypatch):
    done, now = [], clock.database_now()
    monkeypatch.setattr(duties, "duties", registry := type(duties.duties)("duty"))
    registry.register("good", DutyKind(lambda at: done.append(at) or "did it", 60))
    registry.register("bad", DutyKind(lambda at: 1 / 0, 60))
    duties.ensure_rows(now - timedelta(seconds=10))

    assert duties.run_overdue(now) == 2
    assert duties.run_overdue(now) == 0

    assert len(done) == 1
    assert Duty.objects.get(name="good").last_result == "did it"
    assert "division by zero" in Duty.objects.get(name="bad").last_result


def test_an_operators_cadence_and_switch_are_kept(monkeypatch):
    now = clock.database_now()
    duties.ensure_rows(now)
    Duty.objects.filter(name="plan").update(every_seconds=5, enabled=False)

    duties.ensure_rows(now)

    assert Duty.objects.values_list("every_seconds", "enabled").get(name="plan") == (5, False)
    assert not duties.run_duty("plan")


def test_a_dead_process_is_told_from_a_silent_one():
    import os
    import socket
    import subprocess
    import sys

    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mark = workers.process_mark(child.pid)
    alive = workers.is_dead(socket.gethostname(), child.pid, mark)
    child.kill()
    child.communicate()

    assert not alive
    assert workers.is_dead(socket.gethostname(), child.pid, mark)
    assert not workers.is_dead("another machine", child.pid, mark)
    assert not workers.is_dead(socket.gethostname(), child.pid, "")
    assert workers.is_dead(socket.gethostname(), os.getpid(), mark)


def test_r13_a_post_that_was_claimed_ahead_waits_for_its_time(today, engine, platform):
    now, workspace, accounts = today
    schedule = make_schedule(workspace, accounts[:1], now, start_local=(now + timedelta(hours=1)).replace(tzinfo=None))
    called = []
    platform.on_call = lambda publication: called.append(clock.database_now())
    due = clock.database_now() + loop.AHEAD * 0.9
    Job.objects.filter(schedule=schedule).update(run_at=due, scheduled_for=due)

    counts = engine.run_pass(clock.database_now())
    engine.drain()

    assert counts.started == 1
    assert called[0] >= due
    assert Attempt.objects.get().started_at >= due


def test_r14b_one_pass_gets_past_the_crowd_of_an_account_that_may_not_be_called(today, engine, platform):
    from platforms.models import PlatformAccount
    from schedules.engine.work import WINDOW_LEAST
    from tests.integration.schedules.test_queues import crowd

    now, workspace, (ill, well, _) = today
    crowd(make_schedule(workspace, [ill], now + timedelta(days=1)), ill, now, WINDOW_LEAST + 50)
    PlatformAccount.objects.filter(pk=ill.pk).update(not_before_at=now + timedelta(hours=1))
    make_schedule(workspace, [well], now)

    counts = engine.run_pass(clock.database_now())

    assert counts.started == 1
    engine.drain()
    assert [call.account.id for call in platform.calls] == [well.pk]
