"""A post that takes several calls and can go on in a later one: how much time is left, the files as JSON, asking again later.

Adapters keep the rest of the work in `Accepted.remote_state`. What they put there is JSON and holds no credential; a file is
named by its path and by the signed address that its publication carries anyway.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from alwrity_scheduler.core import clock
from platforms.contracts import Accepted, MediaRef
from platforms.errors import PlatformError, Rejected, Unavailable
from platforms.outbound import call

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 600.0
MOST_MISSES = 12
LARGEST_FILE = 4 * 1024 * 1024 * 1024


class Deadline:
    """When this call must have ended. `left()` in seconds, never below a tenth: a call with no time at all is not begun."""

    def __init__(self, seconds: float) -> None:
        self._total = seconds
        self._end = clock.monotonic() + seconds

    def left(self) -> float:
        return max(0.1, self._end - clock.monotonic())

    def allows(self, seconds: float) -> bool:
        """Is there time for a step that may take so long, or at least half of what there was?"""
        return self._end - clock.monotonic() >= min(seconds, self._total / 2)


def file_of(item: MediaRef) -> dict[str, Any]:
    """A file as JSON, for a step that may be taken by a later call."""
    return {
        "path": item.path, "url": item.url, "mime": item.mime, "alt": item.alt, "size": item.size,
        "name": item.name or "file",
    }  # fmt: skip


def read(file: Mapping[str, Any], start: int, end: int, *, timeout: float) -> bytes:
    """The bytes [start, end) of a file: from this machine, or from its address where the path is gone.

    Raises Rejected when the file is gone for good, Unavailable when it cannot be had now. Nothing is sent to a platform.
    """
    path = str(file.get("path") or "")
    if path and os.path.exists(path):
        with open(path, "rb") as opened:
            opened.seek(start)
            return _whole(opened.read(end - start), end - start)
    try:
        answer = call(
            "GET", str(file["url"]), headers={"Range": f"bytes={start}-{end - 1}"}, timeout=timeout, max_bytes=LARGEST_FILE
        )  # fmt: skip
    except Rejected as error:
        raise Rejected(f"A file of the post cannot be read here any more. {error}") from error
    except PlatformError as error:
        raise Unavailable(f"A file of the post could not be read. {error}") from error
    if answer.status == 206:
        return _whole(answer.body, end - start)
    if answer.status == 200:
        return _whole(answer.body[start:end], end - start)
    if 400 <= answer.status < 500 and answer.status not in (408, 429):
        raise Rejected(f"A file of the post is gone: its address answers {answer.status}.")
    raise Unavailable(f"A file of the post could not be read: its address answers {answer.status}.")


def _whole(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise Rejected("A file of the post is not what it was when it was planned: its size differs.")
    return data


def missed(state: dict[str, Any], error: PlatformError) -> Accepted | None:
    """A step that could not be taken now: ask again, each time later; None after 12 in a row, about an hour."""
    misses = int(state.get("misses") or 0) + 1
    if misses >= MOST_MISSES:
        return None
    state["misses"] = misses
    pause = min(FIRST_PAUSE_SECONDS * 2 ** (misses - 1), LONGEST_PAUSE_SECONDS)
    return Accepted(
        remote_state=dict(state),
        poll_after_seconds=max(pause, error.retry_after_seconds or 0.0),
        response={"missed": str(error)[:300]},
        rate=error.rate,
    )
