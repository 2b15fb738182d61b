"""Celery's part: tasks that look, the process that claims for them, and the word that somebody should look now.

Beside this module only `periodic` and the app itself import Celery. A message holds a band's or a duty's name and no
post; one that is lost, late, repeated or answered by two workers changes nothing but the moment of a look.
"""

from __future__ import annotations

import logging
import mmap
import os
import threading
from datetime import timedelta
from typing import Any

from celery import current_app, shared_task, signals
from django.conf import settings
from kombu.exceptions import OperationalError as BrokerError

from alwrity_scheduler.core import clock
from schedules.engine import duties, looks, periodic, wakeup
from schedules.engine.bands import BANDS, ENGINE_MESSAGE_PRIORITY, ENGINE_QUEUE
from schedules.engine.crew import Crew
from schedules.engine.loop import PassCounts, is_paused

logger = logging.getLogger(__name__)
# Longer than clocks may differ: a worker drops a message that is older by its own clock.
EXPIRES_SECONDS = 10
JOIN_MARGIN_SECONDS = 5.0


def queue(name: str) -> str:
    return f"{settings.ENGINE['queue_prefix']}.{name}"


# The tasks.


@shared_task(name="alwrity.engine_pass")  # type: ignore[untyped-decorator]
def engine_pass() -> None:
    """One bounded pass without a claim: rescue, overdue duties, housekeeping; then ask for looks where there is work."""
    crew = aboard()
    crew.heard()
    now = clock.database_now()
    periodic.follow_operator(now)
    crew.maintain(now, PassCounts())
    if any(paused() for paused in is_paused):
        return
    for band, wanted in looks.looks_wanted(clock.database_now(), threads=settings.ENGINE["threads"]).items():
        for _ in range(wanted - messages_waiting(queue(band.name))):
            drain.apply_async(
                [band.name], queue=queue(band.name), priority=band.message_priority, expires=EXPIRES_SECONDS
            )  # fmt: skip


@shared_task(name="alwrity.drain")  # type: ignore[untyped-decorator]
def drain(band: str) -> None:
    """Claim and publish what is due in this band, for a few seconds at most."""
    for known in BANDS:
        if known.name == band:
            aboard().answer(known.priority_to)


@shared_task(name="alwrity.run_duty")  # type: ignore[untyped-decorator]
def run_duty(name: str) -> None:
    """Beat's door to a duty. Its own row lets one of many through."""
    aboard().heard()
    duties.run_duty(name)


def messages_waiting(name: str) -> int:
    """Messages in the queue that no worker has taken."""
    with current_app.connection_for_write() as connection:
        waiting: int = current_app.amqp.queues[name](connection.default_channel).queue_declare().message_count
    return waiting


# The process that claims.

_leaving = mmap.mmap(-1, 1)  # shared by a worker and the processes it forks
_crew: tuple[int, Crew, threading.Thread] | None = None  # with the process id, because a fork inherits the variable
_boarding = threading.Lock()


def aboard() -> Crew:
    """This process' crew; made after the fork, so that no connection or thread is inherited."""
    global _crew
    with _boarding:
        if _crew is None or _crew[0] != os.getpid():
            crew = Crew(
                threads=settings.ENGINE["threads"],
                lease=timedelta(seconds=settings.ENGINE["lease_seconds"]),
                priority_to=_priority_served(),
                is_leaving=lambda: bool(_leaving[0]),
            )
            stop_seconds = settings.ENGINE["stop_seconds"]
            thread = threading.Thread(
                target=crew.live, kwargs={"stop_seconds": stop_seconds}, name="crew", daemon=True
            )  # fmt: skip
            thread.start()
            _crew = (os.getpid(), crew, thread)
        return _crew[1]


def _priority_served() -> int:
    served = current_app.amqp.queues.consume_from
    return max((band.priority_to for band in BANDS if queue(band.name) in served), default=0)


def _board(**_: Any) -> None:
    aboard()


def _leave(**_: Any) -> None:
    """Stop claiming at once, in all processes of this worker; calls under way go on (R37)."""
    _leaving[0] = 1


def _disembark(**_: Any) -> None:
    """The process ends: wait for its calls, and write their results."""
    if _crew is None or _crew[0] != os.getpid():
        return
    crew, thread = _crew[1:]
    crew.stop()
    thread.join(settings.ENGINE["stop_seconds"] + JOIN_MARGIN_SECONDS)


# The word that somebody should look now.


class Messenger:
    """Asks for a pass from a thread of its own, so that a request never waits for a broker. Many words become one message."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._pid = 0
        self._broken = False

    def tell(self) -> None:
        self._wanted.set()
        with self._starting:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._run, name="look-now", daemon=True).start()

    def _run(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            self._send()

    def _send(self) -> None:
        try:
            engine_pass.apply_async(
                queue=queue(ENGINE_QUEUE), priority=ENGINE_MESSAGE_PRIORITY, expires=EXPIRES_SECONDS
            )  # fmt: skip
        except (BrokerError, OSError) as error:
            if not self._broken:
                logger.warning(
                    "The broker does not answer (%s): what is published now is found by the poll.",
                    error,
                    extra={"action": "broker_lost"},
                )
            self._broken = True
        else:
            self._broken = False


def connect() -> None:
    """Called by wiring in every process of a distributed installation; web processes use the messenger alone."""
    wakeup.also[:] = [Messenger().tell]
    signals.worker_process_init.connect(_board)
    signals.worker_shutting_down.connect(_leave)
    signals.worker_process_shutdown.connect(_disembark)
    signals.worker_shutdown.connect(_disembark)
