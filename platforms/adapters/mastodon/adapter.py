"""Mastodon and compatible servers. See README.md in this folder for the API's source, limits and what each answer means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from platforms import chains, uploads
from platforms.adapters.mastodon import limits
from platforms.adapters.mastodon.client import host_of, instance_of
from platforms.adapters.mastodon.steps import MastodonSteps
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
    MediaKind,
    MediaRule,
    Metrics,
    Place,
    Publication,
    Published,
    TextRule,
    TypeRule,
)
from platforms.errors import PlatformError, Rejected, Unavailable
from platforms.oauth2 import authorize_url, token_request
from platforms.problems import ContentLike, ContentProblem, error
from platforms.text import counting
from platforms.text.threads import parts
from platforms.validation import is_http_url

SCOPES = ("read:accounts", "read:statuses", "write:statuses", "write:media")
EARLIER = timedelta(seconds=60)
APP_NAME, APP_PAGE = "ALwrity Content Scheduler", "https://github.com/ALwrity/ALwrity"
_METRICS = {
    "favourites_count": "likes", "reblogs_count": "reposts", "replies_count": "replies", "quotes_count": "quotes",
}  # fmt: skip
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
_VISIBILITIES = (
    ("", "As the account is set"),
    ("public", "Public"),
    ("unlisted", "Quiet public"),
    ("private", "Followers"),
    ("direct", "Mentioned people only"),
)


class MastodonAdapter:
    key: str = "mastodon"
    label: str = "Mastodon"
    description: str = (
        "Posts, threads, pictures, videos and polls on Mastodon, GoToSocial and other servers with Mastodon's API."
    )
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="access_token",
            label="Access token",
            help="Signing in fills it; or take it from Preferences, Development, of your server.",
            required=True,
            secret=True,
        ),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="instance_url", label="Server", help="Like https://mastodon.social.", required=True, kind="url"),
        FieldSpec(
            name="max_characters",
            label="Longest post",
            help="In characters. Empty: what the server says, else 500.",
            kind="number",
        ),
        FieldSpec(name="visibility", label="Visibility", kind="choice", choices=_VISIBILITIES, default=""),
        FieldSpec(name="language", label="Language", help="Of the posts, like en or pt-BR."),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(name="visibility", label="Visibility", kind="choice", choices=_VISIBILITIES, default=""),
        FieldSpec(name="spoiler_text", label="Content warning", help="Shown in front; the post opens with a click."),
        FieldSpec(name="sensitive", label="Blur the pictures", kind="bool"),
        FieldSpec(name="language", label="Language", help="Like en or pt-BR. Empty: that of the account."),
        FieldSpec(name="poll_options", label="Poll", kind="long_text", help="A choice a line."),
        FieldSpec(name="poll_minutes", label="Poll ends after", kind="number", help="Minutes.", default=1440),
        FieldSpec(name="poll_multiple", label="Several choices allowed", kind="bool"),
    )
    scopes: tuple[str, ...] = SCOPES
    uses_pkce: bool = True
    sign_in_fields: tuple[str, ...] = ("instance_url",)

    def capabilities(self, account: AccountRef) -> Capabilities:
        """By the figures that the server gave at sign-in, else Mastodon's own."""
        its = limits.of(account.options)
        mimes = {kind: frozenset(mime for mime in its.mimes if mime in known) for kind, known in _KINDS.items()}
        image = MediaRule(
            mimes=mimes["image"],
            max_count=its.max_media,
            max_bytes=its.image_bytes,
            max_pixels=its.image_pixels,
            max_alt=its.max_alt,
        )
        moving = {"max_count": 1, "max_bytes": its.video_bytes, "max_alt": its.max_alt}
        media: dict[MediaKind, MediaRule] = {"image": image}
        if "image/gif" in its.mimes:
            gif_bytes = its.image_bytes
            media["gif"] = MediaRule(
                mimes=frozenset({"image/gif"}), max_count=1, max_bytes=gif_bytes, max_alt=its.max_alt
            )
        if mimes["video"]:
            media["video"] = MediaRule(mimes=mimes["video"], max_pixels=its.video_pixels, **moving)
        if mimes["audio"]:
            media["audio"] = MediaRule(mimes=mimes["audio"], **moving)
        return Capabilities(
            content_types=frozenset({"post", "image", "video", "carousel", "thread"}),
            media_mimes=frozenset(its.mimes),
            max_media=its.max_media,
            can_find=True,
            replays=False,
            consistency_delay_seconds=MastodonSteps.consistency_seconds,
            text=TextRule(
                max=its.max_characters,
                unit="mastodon" if its.software == "mastodon" else "characters",
                url_weight=its.url_weight,
            ),
            media=media,
            mixes=its.software != "mastodon",
            types={
                "image": TypeRule(min_media=1, kinds=frozenset({"image", "gif"})),
                "video": TypeRule(min_media=1, max_media=1, kinds=frozenset({"video"})),
                "carousel": TypeRule(min_media=2, kinds=frozenset({"image"})),
            },
            link_in_text=True,
            hashtags_in_text=True,
            threads=True,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        found: list[SettingsProblem] = []
        if not is_http_url(instance_of(options)):
            found.append(("instance_url", "Write the server's address, like https://mastodon.social."))
        most = options.get("max_characters")
        if most not in (None, "") and limits.of({"max_characters": most}).max_characters != _whole(most):
            found.append(("max_characters", "Write a whole number of characters, or leave it empty."))
        if options.get("language") and not _LANGUAGE.fullmatch(str(options["language"])):
            found.append(("language", "Write a language like en or pt-BR."))
        token = credentials.get("access_token", "")
        if not (token.isascii() and token.isprintable()):
            found.append(("access_token", "The token holds characters that cannot be sent in a header."))
        return found

    def service_of(self, account: AccountRef) -> str:
        return host_of(account.options)

    def budgets(self, account: AccountRef) -> list[Budget]:
        """docs.joinmastodon.org, rate limits: 300 calls in 5 minutes for an account; a post takes at least one."""
        return [Budget(scope="account", name="calls", capacity=300, period_seconds=300)]

    # publishing

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        steps = MastodonSteps(publication.account, Deadline(timeout))
        return chains.run(steps, {**self._state(publication), "look": publication.earlier}, polling=False)

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        return chains.find(MastodonSteps(publication.account, Deadline(timeout)), self._state(publication))

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        return chains.run(MastodonSteps(account, Deadline(timeout)), remote_state, polling=True)

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        MastodonSteps(account, Deadline(timeout)).delete(remote_id)

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        """Text, warning, files and language; who may see a status cannot be changed. Files are handed over anew."""
        state = self._state(publication)
        state["parts"] = state["parts"][:1]
        steps = MastodonSteps(publication.account, Deadline(timeout))
        try:
            if steps.prepare(state) is not None:
                raise Unavailable(
                    "The server is still working on the files. Try again in a minute.", retry_after_seconds=60
                )
            return chains.published({"done": [steps.edit(state, remote_id)], "sent": True})
        except OutOfTime:
            raise Unavailable("The files took too long. Try again.") from None

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> list[Metrics]:
        """A call a status: servers before 4.3 know no list of them."""
        steps, found = MastodonSteps(account, Deadline(timeout)), []
        try:
            for remote_id in remote_ids[:100]:
                if (status := steps.status(remote_id)) is not None:
                    values = {
                        ours: int(status[theirs])
                        for theirs, ours in _METRICS.items()
                        if isinstance(status.get(theirs), int)
                    }
                    found.append(Metrics(remote_id=remote_id, values=values))
        except OutOfTime:
            if not found:
                raise Unavailable("The figures took too long.") from None
        return found

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        steps = MastodonSteps(account, Deadline(timeout))
        try:
            me = steps.me()
        except PlatformError as failed:
            said = f" It says: {failed.platform_message}" if failed.platform_message else ""
            return AccountHealth(ok=False, message=f"{failed}{said}", identity=host_of(account.options))
        except OutOfTime:
            return AccountHealth(
                ok=False, message="The server took too long to answer.", identity=host_of(account.options)
            )
        name = f"@{me.get('acct') or me['id']}@{host_of(account.options)}"
        return AccountHealth(ok=True, message=f"Signed in as {name}.", identity=name, options=_told(me, steps))

    # signing in

    def register(self, *, redirect_uri: str, options: Mapping[str, Any], timeout: float) -> ClientApp:
        body = {"client_name": APP_NAME, "redirect_uris": redirect_uri, "scopes": " ".join(SCOPES), "website": APP_PAGE}
        data = _bare(self, {}, options, timeout).client.request("POST", "/api/v1/apps", json=body).json()
        if not isinstance(data, dict) or not (data.get("client_id") and data.get("client_secret")):
            raise Rejected("The server did not register the app: is it a Mastodon server?")
        return ClientApp(
            client_id=str(data["client_id"]),
            client_secret=str(data["client_secret"]),
            redirect_uri=redirect_uri,
            options=dict(options),
        )

    def authorize_url(self, app: ClientApp, *, state: str, challenge: str) -> str:
        return authorize_url(
            f"{instance_of(app.options)}/oauth/authorize",
            client_id=app.client_id,
            redirect_uri=app.redirect_uri,
            scopes=" ".join(SCOPES),
            state=state,
            challenge=challenge,
        )

    def exchange(self, app: ClientApp, *, code: str, verifier: str, timeout: float) -> Grant:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": app.redirect_uri,
            "scope": " ".join(SCOPES),
        }
        tokens = token_request(
            f"{instance_of(app.options)}/oauth/token",
            form | ({"code_verifier": verifier} if verifier else {}),
            client_id=app.client_id,
            client_secret=app.client_secret,
            client_auth="form",
            timeout=timeout,
        )
        return Grant(
            credentials={"access_token": tokens.access_token}, expires_at=tokens.expires_at, scopes=tokens.scopes
        )

    def places(self, app: ClientApp, grant: Grant, *, timeout: float) -> list[Place]:
        """The one account, with the limits of its server."""
        steps = _bare(self, grant.credentials, app.options, timeout)
        me = steps.me()
        handle = f"{me.get('acct') or me.get('username') or me['id']}@{host_of(app.options)}"
        options = {**app.options, "instance_url": instance_of(app.options), **_told(me, steps)}
        name = str(me.get("display_name") or handle)
        return [Place(handle=handle, name=name, kind="profile", credentials=grant.credentials, options=options)]

    # rules that capabilities cannot say

    def check(self, content: ContentLike, account: AccountRef) -> list[ContentProblem]:
        return [*_poll_problems(content, limits.of(account.options)), *_word_problems(content)]

    def _state(self, publication: Publication) -> dict[str, Any]:
        """Everything a later call needs, as JSON."""
        options, account = publication.options, publication.account
        every = {
            "visibility": str(options.get("visibility") or account.options.get("visibility") or ""),
            "language": str(options.get("language") or account.options.get("language") or ""),
            "spoiler_text": str(options.get("spoiler_text") or "").strip(),
        }
        first: dict[str, Any] = {}
        if options.get("sensitive") is True:
            first["sensitive"] = True
        if choices := _choices(options):
            first["poll"] = {
                "options": choices,
                "expires_in": int(float(options.get("poll_minutes") or 1440) * 60),
                "multiple": options.get("poll_multiple") is True,
            }
        return {
            "key": publication.key,
            "parts": parts(publication, self.capabilities(account)),
            "every": {name: value for name, value in every.items() if value},
            "first": first,
            "software": limits.of(account.options).software,
            "files": [uploads.stored(item) for item in publication.media],
            "since": (publication.scheduled_for - EARLIER).isoformat(),
            "done": [],
        }


