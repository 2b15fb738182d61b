"""Uploads from the composer: the file is stored at once, and the picker comes back with it chosen."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from alwrity_scheduler.core.errors import Refused
from alwrity_scheduler.workspaces.roles import Action
from platforms.services import media as media_service
from schedules.web.gate import Visit, screen
from schedules.web.views.composer import media_choices


@screen("POST")
def upload(request: HttpRequest, visit: Visit) -> HttpResponse:
    visit.require(Action.WRITE)
    chosen, words, status = request.POST.getlist("media"), "", 200
    file = request.FILES.get("upload")
    alt = request.POST.get("upload_alt", "")
    if file is None:
        words, status = "Choose a file first.", 422
    else:
        try:
            asset = media_service.store_upload(
                workspace=visit.workspace,
                file=file,
                name=file.name or "file",
                alt_text=alt,
                created_by=visit.person,
                actor=visit.actor,
                now=visit.now,
            )
            chosen, alt = [*chosen, str(asset.public_id)], ""
        except Refused as error:
            words, status = " ".join(problem.message for problem in error.problems), 422
    context = {"media": media_choices(visit.workspace, chosen), "upload_error": words, "upload_alt": alt}
    return render(request, "schedules/partials/_media.html", context, status=status)
