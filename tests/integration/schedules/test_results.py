"""Results are written beside the loop: in groups, again when the database failed, and each that can be written is."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError

from alwrity_scheduler.core import clock
from schedules.engine import dispatch, loop, results
from schedules.engine.kinds import kinds
from schedules.models import Attempt, Job
from tests.integration.schedules.test_loop import LEASE, _until
from tests.people import make_account, make_people, make_schedule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def engine():
    """A loop whose finisher runs, and that makes a pass only when the test says so."""
    made = loop.Loop(threads=4, lease=LEASE)
    made._finisher = results.Finisher(made.results, written=made.wake)
    made.dispatcher.wake = made._finisher.wake
    made._finisher.start()
    yield made
    made._finisher.stop()
    made.dispatcher.close()


@pytest.fixture
def posts(platform):
    """Three posts that are due, on three accounts."""
    now = clock.database_now()
    workspace = make_people(now).workspace
    accounts = [make_account(workspace, now, name=name, platform="scripted") for name in ("One", "Two", "Three")]
    return [make_schedule(workspace, [account], now) for account in accounts]


def completed():
    return Job.objects.filter(state="completed").count()


def test_results_are_written_without_another_pass(posts, engine):
    counts = engine.run_pass(clock.database_now())

    _until(lambda: completed() == 3)
    assert (counts.started, counts.finished) == (3, 0)
    _until(lambda: engine.dispatcher.in_flight() == 0)
    assert engine.heart.completed == 3
    assert engine._nudged  # the loop is told that slots have come free


def test_r43_the_finisher_tries_again_until_the_database_answers(posts, engine, platform, monkeypatch):
    kind = kinds["publish"]
    real, failures = kind.finish, [OperationalError("the database is down")] * 3
    monkeypatch.setattr(results, "PAUSE_AFTER_ERROR", 0.01)

    def finish(values, at):
        if failures:
            raise failures.pop()
        real(values, at)

    monkeypatch.setattr(kind, "finish", finish)
    engine.run_pass(clock.database_now())

    _until(lambda: completed() == 3)
    assert (len(platform.calls), failures) == (3, [])


def test_one_result_that_cannot_be_written_does_not_hold_up_the_others(posts, engine, monkeypatch):
    kind, bad = kinds["publish"], Job.objects.order_by("id").first()
    real = kind.finish

    def finish(values, at):
        if any(claim.id == bad.pk for claim, _, _ in values):
            raise ValueError("no row for this")
        real(values, at)

    monkeypatch.setattr(kind, "finish", finish)
    engine.run_pass(clock.database_now())

    _until(lambda: completed() == 2)
    _until(lambda: engine.dispatcher.in_flight() == 0)
    bad.refresh_from_db()
    assert bad.state == "running"  # the lease will tell
    kind.rescue(clock.database_now() + LEASE + timedelta(seconds=1))
    bad.refresh_from_db()
    assert (bad.state, bad.reason) == ("unconfirmed", "worker_lost")


def test_r22_a_kind_that_raises_leaves_its_row_to_the_lease(posts, engine, monkeypatch):
    monkeypatch.setattr(kinds["publish"], "perform", lambda task: 1 / 0)

    engine.run_pass(clock.database_now())

    _until(lambda: engine.dispatcher.in_flight() == 0)
    assert set(Job.objects.values_list("state", flat=True)) == {"running"}
    assert Attempt.objects.filter(outcome="").count() == 3


def test_after_a_claim_the_loop_looks_again_at_once(posts, engine):
    tomorrow = clock.database_now() + timedelta(milliseconds=900)
    Job.objects.filter(schedule=posts[2]).update(run_at=tomorrow, scheduled_for=tomorrow)

    assert engine._turn() == 0.0
    assert 0 < engine._turn() <= 0.9


def test_r16_what_waits_for_a_busy_account_does_not_hide_what_comes_next_on_another(
    posts, engine, platform, monkeypatch
):
    go_on = threading.Event()
    platform.on_call = lambda publication: publication.account.name != "One" or go_on.wait(20)
    busy, soon = Job.objects.order_by("id")[:2]
    Job.objects.exclude(pk=busy.pk).update(run_at=clock.database_now() + timedelta(hours=1))
    engine._turn()  # the first account hangs
    Job.objects.filter(pk=soon.pk).update(run_at=clock.database_now() + timedelta(milliseconds=400))
    make_schedule(posts[0].workspace, [busy.account], clock.database_now())  # due, and its account is busy

    pause = engine._turn()
    go_on.set()

    assert 0 < pause <= 0.35


def test_under_load_a_claim_waits_for_some_slots(posts, engine, monkeypatch):
    waited = []
    monkeypatch.setattr(loop.time, "sleep", waited.append)
    engine._claimed_at = clock.monotonic() + 1

    engine._gather()
    engine.dispatcher._held.update(range(4))
    engine._gather()
    engine.dispatcher._held.difference_update(range(1))
    engine._gather()
    engine.dispatcher._held.clear()

    # idle: no; all slots taken: yes; a quarter of them free: no
    assert [round(seconds) for seconds in waited] == [1]


def test_claims_in_hand_beyond_the_threads_are_what_quick_calls_will_soon_have_taken_up(engine):
    def after(seconds):
        flight = dispatch.Flight(kinds["publish"], None, None, 0.0, took_seconds=seconds)
        engine.dispatcher._learn([flight] * 200)
        return engine.dispatcher.spare

    assert engine.dispatcher.spare == 0
    assert after(0.0001) == 12  # thrice the four threads, however quick
    assert after(0.04) == 2
    assert after(1.0) == 0
