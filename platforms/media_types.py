"""What a file is, by its content, and the same file without the place it was taken. Pure but for Pillow."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from PIL import Image, UnidentifiedImageError

_IMAGES = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
    "AVIF": ("image/avif", "avif"),
}
# ISO base media (ISO/IEC 14496-12): `ftyp` at byte 4, then the brand.
_BRANDS = {b"qt  ": ("video", "video/quicktime", "mov"), b"M4A ": ("audio", "audio/mp4", "m4a")}
_AVIF = (b"avif", b"avis")
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_GPS_IFD = 0x8825
_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})  # EXIF 2.3, tag 0x0112: those that swap the sides
_PNG = b"\x89PNG\r\n\x1a\n"
_EXIF = b"Exif\0\0"
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # XMP specification part 3, 1.1.4
_PLACE_KEYS = (b"location", b"gps")
_MOST_BOXES = 10_000


class NotTaken(ValueError):
    """This file is not one that platforms take. JPEG, PNG, GIF, WebP, AVIF, MP4, MOV, M4A and PDF are."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaType:
    """width and height as people see the picture (turned where EXIF says so). details: frames, pages, where known."""

    kind: str
    mime: str
    extension: str
    width: int | None = None
    height: int | None = None
    animated: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


def sniff(file: IO[bytes]) -> MediaType:
    """Read the type from the content; the name and the browser's claim count for nothing. Raises NotTaken."""
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    if head.startswith(b"%PDF-"):
        pages = pages_of(file)
        return MediaType(
            kind="document", mime="application/pdf", extension="pdf", details={"pages": pages} if pages else {}
        )
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIC and not _is_avif(file):
            raise NotTaken("Platforms do not take HEIC pictures. Save it as JPEG, PNG or WebP first.")
        if brand not in (*_AVIF, *_HEIC):
            kind, mime, extension = _BRANDS.get(brand, ("video", "video/mp4", "mp4"))
            return MediaType(kind=kind, mime=mime, extension=extension)
    return _image(file)


def _is_avif(file: IO[bytes]) -> bool:
    """`mif1` is what HEIC and AVIF share; the compatible brands in the same box tell them apart."""
    head = file.read(256)
    file.seek(0)
    brands = head[16 : min(int.from_bytes(head[:4], "big"), 256)]
    return any(brands[at : at + 4] in _AVIF for at in range(0, len(brands), 4))


