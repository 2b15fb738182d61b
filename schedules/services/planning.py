"""The only writer of milestones and of what waits for what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import Workspace
from schedules.domain import planning
from schedules.models import Campaign, Dependency, Milestone, Schedule

MOST_MILESTONES = 500
MOST_BEFORE_ONE = 20


@unit()
def create_milestone(
    *,
    workspace: Workspace,
    name: str,
    due_on: date | None,
    actor: Actor,
    now: datetime,
    campaign: Campaign | None = None,
) -> Milestone:
    """A new one. Refused names the field: no name, no day, a campaign of another workspace, or too many."""
    row = Milestone(workspace=workspace, created_at=now)
    if Milestone.objects.filter(workspace=workspace).standing().count() >= MOST_MILESTONES:
        raise Refused(
            Problem(field="name", message=_("There are 500 milestones here. Remove old ones first."), code="too_many")
        )
    _fill(row, {"name": name, "due_on": due_on, "campaign": campaign})
    row.save()
    emit(_fact("milestone.created", row, actor, now, after=_values(row)))
    return row


@unit()
def edit_milestone(*, milestone: Milestone, changes: Mapping[str, Any], actor: Actor, now: datetime) -> Milestone:
    """`changes`: name, due_on (date), campaign (Campaign or None) and done (bool), those that change. Refused names the field."""
    before = _values(milestone)
    _fill(milestone, changes)
    if (after := _values(milestone)) != before:
        milestone.save(update_fields=["name", "due_on", "campaign"])
        emit(_fact("milestone.edited", milestone, actor, now, before=before, after=after))
    if "done" in changes:
        mark_done(milestone=milestone, done=changes["done"], actor=actor, now=now)
    return milestone


@unit()
def mark_done(*, milestone: Milestone, done: bool, actor: Actor, now: datetime) -> Milestone:
    """Reached, or (`done` false) not yet after all. Twice is harmless."""
    at = now if done else None
    changed = Milestone.objects.filter(pk=milestone.pk, done_at__isnull=done).update(done_at=at)
    if changed:
        milestone.done_at = at
        emit(_fact("milestone.reached" if done else "milestone.reopened", milestone, actor, now))
    return milestone


@unit()
def remove_milestone(*, milestone: Milestone, actor: Actor, now: datetime) -> None:
    """Take it off every page. `restore_milestone` brings it back."""
    if Milestone.objects.filter(pk=milestone.pk, removed_at=None).update(removed_at=now):
        emit(_fact("milestone.removed", milestone, actor, now, before=_values(milestone)))


@unit()
def restore_milestone(*, milestone: Milestone, actor: Actor, now: datetime) -> None:
    if Milestone.objects.filter(pk=milestone.pk, removed_at__isnull=False).update(removed_at=None):
        emit(_fact("milestone.restored", milestone, actor, now, after=_values(milestone)))


@unit()
def depend(*, schedule: Schedule, waits_for: Schedule, actor: Actor, now: datetime) -> Dependency:
    """`schedule` is to go out after `waits_for`. Twice is harmless.

    Refused (field waits_for): itself, another workspace's, archived, too many, or a ring, which is named.
    """
    # one at a time in a workspace: two that are written at once could close a ring that neither sees
    Workspace.objects.select_for_update(no_key=True).get(pk=schedule.workspace_id)
    found = Dependency.objects.filter(schedule=schedule, waits_for=waits_for).first()
    if found is not None:
        return found
    _check(schedule, waits_for)
    try:
        with transaction.atomic():
            row = Dependency.objects.create(
                workspace_id=schedule.workspace_id, schedule=schedule, waits_for=waits_for, created_at=now
            )
    except IntegrityError:
        raise Refused(
            Problem(field="waits_for", message=_("It was just changed by somebody else. Try again."), code="stale")
        ) from None
    emit(_link_fact("schedule.depends", row, actor, now))
    return row


@unit()
def undepend(*, dependency: Dependency, actor: Actor, now: datetime) -> None:
    """It no longer waits for that post."""
    fact = _link_fact("schedule.depends_no_more", dependency, actor, now)
    if Dependency.objects.filter(pk=dependency.pk).delete()[0]:
        emit(fact)


def _fill(row: Milestone, changes: Mapping[str, Any]) -> None:
    problems = []
    if "name" in changes:
        row.name = " ".join(str(changes["name"] or "").split())
        if not row.name or len(row.name) > 120:
            words = _("Give the milestone a name of up to 120 characters.")
            problems.append(Problem(field="name", message=words, code="required" if not row.name else "too_long"))
    if "due_on" in changes:
        due_on: date | None = changes["due_on"]
        if due_on is None:
            problems.append(Problem(field="due_on", message=_("Choose the day it is due."), code="required"))
        else:
            row.due_on = due_on
    if "campaign" in changes:
        campaign = changes["campaign"]
        if campaign is not None and campaign.workspace_id != row.workspace_id:
            problems.append(Problem(field="campaign", message=_("Choose a campaign of this workspace.")))
        else:
            row.campaign = campaign
    if problems:
        raise Refused(problems)


def _check(schedule: Schedule, waits_for: Schedule) -> None:
    def refuse(words: str, code: str) -> Refused:
        return Refused(Problem(field="waits_for", message=words, code=code))

    if schedule.pk == waits_for.pk:
        raise refuse(_("A post cannot wait for itself. Choose another one."), "itself")
    if schedule.workspace_id != waits_for.workspace_id:
        raise refuse(_("Choose a post of the same workspace."), "not_found")
    if waits_for.state == "archived":
        raise refuse(_("That post is archived and will not go out. Choose another one."), "archived")
    if Dependency.objects.filter(schedule=schedule).count() >= MOST_BEFORE_ONE:
        raise refuse(_("A post can wait for 20 others. Remove one first."), "too_many")
    waits: dict[int, list[int]] = {}
    pairs = Dependency.objects.filter(workspace_id=schedule.workspace_id)
    for post, before in pairs.values_list("schedule_id", "waits_for_id"):
        waits.setdefault(post, []).append(before)
    if ring := planning.ring(waits, schedule.pk, waits_for.pk):
        raise refuse(_ring_words(ring), "ring")


def _ring_words(ring: list[int]) -> str:
    rows = {row.pk: str(row) for row in Schedule.objects.filter(pk__in=ring).select_related("content")}
    names = " → ".join(f"“{rows.get(post, '')}”" for post in ring)
    return _("These posts would wait for each other in a ring: %(names)s. Take one of the steps out.") % {
        "names": names
    }


def _values(row: Milestone) -> dict[str, Any]:
    return {
        "name": row.name,
        "due_on": row.due_on.isoformat(),
        "campaign": row.campaign.name if row.campaign else "",
    }


def _fact(
    name: str,
    row: Milestone,
    actor: Actor,
    now: datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Fact:
    return Fact(
        name=name,
        at=now,
        actor=actor,
        workspace_id=row.workspace_id,
        object_type="milestone",
        object_id=str(row.public_id),
        object_label=row.name,
        before=before or {},
        after=after or {},
    )


def _link_fact(name: str, row: Dependency, actor: Actor, now: datetime) -> Fact:
    other = {"waits_for": str(row.waits_for), "waits_for_id": str(row.waits_for.public_id)}
    return Fact(
        name=name,
        at=now,
        actor=actor,
        workspace_id=row.workspace_id,
        object_type="schedule",
        object_id=str(row.schedule.public_id),
        object_label=str(row.schedule),
        before=other if name.endswith("no_more") else {},
        after={} if name.endswith("no_more") else other,
    )
