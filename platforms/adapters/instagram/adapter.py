"""Instagram professional accounts through the Graph API. Facts, limits and the error table are in README.md of this folder."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from platforms.adapters.instagram import captions, finding, making, signing_in
from platforms.adapters.instagram.codes import CODES
from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Capabilities,
    ClientApp,
    Grant,
    Metrics,
    Place,
    Publication,
    Published,
    Refreshed,
)
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, UnknownOutcome
from platforms.meta_graph import API_VERSION, Graph, is_gone
from platforms.problems import ContentLike, ContentProblem, error, warning
from platforms.stepwise import Deadline
from platforms.validation import is_http_url

FACEBOOK_URL = "https://graph.facebook.com"
HOUR = 3_600.0
MOST_COLLABORATORS = 3
_INSIGHTS = {
    "views": "views", "reach": "reach", "saved": "bookmarks", "likes": "likes", "comments": "replies", "shares": "reposts",
}  # fmt: skip


class InstagramAdapter:
    key: str = "instagram"
    label: str = "Instagram"
    description: str = "Images, reels, carousels and stories of a professional account."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="access_token",
            label="Access token",
            help="Of Instagram Login (60 days, renewed by itself), or the page token of Facebook Login.",
            required=True,
            secret=True,
        ),
        FieldSpec(
            name="app_secret",
            label="App secret",
            help="Only with Facebook Login: calls carry Meta's proof.",
            secret=True,
        ),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="user_id", label="Account id", help="The number of the Instagram account.", required=True),
        FieldSpec(
            name="login",
            label="Signed in through",
            kind="choice",
            choices=(("instagram", "Instagram Login"), ("facebook", "Facebook Login")),
            default="instagram",
        ),
        FieldSpec(name="app_id", label="App id", help="Accounts of the same app share its limits."),
        FieldSpec(name="api_version", label="API version", help="Of the Graph API, like v25.0.", default=API_VERSION),
        FieldSpec(name="api_url", label="API address", help="Only for tests and gateways.", kind="url"),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="first_comment", label="First comment", help="Written under the post, right after.", kind="long_text"
        ),
        FieldSpec(name="collaborators", label="Collaborators", help="User names, separated by commas; at most 3."),
        FieldSpec(name="location_id", label="Place", help="The number of a Facebook page that has a location."),
        FieldSpec(name="share_to_feed", label="Show the reel in the feed too", kind="bool", default=True),
        FieldSpec(name="thumb_offset", label="Cover of the reel", help="Milliseconds from its start.", kind="number"),
    )
    scopes: tuple[str, ...] = signing_in.SCOPES
    uses_pkce: bool = False
    sign_in_fields: tuple[str, ...] = ()

    def capabilities(self, account: AccountRef) -> Capabilities:
        return captions.CAPABILITIES

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems: list[SettingsProblem] = []
        user = str(options.get("user_id") or "")
        if not (user.isascii() and user.isdigit()):
            problems.append(("user_id", "Write the account's number; signing in fills it."))
        if not credentials.get("access_token", "").strip():
            problems.append(("access_token", "Sign in with Instagram, or paste a token."))
        if (url := str(options.get("api_url") or "")) and not is_http_url(url):
            problems.append(("api_url", f"Write a whole address, like {signing_in.GRAPH_URL}."))
        version = str(options.get("api_version") or API_VERSION)
        if not (version.startswith("v") and version[1:].replace(".", "", 1).isdigit()):
            problems.append(("api_version", f"Write it like {API_VERSION}."))
        return problems

    def service_of(self, account: AccountRef) -> str:
        return urlsplit(_url(account.options)).netloc.lower()

    def app_of(self, account: AccountRef) -> str:
        return str(account.options.get("app_id") or "")[:190]

    def can_refresh(self, account: AccountRef) -> bool:
        return _is_instagram_login(account.options) and bool(account.credentials.get("access_token"))

    def refresh(self, account: AccountRef, *, timeout: float) -> Refreshed:
        return signing_in.refresh(account, _url(account.options), timeout=timeout)

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        found: list[ContentProblem] = []
        said = captions.caption(content)
        for name, counted, most in (
            ("hashtags", captions.hashtags(said), captions.MOST_HASHTAGS),
            ("mentions", captions.mentions(said), captions.MOST_MENTIONS),
        ):
            if counted > most:
                found.append(
                    error(f"too_many_{name}", "text", f"The caption has {counted} {name}; Instagram takes {most}.",
                        f"Remove {counted - most}.")
                )  # fmt: skip
        if content.link:
            found.append(
                warning(
                    "link_not_clickable", "link", "Links in captions cannot be clicked.", "Put it into the profile."
                )
            )
        if content.content_type == "story" and said:
            found.append(
                warning(
                    "story_text", "text", "A story shows its file only: the text is left out.", "Put it on the image."
                )
            )
        return found + _image_ratios(content) + _addresses(content, account) + _collaborators(content)

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        graph, user, deadline = _graph(publication.account), _user(publication.account), Deadline(timeout)
        if not publication.media:
            raise Rejected("Instagram takes no post without an image or a video.")
        _quota(graph, user, deadline, refuses=True)
        return making.prepare(graph, user, making.begin(publication), deadline)

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        graph, user = _graph(publication.account), _user(publication.account)
        if not publication.media:
            return None  # nothing was sent
        state = making.begin(publication)
        try:
            found = finding.by_caption(graph, user, state, timeout)
        except UnknownOutcome:
            raise
        except PlatformError as trouble:
            raise UnknownOutcome(
                f"The look-up told nothing. {trouble}",
                status_code=trouble.status_code, platform_message=trouble.platform_message, rate=trouble.rate,
            ) from trouble  # fmt: skip
        if found is None or not state["comment"]:
            return found
        state |= {"media_id": found.remote_id, "url": found.url, "already": True}
        return Accepted(remote_state=state, poll_after_seconds=1.0)

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        return making.resume(_graph(account), _user(account), dict(remote_state), Deadline(timeout))

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        graph, user, deadline = _graph(account), _user(account), Deadline(timeout)
        node, fields = (
            ("/me", "user_id,username") if _is_instagram_login(account.options) else (f"/{user}", "id,username")
        )
        try:
            reply = graph.get(node, fields=fields, timeout=deadline.left())
            name = reply.text("username") or user
            known = reply.text("user_id") or reply.text("id")
            if known and known != user:
                words = f"The sign-in belongs to {name} ({known}), and the account's number is {user}."
                return AccountHealth(ok=False, message=words, identity=name)
            quota = _quota(graph, user, deadline, refuses=False)
        except AuthFailed as trouble:
            missing = ("instagram_business_content_publish",) if trouble.response.get("code") in (10, 200) else ()
            return AccountHealth(
                ok=False, message=f"{trouble} {trouble.platform_message}".strip(), missing_scopes=missing
            )
        except PlatformError as trouble:
            return AccountHealth(ok=False, message=f"{trouble} {trouble.platform_message}".strip())
        said = f" {quota[0]} of {quota[1]} posts of these 24 hours are used." if quota else ""
        return AccountHealth(ok=True, message=f"Instagram knows {name}.{said}", identity=name)

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        try:
            _graph(account).delete(f"/{remote_id}", timeout=timeout)
        except (AuthFailed, Rejected) as trouble:
            if not is_gone(trouble):
                raise

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        """One call a post, as many as the time allows."""
        graph, deadline, found = _graph(account), Deadline(timeout), []
        for remote_id in remote_ids[:100]:
            if not deadline.allows(1.0):
                break
            try:
                reply = graph.get(f"/{remote_id}/insights", metric=",".join(_INSIGHTS), timeout=deadline.left())
            except (AuthFailed, Rejected) as trouble:
                if is_gone(trouble) or trouble.response.get("code") == 100:
                    continue  # not known there
                raise
            values = {_INSIGHTS[row["name"]]: value for row in reply.rows() if (value := _value(row)) is not None}
            found.append(Metrics(remote_id=remote_id, values=values))
        return found

    def authorize_url(self, app: ClientApp, *, state: str, challenge: str) -> str:
        return signing_in.authorize_url(app, state)

    def exchange(self, app: ClientApp, *, code: str, verifier: str, timeout: float) -> Grant:
        return signing_in.exchange(app, _url(app.options), code=code, timeout=timeout)

    def places(self, app: ClientApp, grant: Grant, *, timeout: float) -> Sequence[Place]:
        graph = Graph(base=_base(app.options), token=grant.credentials["access_token"], platform="Instagram")
        return signing_in.places(app, graph, timeout=timeout)


ADAPTER = InstagramAdapter()


def _is_instagram_login(options: Mapping[str, Any]) -> bool:
    return str(options.get("login") or "instagram") == "instagram"


def _url(options: Mapping[str, Any]) -> str:
    default = signing_in.GRAPH_URL if _is_instagram_login(options) else FACEBOOK_URL
    return str(options.get("api_url") or default).rstrip("/")


def _base(options: Mapping[str, Any]) -> str:
    return f"{_url(options)}/{options.get('api_version') or API_VERSION}"


def _graph(account: AccountRef) -> Graph:
    facebook = not _is_instagram_login(account.options)
    return Graph(
        base=_base(account.options),
        token=account.credentials.get("access_token", ""),
        app_secret=account.credentials.get("app_secret", "") if facebook else "",
        platform="Instagram",
        known=CODES,
    )


def _user(account: AccountRef) -> str:
    return str(account.options.get("user_id") or "me")


def _quota(graph: Graph, user: str, deadline: Deadline, *, refuses: bool) -> tuple[int, int] | None:
    """(posts of the last 24 hours, how many are allowed), as Instagram counts; None where it does not say.

    Raises RateLimited when there are none left and `refuses`; the window slides, so it is asked again in an hour.
    """
    reply = graph.get(f"/{user}/content_publishing_limit", fields="config,quota_usage", timeout=deadline.left())
    row = next(iter(reply.rows()), {})
    config, used = row.get("config"), row.get("quota_usage")
    total = config.get("quota_total") if isinstance(config, dict) else None
    if not isinstance(used, int) or not isinstance(total, int):
        return None
    if refuses and used >= total:
        words = f"Instagram allows {total} posts in 24 hours, and {used} are used."
        raise RateLimited(words, retry_after_seconds=HOUR, status_code=reply.status)
    return used, total


def _value(row: Mapping[str, Any]) -> int | None:
    if row.get("name") not in _INSIGHTS:
        return None
    total, values = row.get("total_value"), row.get("values")
    point = values[0] if isinstance(values, list) and values else total
    value = point.get("value") if isinstance(point, dict) else None
    return value if isinstance(value, int) else None


def _image_ratios(content: ContentLike) -> list[ContentProblem]:
    """Feed images are 4:5 to 1.91:1; stories may be 9:16."""
    found = []
    for number, item in enumerate(content.media, start=1):
        if item.mime.startswith("image/") and item.width and item.height and content.content_type != "story":
            ratio = item.width / item.height
            if not 0.795 <= ratio <= 1.92:
                words = (
                    f"Image {number} is {item.width} by {item.height}; Instagram takes 4:5 (upright) to 1.91:1 (wide)."
                )
                found.append(error("image_ratio", "media", words, "Crop it."))
    return found


def _addresses(content: ContentLike, account: AccountRef) -> list[ContentProblem]:
    """Instagram fetches files itself, so their addresses must be open to the world."""
    for item in content.media:
        url = str(getattr(item, "url", "") or "")
        if url and is_private(url):
            words = f"Instagram fetches files from {urlsplit(url).hostname}, which cannot be reached from the Internet."
            remedy = "Set PUBLIC_URL to an address that the Internet can reach."
            tell = warning if account.options.get("api_url") else error
            return [tell("media_not_public", "media", words, remedy)]
    return []


def is_private(url: str) -> bool:
    """Is the address one that only this machine or its network can reach? By its form only: no name is looked up."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))


def _collaborators(content: ContentLike) -> list[ContentProblem]:
    names = [name for name in str(content.options.get("collaborators") or "").split(",") if name.strip()]
    if len(names) <= MOST_COLLABORATORS:
        return []
    words = f"A post takes {MOST_COLLABORATORS} collaborators; there are {len(names)}."
    return [error("too_many_collaborators", "collaborators", words, f"Remove {len(names) - MOST_COLLABORATORS}.")]
