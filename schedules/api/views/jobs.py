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
from schedules.api.serializers.recovery import JobResults, NewTime, instant, result_words
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
    """One verb on the named jobs, or on all that match; answers job by job, the earliest first."""

    answers: ClassVar[dict[str, Any]] = {"post": JobResults}

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
    words: ClassVar[dict[str, str]] = {
        "cancel": "End a job that has not gone out.",
        "retry": "Send a failed or missed post at once, with all its attempts anew.",
        "run-now": "Send a post now that would go out later.",
        "confirm": "It is there: an unconfirmed post is completed, and `remote_url` is its address.",
        "publish-again": "It is not there: send an unconfirmed post a second time.",
        "dismiss": "Give an unconfirmed post up: it counts as failed and is not published again.",
        "publish-now": "Send it at once, also where only its schedule's pause holds it.",
        "reslot": "Give it a new time.",
        "discard": "End it; an unconfirmed post counts as failed.",
        "look-again": "Ask the platform again whether an unconfirmed post is there.",
        "undo": "Take back what a person did last, as long as nothing has happened to the post since.",
        "take-down": "Delete the post at the platform. The job stays completed.",
        "amend": "Give the post at the platform the content's present words.",
    }
    fields: ClassVar[dict[str, type[Input]]] = {"confirm": Confirmation, "reslot": NewTime}
    reaching: ClassVar[frozenset[str]] = frozenset({"take-down", "amend"})

    def act(self, row: Job, given: dict[str, Any]) -> Response:
        if self.verb == "reslot":
            zone = given.pop("timezone") or row.schedule.timezone
            given = {**given, "at": instant(given["at"], zone, self.now)}
        VERBS[self.verb](job=row, actor=self.actor, now=self.now, **given)
        return self.answer(self.find(row.public_id))


class Figures(VerbDoor):
    """What a post has reached, as the platform counts it."""

    serializer_class = JobFigures
    reaches_out: ClassVar[bool] = True

    def get_queryset(self) -> QuerySet[Any]:
        return Job.objects.visible_to(self.request.user).with_names()

    words: ClassVar[dict[str, str]] = {"figures": "Ask the platform now, and show all readings, the newest first."}

    def get(self, request: Request, public_id: UUID) -> Response:
        """The readings so far, the newest first."""
        return self.answer(self.find(public_id))

    def act(self, row: Job, given: dict[str, Any]) -> Response:
        afterwards.refresh_figures(jobs=[row], now=self.now)
        return self.answer(row)
