"""Small pictures for pages: made once for each content, kept beside the files, made anew when they are gone."""

from __future__ import annotations

import io
import warnings

from django.core.files.base import ContentFile
from PIL import Image, ImageOps

from platforms.services import files

SIDE = 400  # pixels, the longer one at most
FOLDER = "thumbnails"


def name_of(checksum: str) -> str:
    return f"{FOLDER}/{checksum[:2]}/{checksum}.webp"


def keep(checksum: str, image: Image.Image) -> bytes:
    """Make and store the small picture of this content."""
    small = ImageOps.exif_transpose(image)
    small.thumbnail((SIDE, SIDE))
    if small.mode not in ("RGB", "RGBA"):
        small = small.convert("RGBA" if "transparency" in small.info or small.mode in ("LA", "PA") else "RGB")
    target = io.BytesIO()
    small.save(target, "WEBP", quality=78)
    name = name_of(checksum)
    if not files.is_kept(name):
        files.storage().save(name, ContentFile(target.getvalue()))
    return target.getvalue()


def read(checksum: str, stored: str) -> bytes | None:
    """The small picture of a stored picture, made now if it was not before; None when the file is gone or cannot be read."""
    try:
        with files.storage().open(name_of(checksum), "rb") as kept:
            return bytes(kept.read())
    except FileNotFoundError:
        pass
    try:
        with files.local_copy(stored) as path, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG is read at a fraction of its size
                return keep(checksum, image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return None
