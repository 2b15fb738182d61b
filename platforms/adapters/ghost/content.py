"""From a publication to what Ghost is sent. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from platforms.base import FieldSpec
from platforms.contracts import MediaRef, Publication
from platforms.text import markup, slugs

STATUSES = (("published", "Published"), ("draft", "Draft"))
VISIBILITIES = (("public", "Everybody"), ("members", "Members"), ("paid", "Paying members"))
LONGEST_ALT = 191
POST_FIELDS = (
    FieldSpec(
        name="body_format",
        label="The text is",
        help="By itself: HTML where the text looks like it, else Markdown. `![words](media:2)` puts the second file there.",
        kind="choice",
        choices=markup.FORMATS,
        default="auto",
    ),
    FieldSpec(name="status", label="State", kind="choice", choices=STATUSES, default="published"),
    FieldSpec(name="excerpt", label="Excerpt", help="At most 300 characters.", kind="long_text"),
    FieldSpec(
        name="slug",
        label="Name in the address",
        help="From the title if empty. A short key is put behind it, so that the post is found again.",
    ),
    FieldSpec(name="tags", label="Tags", help="Names, separated by commas. The post's hashtags become tags too."),
    FieldSpec(name="visibility", label="Who may read it", kind="choice", choices=VISIBILITIES, default="public"),
    FieldSpec(
        name="featured_image",
        label="Feature image",
        help="The number of the file. 0: none, all go into the text.",
        kind="number",
        default=1,
    ),
    FieldSpec(name="featured", label="Featured post", kind="bool", default=False),
    FieldSpec(name="canonical_url", label="Canonical address", help="Where the text was published first.", kind="url"),
    FieldSpec(
        name="newsletter",
        label="Send as newsletter",
        help="The slug of one of the site's newsletters, like default-newsletter. Empty: no mail.",
    ),
    FieldSpec(
        name="email_segment",
        label="To which members",
        help="all, status:free, status:-free, or another filter of Ghost's.",
        default="all",
    ),
    FieldSpec(
        name="email_only", label="By mail only", help="The post is not shown on the site.", kind="bool", default=False
    ),
)


def tag_of(key: str) -> str:
    """The name, without its #, of the internal tag by which the post is found again; visitors never see it."""
    return f"alw-{slugs.short(key)}"


def slug_of(publication: Publication) -> str:
    said = str(publication.options.get("slug") or "") or publication.title or publication.text[:80]
    return slugs.slug(said, publication.key)


def is_draft(publication: Publication) -> bool:
    return (
        publication.options.get("status") or publication.account.options.get("default_status") or "published"
    ) == "draft"


def newsletter_of(publication: Publication) -> tuple[str, str, bool]:
    """(slug of the newsletter or nothing, which members, by mail only). Drafts are not mailed."""
    name = str(publication.options.get("newsletter") or "").strip()
    if not name or is_draft(publication):
        return "", "", False
    segment = str(publication.options.get("email_segment") or "").strip() or "all"
    return name, segment, publication.options.get("email_only") is True


def featured_number(publication: Publication) -> int:
    """The number (from 1) of the file that is the feature image; 0 for none. Only an image can be it."""
    value = publication.options.get("featured_image")
    if value in (None, "") or isinstance(value, bool):
        images = [at for at, item in enumerate(publication.media, start=1) if item.mime.startswith("image/")]
        return images[0] if images else 0
    number = int(float(value))
    is_image = 0 < number <= len(publication.media) and publication.media[number - 1].mime.startswith("image/")
    return number if is_image else 0


def tags(publication: Publication) -> list[dict[str, str]]:
    """The tags by name, the internal one last: Ghost takes the first for the post's main tag."""
    said: Iterable[Any] = publication.options.get("tags") or publication.account.options.get("default_tags") or ""
    parts = said if isinstance(said, list | tuple) else str(said).replace("\n", ",").split(",")
    found: dict[str, str] = {}
    for part in [*parts, *(tag.lstrip("#") for tag in publication.hashtags)]:
        name = " ".join(str(part).split())[:191]
        if name:
            found.setdefault(name.casefold(), name)
    return [{"name": name} for name in [*found.values(), f"#{tag_of(publication.key)}"]]


def body_html(publication: Publication, addresses: Sequence[str], featured: int) -> str:
    """The body with its files: where the text has a place for them, else behind it; the feature image only where the text asks
    for it, because themes show it above."""
    body = markup.to_html(publication.text, publication.options.get("body_format") or "auto", comments=True)
    placed = markup.placed_numbers(body)
    pieces = [markup.with_files(body, dict(enumerate(addresses, start=1)))]
    pieces += [
        _card(item, addresses[number - 1])
        for number, item in enumerate(publication.media, start=1)
        if number != featured and number not in placed
    ]
    if publication.link and publication.link not in publication.text:
        address = html.escape(publication.link)
        pieces.append(f'<p><a href="{address}">{address}</a></p>')
    return "\n".join(piece for piece in pieces if piece)


def row_of(publication: Publication, addresses: Sequence[str]) -> dict[str, Any]:
    """The post as Ghost's API has it, without slug and status. `addresses`: of its files on the site, in order."""
    featured = featured_number(publication)
    row: dict[str, Any] = {
        "title": publication.title,
        "html": body_html(publication, addresses, featured),
        "tags": tags(publication),
        "visibility": str(publication.options.get("visibility") or "public"),
        "featured": publication.options.get("featured") is True,
        "custom_excerpt": str(publication.options.get("excerpt") or "") or None,
        "canonical_url": str(publication.options.get("canonical_url") or "") or None,
    }
    if featured:
        row["feature_image"] = addresses[featured - 1]
        row["feature_image_alt"] = publication.media[featured - 1].alt[:LONGEST_ALT] or None
    return row


def _card(item: MediaRef, address: str) -> str:
    """One file in a form of HTML that Ghost makes its own card of, or keeps as it is."""
    where, alt = html.escape(address), html.escape(item.alt)
    if item.mime.startswith("image/"):
        return f'<figure class="kg-card kg-image-card"><img src="{where}" class="kg-image" alt="{alt}"></figure>'
    kind = item.mime.split("/", 1)[0]
    if kind in ("video", "audio"):
        made = f'<{kind} controls src="{where}"></{kind}>'
        return f"<!--kg-card-begin: html-->\n{made}\n<!--kg-card-end: html-->"
    return f'<p><a href="{where}">{html.escape(item.alt or item.name or "File")}</a></p>'
