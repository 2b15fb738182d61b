"""What people are writing keeps itself: the composer sends it here as they type. And the list of what they left half done."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import StaleVersion
from alwrity_scheduler.workspaces.roles import Action
from schedules.models import ComposerDraft, Schedule
from schedules.services import drafts
from schedules.web.gate import Visit, done, screen, show

NOT_KEPT = {
    "csrfmiddlewaretoken", "action", "draft", "draft_version", "force", "editing", "upload", "upload_alt", "upload_url", "media_q",
}  # fmt: skip


@screen("POST")
def keep(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Keep the form as it stands, whatever is wrong in it; 409 when another window has kept it in between."""
    schedule = None
    if editing := request.POST.get("editing", ""):
        rows = Schedule.objects.visible_to(visit.person).select_related("workspace")
        schedule = get_object_or_404(rows, public_id=editing)
    workspace = schedule.workspace if schedule else visit.workspace
    visit.require(Action.WRITE, workspace)
    data = {name: values for name, values in request.POST.lists() if name not in NOT_KEPT}
    version = request.POST.get("draft_version", "")
    context: dict[str, Any] = {"now": visit.now}
    status = 200
    try:
        context["draft"] = drafts.keep(
            person=visit.person,
            workspace=workspace,
            data=data,
            now=visit.now,
            public_id=_uuid(request.POST.get("draft", "")),
            version=int(version) if version.isdecimal() else 0,
            schedule=schedule,
            force=bool(request.POST.get("force")),
        )
    except StaleVersion as error:
        context |= {"conflict": " ".join(item.message for item in error.problems), "draft": _mine(visit, request)}
        status = 409
    response = render(request, "schedules/partials/_kept.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


@screen("GET", "HEAD")
def draft_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    visit.require(Action.WRITE)
    rows = ComposerDraft.objects.of(visit.person, visit.workspace).kept().select_related("schedule__content")
    context = {"title": _("Your drafts"), "drafts": rows.order_by("-updated_at", "-id")[:100], "now": visit.now}
    return show(request, "schedules/drafts.html", "schedules/partials/_drafts.html", context)


@screen("POST")
def discard(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _find(visit, public_id)
    drafts.discard(draft=row, now=visit.now)
    words = _("Put “%(name)s” aside.") % {"name": row}
    return done(request, words, reverse("web:drafts"), undo=reverse("web:draft_take_back", args=[public_id]))


@screen("POST")
def take_back(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _find(visit, public_id)
    drafts.take_back(draft=row)
    return done(request, _("“%(name)s” is back.") % {"name": row}, reverse("web:drafts"))


def _find(visit: Visit, public_id: UUID) -> ComposerDraft:
    rows = ComposerDraft.objects.visible_to(visit.person).filter(person=visit.person)
    row: ComposerDraft = get_object_or_404(rows, public_id=public_id)
    return row


def _mine(visit: Visit, request: HttpRequest) -> ComposerDraft | None:
    wanted = _uuid(request.POST.get("draft", ""))
    return ComposerDraft.objects.filter(person=visit.person, public_id=wanted).first() if wanted else None


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
