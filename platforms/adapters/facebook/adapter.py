"""Facebook Pages through the Graph API. Facts, limits and the error table are in README.md of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from platforms.adapters.facebook import figures, finding, making, signing_in
from platforms.adapters.facebook.codes import CODES
from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Capabilities,
    ClientApp,
    Grant,
    MediaRule,
    Metrics,
    Place,
    Publication,
    Published,
    TextRule,
    TypeRule,
)
from platforms.errors import AuthFailed, PlatformError, Rejected, UnknownOutcome
from platforms.meta_graph import API_VERSION, Graph, is_gone
from platforms.problems import ContentLike, ContentProblem, error, warning
from platforms.stepwise import Deadline
from platforms.validation import is_http_url

API_URL = "https://graph.facebook.com"
IMAGES = frozenset({"image/jpeg", "image/png"})
VIDEOS = frozenset({"video/mp4", "video/quicktime"})
LONGEST_COMMENT = 8_000
CAPABILITIES = Capabilities(
    content_types=frozenset({"post", "article", "image", "video", "carousel", "story", "reel"}),
    media_mimes=IMAGES | VIDEOS,
    max_media=10,
    can_find=True,
    replays=False,
    consistency_delay_seconds=10.0,
    max_text=63_206,
    text=TextRule(max=63_206, unit="characters"),
    title=TextRule(max=255, unit="characters"),
    media={
        "image": MediaRule(mimes=IMAGES, max_count=10, max_bytes=4_000_000),
        "video": MediaRule(mimes=VIDEOS, max_count=1),
    },
    mixes=False,
    types={
        "image": TypeRule(min_media=1, max_media=1, kinds=frozenset({"image"})),
        "video": TypeRule(min_media=1, max_media=1, kinds=frozenset({"video"})),
        "carousel": TypeRule(min_media=2, max_media=10, kinds=frozenset({"image"})),
        "story": TypeRule(min_media=1, max_media=1, kinds=frozenset({"image", "video"})),
        "reel": TypeRule(min_media=1, max_media=1, kinds=frozenset({"video"})),
    },
    hashtags_in_text=True,
)


class FacebookAdapter:
    key: str = "facebook"
    label: str = "Facebook Page"
    description: str = "Posts, photos, videos, reels and stories on a page of yours."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="access_token",
            label="Page access token",
            help="Made for the page from a long-lived user token, so that it does not run out.",
            required=True,
            secret=True,
        ),
        FieldSpec(
            name="app_secret",
            label="App secret",
            help="With it, calls carry Meta's proof that they come from the app, and missing permissions can be named.",
            secret=True,
        ),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="page_id", label="Page id", help="The number of the page.", required=True),
        FieldSpec(name="app_id", label="App id", help="Accounts of the same app share its limits."),
        FieldSpec(name="api_version", label="API version", help="Of the Graph API, like v25.0.", default=API_VERSION),
        FieldSpec(
            name="api_url", label="API address", help="Only for tests and gateways.", kind="url", default=API_URL
        ),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="first_comment",
            label="First comment",
            help="Written under the post by the page, right after it is out.",
            kind="long_text",
        ),
    )
    scopes: tuple[str, ...] = signing_in.SCOPES
    uses_pkce: bool = False
    sign_in_fields: tuple[str, ...] = ()

    def capabilities(self, account: AccountRef) -> Capabilities:
        return CAPABILITIES

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems: list[SettingsProblem] = []
        page = str(options.get("page_id") or "")
        if not (page.isascii() and page.isdigit()):
            problems.append(("page_id", "Write the page's number; it is under About, Page transparency."))
        if not credentials.get("access_token", "").strip():
            problems.append(("access_token", "Sign in with Facebook, or paste a page access token."))
        if (url := str(options.get("api_url") or "")) and not is_http_url(url):
            problems.append(("api_url", f"Write a whole address, like {API_URL}."))
        version = str(options.get("api_version") or API_VERSION)
        if not (version.startswith("v") and version[1:].replace(".", "", 1).isdigit()):
            problems.append(("api_version", f"Write it like {API_VERSION}."))
        return problems

    def service_of(self, account: AccountRef) -> str:
        return urlsplit(str(account.options.get("api_url") or API_URL)).netloc.lower()

    def app_of(self, account: AccountRef) -> str:
        return str(account.options.get("app_id") or "")[:190]

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        found: list[ContentProblem] = []
        host = (urlsplit(content.link).hostname or "") if is_http_url(content.link) else ""
        if host == "facebook.com" or host.endswith(".facebook.com"):
            found.append(
                error(
                    "facebook_link", "link", "Facebook refuses links to facebook.com.", "Share the post there instead."
                )
            )
        if content.content_type == "story" and (content.text.strip() or content.link):
            found.append(
                warning(
                    "story_text",
                    "text",
                    "A story shows its file only: text and link are left out.",
                    "Put the words on the image.",
                )
            )  # fmt: skip
        comment = str(content.options.get("first_comment") or "")
        if len(comment) > LONGEST_COMMENT:
            found.append(
                error(
                    "comment_too_long",
                    "first_comment",
                    f"A comment takes {LONGEST_COMMENT:,} characters.",
                    "Shorten it.",
                )
            )
        if comment.strip() and content.content_type == "story":
            found.append(warning("story_comment", "first_comment", "A story takes no comment.", "Leave it empty."))
        return found

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        return making.publish(
            _graph(publication.account), _page(publication.account), _state(publication), Deadline(timeout)
        )

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        graph, page, state = _graph(publication.account), _page(publication.account), _state(publication)
        deadline = Deadline(timeout)
        try:
            if state["kind"] in ("video", "reel"):
                video_id = finding.video_by_words(graph, page, state, deadline.left())
                if video_id:
                    state |= {"video_id": video_id, "released": True, "already": True}
                    return Accepted(remote_state=state, poll_after_seconds=1.0)
                return None
            found = finding.by_message(graph, page, state, deadline.left())
        except UnknownOutcome:
            raise
        except PlatformError as trouble:
            raise UnknownOutcome(
                f"The look-up told nothing. {trouble}",
                status_code=trouble.status_code, platform_message=trouble.platform_message, rate=trouble.rate,
            ) from trouble  # fmt: skip
        if found is None or not state["comment"]:
            return found
        # the post is out; whether its comment is, the next step looks
        state |= {"post_id": found.remote_id, "url": found.url, "already": True}
        return Accepted(remote_state=state, poll_after_seconds=1.0)

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        return making.resume(_graph(account), _page(account), dict(remote_state), Deadline(timeout))

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        graph, deadline = _graph(account), Deadline(timeout)
        try:
            reply = graph.get(f"/{_page(account)}", fields="id,name", timeout=deadline.left())
            name = reply.text("name") or reply.text("id")
            missing = _missing(graph, account, deadline)
        except PlatformError as trouble:
            return AccountHealth(ok=False, message=f"{trouble} {trouble.platform_message}".strip())
        if missing:
            words = f"The sign-in to {name} lacks: {', '.join(missing)}."
            needed = "pages_manage_posts" not in missing
            return AccountHealth(ok=needed, message=words, identity=name, missing_scopes=missing)
        return AccountHealth(ok=True, message=f"Facebook knows the page {name}.", identity=name)

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        try:
            _graph(account).delete(f"/{remote_id}", timeout=timeout)
        except (AuthFailed, Rejected) as trouble:
            if not is_gone(trouble):
                raise

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        state = _state(publication)
        name = "message" if "_" in remote_id else "description"  # a video's own number
        reply = _graph(publication.account).post(
            f"/{remote_id}", {name: state["message"]}, timeout=timeout, visible=True
        )
        return Published(
            remote_id=remote_id,
            url=f"{making.SITE}{remote_id}",
            response={"status_code": reply.status},
            rate=reply.rate,
        )

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        return figures.metrics(_graph(account), remote_ids[:100], Deadline(timeout))

    def authorize_url(self, app: ClientApp, *, state: str, challenge: str) -> str:
        return signing_in.authorize_url(app, str(app.options.get("api_version") or API_VERSION), state)

    def exchange(self, app: ClientApp, *, code: str, verifier: str, timeout: float) -> Grant:
        graph = Graph(base=_base(app.options), token="", app_secret=app.client_secret, platform="Facebook")
        return signing_in.exchange(app, graph, code=code, timeout=timeout)

    def places(self, app: ClientApp, grant: Grant, *, timeout: float) -> Sequence[Place]:
        graph = Graph(
            base=_base(app.options), token=grant.credentials["access_token"], app_secret=app.client_secret, platform="Facebook"
        )  # fmt: skip
        return signing_in.places(app, graph, timeout=timeout)


ADAPTER = FacebookAdapter()


def _base(options: Mapping[str, Any]) -> str:
    url, version = str(options.get("api_url") or API_URL), str(options.get("api_version") or API_VERSION)
    return f"{url.rstrip('/')}/{version}"


def _graph(account: AccountRef) -> Graph:
    return Graph(
        base=_base(account.options),
        token=account.credentials.get("access_token", ""),
        app_secret=account.credentials.get("app_secret", ""),
        platform="Facebook",
        known=CODES,
    )


def _page(account: AccountRef) -> str:
    return str(account.options.get("page_id") or "me")


def _state(publication: Publication) -> dict[str, Any]:
    """Only a post without files has a field for the link; beside files it is part of the words."""
    takes_link = not publication.media
    return making.begin(publication, replace(CAPABILITIES, link_in_text=not takes_link), takes_link)


def _missing(graph: Graph, account: AccountRef, deadline: Deadline) -> tuple[str, ...]:
    """The permissions the token lacks; empty where the app's secret is not known, without which Meta does not say."""
    app_id, secret = str(account.options.get("app_id") or ""), account.credentials.get("app_secret", "")
    if not (app_id and secret):
        return ()
    asker = Graph(base=graph.base, token=f"{app_id}|{secret}", platform="Facebook", known=CODES)
    data = asker.get("/debug_token", input_token=graph.token, timeout=deadline.left()).data.get("data")
    data = data if isinstance(data, dict) else {}
    if data.get("is_valid") is False:
        raise AuthFailed("Facebook: the sign-in is no longer valid: connect again.")
    scopes = data.get("scopes")
    return tuple(scope for scope in signing_in.SCOPES if scope not in scopes) if isinstance(scopes, list) else ()
