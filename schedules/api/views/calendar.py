"""What stands on the calendar between two times; where a post could go, and moving it there."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action
from schedules.api.serializers import calendar as words
from schedules.api.serializers.shapes import both
from schedules.api.views.door import Door
from schedules.domain import localtime
from schedules.reads import calendar
from schedules.services import moving


class Calendar(Door):
    """The posts of a span of at most 62 days, in the order of their times."""

    query_names = words.NAMES
    query_input = words.Span
    answers: ClassVar[dict[str, Any]] = {"get": words.CalendarSpan}

    def get(self, request: Request) -> Response:
        values, wanted = words.span(request.query_params.dict())
        workspace = self.workspace_of(values["workspace"] or None)
        zone = values["timezone"] or self.own_zone
        found = calendar.events(
            workspace, start=values["since"], end=values["until"], zone=zone, now=self.now, wanted=wanted
        )
        return Response({"timezone": zone, "results": words.event_words(found, zone)})


class _OneEvent(Door):
    def event(self, workspace: Workspace, key: str, zone: str) -> calendar.Event:
        found = calendar.one(workspace, key, zone=zone, now=self.now)
        if found is None:
            raise Http404
        return found


class CalendarMove(_OneEvent):
    """Give a post another time. A time of a rule wants `scope`: one, following or all."""

    answers: ClassVar[dict[str, Any]] = {"post": words.MovedEvent}

    def post(self, request: Request, key: str) -> Response:
        given = self.read(words.MoveInput)
        workspace = self.workspace_of(given["workspace"])
        zone = given["timezone"] or self.own_zone
        self.event(workspace, key, zone)
        self.require(Action.WRITE, workspace)
        moved = moving.move(
            workspace=workspace,
            key=key,
            to_local=words.wall_clock(given["at"], zone),
            zone=zone,
            version=given["version"],
            scope=given["scope"],
            actor=self.actor,
            now=self.now,
            person=self.person,
        )
        [event] = words.event_words([moved.event], zone)
        return Response(
            {**event, **both("was_at", moved.old, zone), "scope": moved.scope, "accounts_moved": moved.accounts,
             "left_out": moved.left_out, "note": moved.note}
        )  # fmt: skip


class CalendarCheck(_OneEvent):
    """What a post would stand too close to at a time, and the next free times beside it. Moves nothing."""

    answers: ClassVar[dict[str, Any]] = {"post": words.TimeChecked}

    writes: ClassVar[bool] = False

    def post(self, request: Request, key: str) -> Response:
        given = self.read(words.TimeInput)
        workspace = self.workspace_of(given["workspace"])
        zone = given["timezone"] or self.own_zone
        self.event(workspace, key, zone)
        local = words.wall_clock(given["at"], zone)
        at = localtime.local_time(local, zone, local.fold).at
        near = moving.near(workspace, key, at, zone=zone, now=self.now)
        free = moving.free(workspace, key, at, zone=zone, now=self.now) if near else []
        return Response(
            {
                **both("at", at, zone),
                "note": moving.note(local, zone),
                "past": at <= self.now,
                "conflicts": words.event_words(near, zone),
                "free": [both("at", item, zone) for item in free],
            }
        )
