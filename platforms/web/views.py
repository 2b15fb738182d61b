"""Media files: for members of the workspace, and for whoever holds a signed link that still works."""

from __future__ import annotations

import io
import re
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
    return _answer(request, content, asset.mime, as_attachment=keep, filename=asset.original_name)


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
    return _answer(request, content, mime, filename=name)


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


def _answer(request: HttpRequest, content: Any, mime: str, **options: Any) -> HttpResponseBase:
    """The file, or the part of it that is asked for (RFC 9110, 14.2: one range of bytes): players of videos ask for parts."""
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    wanted = _range(request.headers.get("Range", ""), size)
    if wanted is None:
        response: HttpResponseBase = FileResponse(content, content_type=mime, **options)
    else:
        first, last = wanted
        content.seek(first)
        response = FileResponse(_Part(content, last - first + 1), content_type=mime, status=206, **options)
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        response.headers["Content-Length"] = str(last - first + 1)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _range(words: str, size: int) -> tuple[int, int] | None:
    """First and last byte; None where the whole file is asked for, and for anything else, which may be passed over."""
    found = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", words)
    if found is None or not size:
        return None
    start, end = found.groups()
    if start:
        first, last = int(start), min(int(end or size), size - 1)
    elif end:
        first, last = max(0, size - int(end)), size - 1
    else:
        return None
    return (first, last) if first <= last else None


class _Part:
    """So many bytes of a file from where it stands; closing it closes the file."""

    def __init__(self, file: Any, length: int) -> None:
        self._file, self._left = file, length

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()
