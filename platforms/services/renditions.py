"""Files as a platform takes them: a still picture of the wrong type, too large or lying on its side is made right on a copy.

`fitted` is called right before a post is sent, outside of transactions and without the database. Copies are kept by content and
rule, so that a retry, and the next account with the same rule, makes none.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.files.base import ContentFile
from PIL import Image, ImageOps

from platforms.contracts import Capabilities, MediaRef, MediaRule, Publication
from platforms.errors import PlatformError, Rejected, Unavailable
from platforms.media_rules import kind_of
from platforms.media_types import orientation_of
from platforms.models import MediaAsset
from platforms.services import files, thumbnails
from platforms.services.media import signed_url

logger = logging.getLogger(__name__)
FOLDER = "renditions"
MADE_BY = 1  # of this module's way of making them: another one makes them anew
QUALITIES = (90, 84, 78, 70, 62, 54)
SMALLER = 0.82  # a picture that is too heavy at the last quality gets sides of this fraction, again and again
SHARDS = 24  # the tidying duty looks at one of so many parts of the store each time
_STILL = ("image/jpeg", "image/png", "image/webp", "image/avif", "image/gif")
_WRITES = {"image/jpeg": ("JPEG", "jpg"), "image/png": ("PNG", "png"), "image/webp": ("WEBP", "webp")}


class CannotFit(Exception):
    """The picture cannot be made to fit, in words for people."""


def rule_for(ref: MediaRef, can: Capabilities) -> MediaRule | None:
    """The rule that this file must keep; None where its kind is not taken at all."""
    if can.media:
        return can.media.get(kind_of(ref))
    return MediaRule(mimes=can.media_mimes, max_bytes=can.max_media_bytes)


def fits(ref: MediaRef, rule: MediaRule) -> bool:
    """Does the file keep what a copy could mend: type, size in bytes, sides, pixels? Sides that are not known do."""
    if ref.mime not in rule.mimes or (rule.max_bytes is not None and ref.size > rule.max_bytes):
        return False
    if ref.width is None or ref.height is None:
        return True
    return (
        (rule.max_width is None or ref.width <= rule.max_width)
        and (rule.max_height is None or ref.height <= rule.max_height)
        and (rule.max_pixels is None or ref.width * ref.height <= rule.max_pixels)
    )


def can_fit(ref: MediaRef, rule: MediaRule) -> bool:
    """Does the file fit, or can a copy be made that does? Pure. Ratio and smallest sides are never mended: nothing is cut,
    stretched or enlarged. Only what `fits` asks is answered."""
    return fits(ref, rule) or (_is_still(ref) and _type_for(rule) is not None and _room(ref, rule))


def _is_still(ref: MediaRef) -> bool:
    """A WebP or AVIF that moves is a picture to platforms, and its copy shows its first frame; a GIF that moves is none."""
    return ref.mime in _STILL and kind_of(ref) == "image"


def _type_for(rule: MediaRule) -> str | None:
    return next((mime for mime in _WRITES if mime in rule.mimes), None)


def _room(ref: MediaRef, rule: MediaRule) -> bool:
    """Is there a size, ratio kept, that is neither too large nor too small?"""
    if ref.width is None or ref.height is None:
        return True
    width, height = _sides(ref.width, ref.height, rule)
    return width >= (rule.min_width or 1) and height >= (rule.min_height or 1)


def _sides(width: int, height: int, rule: MediaRule) -> tuple[int, int]:
    """The largest sides that the rule takes, ratio kept, never larger than they are."""
    factor = min(
        1.0,
        (rule.max_width or width) / width,
        (rule.max_height or height) / height,
        ((rule.max_pixels or width * height) / (width * height)) ** 0.5,
    )
    return max(1, int(width * factor)), max(1, int(height * factor))


@contextmanager
def fitted(publication: Publication, can: Capabilities, *, now: datetime) -> Iterator[Publication]:
    """The publication with files that the account takes, each with a local `path` for as long as the block lasts and an `url` that
    gives the same bytes. Files that need no copy, and those that no copy can mend, stay as they are.

    Raises Rejected when a picture cannot be made to fit or its file is gone, Unavailable when the storage does not answer:
    certainly nothing was sent. No database.
    """
    if not publication.media:
        yield publication
        return
    with ExitStack() as stack:
        media = tuple(_one(item, rule_for(item, can), now, stack) for item in publication.media)
        yield replace(publication, media=media)


def _one(ref: MediaRef, rule: MediaRule | None, now: datetime, stack: ExitStack) -> MediaRef:
    if not (ref.stored or ref.path):
        return ref
    try:
        made = _rendition(ref, rule, now, stack) if rule and _is_still(ref) else None
        if made is None:
            made = replace(ref, path=_path(ref, stack), url=_lasting(ref.url, now))
    except PlatformError:
        raise
    except FileNotFoundError as error:
        raise Rejected(f"The file {ref.name or ref.checksum[:8]} is gone from the storage. Upload it again.") from error
    except CannotFit as error:
        raise Rejected(f"{ref.name or 'A picture'} cannot be made to fit. {error}") from error
    except Exception as error:
        # the edge to any storage: what it raises when it cannot be reached is its own; nothing was sent
        logger.exception("The media storage failed.", extra={"action": "storage_failed", "file": ref.stored})
        raise Unavailable(f"Nothing was sent: the media storage did not answer ({type(error).__name__}).") from error
    return made


def _lasting(url: str, now: datetime) -> str:
    """The address of one of our files, signed anew when the link is over or nearly so: a post that is sent again after a day names
    the old one. While it works it stays letter for letter."""
    parts = urlsplit(url)
    expires = parse_qs(parts.query).get("expires", [""])[0]
    if not url.startswith(f"{settings.PUBLIC_URL}{settings.MEDIA_URL}") or not expires.isdecimal():
        return url
    if int(expires) > now.timestamp() + 3600:
        return url
    return signed_url(parts.path, parts.path.removeprefix(settings.MEDIA_URL).partition("/")[0], now)


def _path(ref: MediaRef, stack: ExitStack) -> str:
    if ref.stored:
        return stack.enter_context(files.local_copy(ref.stored))
    return ref.path


def _rendition(ref: MediaRef, rule: MediaRule, now: datetime, stack: ExitStack) -> MediaRef | None:
    """The copy that fits, made or found; None where none is needed or none can help."""
    if not can_fit(ref, rule):
        return None
    if fits(ref, rule):
        path = _path(ref, stack)
        if not _lies(path):
            return replace(ref, path=path, url=_lasting(ref.url, now))
        rule = replace(rule, mimes=frozenset({ref.mime}) & frozenset(_WRITES) or rule.mimes)
    base = f"{FOLDER}/{ref.checksum[:2]}/{ref.checksum}/{_digest(rule)}"
    for _, extension in _WRITES.values():
        if files.is_kept(f"{base}.{extension}"):
            return _told(ref, f"{base}.{extension}", now, stack)
    made = convert(_path(ref, stack), rule)
    name = f"{base}.{_WRITES[made.mime][1]}"
    if not files.is_kept(name):
        stored = files.storage().save(name, ContentFile(made.content))
        if stored != name:  # somebody else was faster; theirs is as good
            files.storage().delete(stored)
    return _told(ref, name, now, stack)


def _told(ref: MediaRef, name: str, now: datetime, stack: ExitStack) -> MediaRef:
    """The reference to a kept copy."""
    path = stack.enter_context(files.local_copy(name))
    with Image.open(path) as image:
        width, height = image.size
        mime = next(mime for mime, (written, _) in _WRITES.items() if written == image.format)
    ending = _WRITES[mime][1]
    return replace(
        ref,
        url=url_of(name, now),
        mime=mime,
        size=os.path.getsize(path),
        width=width,
        height=height,
        path=path,
        name=f"{PurePath(ref.name).stem}.{ending}" if ref.name else "",
    )


def _lies(path: str) -> bool:
    """Does its EXIF block ask for the picture to be turned?"""
    try:
        with Image.open(path) as image:
            return orientation_of(image) != 1
    except (OSError, SyntaxError, ValueError):
        return False  # unreadable is not ours to judge here: as it is, it fits


def _digest(rule: MediaRule) -> str:
    words = [
        sorted(rule.mimes & frozenset(_WRITES)),
        rule.max_bytes,
        rule.max_width,
        rule.max_height,
        rule.max_pixels,
        MADE_BY,
    ]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Made:
    content: bytes
    mime: str


def convert(path: str, rule: MediaRule) -> Made:
    """The picture at `path` as the rule takes it: turned upright, shrunk, of a type and size that it takes; without EXIF, with its
    colour profile. JPEG where it is taken (what was see-through becomes white), unless it is see-through and PNG fits.

    Raises CannotFit in words.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                image = _upright(opened)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise CannotFit("It has too many pixels to be opened safely.") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise CannotFit(f"It is damaged and cannot be read ({error}).") from None
    sides = _sides(image.width, image.height, rule)
    if sides != image.size:
        image = image.resize(sides, Image.Resampling.LANCZOS)
    floor = (rule.min_width or 1, rule.min_height or 1)
    if image.mode == "RGBA" and "image/png" in rule.mimes:
        made = _png(image)
        if rule.max_bytes is None or len(made.content) <= rule.max_bytes:
            return made
    mime = _type_for(rule)
    if mime is None:
        raise CannotFit("The account takes neither JPEG nor PNG nor WebP.")
    while True:
        found = _lightest(image, mime, rule.max_bytes)
        if found is not None:
            return found
        smaller = (int(image.width * SMALLER), int(image.height * SMALLER))
        if min(smaller) < 16 or smaller[0] < floor[0] or smaller[1] < floor[1]:
            raise CannotFit(f"It is too heavy: the account takes {rule.max_bytes or 0:,} bytes.")
        image = image.resize(smaller, Image.Resampling.LANCZOS)