ADAPTER = MastodonAdapter()
_KINDS: dict[str, tuple[str, ...]] = {"image": limits.IMAGES, "video": limits.VIDEOS, "audio": limits.AUDIO}


def _bare(
    adapter: MastodonAdapter, credentials: Mapping[str, str], options: Mapping[str, Any], timeout: float
) -> MastodonSteps:
    """Steps for somebody who is not an account yet."""
    account = AccountRef(
        id=0,
        public_id="",
        platform=adapter.key,
        name="",
        handle="",
        timezone="UTC",
        credentials=credentials,
        options=options,
    )
    return MastodonSteps(account, Deadline(timeout))


def _told(me: Mapping[str, Any], steps: MastodonSteps) -> dict[str, Any]:
    """What belongs into the account's options: its number there, and the server's limits where it tells them."""
    try:
        return {"user_id": str(me["id"]), "limits": limits.from_instance(steps.instance())}
    except (PlatformError, OutOfTime):
        return {"user_id": str(me["id"])}


def _choices(options: Mapping[str, Any]) -> list[str]:
    return [line.strip() for line in str(options.get("poll_options") or "").splitlines() if line.strip()]


def _poll_problems(content: ContentLike, its: limits.Limits) -> Iterator[ContentProblem]:
    choices = _choices(content.options)
    if not choices:
        return
    field = "options.poll_options"
    if not 2 <= len(choices) <= its.poll_options:
        yield error(
            "poll_options",
            field,
            f"The poll has {len(choices)} choices; the server takes 2 to {its.poll_options}.",
            "Write a choice a line.",
        )
    if any(counting.count(choice, "graphemes") > its.poll_characters for choice in choices):
        yield error(
            "poll_option_too_long",
            field,
            f"A choice of the poll has more than {its.poll_characters} characters.",
            "Shorten it.",
        )
    if len(set(choices)) < len(choices):
        yield error("poll_option_twice", field, "Two choices of the poll are the same.", "Change one.")
    minutes = _whole(content.options.get("poll_minutes", 1440) or 1440)
    if not its.poll_seconds_min <= minutes * 60 <= its.poll_seconds_max:
        least, most = -(-its.poll_seconds_min // 60), its.poll_seconds_max // 60
        yield error(
            "poll_minutes",
            "options.poll_minutes",
            f"A poll there ends after {least:,} to {most:,} minutes.",
            "Write a number between them.",
        )
    if content.media:
        yield error("poll_and_media", field, "A post with files cannot have a poll.", "Remove the files or the poll.")


def _word_problems(content: ContentLike) -> Iterator[ContentProblem]:
    language = str(content.options.get("language") or "")
    if language and not _LANGUAGE.fullmatch(language):
        yield error(
            "language", "options.language", f"{language} is not a language like en or pt-BR.", "Write its short form."
        )


def _whole(value: Any) -> int:
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return 0
