"""What a web page says of itself (Open Graph, https://ogp.me, 2026-11), for the preview of a link. Kept in the cache for a while.

Called from a request of its own, never while a page waits; all requests leave through `core.http`, which refuses private addresses.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.core.cache import cache
from django.utils.translation import gettext as _

from alwrity_scheduler.core import http
from platforms.validation import is_http_url

TIMEOUT_SECONDS = 5.0
KEPT_SECONDS = 3600
KEPT_FAILURE_SECONDS = 120
MOST_HOPS = 4
MOST_BYTES = 3 * 1024 * 1024
_CHARSET = re.compile(r"charset=[\"']?([\w-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCard:
    """title empty: the page said nothing, or could not be read; then `trouble` says why."""

    url: str
    site: str
    title: str = ""
    description: str = ""
    has_image: bool = False
    trouble: str = ""


def cached(url: str) -> LinkCard | None:
    found: LinkCard | None = cache.get(_key(url))
    return found


def fetch(url: str) -> LinkCard:
    """The page's card, from the cache or from the page. Never raises: what is wrong stands in `trouble`."""
    if (known := cached(url)) is not None:
        return known
    card = _read(url)
    cache.set(_key(url), card, KEPT_FAILURE_SECONDS if card.trouble else KEPT_SECONDS)
    return card


def _key(url: str) -> str:
    return f"link-card:{hashlib.sha256(url.encode()).hexdigest()}"


def _site(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _read(url: str) -> LinkCard:
    if not is_http_url(url):
        return LinkCard(url=url, site="", trouble=_("This is no web address."))
    at = url
    for _hop in range(MOST_HOPS):
        try:
            answer = http.request(
                "GET", at, headers={"Accept": "text/html"}, timeout=TIMEOUT_SECONDS, max_bytes=MOST_BYTES
            )
        except http.AddressRefused:
            return LinkCard(
                url=url, site=_site(url), trouble=_("This address is in a private network, so it was not read.")
            )
        except http.OutboundError:
            return LinkCard(
                url=url,
                site=_site(url),
                trouble=_("The page could not be reached. The link itself is not changed by that."),
            )
        target = answer.headers.get("location", "")
        if answer.status in (301, 302, 303, 307, 308) and target:
            at = urljoin(at, target)
            continue
        if answer.status != 200:
            return LinkCard(
                url=url,
                site=_site(url),
                trouble=_("The page answered %(status)s: is the address right?") % {"status": answer.status},
            )
        return card_of(url, answer.body, answer.headers.get("content-type", ""))
    return LinkCard(url=url, site=_site(url), trouble=_("The page sends its visitors on and on."))


def card_of(url: str, body: bytes, content_type: str) -> LinkCard:
    """The card from a page's HTML. Pure."""
    if content_type and "html" not in content_type.lower():
        return LinkCard(url=url, site=_site(url))
    declared = _CHARSET.search(content_type) or _CHARSET.search(body[:2048].decode("ascii", "replace"))
    try:
        text = body.decode(declared[1] if declared else "utf-8", "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    head = _Head()
    head.feed(text[:400_000])
    said = head.said

    def first(*names: str) -> str:
        return next((" ".join(said[name].split()) for name in names if said.get(name, "").strip()), "")

    return LinkCard(
        url=url,
        site=first("og:site_name")[:80] or _site(url),
        title=first("og:title", "twitter:title", "title")[:200],
        description=first("og:description", "twitter:description", "description")[:300],
        has_image=bool(first("og:image", "og:image:url", "twitter:image")),
    )


class _Head(HTMLParser):
    """The meta tags and the title; the first of a name counts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: dict[str, str] = {}
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "meta":
            name = (values.get("property") or values.get("name") or "").lower()
            if name and values.get("content"):
                self.said.setdefault(name, values["content"])
        self._in_title = tag == "title" and "title" not in self.said

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.said["title"] = self.said.get("title", "") + data
