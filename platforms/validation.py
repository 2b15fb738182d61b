"""Content against what an account can take: problems in words, each with its remedy. Pure.

Asked when a person writes, when a post is planned and once more right before it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from platforms.base import Adapter, Checks
from platforms.contracts import AccountRef, Capabilities, TextRule, Unit
from platforms.problems import ContentLike, ContentProblem, Severity, error, warning
from platforms.text import counting
from platforms.text.threads import parts

__all__ = ["ContentLike", "ContentProblem", "Count", "Severity", "check", "is_http_url", "measure", "validate"]
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How long a text is as the account's platform counts it, link and hashtags included where they are part of it.

    limit None: no limit is known. words: for people, like "312 of 280, links count 23". parts: one of a thread each, and
    then `used` is that of the fullest; empty for a post that is no thread.
    """

    used: int
    limit: int | None
    unit: Unit
    words: str
    text: str = ""
    parts: tuple[Count, ...] = ()

    @property
    def left(self) -> int | None:
        return None if self.limit is None else self.limit - self.used


def measure(content: ContentLike, capabilities: Capabilities) -> Count:
    """The live count of the composer: of the text as it will be sent, and of each part of a thread."""
    rule = text_rule(content, capabilities)
    counts = [_count(part, rule) for part in parts(content, capabilities)]
    if len(counts) == 1:
        return counts[0]
    fullest = max(counts, key=lambda item: item.used)
    return Count(
        used=fullest.used, limit=fullest.limit, unit=fullest.unit, words=fullest.words, text=fullest.text, parts=tuple(counts)
    )


def text_rule(content: ContentLike, can: Capabilities) -> TextRule | None:
    """The rule that holds for this content's text: that of captions where there are files; None where no limit is known."""
    if can.caption is not None and content.media:
        return can.caption
    if can.text is not None:
        return can.text
    return None if can.max_text is None else TextRule(max=can.max_text)


def _count(text: str, rule: TextRule | None) -> Count:
    if rule is None:
        return Count(used=len(text), limit=None, unit="code_points", words=f"{len(text):,}", text=text)
    used = counting.length(text, rule)
    links = "" if rule.url_weight is None else f", links count {rule.url_weight}"
    return Count(used=used, limit=rule.max, unit=rule.unit, words=f"{used:,} of {rule.max:,}{links}", text=text)


def check(content: ContentLike, adapter: Adapter, account: AccountRef) -> list[ContentProblem]:
    """Everything that speaks against publishing this content on this account: what everybody asks, by whatever way a post
    comes in, and once more before it is sent. Errors keep it from being sent."""
    found = validate(content, adapter.capabilities(account))
    if isinstance(adapter, Checks):
        found += adapter.check(content, account)
    return found


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


def _words(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    if content.content_type not in can.content_types:
        kinds = ", ".join(sorted(can.content_types))
        yield error(
            "content_type",
            "content_type",
            f"This account does not take posts of type {content.content_type}.",
            f"Choose one of: {kinds}.",
        )
    if not (content.text.strip() or content.title.strip() or content.link.strip() or content.media):
        yield error("empty", "text", "The post is empty.", "Write a text, or add a link or a file.")
    if can.title_required and not content.title.strip():
        yield error("title_missing", "title", "This account needs a title.", "Write a title.")
    yield from _too_long("title", content.title, can.max_title)
    yield from _too_long("text", content.text, can.max_text)


def _too_long(field: str, text: str, limit: int | None) -> Iterator[ContentProblem]:
    if limit is not None and len(text) > limit:
        over = len(text) - limit
        yield error(
            f"{field}_too_long",
            field,
            f"The {field} has {len(text):,} characters; this account takes {limit:,}.",
            f"Shorten it by {over:,} character{'s' if over > 1 else ''}.",
        )


def _link(content: ContentLike) -> Iterator[ContentProblem]:
    if content.link and not is_http_url(content.link):
        yield error(
            "link",
            "link",
            "The link is not a web address.",
            "Write it in full, like https://example.com/page.",
        )


def _hashtags(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    if can.max_hashtags is not None and len(content.hashtags) > can.max_hashtags:
        yield error(
            "too_many_hashtags",
            "hashtags",
            f"The post has {len(content.hashtags)} hashtags; this account takes {can.max_hashtags}.",
            f"Remove {len(content.hashtags) - can.max_hashtags}.",
        )


def _media(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    if len(content.media) > can.max_media:
        yield error(
            "too_many_media",
            "media",
            f"The post has {len(content.media)} files; this account takes {can.max_media}.",
            f"Remove {len(content.media) - can.max_media}.",
        )
    for number, item in enumerate(content.media, start=1):
        if item.mime not in can.media_mimes:
            kinds = ", ".join(sorted(can.media_mimes)) or "no files at all"
            yield error(
                "media_type",
                "media",
                f"File {number} is {item.mime}; this account takes {kinds}.",
                "Convert it or remove it.",
            )
        if can.max_media_bytes is not None and item.size > can.max_media_bytes:
            yield error(
                "media_too_large",
                "media",
                f"File {number} has {item.size / MEBIBYTE:.1f} MiB; this account takes {can.max_media_bytes / MEBIBYTE:.1f} MiB.",
                "Make it smaller or remove it.",
            )
        if item.mime.startswith("image/") and not item.alt.strip():
            yield warning(
                "alt_missing",
                "media",
                f"Image {number} has no alternative text.",
                "Describe it in a sentence for people who cannot see it.",
            )
