"""Beat's scheduler: django-celery-beat's, with missing rows made and the absence of broker or database told once."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, connection
from django_celery_beat.schedulers import DatabaseScheduler

from alwrity_scheduler.core import clock
from schedules.engine import duties, periodic
from schedules.engine.distributed import messages_waiting
from schedules.engine.leaving import leave_at_once

logger = logging.getLogger(__name__)
# Redis keeps what nobody takes: when so many messages wait, another "look now" says nothing new.
MOST_WAITING = 20


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """Two of them at once are safe: a second "look now" finds what is due or nothing, and a duty's row lets one through."""

    _broken = False

    def __init__(self, *args: Any, **options: Any) -> None:
        leave_at_once()
        super().__init__(*args, **options)

    def all_as_schedule(self) -> dict[str, Any]:
        duties.ensure_rows(clock.database_now())
        periodic.ensure_rows()
        schedule: dict[str, Any] = super().all_as_schedule()
        return schedule

    @property
    def schedule(self) -> dict[str, Any]:
        try:
            schedule: dict[str, Any] = super().schedule
        except DatabaseError:
            if self._schedule is None:
                raise
            logger.warning("The database did not answer; trying again.", extra={"action": "database_error"})
            connection.close()
            self._initial_read = True
            return dict(self._schedule)
        return schedule

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **options: Any) -> Any:
        try:
            if messages_waiting(entry.options.get("queue") or self.app.conf.task_default_queue) >= MOST_WAITING:
                return None
            sent = super().apply_async(entry, advance=advance, **options)
        except Exception as error:
            # the edge: whatever the broker says, beat goes on; workers poll by themselves meanwhile
            if not self._broken:
                logger.warning("The broker does not answer (%s); trying again.", error, extra={"action": "broker_lost"})
            self._broken = True
            return None
        self._broken = False
        return sent
