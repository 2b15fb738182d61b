"""Pinterest boards through API v5. Facts, limits and the error table are in README.md of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from alwrity_scheduler.core import clock
from platforms import oauth2
from platforms.adapters.pinterest import making
from platforms.adapters.pinterest.api import API_URL, Pinterest, data_of
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
    Refreshed,
    TextRule,
    TypeRule,
)
from platforms.errors import PlatformError, Rejected, UnknownOutcome
from platforms.problems import ContentLike, ContentProblem, error
from platforms.stepwise import Deadline
from platforms.text.message import message
from platforms.validation import is_http_url

IMAGES = frozenset({"image/jpeg", "image/png"})
VIDEOS = frozenset({"video/mp4", "video/quicktime"})
AUTHORIZE_URL = "https://www.pinterest.com/oauth/"
LONGEST_LINK = 2_048
MOST_PAGES = 4
_FIGURES = {
    "IMPRESSION": "impressions", "OUTBOUND_CLICK": "clicks", "SAVE": "bookmarks", "TOTAL_REACTIONS": "likes",
    "TOTAL_COMMENTS": "replies",
}  # fmt: skip
CAPABILITIES = Capabilities(
    content_types=frozenset({"post", "image", "video", "carousel"}),
    media_mimes=IMAGES | VIDEOS,
    max_media=5,
    can_find=True,
    replays=False,
    consistency_delay_seconds=15.0,
    max_text=800,
    max_title=100,
    text=TextRule(max=800, unit="characters"),
    title=TextRule(max=100, unit="characters"),
    media={
        "image": MediaRule(mimes=IMAGES, max_count=5, max_bytes=10_000_000, max_alt=500),
        "video": MediaRule(mimes=VIDEOS, max_count=1, min_seconds=4, max_seconds=900, max_alt=500),
    },
    mixes=False,
    types={
        "post": TypeRule(min_media=1, max_media=5),
        "image": TypeRule(min_media=1, max_media=1, kinds=frozenset({"image"})),
        "video": TypeRule(min_media=1, max_media=1, kinds=frozenset({"video"})),
        "carousel": TypeRule(min_media=2, max_media=5, kinds=frozenset({"image"})),
    },
    hashtags_in_text=True,
)


class PinterestAdapter:
    key: str = "pinterest"
    label: str = "Pinterest"
    description: str = "Pins on a board of yours: images, carousels and videos."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="access_token", label="Access token", help="Good for 30 days.", required=True, secret=True),
        FieldSpec(
            name="refresh_token", label="Refresh token", help="With it the sign-in is renewed by itself.", secret=True
        ),
        FieldSpec(name="client_secret", label="App secret", help="Needed to renew the sign-in.", secret=True),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="board_id",
            label="Board id",
            help="The number of the board; signing in offers your boards.",
            required=True,
        ),
        FieldSpec(name="client_id", label="App id", help="Accounts of the same app share its limits."),
        FieldSpec(
            name="api_url", label="API address", help="Only for tests and gateways.", kind="url", default=API_URL
        ),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="board_section_id", label="Section of the board", help="Its number, if the board has sections."),
    )
    scopes: tuple[str, ...] = ("boards:read", "boards:write", "pins:read", "pins:write", "user_accounts:read")
    uses_pkce: bool = False
    sign_in_fields: tuple[str, ...] = ()

    def capabilities(self, account: AccountRef) -> Capabilities:
        return CAPABILITIES

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems: list[SettingsProblem] = []
        if not _is_number(options.get("board_id")):
            problems.append(("board_id", "Write the board's number; signing in fills it."))
        token = credentials.get("access_token", "")
        if not token or not (token.isascii() and token.isprintable()):
            problems.append(("access_token", "Sign in with Pinterest, or paste a token."))
        if (url := str(options.get("api_url") or "")) and not is_http_url(url):
            problems.append(("api_url", f"Write a whole address, like {API_URL}."))
        if credentials.get("refresh_token") and not str(options.get("client_id") or "").strip():
            problems.append(("client_id", "Write the id of the app that the refresh token belongs to."))
        return problems

    def service_of(self, account: AccountRef) -> str:
        return urlsplit(_base(account.options)).netloc.lower()

    def app_of(self, account: AccountRef) -> str:
        return str(account.options.get("client_id") or "")[:190]

    def can_refresh(self, account: AccountRef) -> bool:
        return bool(account.credentials.get("refresh_token") and account.options.get("client_id"))

    def refresh(self, account: AccountRef, *, timeout: float) -> Refreshed:
        tokens = oauth2.token_request(
            f"{_base(account.options)}/oauth/token",
            {"grant_type": "refresh_token", "refresh_token": account.credentials.get("refresh_token", "")},
            client_id=str(account.options.get("client_id") or ""),
            client_secret=account.credentials.get("client_secret", ""), timeout=timeout,
        )  # fmt: skip
        return Refreshed(credentials=_credentials(tokens), expires_at=tokens.expires_at)

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        found: list[ContentProblem] = []
        if len(content.link) > LONGEST_LINK:
            found.append(
                error("link_too_long", "link", f"A pin's link takes {LONGEST_LINK:,} characters.", "Shorten it.")
            )
        section = content.options.get("board_section_id")
        if section and not _is_number(section):
            found.append(error("section", "board_section_id", "A section is named by its number.", "Write its number."))
        return found

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        if not publication.media:
            raise Rejected("Pinterest takes no pin without an image or a video.")
        return making.publish(_way(publication.account), _state(publication), Deadline(timeout))

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        try:
            return making.find(_way(publication.account), _state(publication), Deadline(timeout))
        except UnknownOutcome:
            raise
        except PlatformError as trouble:
            raise UnknownOutcome(
                f"The look-up told nothing. {trouble}",
                status_code=trouble.status_code, platform_message=trouble.platform_message, rate=trouble.rate,
            ) from trouble  # fmt: skip

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        return making.resume(_way(account), dict(remote_state), Deadline(timeout))

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        way, deadline = _way(account), Deadline(timeout)
        try:
            name = str(data_of(way.ask("GET", "/user_account", timeout=deadline.left())).get("username") or "")
            board = data_of(way.ask("GET", f"/boards/{account.options.get('board_id')}", timeout=deadline.left()))
        except PlatformError as trouble:
            return AccountHealth(ok=False, message=f"{trouble} {trouble.platform_message}".strip())
        return AccountHealth(
            ok=True, message=f"Pinterest knows {name} and the board {board.get('name')}.", identity=name
        )

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        try:
            _way(account).ask("DELETE", f"/pins/{remote_id}", timeout=timeout, visible=True)
        except Rejected as trouble:
            if trouble.status_code != 404:  # gone already
                raise

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        """Everything but the files can be changed."""
        body = _state(publication)["body"]
        answer = _way(publication.account).ask("PATCH", f"/pins/{remote_id}", json=body, timeout=timeout, visible=True)
        return Published(remote_id=remote_id, url=f"{making.SITE}{remote_id}/", response={"status_code": answer.status})

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        """Of the last 90 days, which is as far as Pinterest looks back."""
        ids = [one for one in remote_ids[:100] if _is_number(one)]
        if not ids:
            return []
        today = clock.now().date()
        params = {
            "pin_ids": ",".join(ids), "start_date": str(today - timedelta(days=89)), "end_date": str(today),
            "metric_types": ",".join(_FIGURES),
        }  # fmt: skip
        data = data_of(_way(account).ask("GET", "/pins/analytics", params=params, timeout=timeout))
        return [Metrics(remote_id=one, values=_figures(data[one])) for one in ids if isinstance(data.get(one), dict)]

    def authorize_url(self, app: ClientApp, *, state: str, challenge: str) -> str:
        return oauth2.authorize_url(
            AUTHORIZE_URL, client_id=app.client_id, redirect_uri=app.redirect_uri, scopes=",".join(self.scopes), state=state
        )  # fmt: skip

    def exchange(self, app: ClientApp, *, code: str, verifier: str, timeout: float) -> Grant:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri, "continuous_refresh": "true",
        }  # fmt: skip
        tokens = oauth2.token_request(
            f"{_base(app.options)}/oauth/token", form, client_id=app.client_id, client_secret=app.client_secret, timeout=timeout
        )  # fmt: skip
        return Grant(credentials=_credentials(tokens), expires_at=tokens.expires_at, scopes=tokens.scopes)

    def places(self, app: ClientApp, grant: Grant, *, timeout: float) -> Sequence[Place]:
        """One account a board."""
        way, deadline = Pinterest(base=_base(app.options), token=grant.credentials["access_token"]), Deadline(timeout)
        user = str(data_of(way.ask("GET", "/user_account", timeout=deadline.left())).get("username") or "")
        credentials = {**grant.credentials, "client_secret": app.client_secret}
        found: list[Place] = []
        bookmark = ""
        for _ in range(MOST_PAGES):
            params = {"page_size": "250", **({"bookmark": bookmark} if bookmark else {})}
            data = data_of(way.ask("GET", "/boards", params=params, timeout=deadline.left()))
            found += [
                Place(
                    handle=f"{user}/{board.get('name')}", name=str(board.get("name")), kind="board", credentials=credentials,
                    options={**app.options, "board_id": str(board["id"]), "client_id": app.client_id},
                )
                for board in data.get("items") or [] if isinstance(board, dict) and board.get("id")
            ]  # fmt: skip
            bookmark = str(data.get("bookmark") or "")
            if not bookmark:
                break
        return found


ADAPTER = PinterestAdapter()


def _base(options: Mapping[str, Any]) -> str:
    return str(options.get("api_url") or API_URL).rstrip("/")


def _way(account: AccountRef) -> Pinterest:
    return Pinterest(base=_base(account.options), token=account.credentials.get("access_token", ""))


def _state(publication: Publication) -> dict[str, Any]:
    board = str(publication.account.options.get("board_id") or "")
    return making.begin(publication, board, message(publication, CAPABILITIES))


def _credentials(tokens: oauth2.Tokens) -> dict[str, str]:
    found = {"access_token": tokens.access_token}
    return found | ({"refresh_token": tokens.refresh_token} if tokens.refresh_token else {})


def _is_number(value: Any) -> bool:
    text = str(value or "")
    return text.isascii() and text.isdigit()


def _figures(said: Mapping[str, Any]) -> dict[str, int]:
    """The sums over all devices: of these 90 days, or of the pin's whole life where Pinterest gives that."""
    found: dict[str, int] = {}
    row = next((value for value in said.values() if isinstance(value, dict)), {})
    for part in ("summary_metrics", "lifetime_metrics"):
        for name, value in (row.get(part) or {}).items():
            if name in _FIGURES and isinstance(value, int | float):
                found[_FIGURES[name]] = int(value)
    return found
