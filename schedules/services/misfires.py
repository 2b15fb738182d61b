"""Late posts: asks the rule of `domain.misfire` for each and records the verdict (ENGINE R27-R29)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max

from alwrity_scheduler.core.events import ENGINE, emit, unit
from schedules.domain import misfire
from schedules.domain.misfire import CatchUp, Lateness, Verdict
from schedules.domain.recurrence import RuleKind
from schedules.models import Job
from schedules.services.facts import job_fact
from schedules.services.materialise import RESLOTTED, seconds

MOST_AT_ONCE = 500


def verdicts(jobs: Iterable[Job], now: datetime) -> dict[int, Verdict]:
    """The verdict for each job (with its schedule loaded) by id. One query, and only when something is late."""
    jobs = list(jobs)
    latest = _latest_due([job for job in jobs if now - job.scheduled_for > misfire.LATE_AFTER], now)
    return {job.pk: misfire.judge(_lateness(job, latest), now) for job in jobs}


def _lateness(job: Job, latest: dict[tuple[int, int], datetime]) -> Lateness:
    schedule = job.schedule
    return Lateness(
        scheduled_for=job.scheduled_for,
        deadline_at=job.deadline_at,
        recurring=schedule.rule_kind != RuleKind.ONCE,
        catch_up=CatchUp(schedule.catch_up),
        grace=seconds(schedule.grace_seconds),
        has_later_due=latest.get((job.schedule_id, job.account_id), job.scheduled_for) > job.scheduled_for,
        decided=bool(job.reason) or job.attempt_count > 0,
    )


def _latest_due(late: list[Job], now: datetime) -> dict[tuple[int, int], datetime]:
    if not late:
        return {}
    rows = (
        # run_at is never before scheduled_for once that is past; its index keeps the history out of this
        Job.objects.filter(
            schedule_id__in={job.schedule_id for job in late},
            run_at__gte=min(job.scheduled_for for job in late),
            scheduled_for__lte=now,
            # an extra run that a person asked for makes up for none of the rule's (R36)
            occurrence__cause="rule",
        )
        .exclude(state__in=["cancelled", "superseded", "missed"])
        # a post with a time of its own is not the latest run of the rule
        .exclude(reason=RESLOTTED)
        .order_by()
        .values_list("schedule_id", "account_id")
        .annotate(latest=Max("scheduled_for"))
    )
    return {(schedule, account): latest for schedule, account, latest in rows}


@unit()
def expire(*, now: datetime) -> int:
    """Judge pending jobs that are late and not judged yet. Returns how many will not be published."""
    late = list(
        Job.objects.filter(state="pending", run_at__lt=now - misfire.LATE_AFTER, reason="", attempt_count=0)
        .select_related("schedule")
        .order_by("run_at", "id")[:MOST_AT_ONCE]
    )
    if not late:
        return 0
    judged = verdicts(late, now)
    missed = [job for job in late if not judged[job.pk].publishes and mark_missed(job, judged[job.pk], now)]
    run = [job.pk for job in late if judged[job.pk] is Verdict.RUN]
    Job.objects.filter(pk__in=run, state="pending", reason="").update(reason=Verdict.RUN)
    emit(*(job_fact("job.missed", job, ENGINE, now, before={"state": "pending"}) for job in missed))
    return len(missed)


def mark_missed(job: Job, verdict: Verdict, now: datetime) -> bool:
    """Compare-and-set pending or running (ours) to missed. Sets the same values on `job`."""
    changed = Job.objects.filter(pk=job.pk, state=job.state, lease_token=job.lease_token).update(
        state="missed", reason=verdict, error_message=misfire.REASON_WORDS[verdict], finished_at=now, lease_until=None
    )
    job.state, job.reason, job.error_message = "missed", verdict.value, misfire.REASON_WORDS[verdict]
    return bool(changed)
