"""The shape of the practice network's pages: posts with what is needed to show them, in a bounded number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from platforms.adapters.sandbox.models import SandboxComment, SandboxPost
from platforms.models import MediaAsset
from platforms.services.media import media_path_of
from platforms.validation import is_http_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a post; `path` is empty when the file is gone."""

    path: str
    alt: str
    kind: str
    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One post as people see it. `link` is empty unless it is safe to click."""

    post: SandboxPost
    link: str
    attachments: tuple[Attachment, ...]
    comments: tuple[SandboxComment, ...]


def cards(posts: Iterable[SandboxPost]) -> list[Card]:
    """Cards in the order of the posts, which must have their account. Two queries, whatever their number."""
    posts = list(posts)
    wanted = {str(item.get("checksum")) for post in posts for item in post.media}
    workspaces = {post.account.workspace_id for post in posts}
    found = MediaAsset.objects.filter(workspace__in=workspaces, checksum__in=wanted) if wanted else ()
    assets = {(asset.workspace_id, asset.checksum): asset for asset in found}
    comments: dict[int, list[SandboxComment]] = {}
    for comment in SandboxComment.objects.filter(post__in=[post.pk for post in posts]).order_by("created_at", "id"):
        comments.setdefault(comment.post_id, []).append(comment)
    return [
        Card(
            post=post,
            link=post.link if is_http_url(post.link) else "",
            attachments=tuple(
                _attachment(assets.get((post.account.workspace_id, str(item.get("checksum")))), item)
                for item in post.media
            ),
            comments=tuple(comments.get(post.pk, ())),
        )
        for post in posts
    ]


def _attachment(asset: MediaAsset | None, item: dict[str, str]) -> Attachment:
    alt = item.get("alt") or ""
    if asset is None:
        return Attachment(path="", alt=alt, kind="gone", width=None, height=None)
    return Attachment(path=media_path_of(asset), alt=alt, kind=asset.kind, width=asset.width, height=asset.height)
