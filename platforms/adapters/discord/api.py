"""One call of Discord's API, and what its answers mean. https://docs.discord.com/developers/reference (API v10)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alwrity_scheduler.core import clock
from platforms import rates
from platforms.contracts import AccountRef
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, UnknownOutcome, clean
from platforms.outbound import Response, call

OFFICIAL = "https://discord.com/api/v10"
WEBHOOK = re.compile(
    r"https://(?:canary\.|ptb\.)?(?:discord|discordapp)\.com/api/(?:v\d+/)?webhooks/([0-9]{5,25})/([A-Za-z0-9_-]{10,120})/?"
)
LONGEST_WAIT_SECONDS = 86_400.0
# https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
SLOW = frozenset({20016, 20022, 20028, 20029, 31001})  # slow mode and write limits: it may go later
NOT_OURS = frozenset({10015, 40001, 40002, 50001, 50013, 50014, 50027})  # credentials or rights: a person must act
File = tuple[str, tuple[str, Any, str]]


@dataclass(frozen=True, slots=True)
class Room:
    """Where posts go. With a webhook, `base` holds its secret; with a bot, the Authorization header does.

    thread: the thread that is posted into, "" for the channel itself.
    """

    base: str = field(repr=False)
    channel: str
    is_webhook: bool
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    thread: str = ""

    @classmethod
    def of(cls, account: AccountRef) -> Room:
        host = str(account.options.get("api_url") or OFFICIAL).rstrip("/")
        thread = str(account.options.get("thread_id") or "").strip()
        found = WEBHOOK.fullmatch(str(account.credentials.get("webhook_url") or "").strip())
        if found:
            return cls(f"{host}/webhooks/{found[1]}/{found[2]}", "", True, thread=thread)
        token = str(account.credentials.get("bot_token") or "").strip()
        channel = thread or str(account.options.get("channel_id") or "").strip()
        return cls(host, channel, False, {"Authorization": f"Bot {token}"}, thread)

    @property
    def messages(self) -> str:
        """The path of the messages; a webhook's is where they are changed, and it posts to its own address."""
        return "/messages" if self.is_webhook else f"/channels/{self.channel}/messages"


def ask(
    room: Room,
    method: str,
    path: str,
    *,
    timeout: float,
    body: Mapping[str, Any] | None = None,
    params: Mapping[str, str] | None = None,
    files: Sequence[File] = (),
) -> Any:
    """The JSON of a success; None where there is no body (204). Raises the five errors, with what was said of the quota."""
    given: dict[str, Any] = {"json": body} if body is not None else {}
    if files:
        given = {"form": {"payload_json": json.dumps(body, ensure_ascii=False)}, "files": list(files)}
    answer = call(method, f"{room.base}{path}", headers=room.headers, params=params or None, timeout=timeout, **given)
    if answer.status == 204:
        return None
    data = answer.json()
    if 200 <= answer.status < 300 and isinstance(data, dict | list):
        return data
    raise error_of(answer)


def error_of(answer: Response) -> PlatformError:
    """The class of an answer that is no success, by Discord's own code first and the status second."""
    now, status = clock.now(), answer.status
    data = answer.json()
    data = data if isinstance(data, dict) else {}
    code = data.get("code") if isinstance(data.get("code"), int) else 0
    more: dict[str, Any] = {
        "status_code": status,
        "platform_message": _words(data) or clean(answer.text()),
        "rate": rates.rate_of(answer.headers, now),
    }
    if status == 429 or code in SLOW:
        wait = data.get("retry_after")
        seconds = (
            min(float(wait), LONGEST_WAIT_SECONDS)
            if isinstance(wait, int | float) and wait >= 0
            else rates.retry_after(answer.headers.get("retry-after", ""), now)
        )
        return RateLimited("Discord asks for fewer posts.", retry_after_seconds=seconds, **more)
    if status == 401 or code in NOT_OURS or status == 403:
        return AuthFailed("Discord does not accept the webhook or the bot, or it may not post there.", **more)
    if 300 <= status < 500 and status != 408:
        return Rejected(f"Discord refused the post ({code or status}).", **more)
    return UnknownOutcome(f"Discord gave no clear answer ({status}).", **more)


def code_of(error: PlatformError) -> str:
    """What stands before the message in `platform_message`: Discord's own code."""
    return error.platform_message.partition(":")[0]


def _words(data: Mapping[str, Any]) -> str:
    """`50035: Invalid Form Body (content: Must be 2000 or fewer in length.)`"""
    if "message" not in data:
        return ""
    code = data.get("code")
    details = "; ".join(_details(data.get("errors"), ""))
    return clean(f"{code}: {data['message']}" + (f" ({details})" if details else ""))


def _details(errors: Any, where: str) -> list[str]:
    """Discord nests the complaints by field: https://docs.discord.com/developers/reference#error-messages"""
    if not isinstance(errors, dict):
        return []
    found = [f"{where}: {item.get('message')}" for item in errors.get("_errors", ()) if isinstance(item, dict)]
    for name, inner in errors.items():
        if name != "_errors":
            found += _details(inner, f"{where}.{name}".lstrip("."))
    return found
