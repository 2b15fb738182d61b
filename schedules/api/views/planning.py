"""Milestones of a workspace, and what a schedule waits for."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from schedules.api.serializers.planning import (
    DependencyAnswer,
    MilestoneAnswer,
    MilestoneChange,
    NewDependency,
    NewMilestone,
)
from schedules.api.serializers.shapes import Empty
from schedules.api.views.door import PAGING, Door, Row, Rows
from schedules.models import Campaign, Dependency, Milestone, Schedule
from schedules.services import planning


def _campaign(workspace: Workspace, public_id: UUID | None) -> Campaign | None:
    if public_id is None:
        return None
    found = Campaign.objects.filter(workspace=workspace, public_id=public_id).first()
    if found is None:
        raise Refused(
            Problem(field="campaign", message="There is no campaign of this id in the workspace.", code="not_found")
        )
    return found


class MilestoneList(Rows):
    serializer_class = MilestoneAnswer

    def known_names(self) -> frozenset[str]:
        return PAGING | {"workspace"}

    def get_queryset(self) -> QuerySet[Milestone]:
        rows = Milestone.objects.visible_to(self.request.user).standing()
        return rows.select_related("workspace", "campaign")

    def post(self, request: Request) -> Response:
        given = self.read(NewMilestone)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.WRITE, workspace)
        made = planning.create_milestone(
            workspace=workspace,
            name=given["name"],
            due_on=given["due_on"],
            campaign=_campaign(workspace, given.get("campaign")),
            actor=self.actor,
            now=self.now,
        )
        return self.answer(made, status=201, headers={"Location": reverse("api:milestone", args=[made.public_id])})


class MilestoneRow(Row):
    serializer_class = MilestoneAnswer

    def get_queryset(self) -> QuerySet[Milestone]:
        rows = Milestone.objects.visible_to(self.request.user).standing()
        return rows.select_related("workspace", "campaign")

    def patch(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        given = self.read(MilestoneChange)
        if "campaign" in given:
            given["campaign"] = _campaign(row.workspace, given["campaign"])
        planning.edit_milestone(milestone=row, changes=given, actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))

    def delete(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        planning.remove_milestone(milestone=row, actor=self.actor, now=self.now)
        return Response(status=204)


class MilestoneRestore(Door):
    """POST: a removed milestone is there again."""

    area: ClassVar[str] = "schedules"
    serializer_class = MilestoneAnswer

    def get_queryset(self) -> QuerySet[Milestone]:
        return Milestone.objects.visible_to(self.request.user).select_related("workspace", "campaign")

    def post(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        self.read(Empty)
        planning.restore_milestone(milestone=row, actor=self.actor, now=self.now)
        return self.answer(self.find(public_id))


class _OfSchedule(Door):
    serializer_class = DependencyAnswer

    def schedule_of(self, public_id: UUID) -> Schedule:
        rows = Schedule.objects.visible_to(self.request.user).select_related("workspace", "content")
        found: Schedule = get_object_or_404(rows, public_id=public_id)
        return found


class Dependencies(_OfSchedule):
    """What the schedule waits for. It warns only: posts go out at their times."""

    def known_names(self) -> frozenset[str]:
        return PAGING

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.schedule_of(public_id)
        rows = Dependency.objects.open_to(request.user).filter(schedule=row)
        page = self.paginate_queryset(rows.select_related("workspace", "schedule__content", "waits_for__content"))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def current(self) -> Schedule:
        """What an `If-Match` is about."""
        return self.schedule_of(self.kwargs["public_id"])

    def post(self, request: Request, public_id: UUID) -> Response:
        """Let the schedule wait for another one of its workspace."""
        row = self.schedule_of(public_id)
        self.require(Action.WRITE, row.workspace)
        wanted = self.read(NewDependency)["waits_for"]
        other = Schedule.objects.visible_to(request.user).filter(public_id=wanted).select_related("content").first()
        if other is None:
            raise Refused(Problem(field="waits_for", message="There is no schedule of this id.", code="not_found"))
        made = planning.depend(schedule=row, waits_for=other, actor=self.actor, now=self.now)
        where = reverse("api:schedule_dependency", args=[public_id, wanted])
        return self.answer(made, status=201, headers={"Location": where})


class DependencyRow(_OfSchedule):
    """One post that the schedule waits for, by that post's id."""

    def current(self) -> Dependency:
        """What an `If-Match` is about."""
        return self._find(self.schedule_of(self.kwargs["public_id"]), self.kwargs["other"])

    def get(self, request: Request, public_id: UUID, other: UUID) -> Response:
        return self.answer(self._find(self.schedule_of(public_id), other))

    def delete(self, request: Request, public_id: UUID, other: UUID) -> Response:
        row = self.schedule_of(public_id)
        self.require(Action.WRITE, row.workspace)
        planning.undepend(dependency=self._find(row, other), actor=self.actor, now=self.now)
        return Response(status=204)

    def _find(self, schedule: Schedule, other: UUID) -> Dependency:
        rows = Dependency.objects.open_to(self.request.user).filter(schedule=schedule, waits_for__public_id=other)
        joined = rows.select_related("workspace", "schedule__content", "waits_for__content")
        found: Dependency = get_object_or_404(joined)
        return found
