"""The Today page: what needs a person, what is next, what was done. Called by the web page only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import PlatformAccount
from schedules.models import Job, Schedule
from schedules.reads.forecast import Forecast, forecasts

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Lists hold at most ten rows each; counts are of all."""

    needs: list[Job]
    needs_count: int
    active_count: int
    due_count: int
    done_count: int
    upcoming: list[Job]
    recent: list[Job]
    broken_accounts: list[PlatformAccount]
    foretold: list[tuple[PlatformAccount, Forecast]]
    account_count: int
    schedule_count: int


def board(workspace: Workspace, *, now: datetime, day_start: datetime) -> Board:
    """`day_start` is the beginning of the reader's own day (aware); due counts the next 24 hours."""
    jobs = Job.objects.filter(workspace=workspace)
    needing = jobs.needing_a_person()
    needs = list(needing.with_names().order_by("-run_at", "-id")[:SHOWN])
    coming = jobs.pending().filter(run_at__lt=now + timedelta(hours=24))
    done = jobs.filter(state="completed", finished_at__gte=day_start)
    connected = PlatformAccount.objects.filter(workspace=workspace).exclude(state="disconnected")
    accounts = list(connected.select_related("circuit", "service").defer("credentials", "options").order_by("id"))
    told = forecasts(accounts, now)
    states = list(
        Schedule.objects.filter(workspace=workspace).exclude(state="archived").values_list("state", flat=True)
    )
    return Board(
        needs=needs,
        needs_count=needing.count() if len(needs) == SHOWN else len(needs),
        active_count=states.count("active"),
        due_count=coming.count(),
        done_count=done.count(),
        upcoming=list(
            jobs.filter(state__in=["pending", "running", "processing"]).with_names().order_by("run_at", "id")[:SHOWN]
        ),
        recent=list(jobs.filter(state="completed").with_names().order_by("-finished_at", "-id")[:SHOWN]),
        broken_accounts=[row for row in accounts if row.state == "needs_auth" and row.pk not in told],
        foretold=[(row, item) for row in accounts for item in told.get(row.pk, ())][:SHOWN],
        account_count=len(accounts),
        schedule_count=len(states),
    )
