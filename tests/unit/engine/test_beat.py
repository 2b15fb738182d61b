"""Beat ends when it is asked to, whatever it is doing."""

from __future__ import annotations

import signal

import pytest

pytest.importorskip("celery", reason="the extra `distributed` is not installed")


@pytest.fixture
def handlers():
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_celerys_handler_which_waits_for_a_lock_that_is_held_is_replaced(handlers):
    from celery.apps.beat import Beat

    from schedules.engine.leaving import leave_at_once

    class Service:
        def sync(self):
            raise AssertionError("asked the database inside of a signal")

    Beat.install_sync_handler(None, Service())
    leave_at_once()
    for number in (signal.SIGTERM, signal.SIGINT):
        with pytest.raises(SystemExit):
            signal.raise_signal(number)


def test_the_handlers_of_others_stay(handlers):
    from schedules.engine.leaving import leave_at_once

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    before = signal.getsignal(signal.SIGINT)
    leave_at_once()
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == (signal.SIG_IGN, before)
