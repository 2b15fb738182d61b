"""Media: storing uploads, describing them, the bin, and the links under which platforms fetch them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import IO, Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.files import File
from django.core.signing import Signer
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.crypto import constant_time_compare
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from alwrity_scheduler.core.errors import IllegalTransition, Problem, Refused
from alwrity_scheduler.core.events import Actor, Fact, emit, unit
from alwrity_scheduler.workspaces.models import User, Workspace
from platforms.contracts import MediaRef
from platforms.media_types import MediaType, NotTaken, image_bytes, sniff
from platforms.models import MediaAsset, MediaFolder, media_path
from platforms.services import files, thumbnails, video

_PIECE = 1024 * 1024
_SALT = "platforms.media"
IN_BIN = timedelta(days=7)  # how long a deleted file can be brought back
PURGED_AT_ONCE = 200
FIELDS = ("alt_text", "name", "folder")

# Who needs files: each is asked with ids of assets and answers with the names of what uses them, by id. Packages above register
# theirs from their wiring; a file that somebody names is not deleted.
Users = Callable[[Collection[int]], Mapping[int, Sequence[str]]]
users: list[Users] = []


def store_upload(
    *,
    workspace: Workspace,
    file: IO[bytes] | File[Any],
    name: str,
    alt_text: str = "",
    folder: MediaFolder | None = None,
    created_by: User | None = None,
    actor: Actor,
    now: datetime,
) -> MediaAsset:
    """Keep a file; the same content again gives the same row (out of the bin, if it was there). Raises Refused when it is too
    large or of a kind that platforms do not take. The file is written before the transaction, so no lock waits for the disk.
    """
    with files.temporary("upload") as copy:
        _copy(file, copy)
        try:
            found = sniff(copy)
        except NotTaken as error:
            raise Refused(Problem(field="file", message=str(error), code="media_type")) from None
        content = image_bytes(copy, found)
        checksum, size = _measure(content)
        known = _known(workspace, checksum, actor, now)
        if known is not None:
            return known
        asset = MediaAsset(
            workspace=workspace,
            kind=found.kind,
            mime=found.mime,
            size=size,
            width=found.width,
            height=found.height,
            animated=found.animated,
            details=dict(found.details),
            folder=folder,
            alt_text=alt_text.strip()[:1500],
            checksum=checksum,
            original_name=_plain_name(name) or f"file.{found.extension}",
            created_by=created_by,
            created_at=now,
        )
        if found.kind in ("video", "audio"):
            copy.flush()
            _look_into(asset, copy.name)
        return _keep(asset, content, found, actor, now)


def _plain_name(name: str) -> str:
    plain = PurePath(name.replace("\\", "/")).name
    return "".join(letter for letter in plain if letter.isprintable()).strip()[:200]


def _look_into(asset: MediaAsset, path: str) -> None:
    """Sides, length and codecs of a video or sound, and a still to show; `unread` where nothing here can read it."""
    film = video.probe(path)
    if film is None:
        asset.details["unread"] = True
        return
    asset.width, asset.height, asset.duration_seconds = film.width, film.height, film.seconds
    asset.details.update(film.details)
    if asset.kind == "video" and (still := video.still(path)) is not None:
        thumbnails.keep(asset.checksum, still)
        asset.details["poster"] = True


@unit()
def set_alt_text(*, asset: MediaAsset, alt_text: str, actor: Actor, now: datetime) -> MediaAsset:
    """Describe a file in words, at most 1,500 characters."""
    text = alt_text.strip()
    if problem := _alt_problem(text):
        raise Refused(problem)
    row: MediaAsset = MediaAsset.objects.select_for_update().get(pk=asset.pk)
    if row.alt_text == text:
        return row
    old, row.alt_text = row.alt_text, text
    row.save(update_fields=["alt_text"])
    emit(_fact("media.described", row, actor, now, before={"alt_text": old}, after={"alt_text": text}))
    return row


def _alt_problem(text: str) -> Problem | None:
    if len(text) <= 1500:
        return None
    return Problem(field="alt_text", message=_("Write at most 1,500 characters."), code="too_long")


@unit()
def edit(*, asset: MediaAsset, changes: Mapping[str, Any], actor: Actor, now: datetime) -> MediaAsset:
    """Change what people say of a file: `alt_text`, `name` (without an ending, its own is kept), `folder` (a MediaFolder or
    None). Refused names each field that cannot stand."""
    row: MediaAsset = MediaAsset.objects.select_for_update(of=("self",)).select_related("folder").get(pk=asset.pk)
    old = _words(row)
    problems = []
    if "alt_text" in changes:
        row.alt_text = str(changes["alt_text"]).strip()
        problems.append(_alt_problem(row.alt_text))
    if "name" in changes:
        row.original_name = _named(str(changes["name"]), row)
        if not row.original_name:
            problems.append(Problem(field="name", message=_("Give the file a name."), code="required"))
    if "folder" in changes:
        row.folder = changes["folder"]
        problems.append(_folder_problem(row, row.folder))
    if found := [problem for problem in problems if problem is not None]:
        raise Refused(found)
    new = _words(row)
    if new != old:
        row.save(update_fields=["alt_text", "original_name", "folder"])
        names = [name for name in new if new[name] != old[name]]
        before, after = ({name: words[name] for name in names} for words in (old, new))
        emit(_fact("media.edited", row, actor, now, before=before, after=after))
    return row


def _words(asset: MediaAsset) -> dict[str, str]:
    folder = asset.folder.name if asset.folder else ""
    return {"alt_text": asset.alt_text, "name": asset.original_name, "folder": folder}


def _named(name: str, asset: MediaAsset) -> str:
    plain = _plain_name(name)
    ending = PurePath(asset.original_name).suffix
    if plain and ending and not PurePath(plain).suffix:
        plain = plain[: 200 - len(ending)] + ending
    return plain


def _folder_problem(asset: MediaAsset, folder: MediaFolder | None) -> Problem | None:
    if folder is None or folder.workspace_id == asset.workspace_id:
        return None
    return Problem(field="folder", message=_("There is no such folder in this workspace."), code="not_found")


@unit()
def move(*, assets: Sequence[MediaAsset], folder: MediaFolder | None, actor: Actor, now: datetime) -> int:
    """Put files into a folder, or into none. Returns how many were elsewhere before."""
    moved = 0
    for row in _locked(assets):
        if problem := _folder_problem(row, folder):
            raise Refused(problem)
        if row.folder_id == (folder.pk if folder else None):
            continue
        before = {"folder": row.folder.name if row.folder else ""}
        row.folder = folder
        row.save(update_fields=["folder"])
        emit(_fact("media.moved", row, actor, now, before=before, after={"folder": folder.name if folder else ""}))
        moved += 1
    return moved


def _locked(assets: Sequence[MediaAsset]) -> list[MediaAsset]:
    rows = MediaAsset.objects.select_for_update(of=("self",)).select_related("folder", "workspace")
    return list(rows.filter(pk__in=[row.pk for row in assets]).order_by("id"))


def uses(ids: Collection[int]) -> dict[int, list[str]]:
    """The names of what uses these files, by the file's id; a file that nothing uses is left out."""
    found: dict[int, list[str]] = {}
    for ask in users:
        for pk, names in ask(ids).items():
            found.setdefault(pk, []).extend(names)
    return found


