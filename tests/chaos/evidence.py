"""What the database says at the end, as JSON, for the comparison with what the platform saw. Runs inside the installation."""

from __future__ import annotations

from collections import Counter
from typing import Any


def gather(acknowledged: list[str]) -> dict[str, Any]:
    """Every job, attempts by outcome, what is still open, and where the audit chain breaks."""
    from django.db.models import F

    from schedules.models import Attempt, AuditLog, Job, Schedule
    from schedules.services import audit

    known = {str(public_id) for public_id in Schedule.objects.values_list("public_id", flat=True)}
    jobs = Job.objects.order_by("id").values(
        "id", "idempotency_key", "state", "reason", "remote_id", "remote_url", "scheduled_for", "account__name",
        "attempt_count",
    )  # fmt: skip
    attempts = Attempt.objects.order_by()
    return {
        "jobs": [{**job, "scheduled_for": job["scheduled_for"].timestamp()} for job in jobs],
        "forgotten": [public_id for public_id in acknowledged if public_id not in known],
        "attempts": {
            purpose: dict(Counter(attempts.filter(purpose=purpose).values_list("outcome", flat=True)))
            for purpose in ("publish", "check")
        },
        "open": list(attempts.filter(outcome="").values_list("job_id", flat=True)),
        "early": list(
            attempts.filter(purpose="publish", no=1, started_at__lt=F("job__scheduled_for")).values_list(
                "job_id", flat=True
            )
        ),
        "lost workers": attempts.filter(purpose="publish", message__startswith="The worker stopped").count(),
        "audit rows": AuditLog.objects.count(),
        "breaks": [str(found) for found in audit.verify()],
        "histories": _histories(),
    }


def _histories() -> dict[str, list[Any]]:
    """Job id -> its attempts, for the report on a job that went wrong."""
    from schedules.models import Attempt

    histories: dict[str, list[Any]] = {}
    rows = Attempt.objects.order_by("id").values(
        "job_id", "purpose", "no", "outcome", "worker", "started_at", "finished_at", "status_code", "message"
    )
    for row in rows:
        histories.setdefault(str(row.pop("job_id")), []).append(row)
    return histories
