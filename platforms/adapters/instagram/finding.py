"""What an account has already: media by their caption and time, comments by their words."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from platforms.contracts import Published
from platforms.errors import UnknownOutcome
from platforms.meta_graph import Graph

EARLY_SECONDS = 60


def plain(text: object) -> str:
    """A text for comparison: composed, white space as single spaces."""
    return " ".join(unicodedata.normalize("NFC", str(text or "")).split())


def by_caption(
    graph: Graph, user: str, state: Mapping[str, Any], timeout: float, *, is_out: bool = False
) -> Published | None:
    """The account's media with this caption since the post was due; None: there is none. is_out: it is known to be one of them.

    Raises UnknownOutcome where media have no caption, so that nobody can say which of them it is, or whether it is one.
    """
    edge = "stories" if state["story"] else "media"
    reply = graph.get(
        f"/{user}/{edge}", fields="id,caption,timestamp,permalink", since=str(state["since"]), limit="100", timeout=timeout
    )  # fmt: skip
    wanted = "" if state["story"] else plain(state["caption"])
    same = [
        row
        for row in reply.rows()
        if plain(row.get("caption")) == wanted and _at(row.get("timestamp")) >= state["since"]
    ]
    if not same:
        return None
    if not wanted and (len(same) > 1 or not is_out):
        raise UnknownOutcome("Posts without a caption are out since then; whether one is this only a person can tell.")
    return Published(remote_id=str(same[-1].get("id") or ""), url=str(same[-1].get("permalink") or ""), already=True)


def has_comment(graph: Graph, media_id: str, words: str, timeout: float) -> bool:
    reply = graph.get(f"/{media_id}/comments", fields="id,text", limit="50", timeout=timeout)
    return any(plain(row.get("text")) == plain(words) for row in reply.rows())


def _at(text: Any) -> float:
    """`2026-11-23T08:00:00+0000` in seconds since 1970; 0 when it cannot be read."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0
