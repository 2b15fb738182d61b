"""One verb on what stands behind several events of the calendar. Each is tried by itself; what is refused is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.core.events import Actor
from alwrity_scheduler.workspaces.models import Workspace
from schedules.models import Job, Schedule
from schedules.reads import calendar
from schedules.reads.calendar import JobKey, RunKey, read_key
from schedules.services import lifecycle, moving

MOST = 200
FURTHEST = 366  # days
VERBS: dict[str, tuple[Callable[..., Any], str]] = {
    # verb -> what is called for a schedule, and the verb that undoes it
    "pause": (lifecycle.pause, "resume"),
    "resume": (lifecycle.resume, "pause"),
    "archive": (lifecycle.archive, "restore"),
    "restore": (lifecycle.restore, ""),
}


@dataclass(slots=True)
class Outcome:
    """done: public ids of schedules, or keys of events at their new times. refused: why, in the services' words."""

    done: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def schedules_of(workspace: Workspace, keys: Iterable[str]) -> list[Schedule]:
    """The schedules behind the events, each once, in the order of their ids."""
    named = [read_key(key) for key in keys]
    jobs = [item.job_id for item in named if isinstance(item, JobKey)]
    ids = {item.schedule_id for item in named if isinstance(item, RunKey)}
    ids |= set(Job.objects.within(workspace).filter(pk__in=jobs).values_list("schedule_id", flat=True))
    return list(
        Schedule.objects.within(workspace).filter(pk__in=ids).select_related("workspace", "content").order_by("pk")
    )


def act(schedules: Sequence[Schedule], verb: str, *, actor: Actor, now: datetime) -> Outcome:
    call, _undo = VERBS[verb]
    outcome = Outcome()
    for schedule in schedules:
        try:
            call(schedule=schedule, actor=actor, now=now)
            outcome.done.append(str(schedule.public_id))
        except Refused as error:
            outcome.refused += [problem.message for problem in error.problems]
    return outcome


def shift(
    workspace: Workspace, keys: Iterable[str], *, days: int, zone: str, actor: Actor, now: datetime, person: Any
) -> Outcome:
    """Move each event by whole days on the wall clock; a time of a rule alone, the rule's others stay. Two accounts of one time
    move together, and once."""
    outcome, moved = Outcome(), set[tuple[int, object]]()
    for key in keys:
        together = _together(workspace, key)
        event = calendar.one(workspace, key, zone=zone, now=now) if together not in moved else None
        if event is None:
            continue
        to = event.at.replace(tzinfo=None) + timedelta(days=days)
        try:
            answer = moving.move(
                workspace=workspace, key=key, to_local=to, zone=zone, version=event.version, scope="one", actor=actor, now=now,
                person=person,
            )  # fmt: skip
        except Refused as error:
            outcome.refused += [problem.message for problem in error.problems]
            continue
        outcome.done.append(answer.event.key)
        if together and answer.accounts > 1:
            moved.add(together)
    return outcome


def _together(workspace: Workspace, key: str) -> tuple[int, object] | None:
    """What the accounts of one time of a schedule have in common."""
    named = read_key(key)
    if isinstance(named, RunKey):
        return named.schedule_id, named.nominal_local
    if named is None:
        return None
    row = Job.objects.within(workspace).filter(pk=named.job_id).values_list("schedule_id", "occurrence__nominal_local")
    return row.first()
