"""Old attempts go, in small batches; jobs, occurrences and the audit log stay (ENGINE R41)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django_apscheduler.models import DjangoJobExecution

from schedules.domain.states import ENDED
from schedules.models import Attempt, IdempotencyKey

BATCH = 1000
EXECUTIONS_KEPT = timedelta(days=7)
KEYS_KEPT = timedelta(days=1)


def prune(*, now: datetime) -> str:
    """Remove one batch of attempts of long ended jobs, and APScheduler's old execution rows. Answers in words."""
    from platforms.services import signin  # brings the HTTP client, which a process can start without

    old = now - timedelta(days=settings.ENGINE["attempt_retention_days"])
    with transaction.atomic():
        ids = list(
            # whatever is set: nothing of a post that could still be caught up with, retried or looked up goes
            Attempt.objects.filter(started_at__lt=old, job__state__in=ENDED, job__deadline_at__lt=now)
            .order_by("id")
            .values_list("pk", flat=True)[:BATCH]
        )
        Attempt.objects.filter(pk__in=ids).delete()
        rows = DjangoJobExecution.objects.filter(run_time__lt=now - EXECUTIONS_KEPT).order_by("id")[:BATCH]
        removed, _ = DjangoJobExecution.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).delete()
        keys = IdempotencyKey.objects.filter(created_at__lt=now - KEYS_KEPT).order_by("created_at", "id")[:BATCH]
        IdempotencyKey.objects.filter(pk__in=list(keys.values_list("pk", flat=True))).delete()
    forgotten = signin.forget_old(now=now)
    if forgotten:
        return f"{len(ids)} attempts, {removed} executions, {forgotten} sign-ins removed"
    return f"{len(ids)} attempts, {removed} executions removed"
