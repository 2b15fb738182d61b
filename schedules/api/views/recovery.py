"""The recovery desk: what needs a person, why, and what each verb would do; and one verb for many posts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.roles import Action
from schedules.api.serializers.recovery import JobResults, RecoveryAnswer, RecoveryInput, order, result_words, row_words
from schedules.api.views.door import Door, Rows
from schedules.filters import RecoveryFilter
from schedules.models import Job
from schedules.reads import recovery as desk
from schedules.services import recovery


class Recovery(Rows):
    """The posts that need a person, newest first, narrowed by cause, account and words."""

    serializer_class = RecoveryAnswer
    filterset_class: ClassVar[Any] = RecoveryFilter

    def get_queryset(self) -> QuerySet[Any]:
        return desk.with_cases(Job.objects.visible_to(self.request.user).needing_a_person())

    def get(self, request: Request) -> Response:
        rows = self.filter_queryset(self.get_queryset())
        if named := request.query_params.get("workspace"):
            rows = rows.filter(workspace=self.workspace_of(named))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response([row_words(row) for row in desk.rows(page or ())])


class RecoveryBulk(Door):
    """One verb on the named posts, or on all that match; answers post by post."""

    answers: ClassVar[dict[str, Any]] = {"post": JobResults}

    def post(self, request: Request) -> Response:
        given = self.read(RecoveryInput)
        workspace = self.workspace_of(given["workspace"])
        self.require(Action.OPERATE, workspace)
        wanted = order(given, zone=self.own_zone, now=self.now)
        jobs = Job.objects.visible_to(request.user).filter(workspace=workspace)
        missing: list[str] = []
        if "ids" in given:
            ids = dict.fromkeys(given["ids"])
            chosen = jobs.filter(public_id__in=list(ids))
            there = set(chosen.values_list("public_id", flat=True))
            missing = [str(name) for name in ids if name not in there]
        else:
            which = given["filter"]
            chosen = desk.on_desk(jobs, cause=which["cause"], account=which["account"] or "", words=which["q"])
        result = recovery.many(order=wanted, chosen=chosen, actor=self.actor, now=self.now)
        return Response(result_words(result, missing))
