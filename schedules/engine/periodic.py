"""django-celery-beat's part: the pass and each duty as a PeriodicTask that an operator sees, paces and pauses in the admin.

Losing these rows loses nothing: they are made again from the duties' own rows, at each migration, at each start of beat
and when beat sees that they changed. While they stand, an operator's cadence and switch on them are followed.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models.signals import post_migrate
from django_celery_beat.schedulers import DatabaseScheduler

from alwrity_scheduler.core import clock
from schedules.engine import duties
from schedules.engine.bands import ENGINE_MESSAGE_PRIORITY, ENGINE_QUEUE
from schedules.engine.tables import Duty

logger = logging.getLogger(__name__)
PASS_NAME = "engine pass"  # noqa: S105
DUTY_PREFIX = "duty: "
PASS_EXPIRES_SECONDS = 10
DUTY_EXPIRES_SECONDS = 60
# Redis keeps what nobody takes: when so many messages wait, another "look now" says nothing new.
MOST_WAITING = 20


def ensure_rows() -> int:
    """Make the rows that are missing; what an operator set stays. Returns how many were made. Two at once are safe."""
    from django_celery_beat.models import PeriodicTask, PeriodicTasks

    present = set(PeriodicTask.objects.values_list("name", flat=True))
    missing = [row for row in _rows() if row.name not in present]
    if missing:
        PeriodicTask.objects.bulk_create(missing, ignore_conflicts=True)
        # bulk_create sends no signal, and beat reads the rows again only when told
        PeriodicTasks.update_changed()
    return len(missing)


def _rows() -> list[Any]:
    from django_celery_beat.models import PeriodicTask

    shared = {"queue": f"{settings.ENGINE['queue_prefix']}.{ENGINE_QUEUE}", "priority": ENGINE_MESSAGE_PRIORITY}
    one = PeriodicTask(
        name=PASS_NAME, task="alwrity.engine_pass", interval=_interval(1), expire_seconds=PASS_EXPIRES_SECONDS,
        description="Looks what is due and asks the workers to publish it. Leave it on, each second.", **shared,
    )  # fmt: skip
    return [
        one,
        *(
            PeriodicTask(
                name=f"{DUTY_PREFIX}{duty.name}", task="alwrity.run_duty", args=json.dumps([duty.name]), enabled=duty.enabled,
                interval=_interval(duty.every_seconds), expire_seconds=DUTY_EXPIRES_SECONDS,
                description="Its interval and its switch are followed by every engine on this database.", **shared,
            )
            for duty in Duty.objects.all()
            if duty.name in duties.duties
        ),
    ]  # fmt: skip


def _interval(seconds: int) -> Any:
    """Never a crontab row: beat leaves those out by a zone offset that is wrong half of the year."""
    from django_celery_beat.models import IntervalSchedule

    # not get_or_create: nothing keeps two equal rows apart, and it fails once there are two
    found = IntervalSchedule.objects.filter(every=seconds, period=IntervalSchedule.SECONDS).order_by("id").first()
    return found or IntervalSchedule.objects.create(every=seconds, period=IntervalSchedule.SECONDS)


def follow_operator(now: datetime) -> None:
    """Take over cadence and switch from the rows in the admin, so that passes and other schedulers keep to them too."""
    from django_celery_beat.models import PeriodicTask

    duty_rows = {duty.name: duty for duty in Duty.objects.all()}
    tasks = PeriodicTask.objects.filter(name__startswith=DUTY_PREFIX).values_list(
        "name", "enabled", "interval__every", "interval__period"
    )
    for name, enabled, every, period in tasks:
        duty = duty_rows.get(name.removeprefix(DUTY_PREFIX))
        if duty is None:
            continue
        seconds = max(1, int(timedelta(**{period: every}).total_seconds())) if every else duty.every_seconds
        if seconds != duty.every_seconds:
            Duty.objects.filter(pk=duty.pk).update(every_seconds=seconds, next_at=now)
        if enabled != duty.enabled:
            Duty.objects.filter(pk=duty.pk).update(enabled=enabled)


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """django-celery-beat's scheduler, with its rows made when they are missing and a broker's absence told once."""

    _broken = False

    def all_as_schedule(self) -> dict[str, Any]:
        duties.ensure_rows(clock.database_now())
        ensure_rows()
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
        from schedules.engine.distributed import messages_waiting

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


def connect() -> None:
    """Rows are made by `migrate` too."""
    from django.apps import apps

    post_migrate.connect(_after_migrate, sender=apps.get_app_config("django_celery_beat"))


def _after_migrate(**_: Any) -> None:
    if {"django_celery_beat_periodictask", "schedules_duty"} <= set(connection.introspection.table_names()):
        duties.ensure_rows(clock.database_now())
        ensure_rows()
