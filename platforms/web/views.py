"""Media files: for members of the workspace, and for whoever holds a signed link that still works."""

from __future__ import annotations

import uuid

from django.contrib.auth.views import redirect_to_login
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from alwrity_scheduler.core import clock
from platforms.models import MediaAsset
from platforms.services import media

INLINE = ("image", "video", "audio")


@require_safe
def media_file(request: HttpRequest, public_id: uuid.UUID, name: str) -> HttpResponseBase:
    """One file. `name` is decoration for people and platforms that look at the ending."""
    given = request.GET.get("signature")
    if given is not None:
        if not media.is_signed(str(public_id), request.GET.get("expires", ""), given, clock.now()):
            raise Http404
        visible = MediaAsset.objects.all()
    elif not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    else:
        visible = MediaAsset.objects.visible_to(request.user)
    asset = get_object_or_404(visible, public_id=public_id)
    try:
        content = asset.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        content, content_type=asset.mime, as_attachment=asset.kind not in INLINE, filename=asset.original_name
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response
