"""Apps of others that work with people's permission: registered and kept here by a workspace; and what a person allowed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.oauth import services as service
from alwrity_scheduler.oauth.models import App, Permission
from alwrity_scheduler.workspaces.roles import Action
from schedules.web.app_forms import ChangeAppForm, NewAppForm
from schedules.web.gate import Visit, done, leave, refused, screen, show


@screen("GET", "HEAD", "POST")
def app_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    """All apps of the workspace; POST registers one, whose secret is shown in the answer, once."""
    visit.require(Action.INTEGRATE)
    form = NewAppForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _list_page(request, visit, form)
    if form.is_valid():
        try:
            app, secret = service.register(
                workspace=visit.workspace,
                **form.values(),
                public=form.cleaned_data["kind"] == "public",
                person=visit.person,
                actor=visit.actor,
                now=visit.now,
            )
        except Refused as error:
            form.refuse(error.problems)
        else:
            return _list_page(request, visit, NewAppForm(), made=(app, secret))
    return _list_page(request, visit, form, status=422)


def _list_page(
    request: HttpRequest, visit: Visit, form: NewAppForm, *, made: tuple[App, str] | None = None, status: int = 200
) -> HttpResponse:
    rows = _apps(visit).annotate(people=Count("permissions__user", distinct=True))
    context = {
        "title": _("Apps"),
        "form": form,
        "problems": form.problems(),
        "made": made,
        "apps": list(rows.order_by("name", "id")[:200]),
        "workspace": visit.workspace,
    }
    response = show(request, "apps/list.html", "apps/partials/_list.html", context, status=status)
    if made:
        response.headers["Cache-Control"] = "no-store"
    return response


@screen("GET", "HEAD", "POST")
def app_page(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """One app; POST saves its name, website and addresses."""
    row = _find(visit, public_id)
    form = ChangeAppForm(request.POST if request.method == "POST" else None, initial=_initial(row))
    if request.method != "POST":
        return _page(request, row, form)
    if form.is_valid():
        try:
            service.change(
                app=row,
                changes=form.values(),
                version=form.cleaned_data["version"],
                actor=visit.actor,
                now=visit.now,
            )
        except Refused as error:
            form.refuse(error.problems)
        else:
            return leave(request, _("Saved."), reverse("web:app", args=[public_id]))
    return _page(request, row, form, status=422)


@screen("POST")
def app_secret(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """A new secret, shown in the answer, once."""
    row = _find(visit, public_id)
    try:
        row, secret = service.rotate_secret(app=row, actor=visit.actor, now=visit.now)
    except Refused as error:
        return refused(request, error, reverse("web:app", args=[public_id]))
    return _page(request, row, ChangeAppForm(None, initial=_initial(row)), secret=secret)


@screen("POST")
def app_act(request: HttpRequest, visit: Visit, public_id: UUID, verb: str) -> HttpResponse:
    row = _find(visit, public_id)
    here = reverse("web:app", args=[public_id])
    if verb == "disable":
        service.disable(app=row, actor=visit.actor, now=visit.now)
        return done(request, _("Switched %(name)s off. It gets in nowhere.") % {"name": row.name}, here)
    if verb == "enable":
        service.enable(app=row, actor=visit.actor, now=visit.now)
        return done(request, _("Switched %(name)s on again.") % {"name": row.name}, here)
    if verb == "delete":
        service.delete(app=row, actor=visit.actor, now=visit.now)
        words = _("Deleted %(name)s. What people allowed it is gone.") % {"name": row.name}
        return leave(request, words, reverse("web:apps"))
    raise Http404


def _page(request: HttpRequest, row: App, form: ChangeAppForm, *, secret: str = "", status: int = 200) -> HttpResponse:
    context = {
        "title": row.name,
        "app": row,
        "form": form,
        "problems": form.problems(),
        "secret": secret,
        "is_public": row.client_type == App.CLIENT_PUBLIC,
        "people_count": row.permissions.values("user").distinct().count(),
        "addresses": [
            (_("Ask the person"), request.build_absolute_uri(reverse("oauth_authorize"))),
            (_("Exchange the code"), request.build_absolute_uri(reverse("oauth:token"))),
            (_("Everything for programs"), request.build_absolute_uri(reverse("oauth:metadata"))),
        ],
    }
    response = show(request, "apps/app.html", "apps/partials/_app.html", context, status=status)
    if secret:
        response.headers["Cache-Control"] = "no-store"
    return response


def _initial(row: App) -> dict[str, Any]:
    return {
        "name": row.name,
        "website": row.website,
        "redirect_uris": "\n".join(row.redirect_uris.split()),
        "version": row.version,
    }


def _apps(visit: Visit) -> QuerySet[Any]:
    rows: QuerySet[Any] = App.objects.visible_to(visit.person).filter(workspace=visit.workspace)
    return rows


def _find(visit: Visit, public_id: UUID) -> App:
    row: App = get_object_or_404(_apps(visit).select_related("workspace"), public_id=public_id)
    visit.require(Action.INTEGRATE, row.workspace)
    return row


@screen("POST")
def permission_revoke(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """A person takes back what they allowed."""
    rows = Permission.objects.visible_to(visit.person).select_related("app", "workspace")
    row: Permission = get_object_or_404(rows, public_id=public_id)
    service.revoke(permission=row, actor=visit.actor, now=visit.now)
    words = _("%(app)s may act for you in %(room)s no more.") % {"app": row.app.name, "room": row.workspace.name}
    return done(request, words, reverse("web:settings_section", args=["apps"]))
