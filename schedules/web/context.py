"""What the frame around every page shows, as one lazy object: a fragment that needs none of it asks no query for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces.middleware import SESSION_KEY
from alwrity_scheduler.workspaces.models import Workspace
from alwrity_scheduler.workspaces.roles import Action, allows
from schedules.models import EngineControl, Job, Worker
from schedules.reads import reviews
from schedules.reads.alarms import SILENT_AFTER, oldest_due
from schedules.reads.queue import oldest_due_at
from schedules.web import navigation


@dataclass(frozen=True, slots=True)
class Paused:
    everything: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class EngineState:
    """The scheduler in a few words; `tone` is good, warn or bad."""

    tone: str
    icon: str
    words: str
    detail: str


@dataclass(frozen=True, slots=True)
class May:
    """What the person may do in the current workspace, for templates: verbs they may not use are not shown."""

    write: bool
    operate: bool
    accounts: bool
    members: bool
    everything: bool


class Shell:
    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.user = getattr(request, "user", None)
        self.signed_in = bool(self.user and self.user.is_authenticated)

    @cached_property
    def now(self) -> datetime:
        return clock.now()

    @cached_property
    def workspaces(self) -> list[Workspace]:
        return list(Workspace.objects.visible_to(self.user).order_by("id")) if self.signed_in else []

    @cached_property
    def workspace(self) -> Workspace | None:
        """The workspace chosen in this session, else the first of this person's."""
        chosen = self.request.session.get(SESSION_KEY)
        return next(
            (room for room in self.workspaces if room.pk == chosen), self.workspaces[0] if self.workspaces else None
        )

    @cached_property
    def _roles(self) -> dict[int, str]:
        return dict(self.user.memberships.values_list("workspace_id", "role")) if self.user else {}

    @cached_property
    def role(self) -> str:
        if not self.signed_in or self.user is None or self.workspace is None:
            return ""
        return "owner" if self.user.is_superuser else self._roles.get(self.workspace.pk, "")

    @cached_property
    def may(self) -> May:
        return May(
            write=allows(self.role, Action.WRITE),
            operate=allows(self.role, Action.OPERATE),
            accounts=allows(self.role, Action.ACCOUNTS),
            members=allows(self.role, Action.MEMBERS),
            everything=bool(self.user and self.user.is_superuser),
        )

    @cached_property
    def may_watch(self) -> bool:
        """May they see the figures of the whole installation?"""
        return bool(self.user and (self.user.is_staff or self.user.is_superuser))

    @cached_property
    def needs_you(self) -> int:
        return Job.objects.filter(workspace=self.workspace).needing_a_person().count() if self.workspace else 0

    @cached_property
    def reviews_waiting(self) -> int:
        return reviews.waiting_for(self.user, self.workspace) if self.user and self.workspace else 0

    @cached_property
    def navigation(self) -> list[navigation.Group]:
        return navigation.groups(self, self.request.path)

    @cached_property
    def nav(self) -> str:
        return next((link.name for group in self.navigation for link in group.entries if link.current), "")

    @cached_property
    def paused(self) -> Paused | None:
        control = EngineControl.objects.filter(pk=1).first()
        if control and control.paused_at:
            return Paused(True, control.paused_at)
        if self.workspace and self.workspace.paused_at:
            return Paused(False, self.workspace.paused_at)
        return None

    @cached_property
    def workers(self) -> list[Worker]:
        return list(Worker.objects.order_by("-beat_at", "-id")[:20])

    @property
    def shown_workers(self) -> list[Worker]:
        """Those that have not been stopped; else the one that was there last."""
        return [row for row in self.workers if row.stopped_at is None][:5] or self.workers[:1]

    @cached_property
    def engine(self) -> EngineState:
        beating = [row for row in self.workers if row.stopped_at is None and self.now - row.beat_at < SILENT_AFTER]
        if self.paused and self.paused.everything:
            return EngineState("warn", "pause", _("Everything paused"), _("Nothing is being published."))
        if beating and (late := oldest_due(oldest_due_at(self.now), paused=False, now=self.now)):
            return EngineState("bad", "warning", _("Posts are late"), late.words)
        if beating:
            return EngineState(
                "good",
                "st-published",
                _("Scheduler running"),
                _("Its last sign of life is less than a minute and a half old."),
            )
        if self.workers and self.workers[0].stopped_at:
            return EngineState(
                "bad",
                "warning",
                _("Scheduler stopped"),
                _("The scheduler was stopped; due posts wait until one is started."),
            )
        if self.workers:
            return EngineState(
                "bad", "warning", _("Scheduler silent"), _("No scheduler has been heard of lately; due posts wait.")
            )
        return EngineState(
            "bad",
            "warning",
            _("Scheduler not running"),
            _("No scheduler is running; due posts wait until one is started."),
        )


def shell_of(request: HttpRequest) -> Shell:
    """One shell a request, so that a view and its templates ask each thing once."""
    found = getattr(request, "_shell", None)
    if found is None:
        found = Shell(request)
        request._shell = found  # type: ignore[attr-defined]
    return found


def shell(request: HttpRequest) -> dict[str, Any]:
    """Template context processor."""
    return {"shell": shell_of(request)}
