"""Old attempts go, in small batches; jobs, occurrences and the audit log stay (ENGINE R41)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django_apscheduler.models import DjangoJobExecution

from alwrity_scheduler.core import retention
from schedules.domain.states import ENDED
from schedules.models import Attempt, IdempotencyKey

BATCH = 1000


def prune(*, now: datetime) -> str:
    """Remove one batch of attempts of long ended jobs, of APScheduler's old execution rows and of old keys. Answers in words."""
    from platforms.services import signin  # brings the HTTP client, which a process can start without

    # whatever is set: nothing of a post that could still be caught up with, retried or looked up goes
    attempts = Attempt.objects.filter(
        started_at__lt=now - retention.kept("attempts"), job__state__in=ENDED, job__deadline_at__lt=now
    )
    executions = DjangoJobExecution.objects.filter(run_time__lt=now - retention.kept("scheduler runs"))
    keys = IdempotencyKey.objects.filter(created_at__lt=now - retention.kept("idempotency keys"))
    with transaction.atomic():
        told = [f"{_remove(attempts)} attempts", f"{_remove(executions)} executions"]
        _remove(keys)
    if forgotten := signin.forget_old(now=now):
        told.append(f"{forgotten} sign-ins")
    return f"{', '.join(told)} removed"


def _remove(rows: QuerySet[Any]) -> int:
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    rows.model._default_manager.filter(pk__in=ids).delete()
    return len(ids)
