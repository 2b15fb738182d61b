"""The team, its API tokens, the workspace switch, and the switches that hold publishing."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import NotAllowed, Problem, Refused
from alwrity_scheduler.workspaces import services as service
from alwrity_scheduler.workspaces.middleware import SESSION_KEY
from alwrity_scheduler.workspaces.models import ROLE_CHOICES, ApiToken, Membership
from alwrity_scheduler.workspaces.roles import Action
from schedules.services import control
from schedules.web.context import shell_of
from schedules.web.forms import TokenForm
from schedules.web.gate import Visit, done, leave, next_url, refused, screen, show


@screen("GET", "HEAD", "POST")
def team(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Who is in the workspace and, for owners, its tokens. POST makes a token, whose secret is shown in the answer, once."""
    form = TokenForm(request.POST or None, initial={"role": "author", "days": 365})
    form.fields["role"].choices = ROLE_CHOICES  # type: ignore[attr-defined]
    if request.method != "POST":
        return _team_page(request, visit, form)
    visit.require(Action.MEMBERS)
    if not form.is_valid():
        return _team_page(request, visit, form, status=422)
    data = form.cleaned_data
    expires_at = visit.now + timedelta(days=data["days"]) if data.get("days") else None
    try:
        row, secret = service.create_token(
            workspace=visit.workspace,
            name=data["name"].strip(),
            role=data["role"],
            actor=visit.actor,
            now=visit.now,
            expires_at=expires_at,
        )
    except Refused as error:
        form.refuse(error.problems)
        return _team_page(request, visit, form, status=422)
    return _team_page(request, visit, TokenForm(initial={"role": "author", "days": 365}), made=(row, secret))


def _team_page(
    request: HttpRequest, visit: Visit, form: TokenForm, *, made: tuple[ApiToken, str] | None = None, status: int = 200
) -> HttpResponse:
    form.fields["role"].choices = ROLE_CHOICES  # type: ignore[attr-defined]
    may = visit.may(Action.MEMBERS)
    problems = (
        [(name, str(form.fields[name].label), str(words)) for name in form.errors for words in form.errors[name]]
        if form.is_bound
        else []
    )
    context = {
        "title": _("Team and tokens"),
        "form": form,
        "made": made,
        "may_members": may,
        "now": visit.now,
        "problems": problems,
        "members": list(Membership.objects.filter(workspace=visit.workspace).select_related("user").order_by("id")),
        "tokens": list(ApiToken.objects.filter(workspace=visit.workspace).order_by("-created_at", "-id")[:100])
        if may
        else [],
        "workspace": visit.workspace,
    }
    response = show(request, "people/team.html", "people/partials/_team.html", context, status=status)
    if made:
        response.headers["Cache-Control"] = "no-store"
    return response


@screen("POST")
def revoke_token(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row: ApiToken = get_object_or_404(
        ApiToken.objects.visible_to(visit.person).select_related("workspace"), public_id=public_id
    )
    visit.require(Action.MEMBERS, row.workspace)
    service.revoke_token(token=row, actor=visit.actor, now=visit.now)
    return done(request, _("Revoked %(name)s. It stopped working at once.") % {"name": row.name}, reverse("web:team"))


@screen("POST", outside=True)
def switch_workspace(request: HttpRequest, visit: Visit) -> HttpResponse:
    wanted = request.POST.get("workspace", "")
    try:
        room = next((row for row in shell_of(request).workspaces if row.public_id == UUID(wanted)), None)
    except ValueError:
        room = None
    if room is None:
        return refused(
            request,
            Refused(Problem(field="workspace", message=_("There is no such workspace for you."))),
            reverse("web:today"),
        )
    request.session[SESSION_KEY] = room.pk
    return done(request, _("You are in %(name)s now.") % {"name": room.name}, next_url(request, reverse("web:today")))


@screen("POST")
def pause_workspace(request: HttpRequest, visit: Visit) -> HttpResponse:
    return _set_paused(request, visit, paused=True)


@screen("POST")
def resume_workspace(request: HttpRequest, visit: Visit) -> HttpResponse:
    return _set_paused(request, visit, paused=False)


def _set_paused(request: HttpRequest, visit: Visit, *, paused: bool) -> HttpResponse:
    visit.require(Action.ACCOUNTS)
    service.set_workspace_paused(workspace=visit.workspace, paused=paused, actor=visit.actor, now=visit.now)
    words = _("Paused %(name)s: nothing of it is published.") if paused else _("Resumed %(name)s.")
    undo = reverse("web:resume_workspace" if paused else "web:pause_workspace")
    back = next_url(request, reverse("web:today"))
    return leave(request, words % {"name": visit.workspace.name}, back, undo=undo)


@screen("POST")
def pause_everything(request: HttpRequest, visit: Visit) -> HttpResponse:
    _only_operators(visit)
    control.pause_everything(actor=visit.actor, now=visit.now)
    return leave(request, _("Everything is paused. Calls under way finish."), next_url(request, reverse("web:today")))


@screen("POST")
def resume_everything(request: HttpRequest, visit: Visit) -> HttpResponse:
    _only_operators(visit)
    control.resume_everything(actor=visit.actor, now=visit.now)
    return leave(request, _("Publishing goes on."), next_url(request, reverse("web:today")))


def _only_operators(visit: Visit) -> None:
    if not visit.person.is_superuser:
        raise NotAllowed(
            Problem(
                field="role", message=_("Only an administrator may pause or resume everything."), code="not_allowed"
            )
        )
