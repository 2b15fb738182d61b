"""The custom platform: posts to any endpoint that speaks the contract of README.md in this folder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any
from urllib.parse import quote, urlsplit

from alwrity_scheduler.core import clock, signing
from platforms.adapters.http import answers, oauth
from platforms.base import FieldSpec, SettingsProblem
from platforms.contracts import (
    ALL_CONTENT_TYPES,
    ALL_MEDIA_MIMES,
    Accepted,
    AccountHealth,
    AccountRef,
    Budget,
    Capabilities,
    Publication,
    Published,
    Refreshed,
)
from platforms.errors import PlatformError, UnknownOutcome
from platforms.outbound import call
from platforms.validation import is_http_url

LONGEST_TIMEOUT = 60.0
LONGEST_APP_NAME = 60
MOST_AN_HOUR = 1_000_000


class HttpAdapter:
    key: str = "http"
    label: str = "Custom platform (HTTP)"
    description: str = "Your own endpoint: a signed POST for each post, with an idempotency key."
    credential_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="signing_secret",
            label="Signing secret",
            help="whsec_… of Standard Webhooks. Leave it empty and one is made and shown once.",
            secret=True,
            generate=signing.generate_secret,
        ),
        FieldSpec(
            name="bearer_token",
            label="Bearer token",
            help="Sent as Authorization: Bearer, if your endpoint asks for it. With OAuth 2, the access token.",
            secret=True,
        ),
        FieldSpec(
            name="refresh_token",
            label="Refresh token",
            help="OAuth 2: with it and the token address, the access token is renewed before it runs out.",
            secret=True,
        ),
        FieldSpec(name="client_secret", label="Client secret", help="OAuth 2, if the client has one.", secret=True),
    )
    option_fields: tuple[FieldSpec, ...] = (
        FieldSpec(
            name="publish_url",
            label="Publish address",
            help="Posts are sent here.",
            required=True,
            kind="url",
        ),
        FieldSpec(
            name="lookup_url",
            label="Look-up address",
            help="GET {address}/{key} tells whether a post was made. With it, an unclear outcome is settled without a person.",
            kind="url",
        ),
        FieldSpec(
            name="poll_hosts",
            label="Other hosts for polling",
            help="Hosts, separated by commas, that a poll_url may be on besides the publish address's own.",
        ),
        FieldSpec(name="timeout", label="Time-out in seconds", help="Of one call, at most 60.", kind="number"),
        FieldSpec(
            name="endpoint_replays",
            label="The endpoint remembers keys",
            help="Sending the same Idempotency-Key twice makes one post. Only then is an unclear post sent again by itself.",
            kind="bool",
            default=False,
        ),
        FieldSpec(
            name="token_url",
            label="Token address",
            help="OAuth 2: where the access token is renewed. Leave it empty if yours does not run out.",
            kind="url",
        ),
        FieldSpec(name="client_id", label="Client id", help="OAuth 2: what the token address knows you by."),
        FieldSpec(
            name="app_name",
            label="Shared quota",
            help="Accounts of this host with the same name here share one budget.",
        ),
        FieldSpec(
            name="app_hourly_cap",
            label="Posts an hour, all of them together",
            help="At most so many in any 60 minutes over all accounts that share the quota.",
            kind="number",
        ),
    )

    def capabilities(self, account: AccountRef) -> Capabilities:
        return Capabilities(
            content_types=ALL_CONTENT_TYPES,
            media_mimes=ALL_MEDIA_MIMES,
            max_media=20,
            can_find=bool(account.options.get("lookup_url")),
            replays=account.options.get("endpoint_replays") is True,
            consistency_delay_seconds=2.0,
        )

    def check_settings(self, options: Mapping[str, Any], credentials: Mapping[str, str]) -> list[SettingsProblem]:
        problems: list[SettingsProblem] = []
        for name, required in (("publish_url", True), ("lookup_url", False), ("token_url", False)):
            value = str(options.get(name) or "")
            if (value or required) and not is_http_url(value):
                problems.append((name, "Write a whole address, like https://example.com/publish."))
            elif value and urlsplit(value).username:
                problems.append((name, "Leave the user name and password out of the address; use the bearer token."))
        timeout = options.get("timeout")
        if timeout not in (None, "") and not _seconds(timeout):
            problems.append(("timeout", f"Write a number of seconds up to {LONGEST_TIMEOUT:.0f}."))
        secret = credentials.get("signing_secret", "")
        if secret:
            try:
                signing.key_of(secret)
            except signing.BadSecret:
                problems.append(
                    ("signing_secret", "Write whsec_ followed by base64, or leave it empty to have one made.")
                )
        if not credentials.get("bearer_token", "").isprintable():
            problems.append(("bearer_token", "The token holds characters that cannot be sent in a header."))
        return problems + oauth.problems(options, credentials) + _quota_problems(options)

    def service_of(self, account: AccountRef) -> str:
        return _host(account)

    def app_of(self, account: AccountRef) -> str:
        """The quota's name within its host: another host's quota of the same name is another one."""
        name = str(account.options.get("app_name") or "").strip()
        return f"{_host(account)}/{name}"[:190] if name else ""

    def budgets(self, account: AccountRef) -> list[Budget]:
        cap = _whole(account.options.get("app_hourly_cap"))
        return [Budget(scope="app", name="hour", capacity=cap, period_seconds=3_600)] if cap else []

    def can_refresh(self, account: AccountRef) -> bool:
        return oauth.can_refresh(account)

    def refresh(self, account: AccountRef, *, timeout: float) -> Refreshed:
        return oauth.refresh(account, timeout=_timeout(account, timeout))

    def publish(self, publication: Publication, *, timeout: float) -> Published | Accepted:
        account = publication.account
        body = answers.encoded(_payload(publication))
        sent = _headers(account) | {"Content-Type": "application/json", "Idempotency-Key": publication.key}
        secret = account.credentials.get("signing_secret")
        if secret:
            sent |= signing.headers(secret, publication.key, clock.now(), body)
        url = str(account.options.get("publish_url") or "")
        answer = call("POST", url, headers=sent, content=body, timeout=_timeout(account, timeout))
        return answers.published(answer, allowed_hosts=_poll_hosts(account), base_url=url, now=clock.now())

    def find(self, publication: Publication, *, timeout: float) -> Published | None:
        account = publication.account
        base = str(account.options.get("lookup_url") or "")
        if not base:
            raise UnknownOutcome(
                "This account has no look-up address, so only a person can tell whether the post was made."
            )
        url = f"{base.rstrip('/')}/{quote(publication.key, safe='')}"
        try:
            answer = call("GET", url, headers=_headers(account), timeout=_timeout(account, timeout))
        except PlatformError as error:
            raise UnknownOutcome(f"The look-up told nothing. {error}") from error
        return answers.found(answer)

    def poll(self, account: AccountRef, remote_state: Mapping[str, Any], *, timeout: float) -> Published | Accepted:
        url = str(remote_state.get("poll_url") or "")
        if not answers.is_pollable(url, str(account.options.get("publish_url") or ""), _poll_hosts(account)):
            raise UnknownOutcome("The stored poll address is no longer one this account may ask.")
        try:
            answer = call("GET", url, headers=_headers(account), timeout=_timeout(account, timeout))
        except PlatformError as error:
            return answers.missed(remote_state, why=f"could not be asked ({error})")
        return answers.polled(answer, state=remote_state, now=clock.now())

    def verify(self, account: AccountRef, *, timeout: float) -> AccountHealth:
        """GET of the publish address: any answer but 401, 403 and 5xx shows that somebody is there."""
        url = str(account.options.get("publish_url") or "")
        try:
            answer = call("GET", url, headers=_headers(account), timeout=_timeout(account, timeout))
        except PlatformError as error:
            return AccountHealth(ok=False, message=error.message_for_people)
        host = urlsplit(url).hostname or ""
        if answer.status in (401, 403):
            return AccountHealth(
                ok=False, message=f"{host} does not accept the credentials ({answer.status}).", identity=host
            )
        if answer.status >= 500:
            return AccountHealth(
                ok=False, message=f"{host} answers with an error of its own ({answer.status}).", identity=host
            )
        return AccountHealth(ok=True, message=f"{host} answers ({answer.status}).", identity=host)


ADAPTER = HttpAdapter()


def _payload(publication: Publication) -> dict[str, Any]:
    account = publication.account
    at = publication.scheduled_for.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "key": publication.key,
        "title": publication.title,
        "text": publication.text,
        "link": publication.link,
        "hashtags": list(publication.hashtags),
        "media": [{"url": item.url, "alt": item.alt, "mime": item.mime} for item in publication.media],
        "content_type": publication.content_type,
        "account": account.handle or account.name,
        "scheduled_for": at,
    }


def _headers(account: AccountRef) -> dict[str, str]:
    token = account.credentials.get("bearer_token")
    return {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})


def _host(account: AccountRef) -> str:
    """Host and port of the publish address: what is down together."""
    return urlsplit(str(account.options.get("publish_url") or "")).netloc.rsplit("@", 1)[-1].lower()


def _whole(value: Any) -> int:
    """A count from an option, 0 for none."""
    try:
        number = float(value or 0)
    except (TypeError, ValueError):
        return 0
    return int(number) if number.is_integer() and 0 < number <= MOST_AN_HOUR else 0


def _quota_problems(options: Mapping[str, Any]) -> list[SettingsProblem]:
    problems: list[SettingsProblem] = []
    cap, name = options.get("app_hourly_cap"), str(options.get("app_name") or "").strip()
    if cap not in (None, "") and not _whole(cap):
        problems.append(("app_hourly_cap", "Write a whole number of posts, 1 or more."))
    if cap not in (None, "") and not name:
        problems.append(("app_name", "Name the quota that the accounts share."))
    if len(name) > LONGEST_APP_NAME:
        problems.append(("app_name", f"Use at most {LONGEST_APP_NAME} characters."))
    return problems


def _seconds(value: Any) -> float | None:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds <= LONGEST_TIMEOUT else None


def _timeout(account: AccountRef, timeout: float) -> float:
    own = _seconds(account.options.get("timeout"))
    return min(timeout, own) if own else timeout


def _poll_hosts(account: AccountRef) -> frozenset[str]:
    hosts = str(account.options.get("poll_hosts") or "").split(",")
    return frozenset(host.strip().lower() for host in hosts if host.strip())
