"""Media: storing uploads, describing them, and the links under which platforms fetch them."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import IO, Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.files import File
from django.core.signing import Signer
from django.db import IntegrityError
from django.utils.crypto import constant_time_compare
from django.utils.text import slugify

from alwrity_scheduler.core.errors import Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.contracts import MediaRef
from platforms.media_types import MediaType, NotTaken, image_bytes, sniff
from platforms.models import MediaAsset, media_path

_PIECE = 1024 * 1024
_SALT = "platforms.media"


def store_upload(
    *,
    workspace: Workspace,
    file: IO[bytes] | File[Any],
    name: str,
    alt_text: str = "",
    created_by: User | None = None,
    actor: Actor,
    now: datetime,
) -> MediaAsset:
    """Keep a file; the same content again gives the same row. Raises Refused when it is too large or of a kind that
    platforms do not take. The file is written before the transaction, so no lock waits for the disk.
    """
    with tempfile.SpooledTemporaryFile(max_size=8 * _PIECE) as copy:
        _copy(file, copy)
        try:
            found = sniff(copy)
        except NotTaken as error:
            raise Refused(Problem(field="file", message=str(error), code="media_type")) from None
        content = image_bytes(copy, found)
        checksum, size = _measure(content)
        known = MediaAsset.objects.with_checksum(workspace, checksum).first()
        if known is not None:
            return known
        asset = MediaAsset(
            workspace=workspace,
            kind=found.kind,
            mime=found.mime,
            size=size,
            width=found.width,
            height=found.height,
            alt_text=alt_text.strip()[:1500],
            checksum=checksum,
            original_name=PurePath(name.replace("\\", "/")).name[:200] or f"file.{found.extension}",
            created_by=created_by,
            created_at=now,
        )
        return _keep(asset, content, found, actor, now)


@unit()
def set_alt_text(*, asset: MediaAsset, alt_text: str, actor: Actor, now: datetime) -> MediaAsset:
    """Describe a file in words, at most 1,500 characters."""
    text = alt_text.strip()
    if len(text) > 1500:
        raise Refused(Problem(field="alt_text", message="Write at most 1,500 characters.", code="too_long"))
    row = MediaAsset.objects.select_for_update().get(pk=asset.pk)
    if row.alt_text == text:
        return row
    old, row.alt_text = row.alt_text, text
    row.save(update_fields=["alt_text"])
    emit(_fact("media.described", row, actor, now, before={"alt_text": old}, after={"alt_text": text}))
    return row


def media_ref(asset: MediaAsset, now: datetime) -> MediaRef:
    """The file as adapters see it, with a link that works for MEDIA_LINK_SECONDS."""
    return MediaRef(
        url=media_url(asset, now),
        mime=asset.mime,
        alt=asset.alt_text,
        size=asset.size,
        checksum=asset.checksum,
        width=asset.width,
        height=asset.height,
        path=asset.file.path,
        seconds=asset.duration_seconds,
        name=asset.original_name,
    )


def media_path_of(asset: MediaAsset) -> str:
    """The file's address on this site, for people who are signed in."""
    extension = (asset.file.name or "").rpartition(".")[2]
    name = slugify(PurePath(asset.original_name).stem)[:80] or "file"
    return f"{settings.MEDIA_URL}{asset.public_id}/{name}.{extension}"


def media_url(asset: MediaAsset, now: datetime) -> str:
    """The file's absolute, signed address, for a platform that fetches it."""
    expires = int((now + timedelta(seconds=settings.MEDIA_LINK_SECONDS)).timestamp())
    query = urlencode({"expires": expires, "signature": _signature(str(asset.public_id), expires)})
    return f"{settings.PUBLIC_URL}{media_path_of(asset)}?{query}"


def is_signed(public_id: str, expires: str, signature: str, now: datetime) -> bool:
    """Was this link made by `media_url`, and does it still work?"""
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16) or int(expires) < now.timestamp():
        return False
    return constant_time_compare(signature, _signature(public_id, int(expires)))


def _signature(public_id: str, expires: int) -> str:
    return Signer(salt=_SALT).signature(f"{public_id}:{expires}")


def _copy(source: IO[bytes] | File[Any], target: IO[bytes]) -> None:
    """Copy with the size counted, so that a lying header cannot fill the disk."""
    size = 0
    for piece in _pieces(source):
        size += len(piece)
        if size > settings.MEDIA_MAX_BYTES:
            limit = settings.MEDIA_MAX_BYTES / (1024 * 1024)
            raise Refused(Problem(field="file", message=f"The file is larger than {limit:g} MiB.", code="too_large"))
        target.write(piece)
    if size == 0:
        raise Refused(Problem(field="file", message="The file is empty.", code="empty"))


def _pieces(source: IO[bytes] | File[Any]) -> Iterator[bytes]:
    source.seek(0)
    while piece := source.read(_PIECE):
        yield piece


def _measure(content: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(content):
        digest.update(piece)
        size += len(piece)
    content.seek(0)
    return digest.hexdigest(), size


def _keep(asset: MediaAsset, content: IO[bytes], found: MediaType, actor: Actor, now: datetime) -> MediaAsset:
    storage = asset.file.storage
    asset.file.name = storage.save(media_path(asset, f"x.{found.extension}"), File(content))
    try:
        with unit():
            asset.save()
            after = {"name": asset.original_name, "mime": asset.mime, "size": asset.size}
            emit(_fact("media.stored", asset, actor, now, after=after))
    except BaseException as error:
        storage.delete(asset.file.name)
        known = (
            MediaAsset.objects.with_checksum(asset.workspace, asset.checksum).first()
            if isinstance(error, IntegrityError)
            else None
        )
        if known is None:
            raise
        return known  # somebody stored the same file in between
    return asset


def _fact(
    name: str,
    asset: MediaAsset,
    actor: Actor,
    now: datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any],
) -> Fact:
    return Fact(
        name=name,
        at=now,
        actor=actor,
        object_type="media",
        object_id=str(asset.public_id),
        object_label=asset.original_name,
        workspace_id=asset.workspace_id,
        before=before or {},
        after=after,
    )
