"""Which of an account's own posts is the one that was sent? X knows no keys, so text, time and place in the thread tell. Pure."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Post = Mapping[str, Any]


def same(post: Post, *, text: str, since: datetime, parent: str, quoted: str, media: int) -> bool:
    """Is it a post of this text, made after `since`, with so many files, in answer to `parent` (or to nothing)?"""
    made = moment(post.get("created_at"))
    if made is None or made < since:
        return False
    refers = _references(post)
    if refers.get("retweeted") or refers.get("reposted") or refers.get("replied_to", "") != parent:
        return False
    if quoted and refers.get("quoted", quoted) != quoted:
        return False
    keys = (post.get("attachments") or {}).get("media_keys") or []
    return len(keys) == media and said(post, quoted) == plain(text)


def said(post: Post, quoted: str = "") -> str:
    """What a post says, as its author wrote it: shortened addresses in full, those of its files and quotation left out."""
    long = post.get("note_tweet") or post.get("note_post") or {}
    text = str(long.get("text") or post.get("text") or "")
    entities = long.get("entities") or post.get("entities") or {}
    for item in entities.get("urls") or []:
        short, full = str(item.get("url") or ""), str(item.get("expanded_url") or item.get("unwound_url") or "")
        if short:
            is_ours = not (
                item.get("media_key")
                or ("/photo/" in full and "/status/" in full)
                or ("/video/" in full and "/status/" in full)
            )
            if quoted and full.rstrip("/").endswith(f"/status/{quoted}"):
                is_ours = False
            text = text.replace(short, full if is_ours else "")
    return plain(html.unescape(text))


def plain(text: str) -> str:
    """NFC, one kind of line end, no white space around: what X itself makes of a text."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()


def moment(value: Any) -> datetime | None:
    try:
        made = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def _references(post: Post) -> dict[str, str]:
    found: Sequence[Any] = post.get("referenced_tweets") or post.get("referenced_posts") or []
    return {str(item.get("type")): str(item.get("id")) for item in found if isinstance(item, Mapping)}
