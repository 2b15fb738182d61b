"""What stands on the calendar: posts that stand as jobs, and the times that rules will still give.

One event is one post on one account. For the calendar, the timeline, the dashboard's load, the exports and the API.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alwrity_scheduler.workspaces.models import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is shown. An empty sequence stands for all.

    looks: Event.look values. q: words of title, text or campaign. types: ContentType values. people: ids of the posts' writers.
    accounts, campaigns: their public ids. conflicts: those in conflict only.
    """

    platforms: Sequence[str] = ()
    accounts: Sequence[UUID] = ()
    campaigns: Sequence[UUID] = ()
    types: Sequence[str] = ()
    people: Sequence[int] = ()
    looks: Sequence[str] = ()
    labels: Sequence[str] = ()
    q: str = ""
    conflicts: bool = False


@dataclass(slots=True, kw_only=True)
class Event:
    """One post on one account at one time.

    key: `j<job id>` for what stands as a job, `p<schedule id>.<nominal wall clock as YYYYMMDDTHHMMSS>.<account id>` for what a
    rule gives or a draft wants. at: aware, in the zone that was asked for. look: scheduled, running, published, failed, missed,
    unsure, blocked, paused, draft, review, cancelled. version: the schedule's, for the optimistic lock. fixed: it can no longer
    be moved. near: the event of the same account that it stands too close to.
    """

    key: str
    at: datetime
    look: str
    title: str
    content_type: str
    schedule_id: int
    account_id: int
    account: str
    platform: str
    campaign_id: int | None
    campaign: str
    author_id: int | None
    version: int
    recurring: bool
    fixed: bool
    gap_seconds: int
    near: Event | None = None
    public_id: UUID  # of the job where there is one, else of the schedule
    is_job: bool

    @property
    def conflict(self) -> bool:
        return self.near is not None


def events(
    workspace: Workspace, *, start: datetime, end: datetime, zone: str, now: datetime, wanted: Wanted | None = None
) -> list[Event]:
    """The events in [start, end) (aware), in the order of their times; at most two queries."""
    raise NotImplementedError
