"""APScheduler's part, and the only module that imports it: it says "look now" each second and calls the duties.

The duties stand in django-apscheduler's store, so that an operator sees their runs in the admin. That store pickles
state, drops rows it cannot restore and is meant for one process; nothing depends on it: losing every row loses nothing,
and two processes running the same duty are kept apart by the duty's own row. Posts are never APScheduler jobs.
"""

from __future__ import annotations

import logging
from typing import Any

from apscheduler.jobstores.base import ConflictingIdError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from django_apscheduler.jobstores import DjangoJobStore

from schedules.engine import duties
from schedules.engine.loop import Loop
from schedules.models import Duty

logger = logging.getLogger(__name__)
POLICY: dict[str, Any] = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}


def run_duty(name: str) -> None:
    """What the stored job calls, by its dotted name."""
    duties.run_duty(name)


def start(loop: Loop) -> BackgroundScheduler:
    """Start APScheduler beside the loop. The caller shuts it down."""
    scheduler = BackgroundScheduler(
        jobstores={"default": DjangoJobStore(), "memory": MemoryJobStore()}, timezone="UTC", job_defaults=POLICY
    )
    scheduler.add_job(loop.wake, IntervalTrigger(seconds=1, timezone="UTC"), id="pass", jobstore="memory")
    scheduler.start()
    for duty in Duty.objects.all():
        if duty.name not in duties.duties:
            continue
        try:
            scheduler.add_job(
                run_duty, IntervalTrigger(seconds=duty.every_seconds, timezone="UTC"), args=[duty.name], id=f"duty:{duty.name}",
                name=duty.name, replace_existing=True,
            )  # fmt: skip
        except ConflictingIdError:
            # two processes starting at once: the other one has just stored the same job
            logger.info("Duty %s is stored already.", duty.name, extra={"action": "duty_stored"})
    return scheduler
