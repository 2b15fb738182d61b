"""X (Twitter). See README.md in this folder for the API's source, its limits and what each answer means."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from platforms import chains, uploads
from platforms.adapters.x.address import API_URL, base_of, signs_with_keys
from platforms.adapters.x.steps import EARLIER, XSteps
from platforms.base import FieldSpec, SettingsProblem
from platforms.chains import Deadline, OutOfTime
from platforms.contracts import (
    Accepted,
    AccountHealth,
    AccountRef,
    Budget,
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
from platforms.errors import AuthFailed, PlatformError, Rejected, Unavailable
from platforms.oauth2 import authorize_url, token_request
from platforms.problems import ContentLike, ContentProblem, error, warning
from platforms.text.links import urls
from platforms.text.threads import parts
from platforms.validation import is_http_url

SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
MOST_CHARACTERS, MOST_CHARACTERS_PREMIUM = 280, 25_000
_ID = re.compile(r"(?:^|/status(?:es)?/)([0-9]{1,19})(?:$|[/?#])", re.ASCII)
_CASHTAG = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?!\w)")
_METRICS = {
    "like_count": "likes", "retweet_count": "reposts", "repost_count": "reposts", "reply_count": "replies", "quote_count": "quotes",
    "bookmark_count": "bookmarks", "impression_count": "impressions",
}  # fmt: skip


class XAdapter:
    key: str = "x"
    label: str = "X (Twitter)"
    description: str = "Posts, threads, pictures, videos and polls on X."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="access_token",
            label="Access token",
            help="Of the account. Signing in fills it; or take it from Keys and tokens in the developer console.",
            required=True,
            secret=True,
        ),
        FieldSpec(
            name="access_token_secret", label="Access token secret", help="With keys (OAuth 1.0a) only.", secret=True
        ),
        FieldSpec(
            name="api_key", label="API key", help="Consumer key of your app, with keys (OAuth 1.0a) only.", secret=True
        ),
        FieldSpec(name="api_key_secret", label="API key secret", help="With keys (OAuth 1.0a) only.", secret=True),
        FieldSpec(
            name="refresh_token",
            label="Refresh token",
            help="OAuth 2: the access token lives two hours and is renewed with it.",
            secret=True,
        ),
        FieldSpec(name="client_secret", label="Client secret", help="OAuth 2, of a confidential client.", secret=True),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="client_id", label="Client id", help="OAuth 2: of your app. Renewing a sign-in needs it."),
        FieldSpec(
            name="long_posts",
            label="Long posts",
            help="The account has X Premium and may write up to 25,000 characters.",
            kind="bool",
            default=False,
        ),
        FieldSpec(name="user_id", label="User number", help="Of the account at X. Left empty, X is asked each time."),
        FieldSpec(
            name="api_url",
            label="API address",
            help="Leave it as it is, except for a test server.",
            kind="url",
            default=API_URL,
        ),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="reply_settings",
            label="Who may reply",
            kind="choice",
            choices=(
                ("", "Everybody"),
                ("following", "Accounts you follow"),
                ("mentionedUsers", "Accounts you mention"),
                ("subscribers", "Subscribers"),
                ("verified", "Verified accounts"),
            ),
            default="",
        ),
        FieldSpec(name="quote", label="Quote", help="Address or number of a post to quote."),
        FieldSpec(name="reply_to", label="Reply to", help="Address or number of a post to answer."),
        FieldSpec(
            name="poll_options",
            label="Poll",
            kind="long_text",
            help="Two to four choices, a line each, up to 25 characters.",
        ),
        FieldSpec(
            name="poll_minutes",
            label="Poll ends after",
            kind="number",
            help="Minutes: 5 to 10,080 (a week).",
            default=1440,
        ),
        FieldSpec(name="community_id", label="Community", help="Number of a community to post in."),
        FieldSpec(
            name="made_with_ai",
            label="Made with AI",
            kind="bool",
            help="Shows that pictures or videos were made with AI.",
        ),
        FieldSpec(name="paid_partnership", label="Paid partnership", kind="bool"),
    )
    scopes: tuple[str, ...] = SCOPES
    uses_pkce: bool = True
    sign_in_fields: tuple[str, ...] = ()

    def capabilities(self, account: AccountRef) -> Capabilities:
        most = MOST_CHARACTERS_PREMIUM if account.options.get("long_posts") is True else MOST_CHARACTERS
        return Capabilities(
            content_types=frozenset({"post", "image", "video", "carousel", "thread"}),
            media_mimes=frozenset(
                {"image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4", "video/quicktime"}
            ),
            max_media=4,
            can_find=True,
            replays=False,
            consistency_delay_seconds=XSteps.consistency_seconds,
            text=TextRule(max=most, unit="twitter_weighted", url_weight=23),
            # docs.x.com, media best practices
            media={
                "image": MediaRule(
                    mimes=frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"}),
                    max_count=4,
                    max_bytes=5_000_000,
                    max_alt=1000,
                ),
                "gif": MediaRule(
                    mimes=frozenset({"image/gif"}),
                    max_count=1,
                    max_bytes=15_000_000,
                    max_width=1280,
                    max_height=1080,
                    max_alt=1000,
                ),
                "video": MediaRule(
                    mimes=frozenset({"video/mp4", "video/quicktime"}),
                    max_count=1,
                    max_bytes=512_000_000,
                    min_width=32,
                    min_height=32,
                    max_width=1280,
                    max_height=1024,
                    min_ratio=1 / 3,
                    max_ratio=3.0,
                    min_seconds=0.5,
                    max_seconds=140.0,
                ),
            },
            mixes=False,
            types={
                "image": TypeRule(min_media=1, kinds=frozenset({"image", "gif"})),
                "video": TypeRule(min_media=1, max_media=1, kinds=frozenset({"video"})),
                "carousel": TypeRule(min_media=2, max_media=4, kinds=frozenset({"image"})),
            },
            link_in_text=True,
            hashtags_in_text=True,
            threads=True,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        found: list[SettingsProblem] = []
        if options.get("api_url") and not is_http_url(str(options["api_url"])):
            found.append(("api_url", f"Write a whole address, like {API_URL}."))
        if (user := str(options.get("user_id") or "")) and not (user.isascii() and user.isdigit()):
            found.append(("user_id", "The number of an account has digits only."))
        keys = ("api_key", "api_key_secret", "access_token_secret")
        if any(credentials.get(name) for name in keys) and not signs_with_keys(credentials):
            missing = next(name for name in (*keys, "access_token") if not credentials.get(name))
            found.append((missing, "With keys, X needs all four: API key and secret, access token and secret."))
        if credentials.get("refresh_token") and not options.get("client_id"):
            found.append(("client_id", "Write the client id that the refresh token was given to."))
        if any(not (value.isascii() and value.isprintable()) for value in credentials.values()):
            found.append(("access_token", "A token holds characters that cannot be sent in a header."))
        return found

    def service_of(self, account: AccountRef) -> str:
        return urlsplit(base_of(account.options)).netloc.lower()

    def app_of(self, account: AccountRef) -> str:
        client = str(account.options.get("client_id") or "")
        key = account.credentials.get("api_key", "")
        return client[:190] or (f"key-{hashlib.sha256(key.encode()).hexdigest()[:16]}" if key else "")

    def budgets(self, account: AccountRef) -> list[Budget]:
        """docs.x.com, rate limits: POST /2/tweets 100 in 15 minutes for a user, 10,000 a day for an app."""
        found = [Budget(scope="account", name="posts", capacity=100, period_seconds=900)]
        if self.app_of(account):
            found.append(Budget(scope="app", name="posts a day", capacity=10_000, period_seconds=86_400))
        return found

    # publishing

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        steps = XSteps(publication.account, Deadline(timeout))
        return chains.run(steps, {**self._state(publication), "look": publication.earlier}, polling=False)

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        return chains.find(XSteps(publication.account, Deadline(timeout)), self._state(publication))

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        return chains.run(XSteps(account, Deadline(timeout)), remote_state, polling=True)

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        XSteps(account, Deadline(timeout)).delete(remote_id)

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        """Within 30 minutes and five times, says X; the new version has an id of its own."""
        state = self._state(publication)
        state["parts"] = state["parts"][:1]
        steps = XSteps(publication.account, Deadline(timeout))
        try:
            if state["files"] and steps.prepare(state) is not None:
                raise Unavailable("X is still working on the files. Try again in a minute.", retry_after_seconds=60)
            made = steps.edit(state, remote_id)
        except OutOfTime:
            raise Unavailable("The files took too long. Try again.") from None
        rate, already = made.pop("rate", None), made.pop("already", False)
        return chains.published({"done": [made], "sent": not already}, rate=rate)

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> list[Metrics]:
        ids = [item for item in remote_ids if item.isascii() and item.isdigit()][:100]
        if not ids:
            return []
        posts = XSteps(account, Deadline(timeout)).metrics(ids)
        return [Metrics(remote_id=str(post["id"]), values=_figures(post)) for post in posts if post.get("id")]

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        try:
            me = XSteps(account, Deadline(timeout)).me()
        except PlatformError as failed:
            said = f" X says: {failed.platform_message}" if failed.platform_message else ""
            return AccountHealth(ok=False, message=f"{failed}{said}")
        except OutOfTime:
            return AccountHealth(ok=False, message="X took too long to answer.")
        name = f"@{me.get('username') or me['id']}"
        return AccountHealth(
            ok=True, message=f"Signed in as {name}.", identity=name, options={"user_id": str(me["id"])}
        )

    # signing in

    def can_refresh(self, account: AccountRef) -> bool:
        return bool(account.credentials.get("refresh_token") and account.options.get("client_id"))

    def refresh(self, account: AccountRef, *, timeout: float) -> Refreshed:
        """Two hours of access for a refresh token that works once. X says `invalid_request` to one that was used or taken back."""
        try:
            tokens = token_request(
                f"{base_of(account.options)}/2/oauth2/token",
                {"grant_type": "refresh_token", "refresh_token": account.credentials.get("refresh_token", "")},
                client_id=str(account.options.get("client_id") or ""),
                client_secret=account.credentials.get("client_secret", ""),
                timeout=timeout,
            )
        except Rejected as failed:
            if failed.status_code != 400:
                raise
            raise AuthFailed("X does not take the refresh token any more: sign in again.", status_code=400) from failed
        given = {"access_token": tokens.access_token}
        if tokens.refresh_token:
            given["refresh_token"] = tokens.refresh_token
        return Refreshed(credentials=given, expires_at=tokens.expires_at)

    def authorize_url(self, app: ClientApp, *, state: str, challenge: str) -> str:
        base = base_of(app.options)
        return authorize_url(
            f"{'https://x.com' if base == API_URL else base}/i/oauth2/authorize",
            client_id=app.client_id,
            redirect_uri=app.redirect_uri,
            scopes=" ".join(SCOPES),
            state=state,
            challenge=challenge,
        )

    def exchange(self, app: ClientApp, *, code: str, verifier: str, timeout: float) -> Grant:
        """The code lives 30 seconds."""
        tokens = token_request(
            f"{base_of(app.options)}/2/oauth2/token",
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": app.redirect_uri,
                "code_verifier": verifier,
            },
            client_id=app.client_id,
            client_secret=app.client_secret,
            timeout=timeout,
        )
        given = {
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "client_secret": app.client_secret,
        }
        return Grant(
            credentials={name: value for name, value in given.items() if value},
            expires_at=tokens.expires_at,
            scopes=tokens.scopes,
        )

    def places(self, app: ClientApp, grant: Grant, *, timeout: float) -> list[Place]:
        options = {**app.options, "client_id": app.client_id}
        account = AccountRef(
            id=0,
            public_id="",
            platform=self.key,
            name="",
            handle="",
            timezone="UTC",
            credentials=grant.credentials,
            options=options,
        )
        me = XSteps(account, Deadline(timeout)).me()
        handle = str(me.get("username") or me["id"])
        return [
            Place(
                handle=handle,
                name=str(me.get("name") or handle),
                kind="profile",
                credentials=grant.credentials,
                options={**options, "user_id": str(me["id"])},
            )
        ]

    # rules that capabilities cannot say

    def check(self, content: ContentLike, account: AccountRef) -> list[ContentProblem]:
        said = parts(content, self.capabilities(account))
        return [*_option_problems(content), *_text_problems(said)]

    def _state(self, publication: Publication) -> dict[str, Any]:
        """Everything a later call needs, as JSON."""
        since: datetime = publication.scheduled_for - EARLIER
        return {
            "parts": parts(publication, self.capabilities(publication.account)),
            "first": _first(publication.options),
            "files": [uploads.stored(item) for item in publication.media],
            "since": since.isoformat(),
            "done": [],
        }


ADAPTER = XAdapter()


def _first(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the options add to the body of the first post."""
    body: dict[str, Any] = {}
    if settings := str(options.get("reply_settings") or ""):
        body["reply_settings"] = settings
    if quoted := post_number(options.get("quote")):
        body["quote_tweet_id"] = quoted
    if answered := post_number(options.get("reply_to")):
        body["reply"] = {"in_reply_to_tweet_id": answered}
    if choices := _choices(options):
        body["poll"] = {"options": choices, "duration_minutes": int(options.get("poll_minutes") or 1440)}
    if community := str(options.get("community_id") or "").strip():
        body["community_id"] = community
    body |= {name: True for name in ("made_with_ai", "paid_partnership") if options.get(name) is True}
    return body


