"""A clock that the harness can set: the offset stands in a file of eight bytes that every process of an installation maps.

`CHAOS_CLOCK` names the file. On SQLite the worker's clock is the database's clock; on PostgreSQL only the worker is wrong.
"""

from __future__ import annotations

import mmap
import os
import struct
from datetime import timedelta
from pathlib import Path

VARIABLE = "CHAOS_CLOCK"


class Offset:
    """Seconds that this installation's clocks are wrong by, shared through a file."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(struct.pack("d", 0.0))
        self._handle = os.open(path, os.O_RDWR)
        self._map = mmap.mmap(self._handle, 8)

    def get(self) -> float:
        seconds: float = struct.unpack("d", self._map[:8])[0]
        return seconds

    def set(self, seconds: float) -> None:
        self._map[:8] = struct.pack("d", seconds)


def install() -> None:
    """Let `core.clock.now` follow the file, in this process and in the children it forks."""
    if VARIABLE not in os.environ:
        return
    from alwrity_scheduler.core import clock

    offset = Offset(Path(os.environ[VARIABLE]))
    right = clock.now
    clock.now = lambda: right() + timedelta(seconds=offset.get())
