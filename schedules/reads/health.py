"""How one schedule is doing: what became of its last runs, when it runs next, and what stands in its way.

For the schedule's page and the API. Says the same as the preflight where it looks at the same things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from platforms.models import PlatformAccount
from schedules.domain.states import ENDED, JobState, ScheduleState
from schedules.models import Job, Schedule
from schedules.reads import preflight, runs
from schedules.reads.preflight import Finding, Preflight
from schedules.services.materialise import rule_of

Tone = Literal["well", "info", "warning", "blocked"]
RUNS_LOOKED_AT = 20
LATE_AFTER = timedelta(seconds=60)
LATE_LOOKED_BACK = timedelta(days=7)  # what waits longer has been given up by then
FEW_LEFT = 3
_LIVES = (ScheduleState.DRAFT, ScheduleState.IN_REVIEW, ScheduleState.ACTIVE, ScheduleState.PAUSED)
_RESULTS = (JobState.COMPLETED, JobState.FAILED, JobState.MISSED, JobState.UNCONFIRMED)
_TONES: tuple[Tone, ...] = ("well", "info", "warning", "blocked")
_SHOWN_ENDS = [*[state for state in ENDED if state != JobState.SUPERSEDED], JobState.UNCONFIRMED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One thing in the way, or worth knowing. accounts: whom it concerns; empty means all. link: where the remedy is."""

    tone: Tone
    code: str
    words: str
    remedy: str
    link: str
    accounts: tuple[PlatformAccount, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """runs: the last twenty that ended, the newest first. next_at: aware UTC. late: pending and past their time by a minute."""

    runs: Sequence[Job]
    next_at: datetime | None
    late: int
    obstacles: Sequence[Obstacle]

    @property
    def last(self) -> Job | None:
        return self.runs[0] if self.runs else None

    @property
    def strip(self) -> list[Job]:
        """The runs as they are drawn: the oldest first."""
        return list(self.runs[::-1])

    @property
    def counted(self) -> int:
        """The base of the success rate: a run that a person called off is no failure and no success."""
        return sum(job.state in _RESULTS for job in self.runs)

    @property
    def succeeded(self) -> int:
        return sum(job.state == JobState.COMPLETED for job in self.runs)

    @property
    def missed(self) -> int:
        return sum(job.state == JobState.MISSED for job in self.runs)

    @property
    def success_rate(self) -> float | None:
        """A share from 0 to 1; None where nothing has ended."""
        return self.succeeded / self.counted if self.counted else None

    @property
    def tone(self) -> Tone:
        own: list[Tone] = [item.tone for item in self.obstacles]
        last = next((job.state for job in self.runs if job.state in _RESULTS), JobState.COMPLETED)
        if last != JobState.COMPLETED:
            own.append("blocked")
        if self.late:
            own.append("warning")
        return max(own, key=_TONES.index, default="well")


def of_schedule(schedule: Schedule, *, now: datetime, found: Preflight | None = None) -> Health:
    """Two queries, and those of the preflight unless the caller has it (`found`). Wants `exceptions` prefetched."""
    jobs = Job.objects.filter(schedule=schedule)
    ended = jobs.filter(state__in=_SHOWN_ENDS).with_names().order_by("-run_at", "-id")
    late = jobs.pending().filter(run_at__gte=now - LATE_LOOKED_BACK, run_at__lt=now - LATE_AFTER)
    lives = schedule.state in _LIVES
    times = runs.next_runs(rule_of(schedule), now=now, count=FEW_LEFT + 1) if lives else []
    return Health(
        runs=list(ended[:RUNS_LOOKED_AT]),
        next_at=times[0].fires_at if times else None,
        late=late.count(),
        obstacles=(
            *_obstacles(schedule, found or preflight.of_schedule(schedule, now=now)),
            *_ending(schedule, [item.fires_at for item in times]),
        ),
    )


def _obstacles(schedule: Schedule, found: Preflight) -> list[Obstacle]:
    """The preflight's findings, each once with all the accounts it is about. What the state says by itself is no obstacle."""
    own = [_obstacle(item, ()) for item in found.general if item.verdict != "ok" and not _is_plain(item)]
    by_words: dict[str, tuple[Finding, list[PlatformAccount]]] = {}
    for row in found.rows:
        for item in row.troubles:
            by_words.setdefault(f"{item.words}{item.link}", (item, []))[1].append(row.account)
    return own + [_obstacle(item, tuple(whose)) for item, whose in by_words.values()]


def _is_plain(item: Finding) -> bool:
    """A draft, a review under way or an archive is a state, and the page says it already."""
    return item.aspect == "schedule" and item.code in (
        ScheduleState.DRAFT,
        ScheduleState.IN_REVIEW,
        ScheduleState.FINISHED,
        ScheduleState.ARCHIVED,
    )


def _obstacle(item: Finding, whose: tuple[PlatformAccount, ...]) -> Obstacle:
    tone: Tone = "blocked" if item.verdict == "blocked" else "warning"
    if item.code == ScheduleState.PAUSED and item.aspect == "schedule":
        tone = "warning"  # a person wanted it so
    return Obstacle(tone=tone, code=item.code, words=item.words, remedy=item.remedy, link=item.link, accounts=whose)


def _ending(schedule: Schedule, times: Sequence[datetime]) -> list[Obstacle]:
    """A repeating schedule that is about to have no further time."""
    if schedule.rule_kind == "once" or schedule.state not in (ScheduleState.ACTIVE, ScheduleState.PAUSED):
        return []
    if len(times) > FEW_LEFT:
        return []
    words = ngettext("Its rule ends soon: %(n)d more run.", "Its rule ends soon: %(n)d more runs.", len(times))
    return [
        Obstacle(
            tone="info",
            code="ends_soon",
            words=words % {"n": len(times)} if times else _("Its rule has no further time."),
            remedy=_("Give it a later end, or let it finish."),
            link=reverse("web:schedule_edit", args=[schedule.public_id]),
        )
    ]