def _upright(opened: Image.Image) -> Image.Image:
    """Turned as EXIF says, RGB or RGBA, its colour profile kept where it still fits."""
    image = ImageOps.exif_transpose(opened) if orientation_of(opened) != 1 else opened.copy()
    profile: Any = opened.info.get("icc_profile") if opened.mode in ("RGB", "RGBA") else None
    if image.mode not in ("RGB", "RGBA"):
        see_through = image.mode in ("LA", "PA", "La") or "transparency" in image.info
        if image.mode.startswith("I;16") or image.mode in ("I", "F"):
            image = image.point(lambda value: value / 256).convert("L")  # 16 bits a pixel as 8
        image = image.convert("RGBA" if see_through else "RGB")
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")  # nothing shows through
    image.info = {"icc_profile": profile} if profile else {}
    return image


def _flat(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    ground.info = dict(image.info)
    return ground


def _png(image: Image.Image) -> Made:
    target = io.BytesIO()
    image.save(target, "PNG", optimize=True, icc_profile=image.info.get("icc_profile"))
    return Made(target.getvalue(), "image/png")


def _lightest(image: Image.Image, mime: str, most: int | None) -> Made | None:
    """The first quality at which it is light enough; None if none is."""
    if mime == "image/png":
        made = _png(image)
        return made if most is None or len(made.content) <= most else None
    profile = image.info.get("icc_profile")
    for quality in QUALITIES:
        target = io.BytesIO()
        if mime == "image/jpeg":
            _flat(image).save(target, "JPEG", quality=quality, optimize=True, progressive=True, icc_profile=profile)
        else:
            image.save(target, "WEBP", quality=quality, icc_profile=profile or b"")
        if most is None or target.tell() <= most:
            return Made(target.getvalue(), mime)
    return None


def url_of(name: str, now: datetime) -> str:
    """The signed address of a copy: `renditions/<checksum>/<digest>.<ending>` below MEDIA_URL."""
    checksum, file = name.split("/")[-2:]
    return signed_url(f"{settings.MEDIA_URL}{FOLDER}/{checksum}/{file}", f"{FOLDER}/{checksum}/{file}", now)


def tidy(*, now: datetime) -> int:
    """Remove copies and small pictures of files that are gone: one part of the store a call, all of it within a day when called
    hourly. Returns how many files went."""
    part = int(now.timestamp()) // 3600 % SHARDS
    return sum(_tidy(f"{shard:02x}") for shard in range(256) if shard % SHARDS == part)


def _tidy(shard: str) -> int:
    rendered, _ = files.names_in(f"{FOLDER}/{shard}")
    _, small = files.names_in(f"{thumbnails.FOLDER}/{shard}")
    there = {*rendered, *(PurePath(name).stem for name in small)}
    known = set(MediaAsset.every.filter(checksum__in=there).values_list("checksum", flat=True)) if there else set()
    gone = 0
    for checksum in sorted(there - known):
        _, copies = files.names_in(f"{FOLDER}/{shard}/{checksum}")
        for name in [f"{FOLDER}/{shard}/{checksum}/{copy}" for copy in copies] + [thumbnails.name_of(checksum)]:
            if files.is_kept(name):
                files.storage().delete(name)
                gone += 1
        if checksum in rendered:
            files.storage().delete(f"{FOLDER}/{shard}/{checksum}")  # the empty folder, where the storage has folders
    return gone
