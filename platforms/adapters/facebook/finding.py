"""What a page has already: posts by their words and time, comments by their words."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from platforms.contracts import Published
from platforms.errors import UnknownOutcome
from platforms.meta_graph import Graph

EARLY_SECONDS = 60
MOST_PAGES = 5


def plain(text: object) -> str:
    """A text for comparison: composed, white space as single spaces."""
    return " ".join(unicodedata.normalize("NFC", str(text or "")).split())


def by_message(graph: Graph, page: str, state: Mapping[str, Any], timeout: float) -> Published | None:
    """The page's post with these words (or, without words, this link) since the post was due. None: there is none.

    Raises UnknownOutcome where words cannot tell: a story, or a photo without a text among others without one.
    """
    if state["kind"] in ("photo_story", "video_story"):
        raise UnknownOutcome("Facebook does not list stories reliably, so only a person can tell whether it is out.")
    wanted, link = plain(state["message"]), str(state.get("link") or "")
    fields = "id,message,created_time,permalink_url,attachments{unshimmed_url}"
    wordless = 0
    after: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        reply = graph.get(
            f"/{page}/published_posts", fields=fields, since=str(state["since"]), limit="100", timeout=timeout, **after
        )  # fmt: skip
        for row in reply.rows():
            said = plain(row.get("message"))
            if said == wanted and (wanted or (link and link in _links(row))):
                return _post(row, "id")
            wordless += not said
        after = _next(reply.data)
        if not after:
            break
    else:
        raise UnknownOutcome("The page has too many posts since then to look through.")
    if not wanted and not link and wordless:
        raise UnknownOutcome("The page has posts without a text since then; which is this one only a person can tell.")
    return None


def story_of(graph: Graph, page: str, photo: str, timeout: float) -> Published | None:
    """The page's story that shows this photo; a photo serves for one story only."""
    reply = graph.get(f"/{page}/stories", fields="post_id,media_id,status,url", limit="100", timeout=timeout)
    for row in reply.rows():
        if str(row.get("media_id")) == photo:
            url = str(row.get("url") or "")
            return Published(remote_id=str(row.get("post_id") or photo), url=url if url.startswith("https://") else "")
    return None


def video_by_words(graph: Graph, page: str, state: Mapping[str, Any], timeout: float) -> str:
    """The id of the page's video or reel with these words, also one still being processed; empty when there is none."""
    edge = "video_reels" if state["kind"] == "reel" else "videos"
    wanted = plain(state["message"])
    reply = graph.get(
        f"/{page}/{edge}", fields="id,description,created_time", since=str(state["since"]), limit="100", timeout=timeout
    )  # fmt: skip
    rows = reply.rows()
    same = [row for row in rows if plain(row.get("description")) == wanted]
    if same and not wanted:
        raise UnknownOutcome("The page has videos without a text since then; which is this one only a person can tell.")
    return str(same[0].get("id") or "") if same else ""


def has_comment(graph: Graph, post_id: str, words: str, timeout: float) -> bool:
    reply = graph.get(f"/{post_id}/comments", fields="id,message", filter="stream", limit="100", timeout=timeout)
    return any(plain(row.get("message")) == plain(words) for row in reply.rows())


def _links(row: Mapping[str, Any]) -> list[str]:
    attachments = row.get("attachments")
    data = attachments.get("data") if isinstance(attachments, dict) else None
    return [str(item.get("unshimmed_url")) for item in data or [] if isinstance(item, dict)]


def _post(row: Mapping[str, Any], name: str) -> Published:
    post_id, url = str(row.get(name) or ""), str(row.get("permalink_url") or "")
    return Published(
        remote_id=post_id,
        url=url if url.startswith("https://") else f"https://www.facebook.com/{post_id}",
        already=True,
    )


def _next(data: Mapping[str, Any]) -> dict[str, str]:
    paging = data.get("paging")
    cursors = paging.get("cursors") if isinstance(paging, dict) and paging.get("next") else None
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return {"after": str(after)} if after else {}
