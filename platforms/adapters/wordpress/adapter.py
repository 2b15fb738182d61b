"""WordPress, self-hosted: posts by the REST API and an application password. README.md says more."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.conf import settings

from alwrity_scheduler.core import clock
from alwrity_scheduler.core.addresses import Allowed
from platforms.adapters.wordpress import answers, content
from platforms.adapters.wordpress.site import Site
from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Capabilities,
    MediaRule,
    Metrics,
    Publication,
    Published,
    TextRule,
    TypeRule,
)
from platforms.errors import PlatformError, Rejected, UnknownOutcome
from platforms.outbound import Response
from platforms.problems import ContentLike, ContentProblem, error, warning
from platforms.validation import is_http_url

_IMAGES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_MEDIA = {
    "image": MediaRule(mimes=_IMAGES - {"image/gif"}),
    "gif": MediaRule(mimes=frozenset({"image/gif"})),
    "video": MediaRule(mimes=frozenset({"video/mp4", "video/quicktime"})),
    "audio": MediaRule(mimes=frozenset({"audio/mp4"})),
    "document": MediaRule(mimes=frozenset({"application/pdf"})),
}
MOST_FILES = 50
_NOT_SAFE = (
    "Write https://: with http:// everybody on the way can read the password. "
    "In a private network, name the host in OUTBOUND_ALLOW."
)
LONGEST_TITLE_BYTES = 65_535  # the column post_title is a TEXT


class WordPressAdapter:
    key: str = "wordpress"
    label: str = "WordPress"
    description: str = "Posts on your own WordPress site, with categories, tags and a featured image."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="application_password",
            label="Application password",
            help="Make one on the site: Users, Profile, Application Passwords (or <site>/wp-admin/authorize-application.php). "
            "It is not the password you sign in with.",
            required=True,
            secret=True,
        ),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="site_url",
            label="Site address",
            help="Where the site's home page is, like https://blog.example.com.",
            required=True,
            kind="url",
        ),
        FieldSpec(name="username", label="User name", help="Whose posts they are.", required=True),
        FieldSpec(
            name="default_status",
            label="State of new posts",
            help="Where a post does not say it.",
            kind="choice",
            choices=content.STATUSES,
            default="publish",
        ),
        FieldSpec(
            name="default_categories", label="Categories", help="Where a post names none. Names, separated by commas."
        ),
        FieldSpec(name="default_tags", label="Tags", help="Where a post names none. Names, separated by commas."),
        FieldSpec(
            name="delete_forever",
            label="Delete for good",
            help="A post that is taken down is deleted, instead of being put into the site's trash.",
            kind="bool",
            default=False,
        ),
    )
    post_fields: tuple[FieldSpec, ...] = content.POST_FIELDS

    def capabilities(self, account: AccountRef) -> Capabilities:
        return Capabilities(
            content_types=frozenset({"post", "article", "image", "carousel", "video"}),
            media_mimes=frozenset().union(*(rule.mimes for rule in _MEDIA.values())),
            max_media=MOST_FILES,
            can_find=True,
            replays=False,
            # PHP may go on with a request whose caller has gone, by default for 30 s of its own time
            consistency_delay_seconds=10.0,
            title=TextRule(max=LONGEST_TITLE_BYTES, unit="utf8_bytes"),
            media=_MEDIA,  # type: ignore[arg-type]
            types={
                "article": TypeRule(title_required=True),
                "image": TypeRule(min_media=1, kinds=frozenset({"image", "gif"})),
                "carousel": TypeRule(min_media=2, kinds=frozenset({"image", "gif"})),
                "video": TypeRule(min_media=1),
            },
            link_in_text=True,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems: list[SettingsProblem] = []
        url, user = str(options.get("site_url") or ""), str(options.get("username") or "")
        if not is_http_url(url):
            problems.append(("site_url", "Write the whole address of the site, like https://blog.example.com."))
        elif urlsplit(url).username:
            problems.append(("site_url", "Leave the user name and password out of the address."))
        elif urlsplit(url).query or "/wp-admin" in url or "/wp-json" in url:
            problems.append(("site_url", "Write the address of the site's home page."))
        elif not is_safe(url):
            problems.append(("site_url", _NOT_SAFE))
        if not user or ":" in user:
            problems.append(("username", "Write the user name; it holds no colon."))
        if not str(credentials.get("application_password") or "").strip():
            problems.append(("application_password", "Write an application password of this user."))
        return problems

    def check(self, content_: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        return list(_problems(content_))

    def service_of(self, account: AccountRef) -> str:
        return urlsplit(str(account.options.get("site_url") or "")).netloc.rsplit("@", 1)[-1].lower()

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        """Look first: WordPress has no key of its own, and would make a second post without a word."""
        site = Site(publication.account, timeout)
        slug = content.slug_of(publication)
        there = site.post_with(slug, content.marker_of(publication))
        if there is not None:
            return _published(there, already=True)
        body, notes = _prepared(site, publication, is_new=True)
        answer = site.request("POST", "posts", json=body)
        row = answers.post_of(answer)
        if answer.status >= 300:
            _raise(answer, sending=True)
        if row is None:
            raise UnknownOutcome(
                "The site took the post but its answer cannot be read.",
                status_code=answer.status,
                platform_message=answers.words(answer),
            )
        return _first(site, row, slug, (*notes, *_left_out(body, row)))

    def find(self, publication: Publication, *, timeout: float) -> Published | None:
        site = Site(publication.account, timeout)
        slug, marker = content.slug_of(publication), content.marker_of(publication)
        row = answers.unknown(lambda: site.post_with(slug, marker))
        return None if row is None else _published(row, already=True)

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        raise UnknownOutcome("WordPress finishes a post in the call that makes it, so there is nothing to ask about.")

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        """Everything but the address and the state, which the site's own people may have changed."""
        site = Site(publication.account, timeout)
        body, notes = _prepared(site, publication, is_new=False)
        answer = site.request("POST", f"posts/{_number(remote_id)}", json=body)
        row = answers.post_of(answer)
        if answer.status >= 300:
            _raise(answer, sending=True)
        if row is None:
            raise UnknownOutcome("The site's answer to the change cannot be read.", status_code=answer.status)
        return _published(row, notes=(*notes, *_left_out(body, row)))

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        site, path = Site(account, timeout), f"posts/{_number(remote_id)}"
        force = account.options.get("delete_forever") is True
        answer = site.request("DELETE", path, params={"force": "true"} if force else None)
        if answers.code_of(answer) == "rest_trash_not_supported":
            answer = site.request("DELETE", path, params={"force": "true"})
        if answer.status >= 300 and answers.code_of(answer) not in ("rest_post_invalid_id", "rest_already_trashed"):
            _raise(answer, sending=True)

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        """WordPress itself counts comments only. Each post is a request, so as many as there is time for."""
        until = time.monotonic() + timeout * 0.8
        site = Site(account, timeout)
        asked = [remote_id for remote_id in remote_ids if remote_id.isdecimal()][:100]
        if not asked:
            return []
        wanted = {
            "include": ",".join(asked),
            "per_page": 100,
            "_fields": "id",
            "status": "publish,private",
            "context": "edit",
        }
        known = {str(row.get("id")) for row in site.rows("posts", **wanted)}
        found = []
        for remote_id in asked:
            if remote_id not in known or time.monotonic() > until:
                continue
            answer = site.ask("GET", "comments", params={"post": remote_id, "per_page": 1, "_fields": "id"})
            count = answer.headers.get("x-wp-total", "")
            if count.isdecimal():
                found.append(Metrics(remote_id=remote_id, values={"replies": int(count)}))
        return found

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        try:
            answer = Site(account, timeout).ask("GET", "users/me", params={"context": "edit"})
        except PlatformError as problem:
            return AccountHealth(ok=False, message=problem.message_for_people)
        row = answers.post_of(answer) or {}
        rights = row.get("capabilities")
        if not isinstance(rights, dict):
            return AccountHealth(ok=False, message="The site did not say what this user may do.")
        missing = tuple(name for name in ("edit_posts", "publish_posts", "upload_files") if not rights.get(name))
        identity = str(row.get("name") or row.get("slug") or account.options.get("username") or "")
        if not missing:
            return AccountHealth(ok=True, message=f"The site knows {identity}, who may publish.", identity=identity)
        if missing == ("upload_files",):
            words = f"The site knows {identity}, who may publish, but may not upload files."
            return AccountHealth(ok=True, message=words, identity=identity, missing_scopes=missing)
        return AccountHealth(
            ok=False,
            message=f"{identity} may not publish on this site: {', '.join(missing)} is missing. The role Author has it.",
            identity=identity,
            missing_scopes=missing,
        )


