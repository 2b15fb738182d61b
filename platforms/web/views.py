"""Media files: for members of the workspace, and for whoever holds a signed link that still works."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from alwrity_scheduler.core import clock
from platforms.models import MediaAsset
from platforms.services import files, media, renditions, thumbnails

INLINE = ("image", "video", "audio")
_MIMES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@require_safe
def media_file(request: HttpRequest, public_id: uuid.UUID, name: str) -> HttpResponseBase:
    """One file. `name` is decoration for people and platforms that look at the ending; `?download` is for keeping it."""
    given = request.GET.get("signature")
    if given is not None:
        if not media.is_signed(str(public_id), request.GET.get("expires", ""), given, clock.now()):
            raise Http404
        visible: Any = MediaAsset.every.all()
    elif not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    else:
        visible = MediaAsset.objects.visible_to(request.user)
    asset = get_object_or_404(visible, public_id=public_id)
    try:
        content = asset.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    keep = asset.kind not in INLINE or "download" in request.GET
    return _answer(content, asset.mime, as_attachment=keep, filename=asset.original_name)


@require_safe
def rendition(request: HttpRequest, checksum: str, name: str) -> HttpResponseBase:
    """A copy made for a platform, for whoever holds its signed link."""
    what = f"{renditions.FOLDER}/{checksum}/{name}"
    given, expires = request.GET.get("signature", ""), request.GET.get("expires", "")
    mime = _MIMES.get(name.rpartition(".")[2])
    if mime is None or not media.is_signed(what, expires, given, clock.now()):
        raise Http404
    try:
        content = files.storage().open(f"{renditions.FOLDER}/{checksum[:2]}/{checksum}/{name}", "rb")
    except FileNotFoundError:
        raise Http404 from None
    return _answer(content, mime, filename=name)


@require_safe
def thumbnail(request: HttpRequest, public_id: uuid.UUID) -> HttpResponseBase:
    """A small picture of a file, for members."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    asset = get_object_or_404(MediaAsset.objects.visible_to(request.user), public_id=public_id)
    small = thumbnails.read(asset.checksum, asset.file.name or "") if asset.has_thumbnail else None
    if small is None:
        raise Http404
    response = HttpResponse(small, content_type="image/webp")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, max-age=604800, immutable"  # the content of an id never changes
    return response


def _answer(content: Any, mime: str, **options: Any) -> HttpResponseBase:
    response = FileResponse(content, content_type=mime, **options)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response
