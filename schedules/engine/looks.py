"""How many workers should look at each band now."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from schedules.engine.bands import BANDS, Band, band_of
from schedules.engine.kinds import kinds
from schedules.engine.work import WorkRow, due, due_window

# A look is asked for that long before a row is due: the pass comes each second, and the worker then waits for its time.
HORIZON = timedelta(milliseconds=1500)
MOST_LOOKS = 16  # for one band at once
LOOK_AT = 1000  # due rows, the earliest, from which the number of looks is estimated


def looks_wanted(now: datetime, *, threads: int) -> dict[Band, int]:
    """How many processes of `threads` threads should look at each band now; bands with nothing to do are left out."""
    rows: dict[Band, int] = {}
    for kind in kinds.values():
        for band, count in _claimable(kind.model, now + HORIZON).items():
            rows[band] = rows.get(band, 0) + count
    return {band: min(MOST_LOOKS, math.ceil(count / threads)) for band, count in rows.items()}


def _claimable(model: type[WorkRow], by: datetime) -> dict[Band, int]:
    """Due rows by band that could be claimed side by side: at most one for each serial key."""
    window = list(due_window(model._default_manager, by, LOOK_AT).values_list("priority", "serial_key", "pk"))
    keys: dict[Band, set[object]] = {}
    for priority, serial_key, pk in window:
        keys.setdefault(band_of(priority), set()).add(("row", pk) if serial_key is None else serial_key)
    found = {band: len(those) for band, those in keys.items()}
    if len(window) == LOOK_AT:
        # a long queue of one band must not hide the others behind it
        for band in BANDS:
            if band not in found and due(model._default_manager, by, band.priority_to).values_list("pk").first():
                found[band] = 1
    return found
