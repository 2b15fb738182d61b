"""Files against the rule of their kind. Pure; `platforms.validation` asks it, and so does whoever makes renditions.

Still pictures are mended on a copy before they are sent: another type, fewer pixels, fewer bytes. Nothing else is: a picture is
not enlarged or cropped, and animations, films, sounds and documents stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from platforms.contracts import MediaKind, MediaRule
from platforms.problems import ContentProblem, MediaLike, error, warning

MEBIBYTE = 1024 * 1024
NAMES: dict[MediaKind, tuple[str, str]] = {
    "image": ("image", "images"),
    "gif": ("animated GIF", "animated GIFs"),
    "video": ("video", "videos"),
    "audio": ("audio file", "audio files"),
    "document": ("document", "documents"),
}
_MADE = frozenset({"image/jpeg", "image/png", "image/webp"})  # what renditions are made of
_ROOM = 0.005  # ratios are given to two digits, and pixels are whole


def kind_of(item: MediaLike) -> MediaKind:
    """What rules take the file for. A GIF that does not move is an image."""
    if item.mime == "image/gif" and item.animated:
        return "gif"
    first = item.mime.partition("/")[0]
    return first if first in ("image", "video", "audio") else "document"  # type: ignore[return-value]


def converts(item: MediaLike, rule: MediaRule) -> bool:
    """Does the file need a copy of its own to fit the rule, and can we make one?"""
    return _is_mended(item, rule) and (
        item.mime not in rule.mimes
        or _is_too_wide(item, rule)
        or (rule.max_bytes is not None and item.size > rule.max_bytes)
    )


def problems(item: MediaLike, rule: MediaRule, number: int) -> list[ContentProblem]:
    """What is wrong with file `number` of a post. What a copy mends is at most a warning."""
    return list(_problems(item, rule, number))


def size_words(size: int) -> str:
    """ "340 KiB", "5.2 MiB"."""
    return f"{size / MEBIBYTE:.1f} MiB" if size >= MEBIBYTE else f"{-(-size // 1024)} KiB"


def _is_mended(item: MediaLike, rule: MediaRule) -> bool:
    return kind_of(item) == "image" and bool(rule.mimes & _MADE)


def _is_too_wide(item: MediaLike, rule: MediaRule) -> bool:
    return _scale(item, rule) < 1


def _scale(item: MediaLike, rule: MediaRule) -> float:
    """By what the sides are multiplied to fit; 1 when they do."""
    if not item.width or not item.height:
        return 1
    scale = 1.0
    if rule.max_width is not None:
        scale = min(scale, rule.max_width / item.width)
    if rule.max_height is not None:
        scale = min(scale, rule.max_height / item.height)
    if rule.max_pixels is not None:
        scale = min(scale, sqrt(rule.max_pixels / (item.width * item.height)))
    return scale


def _problems(item: MediaLike, rule: MediaRule, number: int) -> Iterator[ContentProblem]:
    mended = _is_mended(item, rule)
    name = f"{NAMES[kind_of(item)][0]} {number}"
    name = name[0].upper() + name[1:]
    if mended and converts(item, rule):
        yield warning(
            "media_converted", "media", f"{name} will be {_deeds(item, rule)} for this account.", "Nothing to do."
        )
    if not mended:
        yield from _unmended(item, rule, name)
    yield from _sides(item, rule, name, _scale(item, rule) if mended else 1)
    yield from _seconds(item, rule, name)
    if rule.max_alt is not None and len(item.alt) > rule.max_alt:
        over = len(item.alt) - rule.max_alt
        yield error(
            "alt_too_long",
            "media",
            f"The alternative text of {name[0].lower() + name[1:]} has {len(item.alt):,} of {rule.max_alt:,} characters.",
            f"Shorten it by {over:,}.",
        )


def _deeds(item: MediaLike, rule: MediaRule) -> str:
    deeds = []
    if item.mime not in rule.mimes:
        deeds.append(f"converted to {' or '.join(short(mime) for mime in sorted(rule.mimes & _MADE))}")
    scale = _scale(item, rule)
    if scale < 1 and item.width and item.height:
        deeds.append(f"resized to {max(1, int(item.width * scale))} × {max(1, int(item.height * scale))}")
    elif rule.max_bytes is not None and item.size > rule.max_bytes:
        deeds.append(f"made smaller than {size_words(rule.max_bytes)}")
    return " and ".join(deeds)


def short(mime: str) -> str:
    """ "JPEG" for "image/jpeg"."""
    names = {"video/quicktime": "MOV", "audio/mp4": "M4A", "image/webp": "WebP"}
    return names.get(mime, mime.rpartition("/")[2].upper())


def _unmended(item: MediaLike, rule: MediaRule, name: str) -> Iterator[ContentProblem]:
    if item.mime not in rule.mimes:
        taken = ", ".join(short(mime) for mime in sorted(rule.mimes)) or "none"
        yield error(
            "media_type",
            "media",
            f"{name} is {short(item.mime)}; this account takes {taken}.",
            "Convert it or remove it.",
        )
    if rule.max_bytes is not None and item.size > rule.max_bytes:
        yield error(
            "media_too_large",
            "media",
            f"{name} has {size_words(item.size)}; this account takes {size_words(rule.max_bytes)}.",
            "Make it smaller or remove it.",
        )
    if _is_too_wide(item, rule):
        limits = []
        if rule.max_width is not None or rule.max_height is not None:
            limits.append(f"{rule.max_width or 'any'} × {rule.max_height or 'any'} pixels")
        if rule.max_pixels is not None:
            limits.append(f"{rule.max_pixels:,} pixels in all")
        yield error(
            "media_too_wide",
            "media",
            f"{name} is {item.width} × {item.height} pixels; this account takes at most {' and '.join(limits)}.",
            "Make a smaller version of it, or remove it.",
        )


def _sides(item: MediaLike, rule: MediaRule, name: str, scale: float) -> Iterator[ContentProblem]:
    if not item.width or not item.height:
        return
    width, height = item.width * scale, item.height * scale
    if width + 1 <= (rule.min_width or 0) or height + 1 <= (rule.min_height or 0):
        least = f"{rule.min_width or 'any'} × {rule.min_height or 'any'}"
        yield error(
            "media_too_narrow",
            "media",
            f"{name} is {item.width} × {item.height} pixels; this account takes at least {least}.",
            "Use a larger version; enlarging it would only blur it.",
        )
    ratio = item.width / item.height
    low, high = rule.min_ratio, rule.max_ratio
    if (low is not None and ratio < low * (1 - _ROOM)) or (high is not None and ratio > high * (1 + _ROOM)):
        allowed = " to ".join(f"{edge:.2f}" for edge in (low, high) if edge is not None)
        bound = "" if low is not None and high is not None else "at least " if high is None else "at most "
        yield error(
            "media_ratio",
            "media",
            f"{name} has a ratio of width to height of {ratio:.2f}; this account takes {bound}{allowed}.",
            "Crop it, or use another one.",
        )


def _seconds(item: MediaLike, rule: MediaRule, name: str) -> Iterator[ContentProblem]:
    if item.seconds is None:
        return
    if rule.max_seconds is not None and item.seconds > rule.max_seconds:
        yield error(
            "media_too_long",
            "media",
            f"{name} plays {item.seconds:g} seconds; this account takes at most {rule.max_seconds:g}.",
            "Cut it, or use another one.",
        )
    if rule.min_seconds is not None and item.seconds < rule.min_seconds:
        yield error(
            "media_too_short",
            "media",
            f"{name} plays {item.seconds:g} seconds; this account takes at least {rule.min_seconds:g}.",
            "Use a longer one.",
        )
