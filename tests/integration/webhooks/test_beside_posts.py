"""Deliveries and the loop with its real threads: they leave by themselves, and never in the way of a post."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from alwrity_scheduler.core import clock
from schedules.engine import loop
from schedules.engine.kinds import kinds
from schedules.models import Job
from schedules.webhooks import collecting, payloads
from schedules.webhooks.models import Delivery
from tests.integration.webhooks.conftest import happen, make
from tests.people import make_account, make_people, make_schedule
from tests.servers.double import Answer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def room(platform):
    """At the real time, which the loop's own clock needs; with an account to publish on."""
    now = clock.database_now() - timedelta(seconds=5)
    workspace = make_people(now).workspace
    return workspace, make_account(workspace, now, platform="scripted"), now


@pytest.fixture
def engine():
    made = loop.Loop(threads=4, lease=timedelta(seconds=60))
    yield made
    made.drain()  # threads of deliveries end before the database goes


def passes_until(engine, condition) -> bool:
    for _ in range(200):
        engine.run_pass(clock.database_now())
        if condition():
            return True
        engine._sleep(0.05)
    return False


def test_what_happens_leaves_by_itself(room, engine, receiver):
    workspace, account, now = room
    make(workspace, receiver, now, event_types=["job.completed"])
    make_schedule(workspace, [account], now)

    assert passes_until(engine, lambda: bool(receiver.seen))
    assert passes_until(engine, lambda: list(Delivery.objects.values_list("state", flat=True)) == ["delivered"])
    assert Job.objects.get().state == "completed"


def test_receivers_that_hang_keep_no_post_waiting(room, engine, receiver, monkeypatch):
    workspace, account, now = room
    for _ in range(3):
        make(workspace, receiver, now)
    happen(workspace, clock.database_now(), *["job.completed"] * 4)
    collecting.collect(now=clock.database_now())
    go_on = threading.Event()
    monkeypatch.setattr(receiver, "answer", lambda request: Answer(200 if go_on.wait(15) else 500))

    try:
        assert passes_until(engine, lambda: Delivery.objects.filter(state="running").exists())
        make_schedule(workspace, [account], clock.database_now())
        assert passes_until(engine, lambda: Job.objects.filter(state="completed").exists())
        assert Delivery.objects.filter(state="running").count() == 1, "of four threads they hold one"
        assert Delivery.objects.filter(state="delivered").count() == 0
    finally:
        go_on.set()


def test_what_cannot_be_collected_stops_no_post_and_is_not_lost(room, engine, receiver, monkeypatch):
    workspace, account, now = room
    make(workspace, receiver, now, event_types=["job.completed"])
    tried = []

    def broken(*_):
        tried.append(1)
        raise RuntimeError("no payload")

    with monkeypatch.context() as patched:
        patched.setattr(payloads, "body_of", broken)
        make_schedule(workspace, [account], now)
        assert passes_until(engine, lambda: bool(tried))
        assert passes_until(engine, lambda: Job.objects.filter(state="completed").exists())
        assert Delivery.objects.count() == 0
    assert passes_until(engine, lambda: bool(receiver.seen))


def test_posts_are_claimed_before_deliveries():
    names = list(kinds)
    assert names.index("publish") < names.index("deliver")
    assert kinds["deliver"].share < 1 <= kinds["publish"].share