ADAPTER = WordPressAdapter()


def is_safe(url: str) -> bool:
    """May a password go to this address? By https, or within a private network that the operator has named."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    allowed, host = Allowed.of(settings.OUTBOUND_ALLOW), (parts.hostname or "").lower()
    try:
        return host in allowed.hosts or any(ip_address(host) in network for network in allowed.networks)
    except ValueError:
        return host in allowed.hosts or ("." not in host and bool(allowed.networks))


def _prepared(site: Site, publication: Publication, *, is_new: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What is sent, with the files and names it refers to made first; and what did not go along."""
    categories, first = site.terms("categories", content.category_names(publication))
    tags, second = site.terms("tags", content.tag_names(publication))
    uploaded = [site.uploaded(item) for item in publication.media]
    body = content.payload(publication, uploaded=uploaded, categories=categories, tags=tags, is_new=is_new)
    return body, (*first, *second)


def _left_out(body: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    """What WordPress leaves out without a word when the user has no right to it."""
    found = []
    if body.get("sticky") and row.get("sticky") is False:
        found.append("The site does not keep the post on top: this user may not do that.")
    if body.get("featured_media") and row.get("featured_media") == 0:
        found.append("The site did not take the featured image.")
    return found


def _first(site: Site, row: Mapping[str, Any], slug: str, notes: tuple[str, ...]) -> Published:
    """The post just made, unless an earlier request of the same key was slower than we thought and made one as well: WordPress then
    gave ours the slug `<slug>-2`. The earlier one stays, ours goes again."""
    made = str(row.get("slug") or "")
    if made == slug or not made.startswith(f"{slug}-"):
        return _published(row, notes=notes)
    try:
        earlier = site.post_with(slug)
        if earlier is not None and earlier["id"] != row["id"]:
            answer = site.request("DELETE", f"posts/{row['id']}", params={"force": "true"})
            if answer.status < 300:
                return _published(earlier, already=True, notes=notes)
    except PlatformError:
        pass  # both are there and both are ours; the note says so
    words = f"An earlier request of this post arrived after all: look for a second one named {slug}."
    return _published(row, notes=(*notes, words))


def _published(row: Mapping[str, Any], *, already: bool = False, notes: tuple[str, ...] = ()) -> Published:
    link = row.get("link")
    url = link if isinstance(link, str) and is_http_url(link) and len(link) <= 2_000 else ""
    shown = {"id": row["id"], "url": url, "status": row.get("status"), "slug": row.get("slug")}
    return Published(remote_id=str(row["id"]), url=url, response=shown, already=already, notes=notes)


def _raise(answer: Response, *, sending: bool) -> NoReturn:
    raise answers.error_of(answer, clock.now(), sending=sending)


def _number(remote_id: str) -> int:
    if not remote_id.isdecimal():
        raise Rejected(f"{remote_id!r} is not the number of a WordPress post.")
    return int(remote_id)


def _problems(content_: ContentLike) -> list[ContentProblem]:
    found = []
    options = content_.options
    featured = options.get("featured_image")
    if featured not in (None, ""):
        try:
            number = float(featured)
        except (TypeError, ValueError):
            number = -1
        if number != int(number) or not 0 <= number <= max(len(content_.media), 1):
            words = "The featured image is the number of one of the post's files, or 0."
            found.append(
                error("featured_image", "options.featured_image", words, "Choose 0 or the number of an image.")
            )
        elif 0 < number <= len(content_.media) and not content_.media[int(number) - 1].mime.startswith("image/"):
            words = "The featured image is not an image."
            found.append(
                error("featured_image", "options.featured_image", words, "Choose 0 or the number of an image.")
            )
    if options.get("status") not in (None, "", *(name for name, _ in content.STATUSES)):
        words = "WordPress has no such state."
        found.append(
            error("status", "options.status", words, "Choose published, draft, waiting for review or private.")
        )
    if not content_.title.strip():
        found.append(
            warning("title_missing", "title", "The post has no title.", "Write one: themes show it as the heading.")
        )
    return found
