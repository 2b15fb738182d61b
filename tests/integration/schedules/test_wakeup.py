"""A sleeping engine hears of another connection's commit: `PRAGMA data_version` on SQLite, NOTIFY on PostgreSQL."""

from __future__ import annotations

import threading

import pytest

from alwrity_scheduler.core import clock
from schedules.engine import wakeup
from schedules.engine.tables import Worker


@pytest.mark.django_db(transaction=True)
def test_a_commit_elsewhere_wakes_the_listener():
    woken, now = threading.Event(), clock.database_now()
    listener = wakeup.Listener(woken.set)
    listener.start()

    # again and again: the listener needs a moment until it listens
    for number in range(400):
        Worker.objects.create(name=f"w{number}", host="h", pid=1, started_at=now, beat_at=now)
        wakeup.announce()
        if woken.wait(0.05):
            break
    listener.stop()
    listener.join(20)

    assert woken.is_set()
    assert not listener.is_alive()
