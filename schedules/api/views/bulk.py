"""One verb for many schedules, and all times of one schedule shifted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django_filters.utils import translate_validation
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from schedules.api.problems import renamed
from schedules.api.serializers.bulk import ScheduleResults, SchedulesInput, ShiftInput, order, result_words
from schedules.api.serializers.schedules import schedule_problem
from schedules.api.serializers.shapes import Input
from schedules.api.views.door import Door, VerbDoor
from schedules.api.views.schedules import ScheduleRows
from schedules.filters import ScheduleFilter
from schedules.models import Schedule
from schedules.models.bulk import BulkVerb
from schedules.services import bulk, shifting

WRITES = (BulkVerb.SHIFT, BulkVerb.CLONE, BulkVerb.LABEL, BulkVerb.UNLABEL)


class ScheduleBulk(Door):
    """One verb on the named schedules, or on those that match; answers schedule by schedule, 200 a call at the most."""

    answers: ClassVar[dict[str, Any]] = {"post": ScheduleResults}

    def post(self, request: Request) -> Response:
        given = self.read(SchedulesInput)
        workspace = self.workspace_of(given["workspace"])
        wanted = order(given)
        self.require(Action.WRITE if wanted.verb in WRITES else Action.OPERATE, workspace)
        chosen, missing = self._chosen(given, workspace)
        result = bulk.many(order=wanted, chosen=chosen, actor=self.actor, now=self.now, person=self.person)
        return Response(result_words(result, missing))

    def _chosen(self, given: dict[str, Any], workspace: Workspace) -> tuple[QuerySet[Schedule], list[str]]:
        """The schedules that are meant, and the named ids of which there are none."""
        rows = Schedule.objects.visible_to(self.request.user).filter(workspace=workspace)
        if "ids" not in given:
            narrowed = ScheduleFilter(given["filter"], queryset=rows, request=self.request)
            if not narrowed.is_valid():
                raise serializers.ValidationError({"filter": translate_validation(narrowed.errors).detail})
            return narrowed.qs, []
        ids = dict.fromkeys(given["ids"])
        chosen = rows.filter(public_id__in=list(ids))
        there = set(chosen.values_list("public_id", flat=True))
        return chosen, [str(name) for name in ids if name not in there]


class Shift(ScheduleRows, VerbDoor):
    """All times of a schedule earlier or later by as much on its own wall clock."""

    verb = "shift"
    action: ClassVar[Action] = Action.WRITE
    fields: ClassVar[dict[str, type[Input]]] = {"shift": ShiftInput}

    def act(self, row: Schedule, given: dict[str, Any]) -> Response:
        rename = schedule_problem(row.rule_kind)
        with renamed(lambda problem: problem if problem.field == "by" else rename(problem)):
            shifting.shift(
                schedule=row,
                by=timedelta(seconds=given["by_seconds"]),
                version=given.get("version"),
                actor=self.actor,
                now=self.now,
            )
        return self.answer(self.find(row.public_id))
