"""What a file is, by its content, and a JPEG without the place it was taken. Pure but for Pillow."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import IO

from PIL import Image, UnidentifiedImageError

_IMAGES = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
}
# ISO base media (ISO/IEC 14496-12): `ftyp` at byte 4, then the brand.
_BRANDS = {b"qt  ": ("video", "video/quicktime", "mov"), b"M4A ": ("audio", "audio/mp4", "m4a")}
_GPS_IFD = 0x8825


class NotTaken(ValueError):
    """This file is not one that platforms take. JPEG, PNG, GIF, WebP, MP4, MOV, M4A and PDF are."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaType:
    kind: str
    mime: str
    extension: str
    width: int | None = None
    height: int | None = None


def sniff(file: IO[bytes]) -> MediaType:
    """Read the type from the content; the name and the browser's claim count for nothing. Raises NotTaken."""
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    if head.startswith(b"%PDF-"):
        return MediaType(kind="document", mime="application/pdf", extension="pdf")
    if head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"):
        kind, mime, extension = _BRANDS.get(head[8:12], ("video", "video/mp4", "mp4"))
        return MediaType(kind=kind, mime=mime, extension=extension)
    return _image(file)


def _image(file: IO[bytes]) -> MediaType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=list(_IMAGES)) as image:
                width, height = image.size
                found = _IMAGES[str(image.format)]
                image.verify()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise NotTaken("This picture has too many pixels to be opened safely. Make it smaller.") from None
    except UnidentifiedImageError:
        raise NotTaken from None
    except (OSError, SyntaxError, ValueError, EOFError):
        raise NotTaken("This picture is damaged and cannot be read.") from None
    finally:
        file.seek(0)
    return MediaType(kind="image", mime=found[0], extension=found[1], width=width, height=height)


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
    if not segment[4:].startswith(b"Exif\0\0"):
        return b"" if b"GPS" in segment else segment
    exif = Image.Exif()
    try:
        exif.load(segment[4:])
        if _GPS_IFD not in exif:
            return segment
        del exif[_GPS_IFD]
        body = exif.tobytes()
    except Exception:
        return b""  # unreadable, so nobody can say what place it tells
    body = body if body.startswith(b"Exif\0\0") else b"Exif\0\0" + body
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body if len(body) + 2 < 65_536 else b""


def image_bytes(file: IO[bytes], found: MediaType) -> IO[bytes]:
    """The file to store: a JPEG loses its location, everything else stays as it is."""
    file.seek(0)
    if found.mime != "image/jpeg":
        return file
    return io.BytesIO(without_location(file.read()))
