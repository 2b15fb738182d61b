"""How an account has done in a span of days: what went out, what did not and why, and how late; for the API.

Read from the index of a workspace's jobs by state and time, so that an account with a long history costs its span only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from django.db.models import Count

from alwrity_scheduler.workspaces.models import Workspace
from schedules.domain.states import JobState
from schedules.models import Job

MOST_TIMED = 5_000  # of the newest published posts, how late they were
RESULTS = (JobState.COMPLETED, JobState.FAILED, JobState.MISSED, JobState.UNCONFIRMED)


@dataclass(slots=True, kw_only=True)
class Record:
    """Counts of one account by what became of its posts; delays in seconds from the wanted time to the end, sorted."""

    states: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)

    @property
    def ended(self) -> int:
        return sum(self.states[state] for state in RESULTS)

    @property
    def success_rate(self) -> float | None:
        """A share from 0 to 1; None where nothing has ended."""
        return self.states[JobState.COMPLETED] / self.ended if self.ended else None

    def delay(self, share: float) -> float | None:
        """The delay under which that share of the published posts stayed, in seconds."""
        return quantile(self.delays, share)


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The nearest rank of sorted numbers; None of none."""
    if not ordered:
        return None
    return round(ordered[max(0, ceil(len(ordered) * share) - 1)], 3)


def records(workspace: Workspace, account_ids: Sequence[int], *, since: datetime, until: datetime) -> dict[int, Record]:
    """By account; three queries whatever their number. [since, until) is of the times at which the posts ran last."""
    found = {pk: Record() for pk in account_ids}
    jobs = Job.objects.filter(
        workspace=workspace, state__in=RESULTS, run_at__gte=since, run_at__lt=until, account_id__in=account_ids
    ).order_by()
    for account, state, number in jobs.values_list("account_id", "state").annotate(n=Count("pk")):
        found[account].states[state] = number
    wrong = jobs.exclude(state=JobState.COMPLETED).exclude(error_class="")
    for account, kind, number in wrong.values_list("account_id", "error_class").annotate(n=Count("pk")):
        found[account].errors[kind] = number
    out = jobs.filter(state=JobState.COMPLETED, finished_at__isnull=False).order_by("-run_at", "-id")
    timed: Any = out.values_list("account_id", "scheduled_for", "finished_at")[:MOST_TIMED]
    for account, wanted, ended in timed:
        found[account].delays.append(max(0.0, (ended - wanted).total_seconds()))
    for record in found.values():
        record.delays.sort()
    return found