def _image(file: IO[bytes]) -> MediaType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=list(_IMAGES)) as image:
                width, height = image.size
                found = _IMAGES[str(image.format)]
                image.verify()
            file.seek(0)
            with Image.open(file, formats=list(_IMAGES)) as image:  # after `verify` nothing else can be asked
                frames = int(getattr(image, "n_frames", 1))
                if orientation_of(image) in _TURNED:
                    width, height = height, width
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise NotTaken("This picture has too many pixels to be opened safely. Make it smaller.") from None
    except UnidentifiedImageError:
        raise NotTaken from None
    except (OSError, SyntaxError, ValueError, EOFError):
        raise NotTaken("This picture is damaged and cannot be read.") from None
    finally:
        file.seek(0)
    return MediaType(
        kind="image",
        mime=found[0],
        extension=found[1],
        width=width,
        height=height,
        animated=frames > 1,
        details={"frames": frames} if frames > 1 else {},
    )


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or it cannot be read. That of a PNG, which may stand behind its pixels and
    which browsers leave alone, is not asked for."""
    if image.format in ("PNG", "GIF"):
        return 1
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1  # an EXIF block that nobody can read turns no picture
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def pages_of(pdf: IO[bytes]) -> int | None:
    """How many pages, where the file says so in plain words (ISO 32000-1, 7.7.3: `/Type /Pages … /Count n`); else None."""
    pdf.seek(0)
    content = pdf.read(32 * 1024 * 1024)
    pdf.seek(0)
    counts = [int(found) for found in re.findall(rb"/Count\s+(\d{1,6})", content)] if b"/Pages" in content else []
    single = len(re.findall(rb"/Type\s*/Page[^s\w]", content))
    return max([*counts, single], default=0) or None


def without_location(jpeg: bytes) -> bytes:
    """The same JPEG without its GPS data; the picture itself is not encoded anew.

    Source: JFIF and EXIF 2.3, segments between SOI and SOS: APP1 holds EXIF (its GPS directory goes) or XMP (goes whole
    when it names GPS).
    """
    kept = [jpeg[:2]]
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        segment = jpeg[at:end]
        kept.append(_cleaned(segment) if jpeg[at + 1] == 0xE1 else segment)
        at = end
    return b"".join([*kept, jpeg[at:]])


def _cleaned(segment: bytes) -> bytes:
    if not segment[4:].startswith(_EXIF):
        return b"" if b"GPS" in segment else segment
    body = _exif_without_gps(segment[4:])
    if body == segment[4:]:
        return segment
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body if 0 < len(body) + 2 < 65_536 and body else b""


def _exif_without_gps(exif: bytes) -> bytes:
    """An EXIF block (with `Exif\\0\\0` before it or not, as it came) without its GPS directory; empty when it is unreadable, so
    that nobody can say what place it tells."""
    has_head = exif.startswith(_EXIF)
    read = Image.Exif()
    try:
        read.load(exif if has_head else _EXIF + exif)
        if _GPS_IFD not in read:
            return exif
        del read[_GPS_IFD]
        body = read.tobytes().removeprefix(_EXIF)
    except Exception:
        return b""
    return _EXIF + body if has_head else body


def png_without_location(png: bytes) -> bytes:
    """The same PNG without its GPS data: the eXIf chunk is cleaned, text chunks that hold XMP or EXIF go when they may name a
    place. Source: PNG (third edition), 5.3 (layout of chunks) and 11.3 (eXIf, iTXt, zTXt, tEXt)."""
    kept = [png[:8]]
    at = 8
    while at + 12 <= len(png):
        size, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        end = at + 12 + size
        body = png[at + 8 : at + 8 + size]
        if kind == b"eXIf":
            clean = _exif_without_gps(body)
            kept.append(png[at:end] if clean == body else _chunk(kind, clean))
        elif not (kind in (b"tEXt", b"zTXt", b"iTXt") and _tells_a_place(body)):
            kept.append(png[at:end])
        at = end
    return b"".join([*kept, png[at:]])


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) if body else b""


def _tells_a_place(text: bytes) -> bool:
    """A text chunk: its key word, NUL, the rest. Packed EXIF ("Raw profile type exif") and packed XMP are not looked into."""
    name, _, rest = text.partition(b"\0")
    if name.lower().startswith(b"raw profile type"):
        return True
    if name == b"XML:com.adobe.xmp":
        return rest[:1] == b"\1" or b"GPS" in rest
    return b"gps" in name.lower()


def webp_without_location(webp: bytes) -> bytes:
    """The same WebP without its GPS data: its EXIF chunk is cleaned, its XMP chunk goes when it names GPS, and the flags in VP8X
    say what is left. Source: WebP container specification ("Extended file format")."""
    chunks: list[tuple[bytes, bytes]] = []
    at = 12
    while at + 8 <= len(webp):
        kind, size = webp[at : at + 4], int.from_bytes(webp[at + 4 : at + 8], "little")
        body = webp[at + 8 : at + 8 + size]
        if kind == b"EXIF":
            body = _exif_without_gps(body)
        if not (kind == b"EXIF" and not body) and not (kind == b"XMP " and b"GPS" in body):
            chunks.append((kind, body))
        at += 8 + size + size % 2
    left = {kind for kind, _ in chunks}
    written = []
    for kind, body in chunks:
        if kind == b"VP8X" and body:
            flags = body[0] & ~(0 if b"EXIF" in left else 0x08) & ~(0 if b"XMP " in left else 0x04)
            body = bytes([flags]) + body[1:]
        written.append(kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2))
    whole = b"WEBP" + b"".join(written)
    return b"RIFF" + len(whole).to_bytes(4, "little") + whole


def avif_without_location(avif: bytes) -> bytes:
    """The same AVIF with its EXIF and XMP blocks overwritten in place where they tell a place, so that no offset moves."""
    with Image.open(io.BytesIO(avif), formats=["AVIF"]) as image:
        exif, xmp = image.info.get("exif", b""), image.info.get("xmp", b"")
    exif = exif.removeprefix(_EXIF)
    clean = _exif_without_gps(exif) if exif else b""
    if exif and clean != exif:
        clean = clean if len(clean) <= len(exif) else b""
        avif = avif.replace(exif, clean.ljust(len(exif), b"\0"))
    if xmp and b"GPS" in xmp:
        avif = avif.replace(xmp, b" " * len(xmp))
    return avif


_CLEANERS = {
    "image/jpeg": without_location,
    "image/png": png_without_location,
    "image/webp": webp_without_location,
    "image/avif": avif_without_location,
}


def image_bytes(file: IO[bytes], found: MediaType) -> IO[bytes]:
    """The file to store: without the place it was taken, everything else as it is. Videos are changed in place."""
    file.seek(0)
    if found.mime in ("video/mp4", "video/quicktime", "audio/mp4"):
        forget_place(file)
        file.seek(0)
        return file
    cleaner = _CLEANERS.get(found.mime)
    return file if cleaner is None else io.BytesIO(cleaner(file.read()))


def forget_place(video: IO[bytes]) -> int:
    """Overwrite where an MP4 or MOV says it was taken; nothing moves, so that every offset stays right. Returns how many.

    Source: QuickTime File Format ("User data atoms": ©xyz; "Metadata": keys of type mdta, com.apple.quicktime.location.*),
    3GPP TS 26.244 (loci), XMP specification part 3 (uuid box). Boxes of a place become `free`; values of keys become NULs.
    """
    video.seek(0, io.SEEK_END)
    return sum(_forget(video, box) for box in list(_boxes(video, 0, video.tell(), 0)))


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    at: int  # of its head
    body: int
    end: int


_CONTAINERS = (b"moov", b"trak", b"udta", b"moof", b"traf")


def _boxes(video: IO[bytes], at: int, end: int, depth: int) -> Iterator[_Box]:
    """Every box that may matter, parents before children."""
    count = 0
    while at + 8 <= end and count < _MOST_BOXES:
        count += 1
        video.seek(at)
        head = video.read(16)
        size, body = int.from_bytes(head[:4], "big"), at + 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), at + 16
        elif size == 0:
            size = end - at
        if size < body - at or at + size > end:
            return
        box = _Box(head[4:8], at, body, at + size)
        yield box
        if box.kind in _CONTAINERS and depth < 6:
            yield from _boxes(video, body, box.end, depth + 1)
        at += size


def _forget(video: IO[bytes], box: _Box) -> int:
    if box.kind in (b"\xa9xyz", b"loci"):
        return _blank(video, box)
    if box.kind == b"uuid" and box.end - box.body < 8 * 1024 * 1024:
        video.seek(box.body)
        body = video.read(box.end - box.body)
        return _blank(video, box) if body.startswith(_XMP_BOX) and b"GPS" in body else 0
    return _forget_keys(video, box) if box.kind == b"meta" else 0


def _blank(video: IO[bytes], box: _Box) -> int:
    video.seek(box.at + 4)
    video.write(b"free")
    video.seek(box.body)
    video.write(bytes(box.end - box.body))
    return 1


def _forget_keys(video: IO[bytes], meta: _Box) -> int:
    """`meta` with `keys` and `ilst`: an item's type is the number of its key, its value a `data` box (16 bytes, then it)."""
    start = meta.body
    video.seek(start)
    if video.read(8)[4:8] not in (b"hdlr", b"keys", b"ilst"):
        start += 4  # ISO's `meta` has version and flags first, QuickTime's has not
    parts = {box.kind: box for box in _boxes(video, start, meta.end, 99)}
    if b"ilst" in parts and b"keys" not in parts:
        found = [item for item in _boxes(video, parts[b"ilst"].body, parts[b"ilst"].end, 99) if item.kind == b"\xa9xyz"]
        return sum(_blank(video, item) for item in found)
    if b"keys" not in parts or b"ilst" not in parts:
        return 0
    numbers = _place_keys(video, parts[b"keys"])
    forgotten = 0
    for item in list(_boxes(video, parts[b"ilst"].body, parts[b"ilst"].end, 99)):
        if int.from_bytes(item.kind, "big") not in numbers:
            continue
        for value in list(_boxes(video, item.body, item.end, 99)):
            length = value.end - value.body - 8
            if value.kind == b"data" and length > 0:
                video.seek(value.body + 8)
                video.write(bytes(length))
                forgotten += 1
    return forgotten


def _place_keys(video: IO[bytes], keys: _Box) -> set[int]:
    video.seek(keys.body)
    table = video.read(min(keys.end - keys.body, 1024 * 1024))
    found, at = set(), 8
    for number in range(1, min(int.from_bytes(table[4:8], "big"), 1000) + 1):
        size = int.from_bytes(table[at : at + 4], "big")
        if size < 8:
            break
        if any(word in table[at + 8 : at + size].lower() for word in _PLACE_KEYS):
            found.add(number)
        at += size
    return found
