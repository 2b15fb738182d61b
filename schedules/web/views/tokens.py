"""API tokens: the list, a new one, changing and renewing. A secret is shown in the answer to the form, once."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces import tokens as service
from alwrity_scheduler.workspaces.models import ApiToken
from alwrity_scheduler.workspaces.roles import Action
from platforms.services import grants
from schedules.web.gate import Visit, done, leave, refused, screen, show
from schedules.web.team_forms import TokenForm
from schedules.web.views.team import accounts_of

MOST = 100
Made = tuple[ApiToken, str]


@screen("GET", "HEAD", "POST")
def page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The workspace's tokens. POST makes one."""
    visit.require(Action.MEMBERS)
    if request.method != "POST":
        return _page(request, visit)
    form = TokenForm(request.POST, accounts=accounts_of(visit))
    if not form.is_valid():
        return _page(request, visit, form, status=422)
    try:
        made = grants.create_token(
            workspace=visit.workspace, person=visit.person, actor=visit.actor, now=visit.now, **form.values(visit.now)
        )
    except Refused as error:
        form.refuse(error.problems)
        return _page(request, visit, form, status=422)
    return _page(request, visit, made=made)


def _page(
    request: HttpRequest, visit: Visit, form: TokenForm | None = None, *, made: Made | None = None, status: int = 200
) -> HttpResponse:
    form = form or TokenForm(accounts=accounts_of(visit))
    rows = ApiToken.objects.filter(workspace=visit.workspace).select_related("created_by")
    context = {
        "title": _("API tokens"),
        "form": form,
        "problems": form.problems if form.is_bound else [],
        "made": made,
        "tokens": list(rows.prefetch_related("account_grants__account").order_by("-created_at", "-id")[:MOST]),
        "workspace": visit.workspace,
        "now": visit.now,
    }
    response = show(request, "people/tokens.html", "people/partials/_tokens.html", context, status=status)
    if made:
        response.headers["Cache-Control"] = "no-store"
    return response


def _find(visit: Visit, public_id: UUID) -> ApiToken:
    rows = ApiToken.objects.visible_to(visit.person).select_related("workspace")
    row: ApiToken = get_object_or_404(rows, public_id=public_id)
    visit.require(Action.MEMBERS, row.workspace)
    return row


@screen("GET", "HEAD", "POST")
def token(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """What a token may, from where, and until when. Its role stays as it was made."""
    row = _find(visit, public_id)
    accounts = accounts_of(visit)
    if request.method == "POST":
        form = TokenForm(request.POST, token=row, accounts=accounts)
        if form.is_valid():
            try:
                grants.change_token(token=row, changes=form.values(visit.now), actor=visit.actor, now=visit.now)
            except Refused as error:
                form.refuse(error.problems)
            else:
                return leave(request, _("Saved %(name)s.") % {"name": row.name}, reverse("web:tokens"))
    else:
        form = TokenForm(initial=TokenForm.of(row, grants.granted_to(row) or []), token=row, accounts=accounts)
    context = {
        "title": row.name,
        "token": row,
        "form": form,
        "problems": form.problems if form.is_bound else [],
        "now": visit.now,
    }
    status = 422 if request.method == "POST" else 200
    return show(request, "people/token.html", "people/partials/_token.html", context, status=status)


@screen("POST")
def renew(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """Another secret, shown once; the old one ends at once."""
    row = _find(visit, public_id)
    try:
        made = service.rotate_token(token=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, reverse("web:tokens"))
    return _page(request, visit, made=made)


@screen("POST")
def revoke(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    row = _find(visit, public_id)
    service.revoke_token(token=row, actor=visit.actor, now=visit.now)
    words = _("Revoked %(name)s. It stopped working at once.") % {"name": row.name}
    return done(request, words, reverse("web:tokens"))
