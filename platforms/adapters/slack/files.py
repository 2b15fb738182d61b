"""Uploading the files of a post, so that its message can show them. Nobody sees a file before the message is posted, so whatever
goes wrong here has posted nothing. https://docs.slack.dev/messaging/working-with-files#uploading_files"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from platforms.adapters.slack.api import OFFICIAL, Room, ask, error_of
from platforms.contracts import MediaRef
from platforms.errors import Unavailable, UnknownOutcome
from platforms.outbound import call

MOST_ALT = 2_000


def uploaded(room: Room, media: Sequence[MediaRef], left: Callable[[], float]) -> list[dict[str, str]]:
    """{id, permalink, kind, alt, name} of each file, in order. An unclear answer is Unavailable here: it may all be done again."""
    try:
        found = [_upload(room, item, number, left) for number, item in enumerate(media)]
        named = [{"id": item["id"], "title": item["name"]} for item in found]
        answer = ask(room, "files.completeUploadExternal", body={"files": named}, timeout=left())
    except UnknownOutcome as trouble:
        raise Unavailable(
            f"The files were not uploaded, so nothing was posted. {trouble}",
            status_code=trouble.status_code,
            platform_message=trouble.platform_message,
        ) from trouble
    links = {str(item.get("id")): str(item.get("permalink") or "") for item in answer.data.get("files") or ()}
    return [{**item, "permalink": links.get(item["id"], "")} for item in found]


def _upload(room: Room, item: MediaRef, number: int, left: Callable[[], float]) -> dict[str, str]:
    name = item.name or f"file{number}"
    try:
        with open(item.path, "rb") as file:
            asked = {"filename": name, "length": str(os.fstat(file.fileno()).st_size)}
            if item.alt and item.mime.startswith("image/"):
                asked["alt_txt"] = item.alt[:1_000]
            place = ask(room, "files.getUploadURLExternal", form=asked, timeout=left()).data
            address = str(place.get("upload_url") or "")
            if not _is_slacks(address, room):
                raise Unavailable("Slack named an address for the upload that is not its own, so nothing was posted.")
            answer = call("POST", address, files={"file": (name, file, item.mime)}, timeout=left())
    except OSError as trouble:
        raise Unavailable(f"File {number + 1} cannot be read here, so nothing was sent.") from trouble
    if not 200 <= answer.status < 300:
        raise error_of(answer)
    kind = "image" if item.mime.startswith("image/") else "file"
    return {"id": str(place.get("file_id")), "kind": kind, "alt": item.alt, "name": name}


def _is_slacks(address: str, room: Room) -> bool:
    """The files go to Slack's own hosts only; elsewhere only where the account's whole API is elsewhere."""
    host = urlsplit(address).hostname or ""
    if room.base == OFFICIAL:
        return address.startswith("https://") and (host == "slack.com" or host.endswith(".slack.com"))
    return host == urlsplit(room.base).hostname


def blocks(stored: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The images, as blocks with their alternative texts."""
    return [
        {"type": "image", "slack_file": {"id": item["id"]}, "alt_text": item["alt"][:MOST_ALT] or item["name"]}
        for item in stored
        if item["kind"] == "image"
    ]


def links(stored: Sequence[Mapping[str, str]]) -> str:
    """The other files, as links that Slack unfolds."""
    return "\n".join(
        f"<{item['permalink']}|{item['name'].replace('|', ' ')}>" for item in stored if item["kind"] == "file"
    )
