"""Bluesky. See README.md in this folder for the API's source, its limits and what each answer means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from platforms import chains, uploads
from platforms.adapters.bluesky import records
from platforms.adapters.bluesky.client import APPVIEW_URL, SERVICE_URL, BlueskyClient, Session, service_of
from platforms.adapters.bluesky.steps import BlueskySteps
from platforms.base import FieldSpec, SettingsProblem
from platforms.chains import Deadline, OutOfTime
from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Budget,
    Capabilities,
    MediaRule,
    Metrics,
    Publication,
    Published,
    Refreshed,
    TextRule,
    TypeRule,
)
from platforms.errors import PlatformError, Unavailable
from platforms.problems import ContentLike, ContentProblem, error, warning
from platforms.text.facets import facets
from platforms.text.threads import parts
from platforms.validation import is_http_url

MOST_IMAGES = 10  # the app's own limit of a gallery; the lexicon allows 20
MOST_BLOB_BYTES = 52_428_800
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
_LABELS = ("sexual", "nudity", "porn", "graphic-media")
_METRICS = {
    "likeCount": "likes", "repostCount": "reposts", "replyCount": "replies", "quoteCount": "quotes", "bookmarkCount": "bookmarks",
}  # fmt: skip


class BlueskyAdapter:
    key: str = "bluesky"
    label: str = "Bluesky"
    description: str = "Posts, threads, pictures and videos on Bluesky and other servers of its network."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="identifier", label="Handle", help="Like name.bsky.social.", required=True),
        FieldSpec(
            name="app_password",
            label="App password",
            help="Made in Bluesky under Settings, Privacy and security, App passwords. Not the password of the account.",
            required=True,
            secret=True,
        ),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="service_url",
            label="Server",
            help="Where the account lives, if not at Bluesky itself.",
            kind="url",
            default=SERVICE_URL,
        ),
        FieldSpec(name="languages", label="Languages", help="Of the posts, up to three, like: en, de."),
        FieldSpec(
            name="appview_url",
            label="Address for figures",
            help="Likes, reposts and replies are asked for here.",
            kind="url",
            default=APPVIEW_URL,
        ),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="languages", label="Languages", help="Up to three, like: en, de. Empty: those of the account."),
        FieldSpec(
            name="label",
            label="Content warning",
            kind="choice",
            choices=(
                ("", "None"),
                ("sexual", "Suggestive"),
                ("nudity", "Nudity"),
                ("porn", "Adult"),
                ("graphic-media", "Graphic media"),
            ),
            default="",
        ),
        FieldSpec(name="link_card", label="Show the link as a card", kind="bool", default=True),
        FieldSpec(name="card_title", label="Title of the card", help="Empty: the post's title, or the link's site."),
        FieldSpec(name="card_description", label="Text of the card"),
    )

    def capabilities(self, account: AccountRef) -> Capabilities:
        images = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
        return Capabilities(
            content_types=frozenset({"post", "image", "video", "carousel", "thread"}),
            media_mimes=images | {"video/mp4"},
            max_media=MOST_IMAGES,
            can_find=True,
            replays=True,
            consistency_delay_seconds=BlueskySteps.consistency_seconds,
            text=TextRule(max=300, unit="graphemes", also=((3000, "utf8_bytes"),)),
            # lexicons app.bsky.embed.images, gallery and video; the blob limit of the reference server
            media={
                "image": MediaRule(mimes=images, max_count=MOST_IMAGES, max_bytes=2_000_000),
                "gif": MediaRule(mimes=frozenset({"image/gif"}), max_count=MOST_IMAGES, max_bytes=2_000_000),
                "video": MediaRule(mimes=frozenset({"video/mp4"}), max_count=1, max_bytes=MOST_BLOB_BYTES),
            },
            mixes=False,
            types={
                "image": TypeRule(min_media=1, kinds=frozenset({"image", "gif"})),
                "video": TypeRule(min_media=1, max_media=1, kinds=frozenset({"video"})),
                "carousel": TypeRule(min_media=2, kinds=frozenset({"image", "gif"})),
            },
            link_in_text=True,
            hashtags_in_text=True,
            threads=True,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        found: list[SettingsProblem] = [
            (name, "Write a whole address, like https://bsky.social.")
            for name in ("service_url", "appview_url")
            if options.get(name) and not is_http_url(str(options[name]))
        ]
        if problem := _language_problem(options.get("languages")):
            found.append(("languages", problem))
        handle = credentials.get("identifier", "").strip().lstrip("@")
        if handle and not (handle.startswith("did:") or "." in handle or "@" in handle):
            found.append(("identifier", "Write the whole handle, like name.bsky.social."))
        return found

    def service_of(self, account: AccountRef) -> str:
        return urlsplit(account.credentials.get("pds") or service_of(account)).netloc.lower()

    def budgets(self, account: AccountRef) -> list[Budget]:
        """5,000 points an hour and 35,000 a day; a post is 3. (bsky-docs, rate limits)"""
        return [
            Budget(scope="account", name="posts an hour", capacity=5_000 // 3, period_seconds=3_600),
            Budget(scope="account", name="posts a day", capacity=35_000 // 3, period_seconds=86_400),
        ]

    # publishing

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        steps = BlueskySteps(publication.account, Deadline(timeout))
        return chains.run(steps, self._state(publication), polling=False)

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        return chains.find(BlueskySteps(publication.account, Deadline(timeout)), self._state(publication))

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        return chains.run(BlueskySteps(account, Deadline(timeout)), remote_state, polling=True)

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        BlueskySteps(account, Deadline(timeout)).delete(remote_id)

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> list[Metrics]:
        """By the public view of the network, 25 posts a call."""
        client = BlueskyClient(account, Deadline(timeout))
        base = str(account.options.get("appview_url") or APPVIEW_URL).rstrip("/")
        uris = [item for item in remote_ids if item.startswith("at://")][:100]
        found: list[Metrics] = []
        try:
            for start in range(0, len(uris), 25):
                answer = client.public(base, "app.bsky.feed.getPosts", {"uris": uris[start : start + 25]})
                posts = answer.get("posts")
                for post in posts if isinstance(posts, list) else []:
                    values = {
                        ours: int(post[theirs])
                        for theirs, ours in _METRICS.items()
                        if isinstance(post.get(theirs), int)
                    }
                    found.append(Metrics(remote_id=str(post.get("uri") or ""), values=values))
        except OutOfTime:
            raise Unavailable("The figures took too long.") from None
        return found

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        client = BlueskyClient(account, Deadline(timeout))
        try:
            found = client.query("com.atproto.server.getSession", {})
        except PlatformError as failed:
            said = f" It says: {failed.platform_message}" if failed.platform_message else ""
            return AccountHealth(ok=False, message=f"{failed}{said}")
        except OutOfTime:
            return AccountHealth(ok=False, message="Bluesky took too long to answer.")
        handle = str(found.get("handle") or found.get("did") or "")
        if found.get("active") is False:
            return AccountHealth(
                ok=False, message=f"The account {handle} is {found.get('status') or 'not active'}.", identity=handle
            )
        return AccountHealth(ok=True, message=f"Signed in as {handle}.", identity=handle)

    # the session

    def can_refresh(self, account: AccountRef) -> bool:
        return bool(account.credentials.get("app_password") or account.credentials.get("refresh_jwt"))

    def refresh(self, account: AccountRef, *, timeout: float) -> Refreshed:
        """The next session; the first one, where there is none yet."""
        try:
            made: Session = BlueskyClient(account, Deadline(timeout)).renewed()
        except OutOfTime:
            raise Unavailable("Bluesky took too long to answer.") from None
        return Refreshed(
            credentials={"access_jwt": made.access, "refresh_jwt": made.refresh, "did": made.did, "pds": made.base},
            expires_at=made.expires_at(),
        )

    # rules that capabilities cannot say

    def check(self, content: ContentLike, account: AccountRef) -> list[ContentProblem]:
        found = [
            error("hashtag_too_long", "text", "A hashtag has more than 640 bytes.", "Shorten it.")
            for text in parts(content, self.capabilities(account))
            if any(facet.kind == "tag" and len(facet.value.encode()) > 640 for facet in facets(text))
        ]
        if problem := _language_problem(content.options.get("languages")):
            found.append(error("languages", "options.languages", problem, "Write up to three, like: en, de."))
        if len(content.media) > 4 and any(not (item.width and item.height) for item in content.media):
            found.append(
                error(
                    "gallery_size",
                    "media",
                    "With more than four pictures Bluesky must know how large each is.",
                    "Upload it again.",
                )
            )
        if any(item.animated for item in content.media):
            found.append(
                warning("gif_stands_still", "media", "Bluesky shows a GIF without its motion.", "Upload it as a video.")
            )
        if content.link and content.media and content.options.get("link_card", True):
            found.append(
                warning(
                    "card_and_media",
                    "link",
                    "A post with files shows no link card on Bluesky.",
                    "The link stands in the text instead.",
                )
            )
        return found

    def _state(self, publication: Publication) -> dict[str, Any]:
        """Everything a later call needs, as JSON."""
        options = publication.options
        languages = _languages(options.get("languages")) or _languages(publication.account.options.get("languages"))
        label = str(options.get("label") or "")
        return {
            "key": publication.key,
            "parts": parts(publication, self.capabilities(publication.account)),
            "at": records.created_at(publication.scheduled_for),
            "langs": languages,
            "labels": [label] if label in _LABELS else [],
            "card": _card(publication) if publication.link and options.get("link_card", True) else None,
            "files": [uploads.stored(item) for item in publication.media],
            "done": [],
        }


ADAPTER = BlueskyAdapter()


def _card(publication: Publication) -> dict[str, str]:
    site = (urlsplit(publication.link).hostname or publication.link).removeprefix("www.")
    title = str(publication.options.get("card_title") or "").strip() or publication.title.strip() or site
    description = str(publication.options.get("card_description") or "").strip()
    return {"uri": publication.link, "title": title, "description": description}


def _languages(value: Any) -> list[str]:
    return [item for item in str(value or "").replace(",", " ").split() if _LANGUAGE.fullmatch(item)][:3]


def _language_problem(value: Any) -> str:
    given = str(value or "").replace(",", " ").split()
    if len(given) > 3:
        return f"{len(given)} languages are given; Bluesky takes three."
    wrong = [item for item in given if not _LANGUAGE.fullmatch(item)]
    return f"{wrong[0]} is not a language like en or pt-BR." if wrong else ""
