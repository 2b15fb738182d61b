"""What an organisation's posts have reached: organizationalEntityShareStatistics. Members' need a right that few apps have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from platforms.adapters.linkedin.api import LinkedIn, rows_of, segment
from platforms.contracts import Metrics
from platforms.stepwise import Deadline

AT_ONCE = 20
_NAMES = {
    "impressionCount": "impressions", "uniqueImpressionsCount": "reach", "clickCount": "clicks", "likeCount": "likes",
    "commentCount": "replies", "shareCount": "reposts",
}  # fmt: skip


def metrics(linked: LinkedIn, author: str, remote_ids: Sequence[str], deadline: Deadline) -> list[Metrics]:
    found: list[Metrics] = []
    for kind, name in (("share", "shares"), ("ugcPost", "ugcPosts")):
        urns = [urn for urn in remote_ids if urn.startswith(f"urn:li:{kind}:")]
        for start in range(0, len(urns), AT_ONCE):
            some = ",".join(segment(urn) for urn in urns[start : start + AT_ONCE])
            path = (
                "/rest/organizationalEntityShareStatistics?q=organizationalEntity"
                f"&organizationalEntity={segment(author)}&{name}=List({some})"
            )
            rows = rows_of(linked.ask("GET", path, headers={"X-RestLi-Method": "FINDER"}, timeout=deadline.left()))
            found += [_metrics(str(row[kind]), row.get("totalShareStatistics")) for row in rows if row.get(kind)]
    return found


def _metrics(urn: str, said: Any) -> Metrics:
    said = said if isinstance(said, dict) else {}
    values = {ours: said[theirs] for theirs, ours in _NAMES.items() if isinstance(said.get(theirs), int)}
    return Metrics(remote_id=urn, values=values)
