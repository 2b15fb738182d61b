"""What the frame around every page shows, as one lazy object: a fragment that needs none of it asks no query for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core import clock
from alwrity_scheduler.workspaces.middleware import SESSION_KEY
from alwrity_scheduler.workspaces.models import ROLE_WORDS, Membership, Workspace
from alwrity_scheduler.workspaces.roles import Action, Role, allows
from schedules.models import Worker
from schedules.reads import reviews
from schedules.reads.alarms import oldest_due
from schedules.reads.frame import Frame, frame
from schedules.web import catalogue, locale, navigation, shortcuts
from schedules.web.navigation import Link
from schedules.web.navigation import tabs as phone_tabs


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
    integrate: bool
    audit: bool


class Shell:
    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.user = getattr(request, "user", None)
        self.signed_in = bool(self.user and self.user.is_authenticated)

    @cached_property
    def now(self) -> datetime:
        return clock.now()

    @cached_property
    def _rooms(self) -> list[tuple[Workspace, str]]:
        """The person's workspaces with their role in each, in one query."""
        if not self.signed_in or self.user is None:
            return []
        if self.user.is_superuser:
            return [(room, Role.OWNER) for room in Workspace.objects.visible_to(self.user).order_by("id")]
        own = Membership.objects.filter(user=self.user).visible_to(self.user).select_related("workspace")
        return [(row.workspace, row.role) for row in own.order_by("workspace_id")]

    @cached_property
    def workspaces(self) -> list[Workspace]:
        return [room for room, _role in self._rooms]

    @cached_property
    def workspace(self) -> Workspace | None:
        """The workspace chosen in this session, else the first of this person's."""
        chosen = self.request.session.get(SESSION_KEY)
        return next(
            (room for room in self.workspaces if room.pk == chosen), self.workspaces[0] if self.workspaces else None
        )

    def role_in(self, workspace: Workspace) -> str:
        """Empty for a stranger."""
        return next((role for room, role in self._rooms if room.pk == workspace.pk), "")

    @cached_property
    def role(self) -> str:
        return "" if self.workspace is None else self.role_in(self.workspace)

    @cached_property
    def role_word(self) -> str:
        return str(ROLE_WORDS[Role(self.role)]) if self.role else ""

    @cached_property
    def may(self) -> May:
        return May(
            write=allows(self.role, Action.WRITE),
            operate=allows(self.role, Action.OPERATE),
            accounts=allows(self.role, Action.ACCOUNTS),
            members=allows(self.role, Action.MEMBERS),
            everything=bool(self.user and self.user.is_superuser),
            integrate=allows(self.role, Action.INTEGRATE),
            audit=allows(self.role, Action.AUDIT),
        )

    @cached_property
    def may_watch(self) -> bool:
        """May they see the figures of the whole installation?"""
        return bool(self.user and (self.user.is_staff or self.user.is_superuser))

    @cached_property
    def frame(self) -> Frame | None:
        return frame(self.workspace, self.now, person=self.user) if self.workspace else None

    @property
    def needs_you(self) -> int:
        return self.frame.needs_you if self.frame else 0

    @cached_property
    def reviews_waiting(self) -> int:
        """How many reviews this person can answer. Who may is looked up only where some wait."""
        if not self.user or not self.workspace or not self.frame or not self.frame.reviews_waiting:
            return 0
        return reviews.waiting_for(self.user, self.workspace)

    @cached_property
    def navigation(self) -> list[navigation.Group]:
        return navigation.groups(self, self.request.path)

    @property
    def here(self) -> str:
        """Where a choice of the frame leads back to. What a platform answered at the end of a sign-in stays out of the page."""
        secret = self.request.path == reverse("oauth_callback")
        return reverse("home") if secret else self.request.get_full_path()

    @cached_property
    def tabs(self) -> list[Link]:
        return phone_tabs(self, self.navigation)

    @cached_property
    def nav(self) -> str:
        return next((link.name for group in self.navigation for link in group.entries if link.current), "")

    @cached_property
    def paused(self) -> Paused | None:
        if self.frame and self.frame.everything_paused_at:
            return Paused(True, self.frame.everything_paused_at)
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
        seen = self.frame
        if seen and seen.everything_paused_at:
            return EngineState("warn", "pause", _("Everything paused"), _("Nothing is being published."))
        if seen and seen.alive:
            late = oldest_due(seen.oldest_due_at, paused=False, now=self.now)
            if late:
                return EngineState("bad", "warning", _("Posts are late"), late.words)
            words = _("Its last sign of life is less than a minute and a half old.")
            return EngineState("good", "st-published", _("Scheduler running"), words)
        if seen and seen.stopped_at:
            words = _("The scheduler was stopped; due posts wait until one is started.")
            return EngineState("bad", "warning", _("Scheduler stopped"), words)
        if seen and seen.known:
            words = _("No scheduler has been heard of lately; due posts wait.")
            return EngineState("bad", "warning", _("Scheduler silent"), words)
        words = _("No scheduler is running; due posts wait until one is started.")
        return EngineState("bad", "warning", _("Scheduler not running"), words)

    @cached_property
    def languages(self) -> list[tuple[str, str]]:
        """(code, the language's own name)."""
        return [(code, str(name)) for code, name in settings.LANGUAGES]

    @property
    def theme(self) -> str:
        return getattr(self.user, "theme", "") or "auto"

    @property
    def keys(self) -> str:
        """`on` or `off`: do single letters act?"""
        return "on" if getattr(self.user, "single_keys", True) else "off"

    @property
    def density(self) -> str:
        return getattr(self.user, "density", "") or "comfortable"

    @property
    def hours(self) -> str:
        return locale.hour_cycle()

    @property
    def week_start(self) -> int:
        return locale.first_weekday()

    @property
    def catalogue(self) -> str:
        """The address of the scripts' words in the active language."""
        return catalogue.address()

    @cached_property
    def shortcuts(self) -> list[shortcuts.Group]:
        return shortcuts.groups()


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
