"""Milestones and what waits for what, in and out."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers

from schedules.api.serializers.shapes import Answer, Input, WorkspaceName, workspace_words
from schedules.api.serializers.shown import Shown
from schedules.domain.states import ScheduleState
from schedules.models import Dependency, Milestone, Schedule


class NewMilestone(Input):
    """due_on: a day, `2026-12-01`. campaign: its id, null for the whole workspace's."""

    workspace = serializers.CharField(required=False, max_length=60)
    name = serializers.CharField(max_length=120)
    due_on = serializers.DateField()
    campaign = serializers.UUIDField(required=False, allow_null=True)


class MilestoneChange(Input):
    """done: reached or not."""

    echoed: ClassVar[frozenset[str]] = frozenset(
        {"id", "workspace", "timezone", "created_at", "created_at_local", "done_at", "done_at_local"}
    )
    name = serializers.CharField(max_length=120, required=False)
    due_on = serializers.DateField(required=False)
    campaign = serializers.UUIDField(required=False, allow_null=True)
    done = serializers.BooleanField(required=False)


class NewDependency(Input):
    """waits_for: the id of a schedule of the same workspace."""

    waits_for = serializers.UUIDField()


class PostName(Shown):
    """A schedule as other answers name it."""

    id: UUID
    title: str
    state: ScheduleState


class MilestoneShown(Shown):
    """A day by which something is to be there."""

    id: UUID
    workspace: WorkspaceName
    name: str
    due_on: date
    campaign: UUID | None
    done: bool


class DependencyShown(Shown):
    """One schedule waits for another; it warns, and posts go out at their times."""

    schedule: PostName
    waits_for: PostName


def post_words(schedule: Schedule) -> dict[str, Any]:
    return {"id": str(schedule.public_id), "title": str(schedule), "state": schedule.state}


class MilestoneAnswer(Answer):
    """Wants workspace and campaign joined."""

    shown = MilestoneShown
    times: ClassVar[tuple[str, ...]] = ("created_at", "done_at")

    def zone(self, row: Milestone) -> str:
        return row.workspace.timezone

    def body(self, row: Milestone) -> dict[str, Any]:
        return {
            "id": str(row.public_id),
            "workspace": workspace_words(row.workspace),
            "name": row.name,
            "due_on": row.due_on.isoformat(),
            "campaign": row.campaign and str(row.campaign.public_id),
            "done": row.done_at is not None,
        }


class DependencyAnswer(Answer):
    """Wants both schedules with their contents joined, and the workspace."""

    shown = DependencyShown
    times: ClassVar[tuple[str, ...]] = ("created_at",)

    def zone(self, row: Dependency) -> str:
        return row.workspace.timezone

    def body(self, row: Dependency) -> dict[str, Any]:
        return {"schedule": post_words(row.schedule), "waits_for": post_words(row.waits_for)}
