"""What is no page: the icons, the palette's answers and the home address."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from platforms.models import PlatformAccount
from schedules.models import Schedule
from schedules.web import emoji
from schedules.web import icons as icon_sprite
from schedules.web.context import shell_of
from schedules.web.gate import Visit, screen

MOST_FOUND = 8


def icons(request: HttpRequest, digest: str) -> HttpResponse:
    """The sprite. Its address holds its digest, so a browser may keep it for ever."""
    data, current = icon_sprite.sprite()
    if digest != current:
        raise Http404
    return HttpResponse(
        data, content_type="image/svg+xml", headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(reverse("web:today"))


@screen()
def find(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The palette: pages by name, then posts and accounts of this workspace."""
    wanted = request.GET.get("q", "").strip()[:100]
    pages = [
        {"title": link.title, "url": link.url, "icon": link.icon, "kind": _("Page")}
        for group in shell_of(request).navigation
        for link in group.entries
        if wanted.lower() in str(link.title).lower()
    ]
    found: list[dict[str, object]] = []
    if wanted:
        accounts = PlatformAccount.objects.filter(workspace=visit.workspace, name__icontains=wanted).order_by(
            "name", "id"
        )
        schedules = (
            Schedule.objects.filter(workspace=visit.workspace, content__title__icontains=wanted)
            | Schedule.objects.filter(workspace=visit.workspace, content__text__icontains=wanted)
        ).select_related("content")
        found += [
            {
                "title": str(row),
                "url": reverse("web:schedule", args=[row.public_id]),
                "icon": f"k-{row.content.content_type}",
                "kind": row.get_state_display(),
            }
            for row in schedules.order_by("-created_at", "-id")[:MOST_FOUND]
        ]
        found += [
            {
                "title": row.name,
                "url": reverse("web:account", args=[row.public_id]),
                "icon": "accounts",
                "kind": _("Account"),
            }
            for row in accounts[:MOST_FOUND]
        ]
    return render(request, "shell/_found.html", {"found": [*pages, *found][: 2 * MOST_FOUND], "wanted": wanted})


@screen()
def emoji_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Emoji by name, for the composer's picker."""
    found = emoji.find(request.GET.get("q", "")[:60])
    return render(request, "schedules/partials/_emoji.html", {"found": found})
