"""Posts brought in from elsewhere: tried out, made, and taken back as long as nobody has touched them.

What one import made is found by its label, which stands on the content: no table of its own is kept. Each row is a transaction of
its own, so that one that is refused stops none of the others; trying out does it all, and takes it back.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from schedules.models import ContentItem, Job, Schedule
from schedules.querysets.words import HoldsWord
from schedules.services import content as content_service
from schedules.services import lifecycle
from schedules.services import schedules as schedule_service
from schedules.services.plans import ContentDraft, SchedulePlan

MOST_ROWS = 500
PREFIX = "import-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row. plan None: content without a time. problems: what is wrong with it already, in the caller's names."""

    draft: ContentDraft
    plan: SchedulePlan | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became, or would become, of one row: fine where there are no problems. content, schedule: what was made."""

    problems: tuple[Problem, ...] = ()
    content: ContentItem | None = None
    schedule: Schedule | None = None


class _TakenBack(Exception):
    """The end of a trial: its transaction is rolled back."""


def new_label(now: datetime) -> str:
    """What the posts of one import carry: import-20261201-3f9a1c."""
    return f"{PREFIX}{now:%Y%m%d}-{secrets.token_hex(3)}"


def run(
    *,
    workspace: Workspace,
    entries: Sequence[Entry],
    label: str,
    state: str,
    trial: bool,
    actor: Actor,
    now: datetime,
    person: User | None = None,
) -> list[Outcome]:
    """One outcome a row, in their order. `state`: draft or active, of the schedules that are made. A trial keeps nothing."""
    found = []
    for entry in entries:
        if entry.problems:
            found.append(Outcome(problems=entry.problems))
            continue
        made = Outcome()
        try:
            with unit():
                made = _make(entry, workspace, label, state, actor, now, person)
                if trial:
                    raise _TakenBack
        except _TakenBack:
            made = Outcome()
        except Refused as error:
            made = Outcome(problems=tuple(error.problems))
        found.append(made)
    return found


def _make(
    entry: Entry, workspace: Workspace, label: str, state: str, actor: Actor, now: datetime, person: User | None
) -> Outcome:
    draft = replace(entry.draft, labels=(*entry.draft.labels, label))
    if entry.plan is None:
        made = content_service.create_content(workspace=workspace, draft=draft, actor=actor, now=now, person=person)
        return Outcome(content=made)
    schedule = schedule_service.create_schedule(
        workspace=workspace, content=draft, plan=entry.plan, state=state, actor=actor, now=now, person=person
    )
    return Outcome(content=schedule.content, schedule=schedule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """archived: schedules that were put away. touched: those that somebody changed, or that have begun. kept: content that has no
    schedule."""

    archived: Sequence[Schedule]
    touched: Sequence[Schedule]
    kept: Sequence[ContentItem]


def made_by(workspace: Workspace, label: str) -> Sequence[ContentItem]:
    """The content that carries the import's label, as it was brought in."""
    rows = ContentItem.objects.filter(HoldsWord("labels", label), workspace=workspace)
    return list(rows.prefetch_related("schedules__workspace", "schedules__content").order_by("id")[: MOST_ROWS * 2])


def undo(*, workspace: Workspace, label: str, actor: Actor, now: datetime) -> Undone:
    """Archive what the import made and nobody has touched since; doing it again does the same for what is left."""
    archived, touched, kept = [], [], []
    content = made_by(workspace, label)
    schedules = [row for item in content for row in item.schedules.all() if row.state != "archived"]
    begun = set(
        Job.objects.filter(schedule__in=schedules)
        .exclude(state__in=["pending", "blocked"], attempt_count=0)
        .values_list("schedule_id", flat=True)
    )
    for schedule in schedules:
        if schedule.pk in begun or schedule.version > 1 or schedule.content.version > 1:
            touched.append(schedule)
            continue
        try:
            archived.append(lifecycle.archive(schedule=schedule, actor=actor, now=now))
        except Refused:
            # somebody was quicker
            touched.append(schedule)
    kept = [item for item in content if not item.schedules.all()]
    return Undone(archived=archived, touched=touched, kept=kept)
