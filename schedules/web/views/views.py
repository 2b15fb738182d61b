"""Saved views: keep the filters of a page under a name, and let them go. For every page that has filters."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from schedules.models import SavedView
from schedules.services import views as service
from schedules.web.gate import Visit, done, next_url, refused, screen


@screen("POST")
def save(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Fields: page, name, query (as in the address), shared, next. From the address too, which is how a removal is undone."""
    data = request.POST if "page" in request.POST else request.GET
    back = next_url(request, reverse("web:today"))
    shared = data.get("shared") == "1"
    if shared:
        visit.require(Action.WRITE)
    try:
        row = service.save(
            person=visit.person,
            workspace=visit.workspace,
            page=data.get("page", ""),
            name=data.get("name", ""),
            query=data.get("query", ""),
            shared=shared,
            now=visit.now,
        )
    except Refused as error:
        return refused(request, error, back)
    return done(request, _("Saved “%(name)s”.") % {"name": row.name}, back)


@screen("POST")
def remove(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """Only its writer removes it; what others share stays theirs."""
    rows = SavedView.objects.visible_to(visit.person).filter(person=visit.person)
    row = get_object_or_404(rows, public_id=public_id)
    kept = {"page": row.page, "name": row.name, "query": row.query, "shared": "1" if row.shared else ""}
    service.remove(view=row)
    return done(
        request,
        _("Removed “%(name)s”.") % {"name": kept["name"]},
        next_url(request, reverse("web:today")),
        undo=f"{reverse('web:view_save')}?{urlencode(kept)}",
    )
