"""What one account really gets: content, then the platform's variant, then the target's own words. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from platforms.contracts import AccountRef, MediaRef, Publication
from platforms.services.media import media_ref
from schedules.models import ContentItem, Schedule, Target

SCHEMA = 1


def compose(
    schedule: Schedule,
    target: Target | None,
    account: AccountRef,
    *,
    now: datetime,
    key: str = "",
    scheduled_for: datetime | None = None,
) -> Publication:
    """The publication for one target, as of `now` (the media's addresses expire). With variants and media prefetched: no query."""
    content: ContentItem = schedule.content
    variant = next((item for item in content.variants.all() if item.platform == account.platform), None)

    def pick(name: str) -> Any:
        for source in (target, variant):
            value = getattr(source, name, None)
            if value is not None:
                return value
        return getattr(content, name)

    return Publication(
        key=key,
        account=account,
        title=pick("title"),
        text=pick("text"),
        link=pick("link"),
        hashtags=tuple(pick("hashtags")),
        media=tuple(media_ref(item.asset, now) for item in content.media_links.all()),
        content_type=content.content_type,
        options=dict(variant.options) if variant else {},
        scheduled_for=scheduled_for or now,
    )


def to_json(publication: Publication) -> dict[str, Any]:
    """The publication as the attempt keeps it: everything that is sent but the credentials. `schema` names this form (R39)."""
    return {
        "schema": SCHEMA,
        "key": publication.key,
        "title": publication.title,
        "text": publication.text,
        "link": publication.link,
        "hashtags": list(publication.hashtags),
        "media": [
            {
                "url": item.url, "mime": item.mime, "alt": item.alt, "size": item.size, "width": item.width, "height": item.height,
                "path": item.path, "checksum": item.checksum,
            }
            for item in publication.media
        ],
        "content_type": publication.content_type,
        "options": dict(publication.options),
        "scheduled_for": publication.scheduled_for.isoformat(),
    }  # fmt: skip


def from_json(stored: Mapping[str, Any], account: AccountRef) -> Publication:
    """The publication of an earlier attempt, word for word, for look-ups and replays with the same key.

    Raises LookupError, TypeError or ValueError when it is not of a form that this version reads.
    """
    if stored["schema"] != SCHEMA:
        raise ValueError(f"a post of schema {stored['schema']!r}")
    return Publication(
        key=stored["key"],
        account=account,
        title=stored["title"],
        text=stored["text"],
        link=stored["link"],
        hashtags=tuple(stored["hashtags"]),
        media=tuple(MediaRef(**item) for item in stored["media"]),
        content_type=stored["content_type"],
        options=stored["options"],
        scheduled_for=datetime.fromisoformat(stored["scheduled_for"]),
    )
