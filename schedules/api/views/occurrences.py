"""Single times of a schedule: look, leave out, move, put back, change it and what follows; its history; how its post looks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from platforms.models import PlatformAccount
from schedules.api.problems import renamed
from schedules.api.serializers import occurrences as words
from schedules.api.serializers.calendar import MovedEvent, event_words, wall_clock
from schedules.api.serializers.content import draft, draft_of
from schedules.api.serializers.jobs import AttemptShown, attempt_words
from schedules.api.serializers.preflight import targets_of
from schedules.api.serializers.rules import RuleTimes, Written, time_words
from schedules.api.serializers.schedules import ScheduleAnswer, plan, schedule_problem
from schedules.api.serializers.shapes import Empty, Input, both
from schedules.api.serializers.slots import instant
from schedules.api.views.asked import AskedDoor
from schedules.api.views.connecting import OfWorkspace
from schedules.api.views.door import PAGING, Door, VerbDoor
from schedules.api.views.preflight import Looks
from schedules.api.views.schedules import ScheduleRows, asked_count
from schedules.domain import localtime, recurrence
from schedules.models import Attempt, AuditLog, Job, Schedule
from schedules.models.schedules import Target
from schedules.reads import cards, unscheduled
from schedules.services import content as content_service
from schedules.services import lifecycle, link_cards, moving
from schedules.services.materialise import rule_of


class Occurrences(ScheduleRows, AskedDoor):
    """The times of a schedule from `since` (now) on, up to `until`, by its rule and the edits of single times, in any state."""

    answers: ClassVar[dict[str, Any]] = {"get": RuleTimes}

    area: ClassVar[str] = "schedules"
    asked: ClassVar[type[Input]] = words.Span

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        given = self.query()
        count = asked_count(given["count"])
        try:
            times = recurrence.occurrences(
                rule_of(row), start=given["since"] or self.now, end=given["until"], count=count
            )
            found = list(times)
        except recurrence.RuleRefused:
            found = []
        return Response({"timezone": row.timezone, "results": [time_words(one, row.timezone) for one in found]})


class OccurrenceVerb(ScheduleRows):
    """POST on one time of a rule, named by its wall clock as `nominal_local` of the occurrences has it."""

    area: ClassVar[str] = "schedules"
    verb: str = ""

    def post(self, request: Request, public_id: UUID, nominal: str) -> Response:
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        at = nominal_of(nominal, row)
        with renamed(words.occurrence_problem):
            self._act(row, at)
        return self.answer(self.find(public_id))

    def _act(self, row: Schedule, at: datetime) -> None:
        who: dict[str, Any] = {"actor": self.actor, "now": self.now}
        if self.verb == "move":
            given = self.read(words.NewOccurrenceTime)
            # the rule's own clock, whatever clock the time was written by
            zone = given["timezone"] or row.timezone
            local = localtime.wall_clock(instant(given["at"], zone), localtime.zone(row.timezone))
            lifecycle.move_occurrence(schedule=row, nominal_local=at, to_local=local, **who)
            return
        self.read(Empty)
        verbs: dict[str, Callable[..., Schedule]] = {
            "skip": lifecycle.skip_occurrence,
            "restore": lifecycle.restore_occurrence,
        }
        verbs[self.verb](schedule=row, nominal_local=at, **who)


OCCURRENCE_VERBS = ("skip", "move", "restore")


def nominal_of(text: str, row: Schedule) -> datetime:
    """The time that an address names, on the schedule's wall clock. 404 where it names none."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            at = at.astimezone(ZoneInfo(row.timezone)).replace(tzinfo=None, fold=0)
    except (ValueError, OverflowError):
        raise Http404 from None
    if not localtime.FIRST_YEAR <= at.year <= localtime.LAST_YEAR:
        raise Http404
    return at


