"""What one server takes: read from its own description, kept in the account's options. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
VIDEOS = ("video/mp4", "video/quicktime")
AUDIO = ("audio/mp4",)


@dataclass(frozen=True, slots=True)
class Limits:
    """Figures of a server; the defaults are those of Mastodon 4.5 (docs.joinmastodon.org, limits.json)."""

    max_characters: int = 500
    max_media: int = 4
    url_weight: int = 23
    image_bytes: int = 16_777_216
    image_pixels: int = 33_177_600
    video_bytes: int = 103_809_024
    video_pixels: int = 8_294_400
    max_alt: int = 1500
    poll_options: int = 4
    poll_characters: int = 50
    poll_seconds_min: int = 300
    poll_seconds_max: int = 2_629_746
    mimes: tuple[str, ...] = IMAGES + VIDEOS + AUDIO
    software: str = "mastodon"


_PLACES = {
    "max_characters": ("statuses", "max_characters"),
    "max_media": ("statuses", "max_media_attachments"),
    "url_weight": ("statuses", "characters_reserved_per_url"),
    "image_bytes": ("media_attachments", "image_size_limit"),
    "image_pixels": ("media_attachments", "image_matrix_limit"),
    "video_bytes": ("media_attachments", "video_size_limit"),
    "video_pixels": ("media_attachments", "video_matrix_limit"),
    "max_alt": ("media_attachments", "description_limit"),
    "poll_options": ("polls", "max_options"),
    "poll_characters": ("polls", "max_characters_per_option"),
    "poll_seconds_min": ("polls", "min_expiration"),
    "poll_seconds_max": ("polls", "max_expiration"),
}


def from_instance(data: Any) -> dict[str, Any]:
    """The limits in a server's `/api/v2/instance` (or v1), as JSON for the account's options; what is missing stays the default."""
    told = data if isinstance(data, dict) else {}
    configuration = _object(told.get("configuration"))
    found: dict[str, Any] = {}
    for name, (group, item) in _PLACES.items():
        value = _object(configuration.get(group)).get(item)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            found[name] = value
    mimes = _object(configuration.get("media_attachments")).get("supported_mime_types")
    if isinstance(mimes, list) and (known := [mime for mime in Limits().mimes if mime in mimes]):
        found["mimes"] = known
    found["software"] = software_of(told)
    return found


def software_of(instance: Mapping[str, Any]) -> str:
    """mastodon, when the server is provably that; else the name it gives, or `compatible`. GoToSocial tells by its source."""
    version, source = str(instance.get("version") or "").lower(), str(instance.get("source_url") or "").lower()
    for name in ("gotosocial", "pleroma", "akkoma", "pixelfed", "friendica", "firefish", "iceshrimp", "sharkey"):
        if name in version or name in source:
            return name
    return "mastodon" if "mastodon/mastodon" in source else "compatible"


def of(options: Mapping[str, Any]) -> Limits:
    """The limits of an account: what a person entered, what its server said, what Mastodon has by default."""
    kept = _object(options.get("limits"))
    known = {field.name for field in fields(Limits)}
    values = {name: value for name, value in kept.items() if name in known and _fits(name, value)}
    if "mimes" in values:
        values["mimes"] = tuple(values["mimes"])
    try:
        if (own := int(float(options.get("max_characters") or 0))) > 0:
            values["max_characters"] = own
    except (TypeError, ValueError, OverflowError):
        pass
    return Limits(**values)


def _fits(name: str, value: Any) -> bool:
    default = asdict(Limits())[name]
    if isinstance(default, int):
        return isinstance(value, int) and not isinstance(value, bool) and value > 0
    if isinstance(default, str):
        return isinstance(value, str)
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
