"""Consumers in installed packages: fed in order, once each, and harmless whatever they do."""

from __future__ import annotations

import threading
from datetime import timedelta
from importlib.metadata import EntryPoint

import pytest

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces import services as workspaces
from schedules.events import consumers
from schedules.events.consumers import Consumer, Feeder, Supervisor
from schedules.events.models import EventConsumer
from schedules.models import Job
from tests.engine import run_due
from tests.people import ACTOR, make_schedule


def rename(workspace, now, *names):
    for name in names:
        workspaces.update_workspace(workspace=workspace, name=name, timezone="Europe/Berlin", actor=ACTOR, now=now)


def heard_names(heard):
    return [event["data"]["after"]["name"] for event in heard]


@pytest.mark.django_db
def test_a_consumer_hears_what_happens_from_now_on_in_order_and_once(workspace, now):
    heard = []
    feeder = Feeder(Consumer("board", heard.append, ("workspace.*",)), "a")
    assert feeder.round() == 0  # the past is over
    rename(workspace, now, "One", "Two")
    workspaces.create_token(workspace=workspace, name="n", role="viewer", actor=ACTOR, now=now)

    assert feeder.round() == 2
    assert heard_names(heard) == ["One", "Two"]
    assert feeder.round() == 0
    # another process that begins later goes on where this one stands, once it no longer holds it
    again = Feeder(feeder.consumer, "b")
    rename(workspace, now, "Three")
    assert again.round() == 0
    feeder.let_go()
    assert again.round() == 1
    assert heard_names(heard) == ["One", "Two", "Three"]


@pytest.mark.django_db
def test_what_a_dead_process_held_is_free_after_a_minute(workspace, now, monkeypatch):
    heard = []
    assert Feeder(Consumer("board", heard.append), "a").hold()
    other = Feeder(Consumer("board", heard.append), "b")
    assert not other.hold()
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "database_now", lambda: later)
    assert other.hold()


@pytest.mark.django_db
def test_an_event_that_cannot_be_taken_is_tried_again_and_then_passed_over(workspace, now, caplog):
    heard, waits = [], []

    def choosy(event):
        heard.append(event["data"]["after"]["name"])
        if heard[-1] == "Bad" or (heard[-1] == "Slow" and heard.count("Slow") < 3):
            raise ValueError("not this one")

    feeder = Feeder(Consumer("choosy", choosy), "a", wait=waits.append)
    feeder.round()
    rename(workspace, now, "Slow", "Bad", "Good")

    assert feeder.round() == 3
    assert heard == ["Slow"] * 3 + ["Bad"] * 5 + ["Good"]
    assert waits == [1, 2, 1, 2, 4, 8]
    row = EventConsumer.objects.get()
    assert (row.passed_over, row.failures) == (1, 0)
    assert row.last_error.endswith("ValueError: not this one")
    assert [record.action for record in caplog.records if hasattr(record, "consumer")].count("event_passed_over") == 1
    assert "choosy passed over 1" in consumers.state_words({row.name: row})


@pytest.mark.django_db(transaction=True)
def test_one_that_raises_and_one_that_hangs_hurt_nobody(workspace, account, platform, now, monkeypatch):
    monkeypatch.setattr(consumers, "LOOK_SECONDS", 0.02)
    hangs, release, good = threading.Event(), threading.Event(), threading.Event()
    heard = []

    def hang(event):
        hangs.set()
        release.wait(20)

    def bad(event):
        raise RuntimeError("no")

    def listen(event):
        heard.append(event["type"])
        if event["type"] == "job.completed":
            good.set()

    supervisor = Supervisor([Consumer("hangs", hang), Consumer("raises", bad), Consumer("good", listen)])
    for feeder in supervisor.feeders:
        feeder.hold()
    supervisor.start()
    try:
        make_schedule(workspace, [account], now)
        assert hangs.wait(10)
        run_due(now)

        assert Job.objects.get().state == "completed"
        assert good.wait(10)
        assert heard == ["content.created", "schedule.created", "job.completed"]
        for _ in range(500):  # it writes that after the others have heard
            if EventConsumer.objects.get(name="raises").failures:
                break
            release.wait(0.02)
        assert EventConsumer.objects.get(name="raises").failures >= 1
    finally:
        release.set()
        supervisor.stop(10)
    assert set(EventConsumer.objects.values_list("held_until", flat=True)) == {None}


class Board:
    types = ("job.*",)

    def handle(self, event):
        """Takes it."""


NOTHING = 3


def test_entry_points_are_functions_or_have_handle(caplog):
    def load(name):
        return consumers.load(EntryPoint("x", f"{__name__}:{name}", consumers.GROUP))

    board = load("Board")
    assert (board.wants("job.failed"), board.wants("content.edited")) == (True, False)
    assert load("rename").handle is rename
    assert load("NOTHING") is None
    assert load("absent") is None
    assert [record.action for record in caplog.records] == ["consumer_broken"] * 2


@pytest.mark.django_db
def test_without_packages_the_duty_starts_nothing(monkeypatch):
    monkeypatch.setattr(consumers, "_running", [])

    assert consumers.keep_going() == "no consumers installed"
    assert EventConsumer.objects.count() == 0
