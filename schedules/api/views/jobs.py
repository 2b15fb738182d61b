"""Jobs: list, one with all its attempts, and a person's verbs on one."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.roles import Action
from schedules.api.serializers.jobs import Confirmation, JobAnswer, JobDetail, JobFigures, JobsInput
from schedules.api.serializers.recovery import NewTime, instant, result_words
from schedules.api.serializers.shapes import Input
from schedules.api.views.door import Door, Row, Rows, Verb, VerbDoor
from schedules.domain.recovery import Verb as ManyVerb
from schedules.domain.states import JobState
from schedules.filters import JobFilter
from schedules.models import Attempt, Job
from schedules.services import afterwards, recovery
from schedules.services import jobs as job_service


class JobList(Rows):
    serializer_class = JobAnswer
    filterset_class: ClassVar[Any] = JobFilter
    orderings: ClassVar[dict[str, tuple[str, ...]]] = {"created": ("id",), "scheduled": ("scheduled_for", "id")}

    def get_queryset(self) -> QuerySet[Any]:
        return Job.objects.visible_to(self.request.user).with_names()

    def ordering(self) -> tuple[str, ...]:
        """Newest first, by what an index gives for what was asked: the runs of one schedule, or a span of times."""
        asked = self.request.query_params
        if asked.get("ordering", "").removeprefix("-") == "scheduled":
            # an index gives this order within one workspace; over several, everything would have to be sorted
            self.workspace_of(asked.get("workspace"))
        if "ordering" not in asked and asked.get("schedule"):
            return ("-run_at", "-id")
        if "ordering" not in asked and (asked.get("since") or asked.get("until")):
            return ("-scheduled_for", "-id")
        return super().ordering()


# the states that a verb means where a filter names none
MEANT: dict[str, tuple[JobState, ...]] = {
    ManyVerb.RETRY: (JobState.FAILED, JobState.MISSED),
    ManyVerb.CANCEL: (JobState.PENDING, JobState.BLOCKED, JobState.RUNNING),
}


class JobsBulk(Door):
    """POST of one verb on the named jobs, or on all that match; answers job by job, the earliest first."""

    def post(self, request: Request) -> Response:
        given = self.read(JobsInput)
        workspace = self.workspace_of(given["workspace"])
        self.require(Action.OPERATE, workspace)
        jobs = Job.objects.visible_to(request.user).filter(workspace=workspace)
        missing: list[str] = []
        if "ids" in given:
            ids = dict.fromkeys(given["ids"])
            chosen = jobs.filter(public_id__in=list(ids))
            there = set(chosen.values_list("public_id", flat=True))
            missing = [str(name) for name in ids if name not in there]
        else:
            chosen = _narrowed(jobs, given["filter"])
            if "state" not in given["filter"]:
                chosen = chosen.filter(state__in=MEANT[given["verb"]])
        order = recovery.Order(verb=ManyVerb(given["verb"]))
        return Response(
            result_words(recovery.many(order=order, chosen=chosen, actor=self.actor, now=self.now), missing)
        )


def _narrowed(jobs: Any, wanted: dict[str, str]) -> Any:
    """The jobs that the filter leaves. Refused where a name or a value is none of the list's, so that a slip acts on nothing."""
    unknown = sorted(set(wanted) - set(JobFilter.base_filters))
    found = JobFilter(wanted, jobs)
    problems = [
        Problem(field=f"filter.{name}", message=_("There is no such filter here."), code="unknown") for name in unknown
    ]
    problems += [
        Problem(field=f"filter.{name}", message=" ".join(str(words) for words in errors), code="invalid")
        for name, errors in found.form.errors.items()
    ]
    if problems:
        raise Refused(problems)
    return found.qs


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
    reaching: ClassVar[frozenset[str]] = frozenset({"take-down", "amend"})

    def act(self, row: Job, given: dict[str, Any]) -> Response:
        if self.verb == "reslot":
            zone = given.pop("timezone") or row.schedule.timezone
            given = {**given, "at": instant(given["at"], zone, self.now)}
        VERBS[self.verb](job=row, actor=self.actor, now=self.now, **given)
        return self.answer(self.find(row.public_id))


class Figures(VerbDoor):
    """GET: the readings so far, the newest first. POST: ask the platform now, then the same."""

    serializer_class = JobFigures
    reaches_out: ClassVar[bool] = True

    def get_queryset(self) -> QuerySet[Any]:
        return Job.objects.visible_to(self.request.user).with_names()

    def get(self, request: Request, public_id: UUID) -> Response:
        return self.answer(self.find(public_id))

    def act(self, row: Job, given: dict[str, Any]) -> Response:
        afterwards.refresh_figures(jobs=[row], now=self.now)
        return self.answer(row)
