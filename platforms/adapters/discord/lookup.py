"""Finding what a bot has posted: by the nonce, and by the text where Discord does not say the nonce again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from platforms.adapters.discord.api import Room, ask
from platforms.errors import UnknownOutcome

EPOCH_MS = 1_420_070_400_000  # https://docs.discord.com/developers/reference#snowflakes
PAGE, MOST_PAGES = 100, 10
# A post may be sent days before its planned time, when a person says "now"; only its text, without a nonce, is believed within
NEAR, FAR = timedelta(minutes=10), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Window:
    """Since when a message may be ours: `far` by its nonce, `near` by its text alone."""

    near: datetime
    far: datetime

    @classmethod
    def around(cls, scheduled_for: datetime, now: datetime) -> Window:
        at = min(scheduled_for, now)
        return cls(at - NEAR, at - FAR)


def nonce_of(key: str, number: int) -> str:
    """At most 25 characters, the same for every try of this part of this post."""
    return hashlib.sha256(f"{key} {number}".encode()).hexdigest()[:24]


def time_of(snowflake: str) -> datetime:
    return datetime.fromtimestamp(((int(snowflake) >> 22) + EPOCH_MS) / 1000, UTC)


def present(room: Room, key: str, texts: Sequence[str], first: int, window: Window, timeout: float) -> list[str]:
    """The ids of those parts that are there, from part `first` (0-based) on and without a gap.

    Raises UnknownOutcome when a message could be ours and nothing proves it, or when the channel is too busy to be read back.
    """
    mine = _own_messages(room, window, timeout)
    found: list[str] = []
    for number in range(first, len(texts)):
        message_id = _match(mine, nonce_of(key, number), texts[number], window)
        if message_id is None:
            break
        found.append(message_id)
    return found


def _match(mine: Sequence[dict[str, Any]], nonce: str, text: str, window: Window) -> str | None:
    for message in mine:
        if str(message.get("nonce") or "") == nonce:
            return str(message["id"])
    alike = [item for item in mine if not item.get("nonce") and str(item.get("content", "")).strip() == text.strip()]
    near = [item for item in alike if time_of(item["id"]) >= window.near]
    if len(near) == 1:
        return str(near[0]["id"])
    if alike:
        raise UnknownOutcome(
            "The channel has a message with the same words, and nothing tells whether it is this post."
        )
    return None


def _own_messages(room: Room, window: Window, timeout: float) -> list[dict[str, Any]]:
    me = ask(room, "GET", "/users/@me", timeout=timeout)
    mine: list[dict[str, Any]] = []
    before = ""
    for _ in range(MOST_PAGES):
        params = {"limit": str(PAGE)} | ({"before": before} if before else {})
        page = ask(room, "GET", room.messages, params=params, timeout=timeout)
        mine += [
            message
            for message in page
            if time_of(message["id"]) >= window.far and message.get("author", {}).get("id") == me.get("id")
        ]
        if len(page) < PAGE or time_of(page[-1]["id"]) < window.far:
            return mine
        before = page[-1]["id"]
    raise UnknownOutcome(
        f"The channel is too busy: the last {PAGE * MOST_PAGES:,} messages do not reach back far enough."
    )
