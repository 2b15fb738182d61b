"""What one account really gets: content, then the platform's variant, then the target's own words, then what goes along with
every post of the account (hashtags, signature, UTM parameters). Reads only; preview, check and engine put posts together here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from platforms.contracts import AccountRef, MediaRef, Publication
from platforms.services.media import media_ref
from platforms.text import utm as utm_of
from schedules.models import ContentItem, Schedule, Target

SCHEMA = 1


class Words(NamedTuple):
    """What a content says, in the form in which it is read for many posts at once."""

    title: str
    text: str
    link: str
    hashtags: list[str]
    content_type: str
    utm: Mapping[str, str] = {}
    campaign: str = ""


class Override(NamedTuple):
    """What one platform or one account gets instead. A None means: the same as the content."""

    title: str | None = None
    text: str | None = None
    link: str | None = None
    hashtags: list[str] | None = None
    options: Mapping[str, Any] | None = None


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
    overrides = [Override(title=target.title, text=target.text)] if target else []
    if variant:
        overrides.append(Override(variant.title, variant.text, variant.link, variant.hashtags, variant.options))
    campaign = content.campaign.name if content.campaign_id and content.campaign else ""
    words = Words(
        content.title, content.text, content.link, content.hashtags, content.content_type, content.utm, campaign
    )
    media = tuple(media_ref(item.asset, now) for item in content.media_links.all())
    return assemble(words, overrides, account, media=media, key=key, scheduled_for=scheduled_for or now)


def assemble(
    words: Words,
    overrides: Sequence[Override],
    account: AccountRef,
    *,
    media: tuple[MediaRef, ...],
    key: str,
    scheduled_for: datetime,
    earlier: bool = False,
) -> Publication:
    """The publication from its parts; the first override that says something wins."""
    title, text, link, hashtags = words.title, words.text, words.link, words.hashtags
    options: Mapping[str, Any] = {}
    for override in reversed(overrides):
        title = title if override.title is None else override.title
        text = text if override.text is None else override.text
        link = link if override.link is None else override.link
        hashtags = hashtags if override.hashtags is None else override.hashtags
        options = override.options or options
    always = account.defaults
    if words.utm or always.utm or always.signature or always.hashtags:
        text, link, hashtags = _with_defaults(words, account, text, link, hashtags)
    return Publication(
        key=key,
        account=account,
        title=title,
        text=text,
        link=link,
        hashtags=tuple(hashtags),
        media=media,
        content_type=words.content_type,
        options=dict(options),
        scheduled_for=scheduled_for,
        earlier=earlier,
    )


def _with_defaults(
    words: Words, account: AccountRef, text: str, link: str, hashtags: Sequence[str]
) -> tuple[str, str, list[str]]:
    """(text, link, hashtags) with what goes along with every post of this account. A signature stands under a text, never alone;
    what the post says already is not said twice."""
    always = account.defaults
    known = {tag.lstrip("#").casefold() for tag in hashtags}
    more = [tag for tag in dict.fromkeys(item.lstrip("#") for item in always.hashtags) if tag.casefold() not in known]
    signature = always.signature.strip()
    if signature and text.strip() and not text.rstrip().endswith(signature):
        text = f"{text.rstrip()}\n\n{signature}"
    places = {"platform": account.platform, "account": account.handle, "campaign": words.campaign}
    if parameters := utm_of.filled(utm_of.merged(always.utm, words.utm), places):
        text, link = utm_of.tagged_text(text, parameters), utm_of.tagged(link, parameters) if link else link
    return text, link, [*hashtags, *more]


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
                "path": item.path, "checksum": item.checksum, "seconds": item.seconds, "animated": item.animated, "name": item.name,
                "stored": item.stored,
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
        earlier=True,
        scheduled_for=datetime.fromisoformat(stored["scheduled_for"]),
    )
