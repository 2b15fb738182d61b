"""From a publication to what WordPress is sent. Pure."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from platforms.base import FieldSpec
from platforms.contracts import MediaRef, Publication
from platforms.text import markup, slugs

STATUSES = (
    ("publish", "Published"),
    ("draft", "Draft"),
    ("pending", "Waiting for review"),
    ("private", "Private"),
)
FORMATS = tuple(
    (name, name.title())
    for name in ("standard", "aside", "audio", "chat", "gallery", "image", "link", "quote", "status", "video")
)
POST_FIELDS = (
    FieldSpec(
        name="body_format",
        label="The text is",
        help="By itself: HTML where the text looks like it, else Markdown. `![words](media:2)` puts the second file there.",
        kind="choice",
        choices=markup.FORMATS,
        default="auto",
    ),
    FieldSpec(name="status", label="State", kind="choice", choices=STATUSES, default="publish"),
    FieldSpec(name="excerpt", label="Excerpt", help="Shown in lists of posts.", kind="long_text"),
    FieldSpec(
        name="slug",
        label="Name in the address",
        help="From the title if empty. A short key is put behind it, so that the post is found again.",
    ),
    FieldSpec(
        name="categories",
        label="Categories",
        help="Names, separated by commas. What is not there is made, if the user may.",
    ),
    FieldSpec(name="tags", label="Tags", help="Names, separated by commas. The post's hashtags become tags too."),
    FieldSpec(
        name="featured_image",
        label="Featured image",
        help="The number of the file. 0: none, all go into the text.",
        kind="number",
        default=1,
    ),
    FieldSpec(name="format", label="Format", kind="choice", choices=(("", "The site's own"), *FORMATS), default=""),
    FieldSpec(name="sticky", label="Keep on top", kind="bool", default=False),
    FieldSpec(
        name="comment_status",
        label="Comments",
        kind="choice",
        choices=(("", "As the site has it"), ("open", "Allowed"), ("closed", "Not allowed")),
        default="",
    ),
)


def option(publication: Publication, name: str) -> Any:
    """What the post says, else what the account has as its default, else nothing."""
    value = publication.options.get(name)
    return publication.account.options.get(f"default_{name}") if value in (None, "") else value


def status_of(publication: Publication) -> str:
    return str(option(publication, "status") or "publish")


def slug_of(publication: Publication) -> str:
    """The post's name in its address. Ours alone: it ends in a short form of the key."""
    said = str(publication.options.get("slug") or "") or publication.title or publication.text[:80]
    return slugs.slug(said, publication.key)


def marker_of(publication: Publication) -> str:
    """What finds a post that has no slug: WordPress gives none to what a contributor hands in for review."""
    return f"alw:{slugs.short(publication.key, 16)}" if status_of(publication) == "pending" else ""


def featured_number(publication: Publication) -> int:
    """The number (from 1) of the file that is the featured image; 0 for none. Only an image can be it."""
    value = publication.options.get("featured_image")
    number = 1 if value in (None, "") or isinstance(value, bool) else int(float(value))
    if value in (None, ""):
        images = [at for at, item in enumerate(publication.media, start=1) if item.mime.startswith("image/")]
        return images[0] if images else 0
    is_image = 0 < number <= len(publication.media) and publication.media[number - 1].mime.startswith("image/")
    return number if is_image else 0


def names(value: Any) -> list[str]:
    """Names from a text with commas or line ends, or from a list; each once."""
    parts: Iterable[Any] = value if isinstance(value, list | tuple) else str(value or "").replace("\n", ",").split(",")
    found: dict[str, str] = {}
    for part in parts:
        name = " ".join(str(part).split())
        found.setdefault(name.casefold(), name)
    found.pop("", None)
    return list(found.values())


def tag_names(publication: Publication) -> list[str]:
    return names([*names(option(publication, "tags")), *(tag.lstrip("#") for tag in publication.hashtags)])


def category_names(publication: Publication) -> list[str]:
    return names(option(publication, "categories"))


def body_html(publication: Publication, uploaded: Sequence[Mapping[str, Any]], featured: int) -> str:
    """The body with its files: where the text has a place for them, else behind it; the featured image only where the text asks
    for it, because themes show it above. `uploaded`: `id` and `source_url` of each file, in order."""
    body = markup.to_html(
        publication.text, publication.options.get("body_format") or "auto", comments=True, lone_addresses=False
    )
    placed = markup.placed_numbers(body)
    addresses = {number: str(item["source_url"]) for number, item in enumerate(uploaded, start=1)}
    blocks = [
        _block(item, uploaded[number - 1])
        for number, item in enumerate(publication.media, start=1)
        if number != featured and number not in placed
    ]
    if publication.link and publication.link not in publication.text:
        address = html.escape(publication.link)
        blocks.append(f'<!-- wp:paragraph --><p><a href="{address}">{address}</a></p><!-- /wp:paragraph -->')
    marker = marker_of(publication)
    pieces = [markup.with_files(body, addresses), *blocks, f"<!-- {marker} -->" if marker else ""]
    return "\n\n".join(piece for piece in pieces if piece)


def payload(
    publication: Publication,
    *,
    uploaded: Sequence[Mapping[str, Any]],
    categories: Sequence[int],
    tags: Sequence[int],
    is_new: bool,
) -> dict[str, Any]:
    """The JSON of POST /wp/v2/posts. An edit leaves the slug and the state as they are."""
    featured = featured_number(publication)
    made: dict[str, Any] = {
        "title": publication.title,
        "content": body_html(publication, uploaded, featured),
        "excerpt": str(publication.options.get("excerpt") or ""),
    }
    if is_new:
        made |= {"slug": slug_of(publication), "status": status_of(publication)}
    if categories:
        made["categories"] = list(categories)
    if tags or not is_new:
        made["tags"] = list(tags)
    if featured:
        made["featured_media"] = uploaded[featured - 1]["id"]
    for name in ("format", "comment_status"):
        if value := option(publication, name):
            made[name] = str(value)
    if publication.options.get("sticky") is True:
        made["sticky"] = True
    return made


def _block(item: MediaRef, uploaded: Mapping[str, Any]) -> str:
    """One file as a block of WordPress's editor."""
    number, address, alt = int(uploaded["id"]), html.escape(str(uploaded["source_url"])), html.escape(item.alt)
    known = json.dumps({"id": number})
    if item.mime.startswith("image/"):
        image = f'<img src="{address}" alt="{alt}" class="wp-image-{number}"/>'
        return f'<!-- wp:image {known} --><figure class="wp-block-image">{image}</figure><!-- /wp:image -->'
    if item.mime.startswith("video/"):
        video = f'<figure class="wp-block-video"><video controls src="{address}"></video></figure>'
        return f"<!-- wp:video {known} -->{video}<!-- /wp:video -->"
    if item.mime.startswith("audio/"):
        audio = f'<figure class="wp-block-audio"><audio controls src="{address}"></audio></figure>'
        return f"<!-- wp:audio {known} -->{audio}<!-- /wp:audio -->"
    label = html.escape(item.alt or item.name or "File")
    return f'<!-- wp:file {known} --><div class="wp-block-file"><a href="{address}">{label}</a></div><!-- /wp:file -->'
