"""The versions of a post, what changed between two of them word by word, and back to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from schedules.domain.likeness import Change, changes
from schedules.models import ContentItem, ContentVersion
from schedules.services import schedules as schedule_service
from schedules.web.gate import Visit, done, refused, screen, show
from schedules.web.templatetags.ui import platform_name

SHOWN = 100
_LABELS = {
    "text": gettext_lazy("Text"),
    "title": gettext_lazy("Title"),
    "link": gettext_lazy("Link"),
    "hashtags": gettext_lazy("Hashtags"),
    "content_type": gettext_lazy("Type"),
    "labels": gettext_lazy("Labels"),
    "campaign": gettext_lazy("Campaign"),
    "language": gettext_lazy("Language"),
    "notes": gettext_lazy("Notes for the team"),
    "utm": gettext_lazy("UTM parameters"),
    "media": gettext_lazy("Media"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    pieces: list[Change]


@screen("GET", "HEAD")
def page(request: HttpRequest, visit: Visit, public_id: UUID) -> HttpResponse:
    """?old=1&new=3: the difference between the two; by default of the latest from the one before."""
    content = _find(visit, public_id)
    rows = list(ContentVersion.objects.filter(content=content).order_by("-number")[:SHOWN])
    by_number = {row.number: row for row in rows}
    new = by_number.get(_number(request, "new", rows[0].number if rows else 0))
    old = by_number.get(_number(request, "old", rows[1].number if len(rows) > 1 else 0))
    context = {
        "title": _("Versions of %(name)s") % {"name": content},
        "content": content,
        "schedule": content.schedules.order_by("-id").first(),
        "versions": rows,
        "old": old,
        "new": new,
        "differences": differences(old.snapshot, new.snapshot) if old and new else [],
        "may_write": visit.may(Action.WRITE, content.workspace),
    }
    return show(request, "schedules/versions.html", "schedules/partials/_versions.html", context)


@screen("POST")
def restore(request: HttpRequest, visit: Visit, public_id: UUID, number: int) -> HttpResponse:
    content = _find(visit, public_id)
    visit.require(Action.WRITE, content.workspace)
    shown = request.POST.get("version", "")
    back = reverse("web:content_versions", args=[public_id])
    try:
        row = schedule_service.restore_version(
            content=content,
            number=number,
            version=int(shown) if shown.isdecimal() else content.version,
            actor=visit.actor,
            now=visit.now,
        )
    except Refused as error:
        return refused(request, error, back)
    words = _("The post says again what it said in version %(n)d. This is version %(new)d.")
    return done(request, words % {"n": number, "new": row.version}, back)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Each field that changed, with its changes; fields that are the same are left out."""
    before, after = _fields(old), _fields(new)
    return [
        Difference(label, changes(before.get(label, ""), after.get(label, "")))
        for label in dict.fromkeys([*before, *after])
        if before.get(label, "") != after.get(label, "")
    ]


def _fields(stored: Mapping[str, Any]) -> dict[str, str]:
    """A snapshot as labelled texts."""
    found = {str(label): _words(name, stored.get(name)) for name, label in _LABELS.items()}
    for item in stored.get("variants") or ():
        where = platform_name(item["platform"])
        for name in ("text", "title", "link", "hashtags"):
            if item.get(name) is not None:
                found[f"{_LABELS[name]} ({where})"] = _words(name, item[name])
        for name, value in (item.get("options") or {}).items():
            found[f"{name.replace('_', ' ').capitalize()} ({where})"] = str(value)
    return found


def _words(name: str, value: Any) -> str:
    if name == "hashtags":
        return " ".join(f"#{tag}" for tag in value or ())
    if isinstance(value, Mapping):
        return "\n".join(f"utm_{key} = {words}" for key, words in value.items())
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _number(request: HttpRequest, name: str, otherwise: int) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 10 else otherwise


def _find(visit: Visit, public_id: UUID) -> ContentItem:
    rows = ContentItem.objects.visible_to(visit.person).select_related("workspace", "campaign")
    row: ContentItem = get_object_or_404(rows, public_id=public_id)
    return row
