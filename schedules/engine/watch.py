"""A call in sight: every log line written during it carries its ids, and a span surrounds it where tracing is on."""

from __future__ import annotations

from typing import Any

from alwrity_scheduler.core import logs
from alwrity_scheduler.core.tracing import span
from schedules.engine.work import WorkKind


def perform(kind: WorkKind, task: Any) -> Any:
    """`kind.perform(task)`, in the thread that calls this."""
    ids = kind.ids(task)
    with logs.bound(**ids), span("engine.perform", kind=kind.name, **ids):
        return kind.perform(task)
