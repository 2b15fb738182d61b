"""Schedules: list, make in one call, look at, change in part; the verbs on one; and when it runs next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from platforms.services.groups import expand
from schedules.api.problems import renamed
from schedules.api.serializers.backfill import BackfillInput, BackfillShown, backfill_words, instant
from schedules.api.serializers.content import draft, draft_of
from schedules.api.serializers.health import ScheduleHealthShown, health_words
from schedules.api.serializers.jobs import JobAnswer, JobsMade
from schedules.api.serializers.rules import (
    MOST_TIMES,
    PreviewInput,
    RulePreviewShown,
    plan_values,
    rule_problem,
    time_words,
)
from schedules.api.serializers.schedules import (
    NewSchedule,
    ScheduleAnswer,
    ScheduleChange,
    account_ids,
    plan,
    schedule_problem,
)
from schedules.api.serializers.shapes import Input
from schedules.api.views.door import Door, Row, Rows, Verb, VerbDoor
from schedules.filters import ScheduleFilter
from schedules.models import ContentItem, Job, Schedule
from schedules.reads import health, runs
from schedules.services import backfill as backfill_service
from schedules.services import content as content_service
from schedules.services import jobs as job_service
from schedules.services import lifecycle
from schedules.services import schedules as schedule_service
from schedules.services.plans import ContentDraft, SchedulePlan
from schedules.services.plans import rule_of as rule_of_plan

JOINED = ("workspace", "created_by", "content__workspace", "content__campaign", "content__created_by")
PARTS = ("targets__account", "exceptions", "content__variants", "content__media_links__asset")


class ScheduleRows(Door):
    """The schedules that the caller may see, with all that an answer shows."""

    serializer_class = ScheduleAnswer

    def get_queryset(self) -> QuerySet[Any]:
        rows = Schedule.objects.visible_to(self.request.user)
        return rows.select_related(*JOINED).prefetch_related(*PARTS)


class ScheduleList(ScheduleRows, Rows):
    filterset_class: ClassVar[Any] = ScheduleFilter

    def post(self, request: Request) -> Response:
        """Content, accounts and rule in one call. What is to be active must be something that each account takes."""
        given = self.read(NewSchedule)
        workspace = self.workspace_of(given.get("workspace"))
        self.require(Action.WRITE, workspace)
        content = stored_or_draft(request.user, given["content"], workspace)
        with_groups(given, workspace)
        wanted = plan(given, None, home_zone=home_zone(workspace, account_ids(given)), now=self.now)
        with renamed(schedule_problem(wanted.rule_kind)):
            made = schedule_service.create_schedule(
                workspace=workspace,
                content=content,
                plan=wanted,
                state=given["state"],
                actor=self.actor,
                now=self.now,
                person=self.person,
            )
        where = reverse("api:schedule", args=[made.public_id])
        return self.answer(self.find(made.public_id), status=201, headers={"Location": where})


def stored_or_draft(user: Any, given: Mapping[str, Any], workspace: Workspace) -> ContentItem | ContentDraft:
    """The content that is named by its id, or the one that is given. Refused where there is none of that id."""
    if "id" not in given:
        return draft(given)
    rows = ContentItem.objects.visible_to(user).filter(workspace=workspace, public_id=given["id"])
    found: ContentItem | None = rows.first()
    if found is None:
        words = "There is no content of this id in this workspace."
        raise Refused(Problem(field="content.id", message=words, code="not_found"))
    return found


def with_groups(given: dict[str, Any], workspace: Workspace) -> None:
    """Put the accounts of the chosen groups beside those that were named one by one; who is named keeps the words it was given."""
    named = {item["id"] for item in given["accounts"]}
    for account in expand(workspace=workspace, group_ids=given.get("account_groups", ())):
        if account.public_id not in named:
            given["accounts"].append({"id": account.public_id, "offset_seconds": 0, "title": None, "text": None})


def home_zone(workspace: Workspace, account_ids: list[UUID]) -> str:
    """The zone when the caller named none: the accounts' own where they agree, else the workspace's."""
    zones = set(
        PlatformAccount.objects.within(workspace).filter(public_id__in=account_ids).values_list("timezone", flat=True)
    )
    return zones.pop() if len(zones) == 1 else workspace.timezone


class ScheduleDetail(ScheduleRows, Row):
    def patch(self, request: Request, public_id: UUID) -> Response:
        """Change what is given. A `rule` and a list of `accounts` are replaced as a whole."""
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        given = self.read(ScheduleChange, instance=row)
        wanted = plan(given, schedule_service.plan_of(row), home_zone=row.timezone, now=self.now)
        with renamed(schedule_problem(wanted.rule_kind)):
            self._update(row, wanted, given)
        return self.answer(self.find(public_id))

    def _update(self, row: Schedule, wanted: SchedulePlan, given: Mapping[str, Any]) -> None:
        words, old = given.get("content", {}), draft_of(row.content)
        if words.get("version", row.content.version) != row.content.version:
            raise content_service.stale("content")
        new = draft(words, old)
        schedule_service.update_schedule(
            schedule=row,
            plan=wanted,
            version=given["version"],
            actor=self.actor,
            now=self.now,
            draft=None if new == old else new,
        )


class ScheduleHealth(ScheduleRows):
    """What became of its last runs, when it runs next, and what stands in its way."""

    answers: ClassVar[dict[str, Any]] = {"get": ScheduleHealthShown}

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        return Response({"timezone": row.timezone, **health_words(health.of_schedule(row, now=self.now), row.timezone)})


def asked_count(text: str | None) -> int:
    if text is None:
        return 5
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST_TIMES):
        raise Refused(Problem(field="count", message=f"Give a number from 1 to {MOST_TIMES}."))
    return int(text)


class RulePreview(Door):
    """When a rule would fire, before anything is stored."""

    answers: ClassVar[dict[str, Any]] = {"post": RulePreviewShown}
    writes: ClassVar[bool] = False

    def post(self, request: Request) -> Response:
        given = self.read(PreviewInput)
        home = self.workspace_of(given.get("workspace")).timezone if given.get("workspace") else self.own_zone
        values = plan_values(given["rule"], home_zone=home, now=self.now)
        with renamed(rule_problem(given["rule"]["kind"])):
            rule = rule_of_plan(SchedulePlan(**values))
        found = runs.next_runs(rule, now=self.now, count=given["count"])
        return Response(
            {
                "description": runs.words_of(rule),
                "timezone": rule.timezone,
                "results": [time_words(one, rule.timezone) for one in found],
            }
        )


VERBS: dict[str, Verb] = {
    "activate": lifecycle.activate,
    "pause": lifecycle.pause,
    "resume": lifecycle.resume,
    "archive": lifecycle.archive,
    "restore": lifecycle.restore,
}


class ScheduleVerb(ScheduleRows, VerbDoor):
    words: ClassVar[dict[str, str]] = {
        "activate": "Begin to publish by its rule.",
        "pause": "Publish nothing of it until it is resumed.",
        "resume": "Publish by its rule again. What fell into the pause is treated as `catch_up` says.",
        "archive": "End it. It stays to be looked at, and can be restored.",
        "restore": "Bring it back from the archive, as a draft or paused.",
    }

    def act(self, row: Schedule, given: dict[str, Any]) -> Response:
        with renamed(schedule_problem(row.rule_kind)):
            VERBS[self.verb](schedule=row, actor=self.actor, now=self.now)
        return self.answer(self.find(row.public_id))


class PublishNow(ScheduleRows, VerbDoor):
    """An extra run at once; answers with its jobs, one an account."""

    answers: ClassVar[dict[str, Any]] = {"post": {201: JobsMade}}

    def act(self, row: Schedule, given: dict[str, Any]) -> Response:
        with renamed(schedule_problem(row.rule_kind)):
            made = job_service.publish_now(schedule=row, actor=self.actor, now=self.now)
        jobs = (
            Job.objects.visible_to(self.request.user)
            .filter(pk__in=[job.pk for job in made])
            .with_names()
            .order_by("id")
        )
        return Response({"jobs": JobAnswer(jobs, many=True).data}, status=201)


class BackfillRuns(ScheduleRows, VerbDoor):
    """Past times that never went out: shown, or with `"preview": false` published as extra runs."""

    answers: ClassVar[dict[str, Any]] = {"post": {200: BackfillShown, 201: BackfillShown}}
    verb = "backfill"
    fields: ClassVar[dict[str, type[Input]]] = {"backfill": BackfillInput}

    def act(self, row: Schedule, given: dict[str, Any]) -> Response:
        window = {
            "start": instant(given["start"], row.timezone),
            "end": instant(given["end"], row.timezone),
            "gap_seconds": given["gap_seconds"],
        }
        if given["preview"]:
            found = backfill_service.look(schedule=row, **window, now=self.now)
            return Response(backfill_words(found, row, preview=True))
        rename = schedule_problem(row.rule_kind)
        with renamed(lambda problem: problem if problem.field in window else rename(problem)):
            made = backfill_service.run(schedule=row, **window, actor=self.actor, now=self.now)
        return Response(backfill_words(made, row, preview=False), status=201)
