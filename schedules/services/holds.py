"""Jobs that cannot run now leave the due index (ENGINE R14b), and come back when the reason is gone (R31, R33)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from alwrity_scheduler.core.events import unit
from platforms.models import AccountState
from schedules.domain.states import ScheduleState
from schedules.engine.work import PENDING
from schedules.models import Job

# why a job is on hold -> the words a person sees
HOLD_WORDS = {
    "workspace_paused": "The workspace is paused.",
    "schedule_paused": "The schedule is paused.",
    "in_review": "Its words were changed and wait for approval.",
    "account_paused": "The account is paused.",
    "auth": "The account must be connected again: the platform does not accept its credentials.",
}
# a person sends one post although its schedule is paused; nothing but that schedule's pause lets it through
DESPITE_PAUSE = "despite_pause"


def reason_to_hold(job: Job) -> str:
    """Why this job may not be published now, or nothing. Needs workspace, schedule and account loaded."""
    if job.workspace.paused_at is not None:
        return "workspace_paused"
    if job.schedule.state == ScheduleState.PAUSED and job.reason != DESPITE_PAUSE:
        return "schedule_paused"
    if job.schedule.state == ScheduleState.IN_REVIEW:
        return "in_review"
    if job.account.state == AccountState.PAUSED:
        return "account_paused"
    return "" if job.account.state == AccountState.ACTIVE else "auth"


def hold(job: Job, reason: str, now: datetime) -> None:
    """Put the claimed job on hold, and with it every due job that the same reason holds back: none needs a claim of its own."""
    values = {"state": "blocked", "reason": reason, "error_message": HOLD_WORDS[reason]}
    Job.objects.filter(pk=job.pk, lease_token=job.lease_token).update(lease_until=None, **values)
    scope = {
        "workspace_paused": Q(workspace_id=job.workspace_id),
        "schedule_paused": Q(schedule_id=job.schedule_id) & ~Q(reason=DESPITE_PAUSE),
        "in_review": Q(schedule_id=job.schedule_id),
    }.get(reason, Q(account_id=job.account_id))
    Job.objects.filter(scope, state=PENDING, run_at__lte=now).update(**values)


def release_held(*, now: datetime) -> int:
    """Let go what nothing holds any more. Returns how many jobs. Their catch-up rule decides what is still published."""
    gone = (
        Q(reason="workspace_paused", workspace__paused_at=None)
        | Q(
            reason__in=["schedule_paused", "in_review"],
            schedule__state__in=[ScheduleState.ACTIVE, ScheduleState.FINISHED],
        )
        | Q(reason__in=["account_paused", "auth"], account__state=AccountState.ACTIVE)
    )
    ids = list(Job.objects.filter(gone, state="blocked").order_by().values_list("pk", flat=True)[:5000])
    if not ids:
        return 0
    with unit():
        return Job.objects.filter(pk__in=ids, state="blocked").update(state=PENDING, reason="", error_message="")
