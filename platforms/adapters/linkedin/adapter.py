"""LinkedIn members and organisations through the versioned API. Facts, limits and errors are in README.md of this folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from platforms.adapters.linkedin import figures, finding, making, signing_in
from platforms.adapters.linkedin.api import API_URL, API_VERSION, LinkedIn, data_of, segment
from platforms.adapters.linkedin.little import little
from platforms.base import FieldSpec, SettingsProblem
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
from platforms.errors import PlatformError, Rejected, UnknownOutcome
from platforms.outbound import call
from platforms.problems import ContentLike, ContentProblem, error, warning
from platforms.stepwise import Deadline
from platforms.text.message import message
from platforms.validation import is_http_url

IMAGES = frozenset({"image/jpeg", "image/png", "image/gif"})
VIDEOS = frozenset({"video/mp4"})
PDF = frozenset({"application/pdf"})
MOST_A_DAY = 150
LONGEST_COMMENT = 1_250
_AUTHOR = re.compile(r"urn:li:(person|organization):[\w-]+", re.ASCII)
_VERSION = re.compile(r"20\d\d(0[1-9]|1[0-2])", re.ASCII)
CAPABILITIES = Capabilities(
    content_types=frozenset({"post", "article", "image", "video", "carousel"}),
    media_mimes=IMAGES | VIDEOS | PDF,
    max_media=20,
    can_find=True,
    replays=False,
    consistency_delay_seconds=10.0,
    max_text=3_000,
    text=TextRule(max=3_000, unit="characters"),
    title=TextRule(max=400, unit="characters"),
    media={
        "image": MediaRule(mimes=IMAGES, max_count=20, max_pixels=36_152_320, max_alt=4_086),
        "gif": MediaRule(mimes=frozenset({"image/gif"}), max_count=1, max_pixels=36_152_320, max_alt=4_086),
        "video": MediaRule(mimes=VIDEOS, max_count=1, min_seconds=3, max_seconds=1_800),
        "document": MediaRule(mimes=PDF, max_count=1, max_bytes=100_000_000),
    },
    mixes=False,
    types={
        "image": TypeRule(min_media=1, max_media=1, kinds=frozenset({"image", "gif"})),
        "video": TypeRule(min_media=1, max_media=1, kinds=frozenset({"video"})),
        "carousel": TypeRule(min_media=1, max_media=20, kinds=frozenset({"image", "document"})),
    },
    hashtags_in_text=True,
)


class LinkedInAdapter:
    key: str = "linkedin"
    label: str = "LinkedIn"
    description: str = "Posts of a member or an organisation: text, links, images, videos and documents."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="access_token",
            label="Access token",
            help="Good for 60 days after signing in.",
            required=True,
            secret=True,
        ),
        FieldSpec(
            name="refresh_token",
            label="Refresh token",
            help="LinkedIn gives one to approved partners only.",
            secret=True,
        ),
        FieldSpec(name="client_secret", label="Client secret", help="To renew and to check the sign-in.", secret=True),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="author",
            label="Author",
            help="urn:li:person:… or urn:li:organization:…; signing in fills it.",
            required=True,
        ),
        FieldSpec(name="client_id", label="Client id", help="Of the app that signed in."),
        FieldSpec(
            name="organisations",
            label="Organisations too",
            help="Ask for the rights to publish as organisations; the app needs LinkedIn's Community Management API.",
            kind="bool",
            default=False,
        ),
        FieldSpec(
            name="reads_posts",
            label="The app may read the member's posts",
            help="Only with r_member_social, which LinkedIn gives to few. With it, an unclear outcome is settled by a look.",
            kind="bool",
            default=False,
        ),
        FieldSpec(
            name="api_version",
            label="API version",
            help="YYYYMM; LinkedIn serves each for about a year.",
            default=API_VERSION,
        ),
        FieldSpec(
            name="api_url", label="API address", help="Only for tests and gateways.", kind="url", default=API_URL
        ),
    )
    post_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="visibility",
            label="Who sees it",
            kind="choice",
            choices=(("PUBLIC", "Everybody"), ("CONNECTIONS", "Connections only")),
            default="PUBLIC",
        ),
        FieldSpec(
            name="first_comment", label="First comment", help="Written under the post, right after.", kind="long_text"
        ),
        FieldSpec(name="description", label="Description of the link", help="Beside its title."),
        FieldSpec(name="no_reshares", label="Nobody may repost it", kind="bool", default=False),
    )
    scopes: tuple[str, ...] = signing_in.SCOPES
    uses_pkce: bool = False
    sign_in_fields: tuple[str, ...] = ("organisations",)

    def capabilities(self, account: AccountRef) -> Capabilities:
        return replace(CAPABILITIES, can_find=_can_find(account))

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems: list[SettingsProblem] = []
        if not _AUTHOR.fullmatch(str(options.get("author") or "")):
            problems.append(
                ("author", "Write urn:li:person:… or urn:li:organization:…, as LinkedIn names the account.")
            )
        token = credentials.get("access_token", "")
        if not token or not (token.isascii() and token.isprintable()):
            problems.append(("access_token", "Sign in with LinkedIn, or paste a token."))
        if not _VERSION.fullmatch(str(options.get("api_version") or API_VERSION)):
            problems.append(("api_version", f"Write year and month, like {API_VERSION}."))
        if (url := str(options.get("api_url") or "")) and not is_http_url(url):
            problems.append(("api_url", f"Write a whole address, like {API_URL}."))
        if credentials.get("refresh_token") and not str(options.get("client_id") or "").strip():
            problems.append(("client_id", "Write the client id that the refresh token belongs to."))
        return problems

    def service_of(self, account: AccountRef) -> str:
        return urlsplit(str(account.options.get("api_url") or API_URL)).netloc.lower()

    def app_of(self, account: AccountRef) -> str:
        return str(account.options.get("client_id") or "")[:190]

    def budgets(self, account: AccountRef) -> Sequence[Budget]:
        return [Budget(scope="account", name="day", capacity=MOST_A_DAY, period_seconds=86_400)]

    def can_refresh(self, account: AccountRef) -> bool:
        return bool(account.credentials.get("refresh_token") and account.options.get("client_id"))

    def refresh(self, account: AccountRef, *, timeout: float) -> Refreshed:
        return signing_in.refresh(account, timeout=timeout)

    def check(self, content: ContentLike, account: AccountRef) -> Sequence[ContentProblem]:
        found: list[ContentProblem] = []
        if content.options.get("visibility") == "CONNECTIONS" and _is_organisation(account):
            found.append(
                error("visibility", "visibility", "An organisation has no connections.", "Let everybody see the post.")
            )
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
        if content.link and not content.media and not content.title.strip():
            found.append(
                warning("link_title", "title", "The link has no title; its address is shown instead.", "Write a title.")
            )
        return found

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        return making.publish(_linked(publication.account), _state(publication), Deadline(timeout))

    def find(self, publication: Publication, *, timeout: float) -> Published | Accepted | None:
        account, state = publication.account, _state(publication)
        if not _can_find(account):
            raise UnknownOutcome(
                "LinkedIn does not let members' posts be read, so only a person can tell whether it is out."
            )
        try:
            urn = finding.by_commentary(_linked(account), _author(account), state, timeout)
        except UnknownOutcome:
            raise
        except PlatformError as trouble:
            raise UnknownOutcome(
                f"The look-up told nothing. {trouble}",
                status_code=trouble.status_code, platform_message=trouble.platform_message,
            ) from trouble  # fmt: skip
        if urn is None:
            return None
        if state["comment"]:  # the post is out; whether its comment is, the next step looks
            return Accepted(remote_state=state | {"urn": urn, "already": True}, poll_after_seconds=1.0)
        return Published(remote_id=urn, url=f"{making.SITE}{urn}/", already=True)

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        return making.resume(_linked(account), dict(remote_state), Deadline(timeout), can_find=_can_find(account))

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        linked, deadline = _linked(account), Deadline(timeout)
        try:
            me = data_of(linked.ask("GET", "/v2/userinfo", timeout=deadline.left()))
            missing = _missing(account, deadline)
        except PlatformError as trouble:
            return AccountHealth(ok=False, message=f"{trouble} {trouble.platform_message}".strip())
        name, author = str(me.get("name") or me.get("sub") or ""), _author(account)
        if not _is_organisation(account) and me.get("sub") and author != f"urn:li:person:{me['sub']}":
            words = f"The sign-in belongs to {name} (urn:li:person:{me['sub']}), and the author is {author}."
            return AccountHealth(ok=False, message=words, identity=name)
        if missing:
            words = f"The sign-in of {name} lacks: {', '.join(missing)}."
            return AccountHealth(ok=False, message=words, identity=name, missing_scopes=missing)
        return AccountHealth(ok=True, message=f"LinkedIn knows {name}.", identity=name)

    def delete(self, account: AccountRef, remote_id: str, *, timeout: float) -> None:
        try:
            _linked(account).ask(
                "DELETE", f"/rest/posts/{segment(remote_id)}", headers={"X-RestLi-Method": "DELETE"}, timeout=timeout, visible=True
            )  # fmt: skip
        except Rejected as trouble:
            if trouble.status_code != 404:  # gone already
                raise

    def edit(self, publication: Publication, remote_id: str, *, timeout: float) -> Published:
        patch = {"patch": {"$set": {"commentary": little(_words(publication))}}}
        _linked(publication.account).ask(
            "POST", f"/rest/posts/{segment(remote_id)}", json=patch, headers={"X-RestLi-Method": "PARTIAL_UPDATE"},
            timeout=timeout, visible=True,
        )  # fmt: skip
        return Published(remote_id=remote_id, url=f"{making.SITE}{remote_id}/", response={"urn": remote_id})

    def metrics(self, account: AccountRef, remote_ids: Sequence[str], *, timeout: float) -> Sequence[Metrics]:
        if not _is_organisation(account):
            return []  # needs r_member_postAnalytics, which LinkedIn gives to few
        return figures.metrics(_linked(account), _author(account), remote_ids[:100], Deadline(timeout))

    def authorize_url(self, app: ClientApp, *, state: str, challenge: str) -> str:
        return signing_in.authorize_url(app, state)

    def exchange(self, app: ClientApp, *, code: str, verifier: str, timeout: float) -> Grant:
        return signing_in.exchange(app, code=code, timeout=timeout)

    def places(self, app: ClientApp, grant: Grant, *, timeout: float) -> Sequence[Place]:
        return signing_in.places(app, grant, _way(app.options, grant.credentials["access_token"]), timeout=timeout)


ADAPTER = LinkedInAdapter()


def _author(account: AccountRef) -> str:
    return str(account.options.get("author") or "")


def _is_organisation(account: AccountRef) -> bool:
    return _author(account).startswith("urn:li:organization:")


def _can_find(account: AccountRef) -> bool:
    return _is_organisation(account) or account.options.get("reads_posts") is True


def _way(options: Mapping[str, Any], token: str) -> LinkedIn:
    return LinkedIn(
        base=str(options.get("api_url") or API_URL).rstrip("/"),
        token=token,
        version=str(options.get("api_version") or API_VERSION),
    )


def _linked(account: AccountRef) -> LinkedIn:
    return _way(account.options, account.credentials.get("access_token", ""))


def _words(publication: Publication) -> str:
    """What people read. Beside files there is no field for the link, so that it is part of the words."""
    return message(publication, replace(CAPABILITIES, link_in_text=bool(publication.media)))


def _state(publication: Publication) -> dict[str, Any]:
    return making.begin(publication, _author(publication.account), _words(publication))


def _missing(account: AccountRef, deadline: Deadline) -> tuple[str, ...]:
    """The rights the token lacks; empty where the client's secret is not known, without which LinkedIn does not say."""
    client, secret = str(account.options.get("client_id") or ""), account.credentials.get("client_secret", "")
    if not (client and secret):
        return ()
    form = {"client_id": client, "client_secret": secret, "token": account.credentials.get("access_token", "")}
    answer = call("POST", signing_in.address(account.options, "introspectToken"), form=form, timeout=deadline.left())
    said = data_of(answer)
    given = said.get("scope")
    if answer.status != 200 or not isinstance(given, str):
        return ()
    needed = ("w_organization_social", "r_organization_social") if _is_organisation(account) else ("w_member_social",)
    return tuple(scope for scope in needed if scope not in given.replace(",", " ").split())