class Following(ScheduleRows):
    """POST of a change from one time of the rule on: the schedule ends before it, a new one goes on from there."""

    answers: ClassVar[dict[str, Any]] = {"post": {201: ScheduleAnswer}}

    area: ClassVar[str] = "schedules"

    def post(self, request: Request, public_id: UUID, nominal: str) -> Response:
        row = self.find(public_id)
        self.require(Action.WRITE, row.workspace)
        at = nominal_of(nominal, row)
        given = self.read(words.Following, instance=row)
        rule = given.get("rule")
        if rule is not None and rule["kind"] != "once" and rule["start"] is None:
            rule["start"] = Written(at)
        with renamed(words.occurrence_problem):
            base = lifecycle.plan_from(row, at)
        wanted = plan(given, base, home_zone=row.timezone, now=self.now)
        changed = given.get("content", {})
        old = draft_of(row.content)
        if changed.get("version", row.content.version) != row.content.version:
            raise content_service.stale("content")
        new = draft(changed, old)
        rename = schedule_problem(wanted.rule_kind)
        with renamed(lambda problem: rename(words.occurrence_problem(problem))):
            twin = lifecycle.split(
                schedule=row,
                nominal_local=at,
                plan=wanted,
                version=given["version"],
                actor=self.actor,
                now=self.now,
                draft=None if new == old else new,
                person=self.person,
            )
        where = reverse("api:schedule", args=[twin.public_id])
        return self.answer(self.find(twin.public_id), status=201, headers={"Location": where})


class Exceptions(ScheduleRows):
    """The times of the rule that were left out or moved, the earliest first."""

    answers: ClassVar[dict[str, Any]] = {"get": words.ExceptionsShown}

    area: ClassVar[str] = "schedules"

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        found = sorted(row.exceptions.all(), key=lambda item: item.nominal_local)
        return Response(
            {"timezone": row.timezone, "results": [words.exception_words(item, row.timezone) for item in found]}
        )


class History(Door):
    """What was done to a schedule and its post, the newest first, value by value."""

    area: ClassVar[str] = "schedules"
    serializer_class = words.HistoryAnswer

    def known_names(self) -> frozenset[str]:
        return PAGING

    def get_queryset(self) -> QuerySet[Any]:
        return Schedule.objects.visible_to(self.request.user).select_related("content")

    def get_serializer_context(self) -> dict[str, Any]:
        zones = Workspace.objects.visible_to(self.request.user).order_by().values_list("pk", "timezone")
        return {**super().get_serializer_context(), "zones": dict(zones)}

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        rows = AuditLog.objects.visible_to(request.user).filter(
            Q(object_type="schedule", object_id=str(row.public_id))
            | Q(object_type="content", object_id=str(row.content.public_id))
        )
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class Preview(ScheduleRows):
    """How the stored post looks on each of its accounts."""

    answers: ClassVar[dict[str, Any]] = {"get": words.CardsShown}

    area: ClassVar[str] = "schedules"

    def get_queryset(self) -> QuerySet[Any]:
        targets = Target.objects.select_related("account").order_by("id")
        rows = Schedule.objects.visible_to(self.request.user).select_related("workspace", "content__campaign")
        return rows.prefetch_related(Prefetch("targets", targets), "content__variants", "content__media_links__asset")

    def get(self, request: Request, public_id: UUID) -> Response:
        row = self.find(public_id)
        targets = [(item.account, item.title, item.text) for item in row.targets.all()]
        found = cards.of_content(row.workspace, draft_of(row.content), targets, self.now)
        return Response({"results": words.card_words(found.cards)})


class Unscheduled(AskedDoor):
    """Drafts whose times have gone by, among the latest schedules of a workspace: what waits for a new time."""

    area: ClassVar[str] = "schedules"
    answers: ClassVar[dict[str, Any]] = {"get": words.UnscheduledShown}
    asked: ClassVar[type[Input]] = OfWorkspace

    def get(self, request: Request) -> Response:
        workspace = self.workspace_of(self.query()["workspace"])
        seen = set(self.account_ids(workspace))
        rows = [row for row in unscheduled.unscheduled(workspace, self.now) if row.account_id in seen]
        return Response({"results": [words.unscheduled_words(row, self.own_zone) for row in rows]})


