"""The kinds of work this installation knows, in the order in which a pass claims them. Filled by wiring."""

from __future__ import annotations

from alwrity_scheduler.core.registry import Registry
from schedules.engine.work import WorkKind

kinds: Registry[WorkKind] = Registry("kind of work")
