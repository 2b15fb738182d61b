"""A post's files while they are handed to a platform, perhaps over several calls: what of them is kept, and their bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from platforms.contracts import MediaRef
from platforms.errors import PlatformError, Rejected, Unavailable
from platforms.outbound import call

State = dict[str, Any]


def stored(item: MediaRef) -> State:
    """The file as JSON, for the state of a post that is not finished."""
    return {
        "url": item.url, "path": item.path, "mime": item.mime, "alt": item.alt, "size": item.size, "name": item.name,
        "width": item.width, "height": item.height, "animated": item.animated,
    }  # fmt: skip


def handed_over(file: State) -> None:
    """Its bytes are with the platform: where they lie here is nobody's business any more."""
    file["url"] = file["path"] = ""


class Files:
    """The bytes of files, for the length of one call: from the local file where there is one, else from the signed address."""

    def __init__(self) -> None:
        self._fetched: dict[str, bytes] = {}

    def size(self, file: State, timeout: float) -> int:
        path = Path(str(file["path"] or ""))
        return path.stat().st_size if file["path"] and path.is_file() else len(self._fetch(file, timeout))

    def read(self, file: State, timeout: float, start: int = 0, length: int | None = None) -> bytes:
        """`length` bytes from `start` on, or all. Raises Rejected when the file is gone, Unavailable when it cannot be read now."""
        path = Path(str(file["path"] or ""))
        try:
            if file["path"] and path.is_file():
                with path.open("rb") as source:
                    source.seek(start)
                    return source.read(-1 if length is None else length)
        except OSError as error:
            raise Unavailable(f"The file {path.name} cannot be read ({error.strerror}).") from None
        end = None if length is None else start + length
        return self._fetch(file, timeout)[start:end]

    def _fetch(self, file: State, timeout: float) -> bytes:
        url = str(file["url"])
        if url not in self._fetched:
            try:
                answer = call("GET", url, timeout=timeout, max_bytes=max(int(file["size"] or 0), 1) + 1024)
            except PlatformError as error:
                raise Unavailable(f"The post's file could not be fetched. {error}") from error
            if answer.status in (403, 404, 410):
                raise Rejected("A file of the post is not there any more. Add it again.", status_code=answer.status)
            if answer.status != 200:
                raise Unavailable(f"The post's file could not be fetched ({answer.status}).", status_code=answer.status)
            self._fetched[url] = answer.body
        return self._fetched[url]
