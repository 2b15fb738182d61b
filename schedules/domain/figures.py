"""When the figures of a post are read: often at first, then ever more seldom. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

# after publishing
STEPS = (
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
    timedelta(days=30),
)
GRACE = timedelta(hours=6)  # a reading that is later than that is left out: the next step brings the figures anyway


class Window(NamedTuple):
    """Posts published after `since` and not after `until` are to be read, unless they were `step` after publishing or later."""

    since: datetime
    until: datetime
    step: timedelta


def windows(now: datetime) -> Iterator[Window]:
    """One for each step; together they are bounded, however many posts there are from before."""
    for step, following in pairwise([*STEPS, STEPS[-1] + GRACE]):
        yield Window(now - min(following, step + GRACE), now - step, step)
