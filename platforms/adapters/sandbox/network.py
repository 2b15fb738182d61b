"""The practice network itself: stores posts, finds them by key, counts likes. The only writer of its tables.

What adapters call runs in pool threads that live long, each with its own short transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.db.models import Count, F

from platforms.adapters.sandbox.models import SandboxComment, SandboxPost
from platforms.contracts import Publication

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


@contextmanager
def _connection() -> Iterator[None]:
    """A pool thread outlives its database connection's welcome: drop what is too old, before and after."""
    _drop_old()
    try:
        yield
    finally:
        _drop_old()


def _drop_old() -> None:
    if not connection.in_atomic_block:  # inside of a test's transaction, Django would take it for a broken one
        close_old_connections()


def store(publication: Publication, now: datetime) -> tuple[SandboxPost, bool]:
    """(post, made now). The same key again gives the same post, also when two come at the same moment."""
    with _connection(), transaction.atomic():
        post, is_new = SandboxPost.objects.get_or_create(
            account_id=publication.account.id,
            key=publication.key,
            defaults={
                "remote_id": "".join(secrets.choice(_ALPHABET) for _ in range(10)),
                "posted_at": now,
                **_content(publication),
            },
        )
        if is_new and (words := str(publication.options.get("first_comment") or "").strip()):
            comment(post, author=publication.account.name, text=words[:1000], now=now)
        return post, is_new


def _content(publication: Publication) -> dict[str, Any]:
    return {
        "title": publication.title[:300],
        "text": publication.text,
        "link": publication.link[:2000],
        "hashtags": list(publication.hashtags),
        "media": [{"checksum": item.checksum, "alt": item.alt, "mime": item.mime} for item in publication.media],
        "content_type": publication.content_type,
        "visibility": str(publication.options.get("visibility") or "public")[:10],
    }


def look_up(account_id: int, key: str) -> SandboxPost | None:
    with _connection():
        return SandboxPost.objects.filter(account_id=account_id, key=key).first()


def remove(account_id: int, remote_id: str, now: datetime) -> None:
    """Take a post off the feed. Its key stays taken: it was posted."""
    with _connection():
        SandboxPost.objects.filter(account_id=account_id, remote_id=remote_id, removed_at=None).update(removed_at=now)


def change(publication: Publication, remote_id: str) -> bool:
    """Make a post say what the publication says. False when there is no such post any more."""
    with _connection():
        found = SandboxPost.objects.filter(account_id=publication.account.id, remote_id=remote_id, removed_at=None)
        return bool(found.update(**_content(publication)))


def figures(account_id: int, remote_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Likes and comments of the posts that are on the feed, by their ids."""
    with _connection():
        found = SandboxPost.objects.filter(account_id=account_id, remote_id__in=remote_ids, removed_at=None)
        counted = found.annotate(replies=Count("comments")).values_list("remote_id", "likes", "replies")
        return {remote_id: {"likes": likes, "replies": replies} for remote_id, likes, replies in counted.order_by()}


def address(handle: str, remote_id: str) -> str:
    return f"{settings.PUBLIC_URL}/sandbox/{handle}/{remote_id}/"


def like(post: SandboxPost) -> None:
    SandboxPost.objects.filter(pk=post.pk).update(likes=F("likes") + 1)
    post.refresh_from_db(fields=["likes"])


def comment(post: SandboxPost, *, author: str, text: str, now: datetime) -> SandboxComment:
    return SandboxComment.objects.create(post=post, author=author[:120], text=text, created_at=now)
