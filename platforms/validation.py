"""Content against what an account can take: problems in words, each with its remedy. Pure.

Asked when a person writes, when a post is planned and once more right before it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

from platforms.contracts import Capabilities

Severity = Literal["error", "warning"]
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentProblem:
    """One thing wrong with one field. An error keeps the post from being sent, a warning does not."""

    code: str
    severity: Severity
    field: str
    message: str
    remedy: str


class MediaLike(Protocol):
    @property
    def mime(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def alt(self) -> str: ...


class ContentLike(Protocol):
    """What is asked of a Publication, a draft or a form's cleaned data."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def link(self) -> str: ...
    @property
    def hashtags(self) -> Sequence[str]: ...
    @property
    def media(self) -> Sequence[MediaLike]: ...
    @property
    def content_type(self) -> str: ...


def validate(content: ContentLike, capabilities: Capabilities) -> list[ContentProblem]:
    """Every problem, in the order of the fields; empty when the post will do."""
    return [
        *_words(content, capabilities),
        *_link(content),
        *_hashtags(content, capabilities),
        *_media(content, capabilities),
    ]


def is_http_url(value: str) -> bool:
    """An absolute http or https address with a host, without white space or control characters."""
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and value.isprintable() and " " not in value
    except ValueError:
        return False


def _error(code: str, field: str, message: str, remedy: str) -> ContentProblem:
    return ContentProblem(code=code, severity="error", field=field, message=message, remedy=remedy)


def _words(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    if content.content_type not in can.content_types:
        kinds = ", ".join(sorted(can.content_types))
        yield _error(
            "content_type",
            "content_type",
            f"This account does not take posts of type {content.content_type}.",
            f"Choose one of: {kinds}.",
        )
    if not (content.text.strip() or content.title.strip() or content.link.strip() or content.media):
        yield _error("empty", "text", "The post is empty.", "Write a text, or add a link or a file.")
    if can.title_required and not content.title.strip():
        yield _error("title_missing", "title", "This account needs a title.", "Write a title.")
    yield from _too_long("title", content.title, can.max_title)
    yield from _too_long("text", content.text, can.max_text)


def _too_long(field: str, text: str, limit: int | None) -> Iterator[ContentProblem]:
    if limit is not None and len(text) > limit:
        over = len(text) - limit
        yield _error(
            f"{field}_too_long",
            field,
            f"The {field} has {len(text):,} characters; this account takes {limit:,}.",
            f"Shorten it by {over:,} character{'s' if over > 1 else ''}.",
        )


def _link(content: ContentLike) -> Iterator[ContentProblem]:
    if content.link and not is_http_url(content.link):
        yield _error(
            "link",
            "link",
            "The link is not a web address.",
            "Write it in full, like https://example.com/page.",
        )


def _hashtags(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    if can.max_hashtags is not None and len(content.hashtags) > can.max_hashtags:
        yield _error(
            "too_many_hashtags",
            "hashtags",
            f"The post has {len(content.hashtags)} hashtags; this account takes {can.max_hashtags}.",
            f"Remove {len(content.hashtags) - can.max_hashtags}.",
        )


def _media(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    if len(content.media) > can.max_media:
        yield _error(
            "too_many_media",
            "media",
            f"The post has {len(content.media)} files; this account takes {can.max_media}.",
            f"Remove {len(content.media) - can.max_media}.",
        )
    for number, item in enumerate(content.media, start=1):
        if item.mime not in can.media_mimes:
            kinds = ", ".join(sorted(can.media_mimes)) or "no files at all"
            yield _error(
                "media_type",
                "media",
                f"File {number} is {item.mime}; this account takes {kinds}.",
                "Convert it or remove it.",
            )
        if can.max_media_bytes is not None and item.size > can.max_media_bytes:
            yield _error(
                "media_too_large",
                "media",
                f"File {number} has {item.size / MEBIBYTE:.1f} MiB; this account takes {can.max_media_bytes / MEBIBYTE:.1f} MiB.",
                "Make it smaller or remove it.",
            )
        if item.mime.startswith("image/") and not item.alt.strip():
            yield ContentProblem(
                code="alt_missing",
                severity="warning",
                field="media",
                message=f"Image {number} has no alternative text.",
                remedy="Describe it in a sentence for people who cannot see it.",
            )