class LinkCard(Door):
    """POST of a `url`: what the page says of itself, for the preview of a link. The page is read, and kept for a while."""

    area: ClassVar[str] = "content"
    answers: ClassVar[dict[str, Any]] = {"post": words.LinkCardShown}
    writes: ClassVar[bool] = False
    reaches_out: ClassVar[bool] = True

    def post(self, request: Request) -> Response:
        given = self.read(words.LinkInput)
        self.require(Action.WRITE, self.workspace_of(given["workspace"]))
        card = link_cards.fetch(given["url"])
        return Response(
            {
                "url": card.url,
                "site": card.site,
                "title": card.title,
                "description": card.description,
                "has_image": card.has_image,
                "trouble": card.trouble,
            }
        )


class ContentPreview(Looks):
    """POST of content and accounts: how the post would look on each. Stores nothing."""

    area: ClassVar[str] = "content"
    answers: ClassVar[dict[str, Any]] = {"post": words.CardsShown}
    writes: ClassVar[bool] = False

    def post(self, request: Request) -> Response:
        workspace, content, wanted = self.asked_for(self.read(words.PreviewOfContent))
        ids = [target.account_id for target in wanted]
        visible = PlatformAccount.objects.visible_to(request.user).filter(workspace=workspace, public_id__in=ids)
        rows = {str(row.public_id): row for row in visible}
        targets = [(rows[item.account_id], item.title, item.text) for item in wanted if item.account_id in rows]
        return Response({"results": words.card_words(cards.of_content(workspace, content, targets, self.now).cards)})


class Clone(ScheduleRows, VerbDoor):
    """A draft like it, on the same accounts or on others."""

    answers: ClassVar[dict[str, Any]] = {"post": {201: ScheduleAnswer}}

    area: ClassVar[str] = "schedules"
    verb = "clone"
    action: ClassVar[Action] = Action.WRITE
    fields: ClassVar[dict[str, type[Input]]] = {"clone": words.CloneInput}

    def act(self, row: Schedule, given: dict[str, Any]) -> Response:
        targets = targets_of(given["accounts"]) if "accounts" in given else None
        twin = lifecycle.clone(schedule=row, actor=self.actor, now=self.now, person=self.person, targets=targets)
        where = reverse("api:schedule", args=[twin.public_id])
        return self.answer(self.find(twin.public_id), status=201, headers={"Location": where})


# ---- one post that stands as a job


class _Jobs(Door):
    area: ClassVar[str] = "jobs"

    def get_queryset(self) -> QuerySet[Any]:
        return Job.objects.visible_to(self.request.user).with_names()


class JobMove(_Jobs):
    """POST of another time for a post that is not out: alone, or with what follows in its rule."""

    answers: ClassVar[dict[str, Any]] = {"post": MovedEvent}

    def post(self, request: Request, public_id: UUID) -> Response:
        job = self.find(public_id)
        self.require(Action.WRITE, job.workspace)
        given = self.read(words.JobMove)
        zone = given["timezone"] or job.schedule.timezone
        moved = moving.move(
            workspace=job.workspace,
            key=f"j{job.pk}",
            to_local=wall_clock(given["at"], zone),
            zone=zone,
            version=given.get("version") or job.schedule.version,
            scope=given["scope"],
            actor=self.actor,
            now=self.now,
            person=self.person,
        )
        [event] = event_words([moved.event], zone)
        return Response(
            {
                **event,
                **both("was_at", moved.old, zone),
                "scope": moved.scope,
                "accounts_moved": moved.accounts,
                "left_out": moved.left_out,
                "note": moved.note,
            }
        )


class JobAttempts(_Jobs):
    """Every call that was made for a post, the newest first."""

    answers: ClassVar[dict[str, Any]] = {"get": AttemptShown}

    def known_names(self) -> frozenset[str]:
        return PAGING

    def get(self, request: Request, public_id: UUID) -> Response:
        job = self.find(public_id)
        page = self.paginate_queryset(Attempt.objects.filter(job=job)) or []
        return self.get_paginated_response([attempt_words(item, job.schedule.timezone) for item in page])
