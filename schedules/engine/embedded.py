"""APScheduler's part, and the only module that imports it: it says "look now" each second and calls the duties.

The duties stand in django-apscheduler's store, so that an operator sees their runs in the admin. That store pickles
state, drops rows it cannot restore and is meant for one process; nothing depends on it: losing every row loses nothing,
and two processes running the same duty are kept apart by the duty's own row. Posts are never APScheduler jobs.
"""

from __future__ import annotations

import logging
from typing import Any

from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from django_apscheduler.jobstores import DjangoJobStore

from schedules.engine import duties
from schedules.engine.loop import Loop
from schedules.engine.tables import Duty

logger = logging.getLogger(__name__)
POLICY: dict[str, Any] = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}


def run_duty(name: str) -> None:
    """What the stored job calls, by its dotted name."""
    duties.run_duty(name)


class Embedded:
    """Two schedulers: the tick stands in memory, because django-apscheduler writes to the database at each event of its own."""

    def __init__(self, loop: Loop) -> None:
        self._tick = BackgroundScheduler(timezone="UTC", job_defaults=POLICY)
        self._tick.add_job(loop.wake, IntervalTrigger(seconds=1, timezone="UTC"), id="pass")
        self._duties = BackgroundScheduler(jobstores={"default": DjangoJobStore()}, timezone="UTC", job_defaults=POLICY)

    def start(self) -> None:
        self._tick.start()
        self._duties.start()
        for duty in Duty.objects.all():
            if duty.name in duties.duties:
                self._add(duty)

    def _add(self, duty: Duty) -> None:
        try:
            self._duties.add_job(
                run_duty, IntervalTrigger(seconds=duty.every_seconds, timezone="UTC"), args=[duty.name], id=f"duty:{duty.name}",
                name=duty.name, replace_existing=True,
            )  # fmt: skip
        except (ConflictingIdError, JobLookupError):
            # two processes starting at once: the other one has just stored, or removed, the same job
            logger.info("Duty %s is stored by another process.", duty.name, extra={"action": "duty_stored"})

    def stop(self) -> None:
        self._tick.shutdown(wait=False)
        self._duties.shutdown(wait=False)