@unit()
def delete(*, assets: Sequence[MediaAsset], actor: Actor, now: datetime) -> int:
    """Put files into the bin, from which they can come back for a week. All or none: Refused (409) names what uses any of them."""
    rows = _locked(assets)
    if used := uses([row.pk for row in rows]):
        raise IllegalTransition([_in_use(row, used[row.pk]) for row in rows if row.pk in used])
    for row in rows:
        row.deleted_at = now
        row.save(update_fields=["deleted_at"])
        emit(_fact("media.deleted", row, actor, now, after={"name": row.original_name, "deleted_at": now.isoformat()}))
    return len(rows)


def _in_use(asset: MediaAsset, names: Sequence[str]) -> Problem:
    shown = ", ".join(f"“{name}”" for name in names[:3])
    more = len(names) - 3
    words = _("%(name)s is used by %(shown)s. Take it out there first.")
    if more > 0:
        words = ngettext(
            "%(name)s is used by %(shown)s and %(more)s more. Take it out there first.",
            "%(name)s is used by %(shown)s and %(more)s more. Take it out there first.",
            more,
        )
    words %= {"name": asset.original_name, "shown": shown, "more": more}
    return Problem(field="media", message=words, code="in_use")


@unit()
def restore(*, assets: Sequence[MediaAsset], actor: Actor, now: datetime) -> int:
    """Bring files back out of the bin. Returns how many were there."""
    rows = MediaAsset.every.select_for_update(of=("self",)).select_related("workspace").exclude(deleted_at=None)
    count = 0
    for row in rows.filter(pk__in=[row.pk for row in assets]).order_by("id"):
        _out_of_bin(row, actor, now)
        count += 1
    return count


