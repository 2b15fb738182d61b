"""What an author has already: posts by their words and time, comments by theirs. Members' only where the app may read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platforms.adapters.linkedin.api import LinkedIn, rows_of, segment
from platforms.adapters.linkedin.little import plain

EARLY_SECONDS = 60
COUNT = 50


def by_commentary(linked: LinkedIn, author: str, state: Mapping[str, Any], timeout: float) -> str | None:
    """The URN of the author's post with this commentary (and, for an article, this link) since it was due; None: there is none."""
    path = f"/rest/posts?author={segment(author)}&q=author&count={COUNT}&sortBy=CREATED"
    answer = linked.ask("GET", path, headers={"X-RestLi-Method": "FINDER"}, timeout=timeout)
    wanted, source = plain(state["body"]["commentary"]), _source(state["body"])
    for row in rows_of(answer):
        made = row.get("publishedAt") or row.get("createdAt")
        if not isinstance(made, int) or made / 1000 < state["since"]:
            continue
        if plain(str(row.get("commentary") or "")) == wanted and (not source or _source(row) == source):
            return str(row.get("id") or "") or None
    return None


def has_comment(linked: LinkedIn, urn: str, words: str, timeout: float) -> bool:
    answer = linked.ask("GET", f"/rest/socialActions/{segment(urn)}/comments", timeout=timeout)
    texts = [row.get("message") for row in rows_of(answer)]
    return any(plain(str(text.get("text"))) == plain(words) for text in texts if isinstance(text, dict))


def _source(body: Mapping[str, Any]) -> str:
    content = body.get("content")
    article = content.get("article") if isinstance(content, dict) else None
    return str(article.get("source") or "") if isinstance(article, dict) else ""
