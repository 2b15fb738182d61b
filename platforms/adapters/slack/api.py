"""One call of Slack's Web API or of an incoming webhook, and what the answers mean. https://docs.slack.dev/apis/web-api"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alwrity_scheduler.core import clock
from platforms import rates
from platforms.contracts import AccountRef
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, UnknownOutcome, clean
from platforms.outbound import Response, call

OFFICIAL = "https://slack.com/api"
HOOKS = "https://hooks.slack.com"
WEBHOOK = re.compile(r"https://hooks\.slack(?:-gov)?\.com(/services/[A-Za-z0-9/_-]{10,120})")
# Slack answers 200 with `ok: false` and a name: https://docs.slack.dev/reference/methods/chat.postMessage#errors
A_PERSON = frozenset(
    {
        "not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "no_permission", "missing_scope",
        "not_allowed_token_type", "org_login_required", "ekm_access_denied", "access_denied", "team_access_not_granted",
        "enterprise_is_restricted", "two_factor_setup_required", "team_added_to_org", "not_in_channel",
        # of webhooks
        "invalid_token", "no_service", "no_service_id", "no_team", "team_disabled", "action_prohibited", "no_active_hooks",
    }
)  # fmt: skip
SLOWER = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
UNSURE = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})


@dataclass(frozen=True, slots=True)
class Room:
    """Where posts go. webhook: the address of an incoming webhook, which is its secret; "" where a bot posts."""

    base: str
    channel: str
    webhook: str = field(repr=False, default="")
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)

    @classmethod
    def of(cls, account: AccountRef) -> Room:
        own = str(account.options.get("api_url") or "").rstrip("/")
        found = WEBHOOK.fullmatch(str(account.credentials.get("webhook_url") or "").strip())
        if found:
            address = f"{own}{found[1]}" if own else found[0]
            return cls(own or HOOKS, "", address)
        token = str(account.credentials.get("bot_token") or "").strip()
        channel = str(account.options.get("channel_id") or "").strip()
        return cls(own or OFFICIAL, channel, headers={"Authorization": f"Bearer {token}"})


@dataclass(frozen=True, slots=True)
class Said:
    """A success: its fields, and the answer's headers by lower-case name."""

    data: Mapping[str, Any]
    headers: Mapping[str, str]


def ask(
    room: Room, method: str, *, timeout: float, body: Mapping[str, Any] | None = None, form: Mapping[str, Any] | None = None,
    params: Mapping[str, str] | None = None,
) -> Said:  # fmt: skip
    """One method: POST with a JSON `body` or a `form`, else GET with `params`. Raises the five errors."""
    url = f"{room.base}/{method}"
    if body is not None:
        # without the charset Slack adds a warning to each answer
        headers = {**room.headers, "Content-Type": "application/json; charset=utf-8"}
        answer = call("POST", url, headers=headers, json=body, timeout=timeout)
    elif form is not None:
        answer = call("POST", url, headers=room.headers, form=form, timeout=timeout)
    else:
        answer = call("GET", url, headers=room.headers, params=params, timeout=timeout)
    return read(answer)


def read(answer: Response) -> Said:
    data = answer.json()
    if 200 <= answer.status < 300 and isinstance(data, dict) and data.get("ok") is True:
        return Said(data, answer.headers)
    raise error_of(answer)


def error_of(answer: Response) -> PlatformError:
    """The class of an answer that is no success; a webhook names its error as plain text."""
    now, status, data = clock.now(), answer.status, answer.json()
    if isinstance(data, dict):
        name = str(data.get("error") or "")
        about = data.get("response_metadata")
        messages = about.get("messages") if isinstance(about, dict) else None
        details = "; ".join(str(item) for item in messages) if isinstance(messages, list) else ""
        needed = f" (needed: {data['needed']})" if data.get("needed") else ""
        said = f"{name}{needed}" + (f": {details}" if details else "")
    else:
        said = answer.text()
        name = said.strip() if re.fullmatch(r"[a-z_]{3,60}", said.strip()) else ""
    more: dict[str, Any] = {"status_code": status, "platform_message": clean(said)}
    if status == 429 or name in SLOWER:
        wait = rates.retry_after(answer.headers.get("retry-after", ""), now)
        return RateLimited("Slack asks for fewer posts.", retry_after_seconds=wait, **more)
    if name in UNSURE or status == 408 or status >= 500:
        return UnknownOutcome(f"Slack gave no clear answer ({name or status}).", **more)
    if name in A_PERSON or status in (401, 403):
        return AuthFailed(WORDS.get(name, f"Slack does not accept the credentials ({name or status})."), **more)
    if 300 <= status < 500 or name:
        return Rejected(f"Slack refused the post ({name or status}).", **more)
    return UnknownOutcome(f"Slack gave no clear answer ({status}).", **more)


WORDS = {
    "not_in_channel": "The bot is not in the channel: invite it there with /invite.",
    "missing_scope": "The app lacks a right (scope): add it and install the app again.",
    "token_expired": "The token has run out.",
    "token_revoked": "The token was revoked: install the app again.",
}


def name_of(error: PlatformError) -> str:
    """Slack's own name of the error."""
    return re.split(r"[ :(]", error.platform_message, maxsplit=1)[0]
