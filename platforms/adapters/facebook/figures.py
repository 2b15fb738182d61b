"""What a page's posts have reached. Source: Graph API, Page Post and Insights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from platforms.contracts import Metrics
from platforms.errors import AuthFailed, Rejected
from platforms.meta_graph import Graph, is_gone
from platforms.stepwise import Deadline

AT_ONCE = 50
FIELDS = (
    "likes.summary(true).limit(0),comments.summary(true).limit(0),shares,"
    "insights.metric(post_media_view,post_total_media_view_unique,post_clicks)"
)
_INSIGHTS = {"post_media_view": "views", "post_total_media_view_unique": "reach", "post_clicks": "clicks"}


def metrics(graph: Graph, remote_ids: Sequence[str], deadline: Deadline) -> list[Metrics]:
    """Fifty posts a call; where one of them is unknown, each by itself, as far as the time goes."""
    found: list[Metrics] = []
    for start in range(0, len(remote_ids), AT_ONCE):
        some = list(remote_ids[start : start + AT_ONCE])
        try:
            data = graph.get("/", ids=",".join(some), fields=FIELDS, timeout=deadline.left()).data
            found += [_metrics(one, row) for one in some if isinstance(row := data.get(one), dict)]
        except (AuthFailed, Rejected) as error:
            if isinstance(error, AuthFailed) and not is_gone(error):
                raise
            found += _singly(graph, some, deadline)
    return found


def _singly(graph: Graph, remote_ids: Sequence[str], deadline: Deadline) -> list[Metrics]:
    found = []
    for one in remote_ids:
        if not deadline.allows(1.0):
            break
        try:
            found.append(_metrics(one, graph.get(f"/{one}", fields=FIELDS, timeout=deadline.left()).data))
        except (AuthFailed, Rejected) as error:
            if not is_gone(error):
                raise
    return found


def _metrics(remote_id: str, row: Mapping[str, Any]) -> Metrics:
    values = {
        "likes": _count(row, "likes", "summary", "total_count"),
        "replies": _count(row, "comments", "summary", "total_count"),
        "reposts": _count(row, "shares", "count"),
    }
    insights = row.get("insights")
    for item in insights.get("data", []) if isinstance(insights, dict) else []:
        name = _INSIGHTS.get(item.get("name", ""))
        points = item.get("values")
        value = (
            points[-1].get("value") if isinstance(points, list) and points and isinstance(points[-1], dict) else None
        )
        if name and isinstance(value, int):
            values[name] = value
    return Metrics(remote_id=remote_id, values={name: value for name, value in values.items() if value is not None})


def _count(row: Mapping[str, Any], *path: str) -> int | None:
    value: Any = row
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, int) else None
