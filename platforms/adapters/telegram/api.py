"""One call of the Bot API, and what its answers mean. https://core.telegram.org/bots/api#making-requests (Bot API 10.1)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from platforms.contracts import AccountRef
from platforms.errors import AuthFailed, PlatformError, RateLimited, Rejected, UnknownOutcome, clean
from platforms.outbound import Response, call

OFFICIAL = "https://api.telegram.org"
LONGEST_WAIT_SECONDS = 86_400.0
# 400s that say the bot may not write there: the account needs a person, not the post
NO_RIGHTS = (
    "not enough rights",
    "need administrator rights",
    "chat_write_forbidden",
    "chat_admin_required",
    "have no rights",
    "bot is not a member",
)
File = tuple[str, tuple[str, Any, str]]


@dataclass(frozen=True, slots=True)
class Room:
    """Where posts go: the bot's address, which holds its token, and the chat."""

    base: str = field(repr=False)
    chat: str

    @classmethod
    def of(cls, account: AccountRef) -> Room:
        host = str(account.options.get("api_url") or OFFICIAL).rstrip("/")
        token = quote(str(account.credentials.get("bot_token") or ""), safe=":")
        return cls(f"{host}/bot{token}", str(account.options.get("chat_id") or "").strip())


class Moved(Rejected):
    """The group became a supergroup: it has the id `chat` now. Nothing was posted."""

    chat: str = ""


def ask(
    base: str,
    method: str,
    fields: Mapping[str, Any],
    *,
    timeout: float,
    files: Sequence[File] = (),
) -> Any:
    """The `result` of a method. Fields that are None or empty are left out. Raises the five errors."""
    given = {name: value for name, value in fields.items() if value not in (None, "", False)}
    url = f"{base}/{method}"
    if files:
        form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
        answer = call("POST", url, form=form, files=list(files), timeout=timeout)
    else:
        answer = call("POST", url, json=given, timeout=timeout)
    return _result(answer)


def _result(answer: Response) -> Any:
    data = answer.json()
    if 200 <= answer.status < 300 and isinstance(data, dict) and data.get("ok") is True and "result" in data:
        return data["result"]
    raise error_of(answer.status, data if isinstance(data, dict) else {}, clean(answer.text()))


def error_of(status: int, data: Mapping[str, Any], body: str = "") -> PlatformError:
    """The class of an answer that is no success."""
    said = str(data.get("description") or body)
    code = data.get("error_code") if isinstance(data.get("error_code"), int) else status
    hints = data.get("parameters")
    hints = hints if isinstance(hints, dict) else {}
    more: dict[str, Any] = {"status_code": status, "platform_message": said}
    if status == 429 or code == 429:
        return RateLimited("Telegram asks for fewer posts.", retry_after_seconds=_seconds(hints), **more)
    if hints.get("migrate_to_chat_id"):
        moved = Moved("The group became a supergroup and has another id now.", **more)
        moved.chat = str(hints["migrate_to_chat_id"])
        return moved
    if status == 401:
        return AuthFailed("Telegram does not accept the bot's token.", **more)
    if status == 404:
        return AuthFailed("Telegram knows no bot with this token.", **more)
    if status == 403 or (status == 400 and any(words in said.lower() for words in NO_RIGHTS)):
        return AuthFailed("The bot may not post there: make it an administrator that may post messages.", **more)
    if 300 <= status < 500 and status != 408:
        return Rejected(f"Telegram refused the post ({status}).", **more)
    return UnknownOutcome(f"Telegram gave no clear answer ({status}).", **more)


def _seconds(hints: Mapping[str, Any]) -> float | None:
    value = hints.get("retry_after")
    return min(float(value), LONGEST_WAIT_SECONDS) if isinstance(value, int | float) and value >= 0 else None
