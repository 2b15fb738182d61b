"""Content against what an account can take: problems in words, each with its remedy. Pure.

Asked when a person writes, when a post is planned and once more right before it is sent; there is no work where there is no rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from platforms import media_rules
from platforms.base import Adapter, Checks
from platforms.contracts import AccountRef, Capabilities, MediaKind, TextRule, Unit
from platforms.media_rules import NAMES, kind_of, size_words
from platforms.problems import ContentLike, ContentProblem, MediaLike, Severity, error, warning
from platforms.text.links import found as links_of
from platforms.text.message import all_hashtags, appended
from platforms.text.ruler import Measured, Ruler, ruler_for
from platforms.text.threads import parts

__all__ = [
    "ContentLike", "ContentProblem", "Count", "Severity", "check", "is_http_url", "measure", "unit_words", "validate",
]  # fmt: skip


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
    ruler = ruler_for(content, capabilities)
    counts = [_count(part, ruler) for part in parts(content, capabilities)]
    if len(counts) == 1:
        return counts[0]
    fullest = max(counts, key=lambda item: item.used)
    return Count(
        used=fullest.used,
        limit=fullest.limit,
        unit=fullest.unit,
        words=fullest.words,
        text=fullest.text,
        parts=tuple(counts),
    )


def _count(text: str, ruler: Ruler) -> Count:
    found = ruler.measure(text)
    words = f"{found.used:,}" if found.limit is None else _words_of(found, text, ruler)
    return Count(used=found.used, limit=found.limit, unit=found.unit, words=words, text=text)


def _words_of(found: Measured, text: str, ruler: Ruler) -> str:
    """ "312 of 280, links count 23"; bytes are named, because nobody expects them."""
    unit = f" {unit_words(found.unit)}" if found.unit == "utf8_bytes" else ""
    return f"{found.used:,} of {found.limit:,}{unit}{_links_words(text, ruler)}"


def _links_words(text: str, ruler: Ruler) -> str:
    rule = ruler.rule
    if rule is None:
        return ""
    weight = rule.url_weight if rule.unit not in ("twitter_weighted", "mastodon") else rule.url_weight or 23
    if weight is None or not links_of(text, bare=rule.unit == "twitter_weighted"):
        return ""
    return f", links count {weight}"


def unit_words(unit: Unit) -> str:
    return "bytes" if unit == "utf8_bytes" else "characters"


def check(content: ContentLike, adapter: Adapter, account: AccountRef) -> list[ContentProblem]:
    """Everything that speaks against publishing this content on this account: what everybody asks, by whatever way a post
    comes in, and once more before it is sent. Errors keep it from being sent."""
    found = validate(content, adapter.capabilities(account))
    # not isinstance: asking a Protocol takes longer than all of this, and the engine asks for every post
    if callable(getattr(adapter, "check", None)):
        found += cast("Checks", adapter).check(content, account)
    return found


def validate(content: ContentLike, capabilities: Capabilities) -> list[ContentProblem]:
    """Every problem, in the order of the fields; empty when the post will do."""
    return [
        *_type(content, capabilities),
        *_title(content, capabilities),
        *_text(content, capabilities),
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


def _type(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    if content.content_type not in can.content_types:
        kinds = ", ".join(sorted(can.content_types))
        yield error(
            "content_type",
            "content_type",
            f"This account does not take posts of type {content.content_type}.",
            f"Choose one of: {kinds}.",
        )
    if not (content.media or content.text.strip() or content.title.strip() or content.link.strip()):
        yield error("empty", "text", "The post is empty.", "Write a text, or add a link or a file.")


def _title(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    rule = can.types.get(content.content_type) if can.types else None
    if (can.title_required or (rule is not None and rule.title_required)) and not content.title.strip():
        yield error("title_missing", "title", "This account needs a title.", "Write a title.")
    length = can.title or (None if can.max_title is None else TextRule(max=can.max_title))
    if length is not None and content.title:
        ruler = Ruler(rule=length)
        yield from _too_long("title_too_long", "title", "The title", content.title, ruler, "")
        yield from _rather_long("title_long", "title", "The title", content.title, length, ruler)


def _text(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    if _is_plainly_short(content, can):
        return
    ruler = ruler_for(content, can)
    if ruler.rule is None:
        return
    chain = parts(content, can)
    if len(chain) == 1:
        more = ""
        if appended(content, can):
            more = " The link and the hashtags are part of the text here."
        elif can.threads and content.content_type != "thread" and "thread" in can.content_types:
            more = " Or make it a thread."
        yield from _too_long("text_too_long", "text", "The text", chain[0], ruler, more)
        yield from _rather_long("text_long", "text", "The text", chain[0], ruler.rule, ruler)
        return
    for number, part in enumerate(chain, start=1):
        name = f"Part {number} of {len(chain)}"
        more = " A web address, a mention or a hashtag is never cut in two."
        yield from _too_long("part_too_long", "text", name, part, ruler, more)
        yield from _rather_long("part_long", "text", name, part, ruler.rule, ruler)


def _is_plainly_short(content: ContentLike, can: Capabilities) -> bool:
    """The usual case where only a number of characters is known: told without counting."""
    return (
        can.text is None
        and can.caption is None
        and can.max_text is not None
        and len(content.text) <= can.max_text
        and not (can.link_in_text or can.hashtags_in_text or content.options.get("spoiler_text"))
    )


def _too_long(code: str, field: str, name: str, text: str, ruler: Ruler, more: str) -> Iterator[ContentProblem]:
    if ruler.fits(text):
        return
    found = ruler.measure(text)
    yield error(
        code,
        field,
        f"{name} has {found.used:,} of {found.limit:,} {unit_words(found.unit)}{_links_words(text, ruler)}.",
        f"Shorten it by {found.over:,} {unit_words(found.unit)[: -1 if found.over == 1 else None]}.{more}",
    )


def _rather_long(code: str, field: str, name: str, text: str, rule: TextRule, ruler: Ruler) -> Iterator[ContentProblem]:
    if rule.recommended is None:
        return
    used = ruler.measure(text).used
    if rule.recommended < used <= rule.max:
        yield warning(
            code,
            field,
            f"{name} has {used:,} {unit_words(rule.unit)}; people see about {rule.recommended:,} at first.",
            "Say what matters at the beginning, or shorten it.",
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
    if can.max_hashtags is None:
        return
    count = len(all_hashtags(content)) if can.hashtags_in_text else len(content.hashtags)
    if count > can.max_hashtags:
        where = ", those in the text included" if count > len(content.hashtags) else ""
        yield error(
            "too_many_hashtags",
            "hashtags",
            f"The post has {count} hashtags{where}; this account takes {can.max_hashtags}.",
            f"Remove {count - can.max_hashtags}.",
        )


def _media(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    files = content.media
    if len(files) > can.max_media:
        yield _too_many(len(files), can.max_media, "files", "file")
    if can.types:
        yield from _by_type(content, can)
    if not files:
        return
    if can.media:
        yield from _by_kind(files, can)
    for number, item in enumerate(files, start=1):
        if can.media:
            kind = kind_of(item)
            if kind in can.media:
                yield from media_rules.problems(item, can.media[kind], number)
        else:
            yield from _flat(item, number, can)
        if item.mime.startswith("image/") and not item.alt.strip():
            yield warning(
                "alt_missing",
                "media",
                f"Image {number} has no alternative text.",
                "Describe it in a sentence for people who cannot see it.",
            )


def _too_many(count: int, most: int, names: str, name: str) -> ContentProblem:
    if most == 0:
        return error(
            "too_many_media",
            "media",
            f"The post has {count} {name if count == 1 else names}; this account takes none.",
            "Remove it." if count == 1 else "Remove them.",
        )
    return error(
        "too_many_media",
        "media",
        f"The post has {count} {names}; this account takes {most}.",
        f"Remove {count - most}.",
    )


def _by_type(content: ContentLike, can: Capabilities) -> Iterator[ContentProblem]:
    """What this type of post needs."""
    rule = can.types.get(content.content_type)
    if rule is None:
        return
    count, kind = len(content.media), content.content_type
    if count < rule.min_media:
        files = "a file" if rule.min_media == 1 else f"at least {rule.min_media} files"
        yield error(
            "media_missing", "media", f"A post of type {kind} needs {files} here; it has {count or 'none'}.", "Add one."
        )
    if rule.max_media is not None and rule.max_media < count <= can.max_media:
        yield error(
            "too_many_media",
            "media",
            f"A post of type {kind} takes {rule.max_media} of the {count} files here.",
            f"Remove {count - rule.max_media}, or choose another type.",
        )
    if rule.kinds is not None:
        wrong = {item: None for item in map(kind_of, content.media) if item not in rule.kinds}
        for item in wrong:
            yield error(
                "media_kind",
                "media",
                f"A post of type {kind} takes no {NAMES[item][1]} here, but {_list(rule.kinds)}.",
                "Remove it, or choose another type.",
            )


def _by_kind(files: Sequence[MediaLike], can: Capabilities) -> Iterator[ContentProblem]:
    """How many of each kind, and which together."""
    counts = Counter(map(kind_of, files))
    for kind, count in counts.items():
        rule = can.media.get(kind)
        if rule is None:
            yield error(
                "media_kind",
                "media",
                f"This account takes no {NAMES[kind][1]}, but {_list(frozenset(can.media))}.",
                "Remove it, or leave this account out.",
            )
        elif rule.max_count is not None and rule.max_count < count <= can.max_media:
            yield _too_many(count, rule.max_count, NAMES[kind][1], NAMES[kind][0])
    if not can.mixes and len(counts) > 1:
        yield error(
            "media_mix",
            "media",
            f"This account does not take {_list(frozenset(counts), 'and')} in one post.",
            "Keep one kind and remove the others.",
        )


def _list(kinds: frozenset[MediaKind], last: str = "or") -> str:
    names = [plural for kind, (_, plural) in NAMES.items() if kind in kinds]
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "no files at all"


def _flat(item: MediaLike, number: int, can: Capabilities) -> Iterator[ContentProblem]:
    """Where nothing but media_mimes and max_media_bytes is said."""
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
            f"File {number} has {size_words(item.size)}; this account takes {size_words(can.max_media_bytes)}.",
            "Make it smaller or remove it.",
        )
