"""Figures of how publishing went, and reports of it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.models import Workspace
from platforms.models import PlatformAccount
from schedules.api.serializers import analytics as words
from schedules.api.serializers.accounts import account_words
from schedules.api.serializers.shapes import Input, both
from schedules.api.views.asked import AskedDoor
from schedules.api.views.door import Rows
from schedules.api.views.exports import TEXT, AnyKind, file
from schedules.filters import PostFilter
from schedules.models import Job
from schedules.reads import analytics, board, exports
from schedules.reads.account_health import records


class _Figures(AskedDoor):
    area: ClassVar[str] = "analytics"
    asked: ClassVar[type[Input]] = words.Span

    def narrowed(self, workspace: Workspace, wanted: list[Any]) -> list[int] | None:
        """The numbers of the accounts that are counted; None where that is all there are."""
        if wanted:
            return self.account_ids(workspace, wanted)
        seen = self.account_ids(workspace)
        return None if len(seen) == PlatformAccount.objects.filter(workspace=workspace).count() else seen

    def accounts(self, workspace: Workspace) -> dict[int, PlatformAccount]:
        rows = PlatformAccount.objects.visible_to(self.request.user).filter(workspace=workspace)
        return {row.pk: row for row in rows.defer("credentials").order_by("platform", "name", "id")}


class Summary(_Figures):
    """What the dashboard says: what is planned, what went out, how much of it, and the load of the next fourteen days."""

    answers: ClassVar[dict[str, Any]] = {"get": words.SummaryShown}
    asked: ClassVar[type[Input]] = words.OfWorkspace

    def get(self, request: Request) -> Response:
        given = self.query()
        workspace = self.workspace_of(given["workspace"])
        zone = given["timezone"] or self.own_zone
        day = self.now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        figures = board.figures(workspace, now=self.now, day_start=day)
        load = board.load(workspace, zone=zone, now=self.now)
        return Response({"timezone": zone, **words.figure_words(figures, load, zone)})


class Executions(_Figures):
    """By hour or day: how many posts were due and what became of them, how late they began and how long they took."""

    answers: ClassVar[dict[str, Any]] = {"get": words.ExecutionsShown}
    asked: ClassVar[type[Input]] = words.SeriesSpan

    def get(self, request: Request) -> Response:
        given = self.query()
        workspace = self.workspace_of(given["workspace"])
        zone = given["timezone"] or self.own_zone
        found = analytics.series(
            workspace,
            since=given["since"],
            until=given["until"],
            bucket=given["bucket"],
            zone=zone,
            account_ids=self.narrowed(workspace, given["account"]),
        )
        shown = [words.slice_words(row, zone) for row in found]
        return Response({**_span(given, zone), "bucket": given["bucket"], "results": shown})


class Accounts(_Figures):
    """Account by account: what went out, what did not and why, and how late."""

    answers: ClassVar[dict[str, Any]] = {"get": words.AccountRecords}

    def get(self, request: Request) -> Response:
        given = self.query()
        workspace = self.workspace_of(given["workspace"])
        zone = given["timezone"] or self.own_zone
        rows = self.accounts(workspace)
        if given["account"]:
            wanted = set(self.account_ids(workspace, given["account"]))
            rows = {pk: row for pk, row in rows.items() if pk in wanted}
        found = records(workspace, list(rows), since=given["since"], until=given["until"])
        shown = [words.record_words(row, found[pk]) for pk, row in rows.items()]
        return Response({**_span(given, zone), "results": shown})


def _span(given: dict[str, Any], zone: str) -> dict[str, Any]:
    since, until = cast(datetime, given["since"]), cast(datetime, given["until"])
    return {"timezone": zone, **both("since", since, zone), **both("until", until, zone)}


class Posts(Rows):
    """The posts that are out, the newest first, with the last figures that their platforms told."""

    area: ClassVar[str] = "analytics"
    serializer_class = words.PostFigures
    filterset_class: ClassVar[Any] = PostFilter

    def get_queryset(self) -> QuerySet[Any]:
        return Job.objects.visible_to(self.request.user).filter(state="completed").with_names()

    def ordering(self) -> tuple[str, ...]:
        """Newest first, by the index of due times where a span of them is asked for."""
        asked = self.request.query_params
        if "ordering" not in asked and (asked.get("since") or asked.get("until")):
            return ("-scheduled_for", "-id")
        return super().ordering()

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        context = {**self.get_serializer_context(), "figures": analytics.latest_figures(list(args[0]))}
        return super().get_serializer(*args, **{**kwargs, "context": context})


class Activity(AnyKind, _Figures):
    """A report of a span: what went out and what did not, by account and day. `format`: json or csv."""

    answers: ClassVar[dict[str, Any]] = {"get": words.ActivityReport}
    answers_as: ClassVar[dict[str, Any]] = {"application/json": words.ActivityReport, "text/csv": TEXT}
    asked: ClassVar[type[Input]] = words.ReportSpan

    def get(self, request: Request) -> HttpResponseBase:
        given = self.query()
        workspace = self.workspace_of(given["workspace"])
        zone = given["timezone"] or self.own_zone
        days = analytics.activity(
            workspace,
            since=given["since"],
            until=given["until"],
            zone=zone,
            account_ids=self.narrowed(workspace, given["account"]),
        )
        rows = self.accounts(workspace)
        days = [row for row in days if row.account_id in rows]
        report = words.report_rows(days, rows)
        if given["format"] == "csv":
            name = f"activity-{given['since']:%Y-%m-%d}"
            return file(exports.as_csv(report, words.REPORT_HEADS), "csv", name)
        sums: dict[int, Counter[str]] = {}
        for day in days:
            sums.setdefault(day.account_id, Counter()).update(day.states)
        whole: Counter[str] = sum(sums.values(), Counter())
        return Response(
            {
                **_span(given, zone),
                **words.counts(whole),
                "success_rate": words.rate(whole),
                "accounts": [
                    {"account": account_words(rows[pk]), **words.counts(states), "success_rate": words.rate(states)}
                    for pk, states in sums.items()
                ],
                "results": report,
            }
        )
