"""What is no page: the icons, the palette's answers and the home address."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from schedules.web import emoji, palette
from schedules.web import icons as icon_sprite
from schedules.web.context import shell_of
from schedules.web.gate import Visit, screen


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


@screen(outside=True)
def find(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The palette's answers, grouped by kind. `recent`: the addresses this browser chose lately, newest first."""
    wanted = request.GET.get("q", "").strip()[:100]
    groups = palette.find(shell_of(request), visit.workspace, wanted, request.GET.getlist("recent"))
    return render(request, "shell/_found.html", {"groups": groups, "wanted": wanted})


@screen()
def emoji_list(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Emoji by name, for the composer's picker."""
    found = emoji.find(request.GET.get("q", "")[:60])
    return render(request, "schedules/partials/_emoji.html", {"found": found})
