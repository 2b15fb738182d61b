"""The history and the engine's figures as the API shows them."""

from __future__ import annotations

from typing import Any, ClassVar

from schedules.api.serializers.shapes import Answer, both
from schedules.models import AuditLog
from schedules.reads.engine import EngineStatus


class AuditAnswer(Answer):
    """One fact. Wants `zones` in the context (workspace number -> zone); a fact of no workspace is in UTC."""

    times: ClassVar[tuple[str, ...]] = ("at",)

    def zone(self, row: AuditLog) -> str:
        zones: dict[int, str] = self.context["zones"]
        return zones.get(row.workspace_ref or 0, "UTC")

    def body(self, row: AuditLog) -> dict[str, Any]:
        return {
            "id": row.pk,
            "action": row.action,
            "actor": {"kind": row.actor_kind, "id": row.actor_id, "label": row.actor_label},
            "object": {"type": row.object_type, "id": row.object_id, "label": row.object_label},
            "before": row.before,
            "after": row.after,
            "request_id": row.request_id,
            "seq": row.seq,
            "hash": row.hash,
        }


def status_words(status: EngineStatus, zone: str) -> dict[str, Any]:
    return {
        **both("now", status.now, zone),
        "timezone": zone,
        "running": status.running,
        "paused": status.paused_at is not None,
        **both("paused_at", status.paused_at, zone),
        "queue": {
            "pending": status.pending_count,
            "due": status.due_count,
            "running": status.running_count,
            "oldest_due_age_seconds": status.oldest_due_age_seconds,
        },
        "workers": [
            {
                "name": item.name,
                "role": item.role,
                "alive": item.alive,
                **both("beat_at", item.beat_at, zone),
                "beat_age_seconds": item.beat_age_seconds,
                **both("started_at", item.started_at, zone),
                **both("stopped_at", item.stopped_at, zone),
                "in_flight": item.in_flight,
                "completed_count": item.completed_count,
                "clock_skew_ms": item.clock_skew_ms,
            }
            for item in status.workers
        ],
    }
