"""Lists as files, with the filters that the lists take, written while they are read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from rest_framework.request import Request

from alwrity_scheduler.core.errors import Problem, Refused
from platforms.registry import adapters
from schedules.api.serializers import calendar as calendar_words
from schedules.api.serializers import exports as words
from schedules.api.serializers.shapes import Input
from schedules.api.views.asked import AskedDoor
from schedules.api.views.door import Door, Rows
from schedules.filters import JobFilter, ScheduleFilter
from schedules.models import Job, Schedule
from schedules.reads import calendar, exports

MOST_JOBS = 50_000
# a file that is no JSON, as JSON Schema
TEXT: dict[str, Any] = {"type": "string"}


def file(parts: Iterable[Any], kind: str, name: str) -> HttpResponseBase:
    """A file to be saved. `kind`: one of `exports.TYPES`."""
    return StreamingHttpResponse(
        parts,
        content_type=exports.TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"},
    )


class AnyKind(Door):
    """Answers with files: `format` is a parameter of ours, and REST framework's own look at it and at Accept is left out."""

    kinds: ClassVar[tuple[str, ...]] = ("csv", "json")

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        renderer = self.get_renderers()[0]
        return renderer, str(renderer.media_type)

    def kind(self) -> str:
        wanted = self.request.query_params.get("format", self.kinds[0])
        if wanted not in self.kinds:
            words = f"Choose one of {', '.join(self.kinds)}."
            raise Refused(Problem(field="format", message=words, code="invalid_choice"))
        return wanted


class _ListAsFile(AnyKind, Rows):
    """A list's rows, the newest first, all of them and not a page."""

    most: ClassVar[int | None] = None
    heads: ClassVar[tuple[str, ...]]
    called: ClassVar[str]

    def known_names(self) -> frozenset[str]:
        return frozenset({"workspace", "format"}) | frozenset(self.filterset_class.base_filters)

    def get(self, request: Request) -> HttpResponseBase:  # type: ignore[override]
        kind = self.kind()
        rows = self.filter_queryset(self.get_queryset())
        if named := request.query_params.get("workspace"):
            rows = rows.filter(workspace=self.workspace_of(named))
        ids = list(rows.order_by(*self.order()).values_list("pk", flat=True)[: self.most])
        found = self.rows(ids, self.now)
        parts = exports.as_csv(found, self.heads) if kind == "csv" else exports.as_json(found)
        return file(parts, kind, f"{self.called}-{self.now:%Y-%m-%d}")

    def order(self) -> tuple[str, ...]:
        return ("-id",)

    def rows(self, ids: list[int], now: datetime) -> Iterable[exports.Row]:
        raise NotImplementedError


class ScheduleExport(_ListAsFile):
    """The schedules that match, as CSV or JSON."""

    area: ClassVar[str] = "schedules"
    answers: ClassVar[dict[str, Any]] = {"get": {200: TEXT}}
    answers_as: ClassVar[dict[str, Any]] = {"text/csv": TEXT, "application/json": list[words.ScheduleLine]}
    filterset_class: ClassVar[Any] = ScheduleFilter
    called = "schedules"
    heads = (
        "id", "state", "title", "text", "accounts", "platforms", "content_type", "campaign", "labels", "tags", "description",
        "timezone", "next_run_at", "next_run_at_local", "priority", "owner", "last_result", "created_at",
    )  # fmt: skip

    def get_queryset(self) -> QuerySet[Any]:
        return Schedule.objects.visible_to(self.request.user)

    def rows(self, ids: list[int], now: datetime) -> Iterable[exports.Row]:
        return exports.schedules(ids, now=now, zone=ZoneInfo(self.own_zone))


class JobExport(_ListAsFile):
    """The jobs that match, as CSV or JSON: the newest 50,000 of them."""

    area: ClassVar[str] = "jobs"
    answers: ClassVar[dict[str, Any]] = {"get": {200: TEXT}}
    answers_as: ClassVar[dict[str, Any]] = {"text/csv": TEXT, "application/json": list[words.JobLine]}
    filterset_class: ClassVar[Any] = JobFilter
    most = MOST_JOBS
    called = "jobs"
    heads = (
        "id", "state", "title", "schedule", "account", "platform", "content_type", "scheduled_for", "started_at", "finished_at",
        "took_seconds", "attempt_count", "next_attempt_at", "reason", "error_class", "message", "remote_id", "remote_url",
    )  # fmt: skip

    def get_queryset(self) -> QuerySet[Any]:
        return Job.objects.visible_to(self.request.user)

    def order(self) -> tuple[str, ...]:
        """By the index of due times where a span of them is asked for."""
        asked = self.request.query_params
        return ("-scheduled_for", "-id") if asked.get("since") or asked.get("until") else ("-id",)

    def rows(self, ids: list[int], now: datetime) -> Iterable[exports.Row]:
        return exports.jobs(ids, now=now)


class CalendarExport(AnyKind, AskedDoor):
    """What stands on the calendar in a span, with the calendar's filters: iCalendar, CSV or JSON."""

    area: ClassVar[str] = "schedules"
    kinds: ClassVar[tuple[str, ...]] = ("ics", "csv", "json")
    query_input: ClassVar[type[Input]] = calendar_words.Span
    answers: ClassVar[dict[str, Any]] = {"get": {200: TEXT}}
    answers_as: ClassVar[dict[str, Any]] = {
        "text/calendar": TEXT, "text/csv": TEXT, "application/json": list[words.EventLine],
    }  # fmt: skip
    heads = (
        "key", "at", "at_local", "look", "title", "platform", "account", "content_type", "campaign", "recurring", "conflicts_with",
    )  # fmt: skip

    def known_names(self) -> frozenset[str]:
        return calendar_words.NAMES | {"format"}

    def get(self, request: Request) -> HttpResponseBase:
        kind = self.kind()
        given = request.query_params
        values, wanted = calendar_words.span({name: given[name] for name in given if name in calendar_words.NAMES})
        workspace = self.workspace_of(values["workspace"] or None)
        zone = values["timezone"] or self.own_zone
        seen = self.account_ids(workspace)
        found = calendar.events(
            workspace, start=values["since"], end=values["until"], zone=zone, now=self.now, wanted=wanted
        )
        found = [event for event in found if event.account_id in set(seen)]
        name = f"calendar-{values['since']:%Y-%m-%d}"
        if kind == "csv":
            return file(exports.as_csv(exports.events(found), self.heads), kind, name)
        if kind == "json":
            return file(exports.as_json(exports.events(found)), kind, name)
        labels = {key: adapter.label for key, adapter in adapters.items()}
        said = exports.Said(
            look=str.capitalize,
            platform=lambda key: str(labels.get(key, key)),
            url=lambda key: reverse("web:event", args=[key]),
            untitled="Untitled",
        )
        parts = exports.icalendar(found, name=workspace.name, now=self.now, site=settings.PUBLIC_URL, said=said)
        return file(parts, kind, name)