def _out_of_bin(row: MediaAsset, actor: Actor, now: datetime) -> None:
    row.deleted_at = None
    row.save(update_fields=["deleted_at"])
    emit(_fact("media.restored", row, actor, now, after={"name": row.original_name}))


def purge(*, now: datetime) -> int:
    """Remove for good what has been in the bin for a week: a bounded number. A file that something uses after all comes back."""
    gone = 0
    for row in MediaAsset.every.filter(deleted_at__lt=now - IN_BIN).order_by("deleted_at", "id")[:PURGED_AT_ONCE]:
        name = row.file.name or ""
        try:
            with transaction.atomic():
                row.delete()
        except ProtectedError:
            MediaAsset.every.filter(pk=row.pk).update(deleted_at=None)
            continue
        files.storage().delete(name)
        gone += 1
    return gone


def media_ref(asset: MediaAsset, now: datetime) -> MediaRef:
    """The file as adapters see it, with a link that works for MEDIA_LINK_SECONDS. `path` is empty where the storage is not on
    this machine: `renditions.fitted` brings it."""
    stored = asset.file.name or ""
    return MediaRef(
        url=media_url(asset, now),
        mime=asset.mime,
        alt=asset.alt_text,
        size=asset.size,
        checksum=asset.checksum,
        width=asset.width,
        height=asset.height,
        path=files.local_path(stored),
        seconds=asset.duration_seconds,
        animated=asset.animated,
        name=asset.original_name,
        stored=stored,
    )


def media_path_of(asset: MediaAsset) -> str:
    """The file's address on this site, for people who are signed in."""
    extension = (asset.file.name or "").rpartition(".")[2]
    name = slugify(PurePath(asset.original_name).stem)[:80] or "file"
    return f"{settings.MEDIA_URL}{asset.public_id}/{name}.{extension}"


def thumbnail_path_of(asset: MediaAsset) -> str:
    """The address of its small picture, for people who are signed in; empty where there is none."""
    return f"{settings.MEDIA_URL}thumbnails/{asset.public_id}.webp" if asset.has_thumbnail else ""


def media_url(asset: MediaAsset, now: datetime) -> str:
    """The file's absolute, signed address, for a platform that fetches it."""
    return signed_url(media_path_of(asset), str(asset.public_id), now)


def signed_url(path: str, what: str, now: datetime) -> str:
    """An absolute address that works without signing in for MEDIA_LINK_SECONDS; `what` is what the signature is about."""
    expires = int((now + timedelta(seconds=settings.MEDIA_LINK_SECONDS)).timestamp())
    query = urlencode({"expires": expires, "signature": _signature(what, expires)})
    return f"{settings.PUBLIC_URL}{path}?{query}"


def is_signed(what: str, expires: str, signature: str, now: datetime) -> bool:
    """Was this link made by `signed_url`, and does it still work?"""
    if not (expires.isascii() and expires.isdigit() and len(expires) < 16) or int(expires) < now.timestamp():
        return False
    return constant_time_compare(signature, _signature(what, int(expires)))


def _signature(what: str, expires: int) -> str:
    return Signer(salt=_SALT).signature(f"{what}:{expires}")


def _copy(source: IO[bytes] | File[Any], target: IO[bytes]) -> None:
    """Copy with the size counted, so that a lying header cannot fill the disk."""
    size = 0
    for piece in _pieces(source):
        size += len(piece)
        if size > settings.MEDIA_MAX_BYTES:
            raise Refused(Problem(field="file", message=too_large_words(), code="too_large"))
        target.write(piece)
    if size == 0:
        raise Refused(Problem(field="file", message=_("The file is empty."), code="empty"))


def too_large_words() -> str:
    return _("The file is larger than %(n)s MiB.") % {"n": f"{settings.MEDIA_MAX_BYTES / (1024 * 1024):g}"}


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


def _known(workspace: Workspace, checksum: str, actor: Actor, now: datetime) -> MediaAsset | None:
    """The row that has this content already; one in the bin comes back."""
    row = MediaAsset.every.with_checksum(workspace, checksum).first()
    if row is not None and row.deleted_at is not None:
        with unit():
            locked = MediaAsset.every.select_for_update(of=("self",)).get(pk=row.pk)
            if locked.deleted_at is not None:
                _out_of_bin(locked, actor, now)
            return locked
    return row


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
            _known(asset.workspace, asset.checksum, actor, now) if isinstance(error, IntegrityError) else None
        )  # fmt: skip
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
