"""Finding what the bot has posted, by the key in each message's metadata. https://docs.slack.dev/messaging/message-metadata"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from platforms.adapters.slack.api import Room, ask
from platforms.errors import UnknownOutcome

EVENT = "alwrity_post"
PAGE, MOST_PAGES = "200", 10
# A post may be sent days before its planned time, when a person says "now"
FAR = timedelta(days=7)


def metadata(key: str, number: int) -> dict[str, Any]:
    """What goes on part `number` (0-based) of a post."""
    return {"event_type": EVENT, "event_payload": {"key": key, "part": str(number)}}


def since(scheduled_for: datetime, now: datetime) -> str:
    """The earliest time, as Slack writes it, at which the post can have been made."""
    return f"{(min(scheduled_for, now) - FAR).timestamp():.6f}"


def first(room: Room, key: str, oldest: str, timeout: float) -> str:
    """The ts of the first part, "" when it is provably absent. Raises UnknownOutcome when the channel is too busy to tell."""
    return _search(room, "conversations.history", {}, key, oldest, timeout).get(0, "")


def replies(room: Room, key: str, root: str, timeout: float) -> dict[int, str]:
    """The other parts that are there: number -> ts."""
    found = _search(room, "conversations.replies", {"ts": root}, key, root, timeout)
    return {number: ts for number, ts in found.items() if number > 0}


def _search(room: Room, method: str, more: Mapping[str, str], key: str, oldest: str, timeout: float) -> dict[int, str]:
    found: dict[int, str] = {}
    cursor = ""
    for _ in range(MOST_PAGES):
        params = {"channel": room.channel, "oldest": oldest, "limit": PAGE, "include_all_metadata": "true", **more}
        data = ask(room, method, params=params | ({"cursor": cursor} if cursor else {}), timeout=timeout).data
        for message in data.get("messages") or ():
            number = _part(message, key)
            if number is not None:
                found[number] = str(message["ts"])
        cursor = str((data.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor or (method == "conversations.history" and 0 in found):
            return found
    raise UnknownOutcome("The channel is too busy to be read back to the time of the post.")


def _part(message: Mapping[str, Any], key: str) -> int | None:
    """Which part of the post the message is; None for another's message."""
    known = message.get("metadata")
    payload = known.get("event_payload") if isinstance(known, dict) and known.get("event_type") == EVENT else None
    if not isinstance(payload, dict) or payload.get("key") != key:
        return None
    number = str(payload.get("part", ""))
    return int(number) if number.isdecimal() else None
