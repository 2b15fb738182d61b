"""Templates and hashtag groups: make, rename, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from schedules.models import ContentTemplate, HashtagGroup
from schedules.services import library
from schedules.web.forms import RefusableForm
from schedules.web.gate import Visit, done, screen, show
from schedules.web.platform_fields import SPLIT

MODELS: dict[str, type[ContentTemplate] | type[HashtagGroup]] = {"template": ContentTemplate, "hashtags": HashtagGroup}


class GroupForm(RefusableForm):
    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    hashtags = forms.CharField(
        max_length=2000, label=gettext_lazy("Hashtags"), help_text=gettext_lazy("Separated by spaces.")
    )

    def tags(self) -> tuple[str, ...]:
        return tuple(filter(None, SPLIT.split(self.cleaned_data["hashtags"])))


@screen("GET", "HEAD", "POST")
def page(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The workspace's templates and hashtag groups; a POST makes a group."""
    form = GroupForm(request.POST if request.method == "POST" else None, prefix="new")
    if request.method != "POST":
        return _show(request, visit, form)
    visit.require(Action.WRITE)
    if form.is_valid():
        try:
            row = library.save_hashtags(
                workspace=visit.workspace,
                name=form.cleaned_data["name"],
                hashtags=form.tags(),
                actor=visit.actor,
                now=visit.now,
            )
            return done(request, _("Saved the group “%(name)s”.") % {"name": row.name}, reverse("web:library"))
        except Refused as error:
            form.refuse(error.problems)
    return _show(request, visit, form, status=422)


@screen("POST")
def change(request: HttpRequest, visit: Visit, kind: str, public_id: UUID) -> HttpResponse:
    row = _find(visit, kind, public_id)
    visit.require(Action.WRITE, row.workspace)
    changes: dict[str, Any] = {"name": request.POST.get("name", "")}
    if kind == "hashtags":
        changes["hashtags"] = tuple(filter(None, SPLIT.split(request.POST.get("hashtags", ""))))
    try:
        library.change(row=row, changes=changes, actor=visit.actor, now=visit.now)
    except Refused as error:
        words = " ".join(item.message for item in error.problems)
        trouble = {"id": public_id, "words": words, "typed": request.POST}
        return _show(request, visit, GroupForm(prefix="new"), status=422, trouble=trouble)
    return done(request, _("Saved “%(name)s”.") % {"name": row.name}, reverse("web:library"))


@screen("POST")
def delete(request: HttpRequest, visit: Visit, kind: str, public_id: UUID) -> HttpResponse:
    row = _find(visit, kind, public_id)
    visit.require(Action.WRITE, row.workspace)
    library.delete(row=row, actor=visit.actor, now=visit.now)
    return done(request, _("Deleted “%(name)s”.") % {"name": row.name}, reverse("web:library"))


def _find(visit: Visit, kind: str, public_id: UUID) -> Any:
    rows = MODELS[kind].objects.visible_to(visit.person).select_related("workspace")
    return get_object_or_404(rows, public_id=public_id)


def _show(
    request: HttpRequest, visit: Visit, form: GroupForm, *, status: int = 200, trouble: dict[str, Any] | None = None
) -> HttpResponse:
    context = {
        "title": _("Templates and hashtags"),
        "templates": list(ContentTemplate.objects.filter(workspace=visit.workspace).order_by("name", "id")[:200]),
        "groups": list(HashtagGroup.objects.filter(workspace=visit.workspace).order_by("name", "id")[:200]),
        "form": form,
        "trouble": trouble,
        "may_write": visit.may(Action.WRITE),
    }
    return show(request, "schedules/library.html", "schedules/partials/_library.html", context, status=status)
