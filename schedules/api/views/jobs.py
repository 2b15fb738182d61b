"""Jobs: list, one with all its attempts, and a person's verbs on one."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from schedules.api.serializers.jobs import Confirmation, JobAnswer, JobDetail, JobFigures
from schedules.api.serializers.recovery import NewTime, instant
from schedules.api.serializers.shapes import Input
from schedules.api.views.door import Door, Row, Rows, Verb, VerbDoor
from schedules.filters import JobFilter
from schedules.models import Attempt, Job
from schedules.services import afterwards, recovery
from schedules.services import jobs as job_service


class JobList(Rows):
    serializer_class = JobAnswer
    filterset_class: ClassVar[Any] = JobFilter

    def get_queryset(self) -> QuerySet[Any]:
        return Job.objects.visible_to(self.request.user).with_names()


class _Job(Door):
    serializer_class = JobDetail

    def get_queryset(self) -> QuerySet[Any]:
        attempts = Prefetch("attempts", queryset=Attempt.objects.order_by("id"))
        return Job.objects.visible_to(self.request.user).with_names().prefetch_related(attempts)


class JobRow(_Job, Row):
    pass


VERBS: dict[str, Verb] = {
    "cancel": job_service.cancel,
    "retry": job_service.retry,
    "run-now": job_service.run_now,
    "confirm": job_service.confirm,
    "publish-again": job_service.publish_again,
    "dismiss": job_service.dismiss,
    "publish-now": recovery.publish_now,
    "reslot": recovery.reslot,
    "discard": recovery.discard,
    "look-again": recovery.look_again,
    "undo": recovery.undo,
    "take-down": afterwards.take_down,
    "amend": afterwards.amend,
}


class JobVerb(_Job, VerbDoor):
    fields: ClassVar[dict[str, type[Input]]] = {"confirm": Confirmation, "reslot": NewTime}

    def act(self, row: Job, given: dict[str, Any]) -> Response:
        if self.verb == "reslot":
            zone = given.pop("timezone") or row.schedule.timezone
            given = {**given, "at": instant(given["at"], zone, self.now)}
        VERBS[self.verb](job=row, actor=self.actor, now=self.now, **given)
        return self.answer(self.find(row.public_id))


class Figures(VerbDoor):
    """GET: the readings so far, the newest first. POST: ask the platform now, then the same."""

    serializer_class = JobFigures

    def get_queryset(self) -> QuerySet[Any]:
        return Job.objects.visible_to(self.request.user).with_names()

    def get(self, request: Request, public_id: UUID) -> Response:
        return self.answer(self.find(public_id))

    def act(self, row: Job, given: dict[str, Any]) -> Response:
        afterwards.refresh_figures(jobs=[row], now=self.now)
        return self.answer(row)
