"""django-celery-beat's part: the pass and each duty as a PeriodicTask that an operator sees, paces and pauses in the admin.

Losing these rows loses nothing: they are made again from the duties' own rows, at each migration, at each start of beat
and when beat sees that they changed. While they stand, an operator's cadence and switch on them are followed.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.signals import post_migrate

from alwrity_scheduler.core import clock
from schedules.engine import duties
from schedules.engine.bands import ENGINE_MESSAGE_PRIORITY, ENGINE_QUEUE
from schedules.engine.tables import Duty

PASS_NAME = "engine pass"  # noqa: S105
DUTY_PREFIX = "duty: "
PASS_EXPIRES_SECONDS = 10
DUTY_EXPIRES_SECONDS = 60


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


def connect() -> None:
    """Rows are made by `migrate` too."""
    from django.apps import apps

    post_migrate.connect(_after_migrate, sender=apps.get_app_config("django_celery_beat"))


def _after_migrate(**_: Any) -> None:
    if {"django_celery_beat_periodictask", "schedules_duty"} <= set(connection.introspection.table_names()):
        duties.ensure_rows(clock.database_now())
        ensure_rows()
