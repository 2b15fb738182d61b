"""Bluesky's record keys, facets and posts, built from what is to be said. Pure.

Source: atproto.com specs (record keys, TID), lexicons app.bsky.feed.post, app.bsky.embed.*, app.bsky.richtext.facet (20 Aug 2026).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from platforms.text.facets import Facet, facets

COLLECTION = "app.bsky.feed.post"
_LETTERS = "234567abcdefghijklmnopqrstuvwxyz"
# Keys lie in 2023 to 2025 as times go, with 46 bits of chance: what a reader sees is `createdAt`.
_FROM_MICROSECONDS = 1_672_531_200_000_000


def record_key(key: str, number: int) -> str:
    """The TID of part `number` of the post with this idempotency key: the same whenever and wherever it is asked for. It depends
    on nothing else, so that a post that was moved in time still finds what an earlier call of it made."""
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    clock, chance = digest & 1023, digest >> 18  # 10 bits and 46 bits
    return tid(_FROM_MICROSECONDS + chance + number, clock)


def tid(microseconds: int, clock: int) -> str:
    """13 letters of base32-sortable: 53 bits of time, 10 bits of clock."""
    value = (microseconds << 10) | clock
    return "".join(_LETTERS[(value >> (5 * place)) & 31] for place in range(12, -1, -1))


def created_at(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def mentioned(text: str) -> list[str]:
    """The handles in a text, each once."""
    return list(dict.fromkeys(facet.value for facet in facets(text) if facet.kind == "mention"))


def post(
    text: str,
    *,
    at: str,
    langs: Sequence[str] = (),
    labels: Sequence[str] = (),
    dids: Mapping[str, str],
    embed: Mapping[str, Any] | None = None,
    root: Mapping[str, str] | None = None,
    parent: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The record of a post. dids: handle -> DID of those it mentions; a handle without one stays plain text. root, parent: uri
    and cid of the posts it answers."""
    record: dict[str, Any] = {"$type": COLLECTION, "text": text, "createdAt": at}
    found = [made for facet in facets(text) if (made := _facet(facet, dids)) is not None]
    if found:
        record["facets"] = found
    if langs:
        record["langs"] = list(langs)[:3]
    if labels:
        values = [{"val": label} for label in labels]
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": values}
    if embed:
        record["embed"] = dict(embed)
    if root and parent:
        record["reply"] = {"root": dict(root), "parent": dict(parent)}
    return record


def _facet(facet: Facet, dids: Mapping[str, str]) -> dict[str, Any] | None:
    kind = "app.bsky.richtext.facet"
    if facet.kind == "link":
        feature = {"$type": f"{kind}#link", "uri": facet.value}
    elif facet.kind == "tag":
        feature = {"$type": f"{kind}#tag", "tag": facet.value}
    elif facet.value in dids:
        feature = {"$type": f"{kind}#mention", "did": dids[facet.value]}
    else:
        return None
    return {"index": {"byteStart": facet.byte_start, "byteEnd": facet.byte_end}, "features": [feature]}


def media_embed(files: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The embed of files that are uploaded: each has `blob`, `alt`, `mime`, `width` and `height` (perhaps None)."""
    if not files:
        return None
    if files[0]["mime"].startswith("video/"):
        video: dict[str, Any] = {"$type": "app.bsky.embed.video", "video": files[0]["blob"]}
        return video | ({"alt": files[0]["alt"]} if files[0]["alt"] else {}) | _ratio(files[0])
    if len(files) > 4:
        items = [{"$type": "app.bsky.embed.gallery#image", **_image(file)} for file in files]
        return {"$type": "app.bsky.embed.gallery", "items": items}
    return {"$type": "app.bsky.embed.images", "images": [_image(file) for file in files]}


def _image(file: Mapping[str, Any]) -> dict[str, Any]:
    return {"alt": file["alt"] or "", "image": file["blob"]} | _ratio(file)


def _ratio(file: Mapping[str, Any]) -> dict[str, Any]:
    if not (file.get("width") and file.get("height")):
        return {}
    return {"aspectRatio": {"width": int(file["width"]), "height": int(file["height"])}}