def post_number(value: Any) -> str:
    """The number of a post from its address or itself; empty when it is neither."""
    found = _ID.search(str(value or "").strip())
    return found[1] if found else ""


def _choices(options: Mapping[str, Any]) -> list[str]:
    return [line.strip() for line in str(options.get("poll_options") or "").splitlines() if line.strip()]


def _option_problems(content: ContentLike) -> Iterator[ContentProblem]:
    options, choices = content.options, _choices(content.options)
    for name in ("quote", "reply_to"):
        if options.get(name) and not post_number(options[name]):
            yield error(
                name,
                f"options.{name}",
                "This is not a post on X.",
                "Write its address, like https://x.com/name/status/123.",
            )
    community = str(options.get("community_id") or "").strip()
    if community and not re.fullmatch(r"[0-9]{1,19}", community, re.ASCII):
        yield error(
            "community_id",
            "options.community_id",
            "The number of a community has digits only.",
            "Take it from the community's address.",
        )
    if choices and not 2 <= len(choices) <= 4:
        yield error(
            "poll_options",
            "options.poll_options",
            f"The poll has {len(choices)} choices; X takes 2 to 4.",
            "Write two to four lines.",
        )
    if any(len(choice) > 25 for choice in choices):
        yield error(
            "poll_option_too_long",
            "options.poll_options",
            "A choice of the poll has more than 25 characters.",
            "Shorten it.",
        )
    if choices and not _is_within(options.get("poll_minutes", 1440), 5, 10_080):
        yield error(
            "poll_minutes",
            "options.poll_minutes",
            "A poll on X ends after 5 to 10,080 minutes.",
            "Write a number between them.",
        )
    if choices and content.media:
        yield error(
            "poll_and_media",
            "options.poll_options",
            "A post with files cannot have a poll on X.",
            "Remove the files or the poll.",
        )
    if choices and post_number(options.get("quote")):
        yield error(
            "poll_and_quote",
            "options.quote",
            "A post that quotes cannot have a poll on X.",
            "Remove the quote or the poll.",
        )


def _text_problems(said: Sequence[str]) -> Iterator[ContentProblem]:
    if any(len(_CASHTAG.findall(part)) > 1 for part in said):
        yield error(
            "cashtags", "text", "X takes one cashtag (like $ABC) in a post.", "Leave the dollar sign off the others."
        )
    with_link = sum(bool(urls(part)) for part in said)
    if with_link:
        cost = 0.20 * with_link + 0.015 * (len(said) - with_link)
        yield warning(
            "link_price",
            "text",
            f"X charges $0.20 for a post with a link instead of $0.015: this one costs about ${cost:.2f}.",
            "Leave the link out if it is not needed.",
        )


def _is_within(value: Any, least: int, most: int) -> bool:
    try:
        return least <= float(value or 0) <= most
    except (TypeError, ValueError):
        return False


def _figures(post: Mapping[str, Any]) -> dict[str, int]:
    told = post.get("public_metrics")
    told = told if isinstance(told, dict) else {}
    return {ours: int(told[theirs]) for theirs, ours in _METRICS.items() if isinstance(told.get(theirs), int)}
