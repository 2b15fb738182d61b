"""Connected calendars: what other packages lay over ours. Shown only when one is registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise

from alwrity_scheduler.core.registry import Registry
from alwrity_scheduler.workspaces.models import Workspace


@dataclass(frozen=True, slots=True)
class Bar:
    """Something of another calendar in [start, end) (aware): a holiday, a meeting. `url` may be empty."""

    start: datetime
    end: datetime
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Overlay:
    """`bars(workspace, start, end)` gives what touches the span, in the order of time."""

    title: str | Promise
    bars: Callable[[Workspace, datetime, datetime], list[Bar]]


overlays: Registry[Overlay] = Registry("calendar overlay")
